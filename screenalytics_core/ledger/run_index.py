"""The run index of seed 002: what a dashboard asks of a run. Pure.

It has two owners, and no key has both: the fold writes what it knows, callers patch
whatever else they like.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from screenalytics_core.artifacts import ARTIFACTS, ArtifactKind
from screenalytics_core.errors import SettingsError
from screenalytics_core.ledger.attempt_state import StageState
from screenalytics_core.ledger.cost import invoice
from screenalytics_core.ledger.event_check import check_plain
from screenalytics_core.ledger.run_facts import RunFacts
from screenalytics_core.ledger.run_rows import UNKNOWN
from screenalytics_core.ledger.state import merge_patch
from screenalytics_core.ledger.status import artifact_location
from screenalytics_core.ledger.vocabulary import RUN_INDEX_STATUSES, RunStatus, StageStatus

_LIVE: Final = "live"


def artifact_index_key(kind: ArtifactKind) -> str:
    """Return the index's name of an artifact: `screen_time` -> `screenTimeKey`."""
    first, *rest = kind.value.split("_")
    return first + "".join(word.capitalize() for word in rest) + "Key"


_FOLDED: Final = (
    "projectId",
    "runId",
    "status",
    "createdAt",
    "updatedAt",
    "step",
    "message",
    "progress",
    "invoice",
    "error",
    "sequence",
)
OWNED_KEYS: Final = frozenset({*_FOLDED, *(artifact_index_key(kind) for kind in ARTIFACTS)})


def run_index(facts: RunFacts, dashboard_url: str) -> dict[str, Any]:
    """Return the run index; what is not known is left out, but for the status.

    A run that nobody tells about is `unknown`, never `running` by default.

    Args:
        dashboard_url: Where Dagster's UI is served; empty if nowhere.
    """
    current = facts.state.current
    offered: dict[str, Any] = {"pipelineMode": _LIVE}
    if facts.report_url:
        offered["reportUrl"] = facts.report_url
    if dashboard_url and current:
        offered["dashboardUrl"] = f"{dashboard_url.rstrip('/')}/runs/{current.dagster_run_id}"
    merge_patch(offered, facts.state.index_patch)
    # A patch of an older release may hold a key that the fold has taken over since.
    others = {name: value for name, value in offered.items() if name not in OWNED_KEYS}
    return {**_folded(facts), **others, "sequence": facts.state.sequence}


def check_patch(patch: Mapping[str, Any]) -> None:
    """Refuse a patch that the next rendering would not keep.

    Raises:
        SettingsError: It sets a key that the fold owns, or is no JSON object.
    """
    try:
        check_plain(patch)
        json.dumps(patch, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise _refused("index patch", f"is no JSON ({error})", "Pass plain JSON values.") from error
    if not isinstance(patch, dict) or not all(isinstance(name, str) for name in patch):
        raise _refused("index patch", "is no JSON object", "Pass names with their values.")
    owned = sorted(patch.keys() & OWNED_KEYS)
    if owned:
        raise _refused(
            f"index keys {', '.join(owned)}",
            "are written from the run's events alone",
            "Leave them out: they change as the run goes on; other keys are merged and kept.",
        )


def _folded(facts: RunFacts) -> dict[str, Any]:
    status = facts.status
    created = facts.record.created_at if facts.record else None
    bill = invoice(facts)
    known = {
        "projectId": facts.ep_id,
        "runId": facts.run_id,
        "status": RUN_INDEX_STATUSES[status] if status else UNKNOWN,
        "createdAt": min((t for t in (facts.state.created_at, created) if t), default=None),
        "updatedAt": facts.state.updated_at or created,
        "step": _step(facts),
        "message": _message(facts),
        "progress": _progress(facts),
        **_artifact_keys(facts),
        "invoice": bill.to_dict() if bill else None,
        "error": _error(facts),
    }
    document = {name: value for name, value in known.items() if value is not None}
    return document


def _artifact_keys(facts: RunFacts) -> dict[str, str]:
    return {
        artifact_index_key(kind): artifact_location(facts, entry)
        for kind, entry in facts.manifest.entries.items()
    }


def _touched(facts: RunFacts) -> list[StageState]:
    """Return the stages that the current attempt planned or touched."""
    current = facts.state.current
    return list(current.stages.values()) if current else []


def _step(facts: RunFacts) -> str | None:
    """Return the stage that it is at, or was at when it ended."""
    if facts.status is RunStatus.QUEUED:
        return "queued"
    running = [s for s in _touched(facts) if s.status is StageStatus.RUNNING]
    failed = [s for s in _touched(facts) if s.status is StageStatus.FAILED]
    begun = [s for s in _touched(facts) if s.started_at is not None]
    return next((s.stage.value for s in reversed(running or failed or begun)), None)


def _message(facts: RunFacts) -> str | None:
    status, state = facts.status, facts.state
    if status is RunStatus.QUEUED:
        return "waits to be started"
    if status in {RunStatus.FAILED, RunStatus.CANCELED}:
        return state.error.message if state.error else str(status)
    if status is RunStatus.COMPLETED:
        return _result(facts)
    if status is None:
        return None
    running = [s for s in _touched(facts) if s.status is StageStatus.RUNNING]
    if not running:
        return "between two stages"
    progress = running[-1].progress
    return (progress.message if progress else "") or f"{running[-1].stage} is running"


def _result(facts: RunFacts) -> str:
    if facts.screen_time is None:
        return "completed"
    people = len(facts.screen_time["people"])
    return f"completed: {people} {'person' if people == 1 else 'people'} on screen"


def _progress(facts: RunFacts) -> float | None:
    """Return how much of what the current attempt set out to do is done, in percent."""
    if facts.status is RunStatus.COMPLETED:
        return 100.0
    current = facts.state.current
    if current is None or not current.stages:
        return 0.0 if facts.status is RunStatus.QUEUED else None
    return current.pct


def _error(facts: RunFacts) -> str | None:
    if facts.status is RunStatus.CANCELED:
        return str(RunStatus.CANCELED)
    return facts.state.error.message if facts.state.error else None


def _refused(thing: str, reason: str, way_out: str) -> SettingsError:
    return SettingsError(thing=thing, reason=reason, way_out=way_out)
