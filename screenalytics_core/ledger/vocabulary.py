"""The words for states: ours, and what each view calls them. Stated here only."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from screenalytics_core.errors import SettingsError


class RunStatus(StrEnum):
    """Where a run or an attempt stands; the last three are terminal."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more is to come."""
        return self in _TERMINAL


_TERMINAL: Final = frozenset({RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELED})


class StageStatus(StrEnum):
    """Where a stage stands."""

    NOT_STARTED = "not_started"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    BLOCKED = "blocked"
    CANCELED = "canceled"


JOB_API_STATES: Final = {
    RunStatus.QUEUED: "running",
    RunStatus.RUNNING: "running",
    RunStatus.COMPLETED: "succeeded",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELED: "failed",
}
RUN_INDEX_STATUSES: Final = {
    RunStatus.QUEUED: "queued",
    RunStatus.RUNNING: "running",
    RunStatus.COMPLETED: "completed",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELED: "failed",
}
REGISTRY_STATUSES: Final = {
    RunStatus.QUEUED: "queued",
    RunStatus.RUNNING: "running",
    RunStatus.COMPLETED: "success",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELED: "canceled",
}
# A stage that never started has no row.
STAGE_ROW_STATUSES: Final = {
    StageStatus.RUNNING: "running",
    StageStatus.SUCCESS: "completed",
    StageStatus.FAILED: "failed",
    StageStatus.CANCELED: "failed",
}

_SPELLINGS: Final = {
    "complete": RunStatus.COMPLETED,
    "succeeded": RunStatus.COMPLETED,
    "success": RunStatus.COMPLETED,
    "done": RunStatus.COMPLETED,
    "error": RunStatus.FAILED,
    "failure": RunStatus.FAILED,
    "cancelled": RunStatus.CANCELED,
    "started": RunStatus.RUNNING,
    "in_progress": RunStatus.RUNNING,
    "pending": RunStatus.QUEUED,
}


def parse_run_status(word: str) -> RunStatus:
    """Return the state that a word means, by our name or one of the seeds'.

    Raises:
        SettingsError: No state has that name.
    """
    text = word.strip().lower()
    try:
        return _SPELLINGS.get(text) or RunStatus(text)
    except ValueError:
        raise SettingsError(
            thing=f"status {word!r}",
            reason="is not one that a run can have",
            way_out=f"Use one of {', '.join(RunStatus)}.",
        ) from None
