"""What listeners of one run can be told at one moment. Pure, and never changed once made."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from screenalytics_assets.api.progress.models import (
    Ending,
    ProgressEvent,
    Snapshot,
    StageProgress,
)
from screenalytics_assets.api.progress.teller import ProgressTeller, Told
from screenalytics_core.ledger.attempt_state import AttemptState, StageState
from screenalytics_core.ledger.events import LedgerEvent
from screenalytics_core.ledger.state import RunState
from screenalytics_core.ledger.vocabulary import RunStatus
from screenalytics_core.run_record import RunKey


@dataclass(frozen=True, slots=True, eq=False)
class ProgressView:
    """A run's log up to some line, told.

    Attributes:
        generation: Grows when the log is another one than before, so that numbers start anew.
        told: What its lines say, oldest first; lines that say nothing are left out.
        newest: Job -> the last that it was told; None -> the last that the run was.
        derived: The state of a run that has artifacts and no log.
    """

    key: RunKey
    state: RunState
    generation: int = 0
    told: tuple[Told, ...] = ()
    newest: Mapping[str | None, ProgressEvent] = field(default_factory=dict)
    derived: RunStatus | None = None

    def after(self, sequence: int, job_id: str | None) -> Iterator[ProgressEvent]:
        """Yield what was said after a line: of the run, or of one of its launches."""
        first = bisect_right(self.told, sequence, key=lambda told: told.to_job.sequence)
        for told in self.told[first:]:
            event = told.to_run if job_id is None else told.to_job
            if event is not None and job_id in {None, event.job_id}:
                yield event

    def snapshot(self, job_id: str | None) -> Snapshot:
        """Return the newest that was said, and where every stage stands."""
        speaker = self._speaker(job_id)
        told = self.newest.get(job_id) or ProgressTeller(*self.key).waiting(job_id)
        stages = self.state.stages if job_id is None else speaker.stages if speaker else {}
        status = self._status(speaker, job_id)
        return Snapshot(
            **{
                **told.model_dump(),
                "timestamp": told.timestamp or self.state.updated_at,
                "sequence": self.state.sequence,
                "state": status or (None if job_id is None else RunStatus.QUEUED),
                **_error(speaker),
            },
            stages={stage: _stage(state) for stage, state in stages.items()},
        )

    def ending(self, job_id: str | None) -> Ending | None:
        """Return how the run, or one of its launches, ended; None while it goes on.

        The run has ended when its newest attempt has; another job may resume it.
        """
        speaker = self._speaker(job_id)
        status = self._status(speaker, job_id)
        if status is None or not status.is_terminal:
            return None
        ep_id, run_id = self.key
        return Ending(
            projectId=ep_id, runId=run_id, state=status, ep_id=ep_id, run_id=run_id,
            sequence=self.state.sequence, job_id=speaker.dagster_run_id if speaker else None,
            attempt=speaker.attempt if speaker else None, **_error(speaker),
        )  # fmt: skip

    def _status(self, speaker: AttemptState | None, job_id: str | None) -> RunStatus | None:
        if speaker is not None:
            return speaker.status
        # What a run's artifacts tell is nothing about a job that has not spoken yet.
        return self.derived if job_id is None else None

    def _speaker(self, job_id: str | None) -> AttemptState | None:
        """Return the launch that speaks: the one asked for, else the run's newest that counts."""
        if job_id is not None:
            launches = (*self.state.attempts, *self.state.refused)
            return next((a for a in launches if a.dagster_run_id == job_id), None)
        # Where nothing counts, the last refusal is all that ever happened.
        return self.state.current or next(reversed(self.state.refused), None)


def view_of(
    key: RunKey, state: RunState, before: tuple[ProgressTeller, ProgressView] | None = None
) -> tuple[ProgressTeller, ProgressView]:
    """Return what a run's log tells now, and the teller that goes on from there.

    Args:
        before: What this gave for the log up to an earlier line.
    """
    teller, earlier = before or (ProgressTeller(*key), ProgressView(key, RunState()))
    if not _goes_on(state, earlier.state):
        teller = ProgressTeller(*key)
        earlier = ProgressView(key, RunState(), generation=earlier.generation + 1)
    events = _events_after(state, earlier.state.sequence)
    told = tuple(t for event in events if (t := teller.take(event)) is not None)
    newest = dict(earlier.newest)
    for entry in told:
        newest[entry.to_job.job_id] = entry.to_job
        newest[None] = entry.to_run or newest.get(None) or entry.to_job
    all_told = (*earlier.told, *told)
    return teller, ProgressView(key, state, earlier.generation, all_told, newest)


def _goes_on(state: RunState, earlier: RunState) -> bool:
    """Tell whether a state is of the same log: it knows the last event that was told."""
    last = next(reversed(tuple(earlier.kept)), None)
    return earlier.sequence <= state.sequence and (last is None or last in state.kept)


def _events_after(state: RunState, sequence: int) -> tuple[LedgerEvent, ...]:
    """Return the events after a line."""
    events = tuple(state.kept.values())  # as the log has them
    return events[bisect_right(events, sequence, key=lambda event: event.sequence) :]


def _stage(state: StageState) -> StageProgress:
    progress = state.progress
    counted: dict[str, Any] = {}
    if progress is not None:
        counted = {name: getattr(progress, name) for name in ("step", "done", "total", "message")}
    error = state.error.message if state.error else state.blocked_reason
    return StageProgress(status=state.status, pct=state.pct, error=error, **counted)


def _error(speaker: AttemptState | None) -> dict[str, str | None]:
    error = speaker.error if speaker else None
    return {"error": error.message if error else None, "error_code": error.code if error else None}
