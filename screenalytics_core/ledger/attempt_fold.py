"""The fold of one Dagster run's events to the state of an attempt. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from screenalytics_core.ledger.attempt_state import AttemptState, ErrorFacts
from screenalytics_core.ledger.events import EventKind, LedgerEvent
from screenalytics_core.ledger.stage_fold import fold_stages
from screenalytics_core.ledger.vocabulary import RunStatus

_ENDS: Final = {
    EventKind.RUN_COMPLETED: RunStatus.COMPLETED,
    EventKind.RUN_FAILED: RunStatus.FAILED,
    EventKind.RUN_CANCELED: RunStatus.CANCELED,
}
# A Dagster run that was refused before it could claim says nothing about the run.
REFUSALS: Final = frozenset({"run_busy", "run_settings_conflict"})


def fold_attempt(dagster_run_id: str, events: Iterable[LedgerEvent]) -> AttemptState:
    """Return the state that the events of one Dagster run amount to, in whatever order given."""
    ordered = sorted(events, key=lambda e: (e.order, e.event_id))
    attempt = next((e.attempt for e in ordered if e.attempt is not None), None)
    end = _end_of(ordered, attempt)
    by_kind: dict[EventKind, LedgerEvent] = {}
    for event in ordered:
        by_kind.setdefault(event.kind, event)
    if end is not None:
        # An orphaned process may go on writing: what comes after the end changes nothing.
        ordered = [e for e in ordered if e.order <= end.order]
    queued, claimed = by_kind.get(EventKind.RUN_QUEUED), by_kind.get(EventKind.ATTEMPT_CLAIMED)
    started = by_kind.get(EventKind.RUN_STARTED)
    facts = queued.data if queued else {}
    error = _error_of(end, ordered)
    refused = attempt is None and error is not None and error.code in REFUSALS
    status = _status_of(end, ordered)
    return AttemptState(
        dagster_run_id=dagster_run_id,
        attempt=attempt,
        status=status,
        created_at=str(facts.get("created_at") or min(e.at for e in ordered)),
        claimed_at=claimed.data["claimed_at"] if claimed else None,
        started_at=started.at if started else None,
        ended_at=end.at if end else None,
        error=error,
        is_refused=refused,
        trace_id=facts.get("trace_id"),
        parent_dagster_run_id=facts.get("parent_dagster_run_id"),
        parent_run_id=facts.get("parent_run_id"),
        tags=tuple(facts.get("tags", ())),
        process=dict(claimed.data["process"]) if claimed else {},
        stages=fold_stages(dagster_run_id, attempt, status, error, ordered),
    )


def _end_of(ordered: Sequence[LedgerEvent], attempt: int | None) -> LedgerEvent | None:
    """Return the event that ended it: the first by order, so that the end is sticky.

    `attempt_lost` is a presumption and counts only if Dagster never says how it ended; one
    written before the Dagster run claimed the run was wrong.
    """
    for event in ordered:
        if event.kind in _ENDS:
            return event
        if event.kind is EventKind.ATTEMPT_LOST and event.attempt == attempt:
            return event
    return None


def _status_of(end: LedgerEvent | None, ordered: Sequence[LedgerEvent]) -> RunStatus:
    if end is not None:
        return _ENDS.get(end.kind, RunStatus.FAILED)
    idle = {EventKind.RUN_QUEUED, EventKind.STEP_PLANNED, EventKind.ATTEMPT_LOST}
    is_idle = all(event.kind in idle for event in ordered)
    return RunStatus.QUEUED if is_idle else RunStatus.RUNNING


def _error_of(end: LedgerEvent | None, ordered: Sequence[LedgerEvent]) -> ErrorFacts | None:
    """Return why it did not complete: the first step that failed says it best."""
    if end is None or end.kind is EventKind.RUN_COMPLETED:
        return None
    failed = [ErrorFacts.of(e.data) for e in ordered if e.kind is EventKind.STEP_FAILED]
    first = failed[0] if failed else None
    if end.kind is EventKind.RUN_CANCELED:
        # Canceling makes the running step fail too; only a refusal is the step's own news.
        is_refusal = first is not None and first.code in REFUSALS
        return (
            first if is_refusal else ErrorFacts.of(end.data) or ErrorFacts("canceled", "canceled")
        )
    return first or ErrorFacts.of(end.data) or ErrorFacts("run_failed", "failed without a reason")
