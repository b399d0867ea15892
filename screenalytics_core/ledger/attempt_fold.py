"""The fold of one Dagster run's events to the state of an attempt. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from screenalytics_core.ledger.attempt_state import AttemptState, ErrorFacts
from screenalytics_core.ledger.events import EventKind, LedgerEvent
from screenalytics_core.ledger.shares import Shares
from screenalytics_core.ledger.stage_fold import fold_stages
from screenalytics_core.ledger.vocabulary import RunStatus

_ENDS: Final = {
    EventKind.RUN_COMPLETED: RunStatus.COMPLETED,
    EventKind.RUN_FAILED: RunStatus.FAILED,
    EventKind.RUN_CANCELED: RunStatus.CANCELED,
}
# What says nothing of a process that works on it.
_IDLE: Final = frozenset(
    {
        EventKind.RUN_QUEUED,
        EventKind.RUN_CANCELING,
        EventKind.STEP_PLANNED,
        EventKind.ATTEMPT_LOST,
    }
)
_FAILURES: Final = (EventKind.STEP_FAILED, EventKind.RUN_FAILED, EventKind.RUN_CANCELED)
# A Dagster run that was refused before it could claim says nothing about the run.
REFUSALS: Final = frozenset({"run_busy", "run_done", "run_settings_conflict"})
CANCELED: Final = ErrorFacts("canceled", "canceled")
"""Why a run did not complete that somebody ended; who did so says Dagster in its own words."""


def fold_attempt(dagster_run_id: str, events: Iterable[LedgerEvent]) -> AttemptState:
    """Return the state that the events of one Dagster run amount to, in whatever order given."""
    everything = sorted(events, key=lambda e: (e.order, e.event_id))
    attempt = next((e.attempt for e in everything if e.attempt is not None), None)
    end = _end_of(everything, attempt)
    # An orphaned process may go on writing: what comes after the end changes nothing.
    ordered = everything if end is None else [e for e in everything if e.order <= end.order]
    queued = _first(EventKind.RUN_QUEUED, ordered)
    started = _first(EventKind.RUN_STARTED, ordered)
    # Ours, so it stands after whatever Dagster said last.
    claimed = _first(EventKind.ATTEMPT_CLAIMED, everything)
    facts = queued.data if queued else {}
    folded = AttemptState(
        dagster_run_id=dagster_run_id,
        attempt=attempt,
        status=_status_of(end, ordered),
        created_at=facts.get("created_at") or min(e.at for e in ordered),
        claimed_at=claimed.data["claimed_at"] if claimed else None,
        started_at=started.at if started else None,
        ended_at=end.at if end else None,
        error=_error_of(end, ordered),
        is_refused=attempt is None and _refusal(ordered) is not None,
        trace_id=facts.get("trace_id"),
        parent_dagster_run_id=facts.get("parent_dagster_run_id"),
        parent_run_id=facts.get("parent_run_id"),
        tags=tuple(facts.get("tags", ())),
        process=dict(claimed.data["process"]) if claimed else {},
    )
    shares = Shares()
    for event in ordered:
        shares.take(event)
    pct = 100.0 if folded.status is RunStatus.COMPLETED else shares.pct
    return replace(folded, pct=pct, stages=fold_stages(folded, ordered, shares))


def _first(kind: EventKind, ordered: Sequence[LedgerEvent]) -> LedgerEvent | None:
    return next((event for event in ordered if event.kind is kind), None)


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
    is_idle = all(event.kind in _IDLE for event in ordered)
    return RunStatus.QUEUED if is_idle else RunStatus.RUNNING


def _error_of(end: LedgerEvent | None, ordered: Sequence[LedgerEvent]) -> ErrorFacts | None:
    """Return why it did not complete: the first step that failed says it best."""
    if end is None or end.kind is EventKind.RUN_COMPLETED:
        return None
    if end.kind is EventKind.RUN_CANCELED:
        # Canceling makes the running step fail too; only a refusal is the step's own news.
        return _refusal(ordered) or CANCELED
    first = next(_errors(ordered, EventKind.STEP_FAILED), None)
    return first or ErrorFacts.of(end.data) or ErrorFacts("run_failed", "failed without a reason")


def _refusal(ordered: Sequence[LedgerEvent]) -> ErrorFacts | None:
    """Return why it was refused, if it was; it may not have ended yet."""
    return next((e for e in _errors(ordered, *_FAILURES) if e.code in REFUSALS), None)


def _errors(ordered: Sequence[LedgerEvent], *kinds: EventKind) -> Iterator[ErrorFacts]:
    for event in ordered:
        if event.kind in kinds and (error := ErrorFacts.of(event.data)):
            yield error
