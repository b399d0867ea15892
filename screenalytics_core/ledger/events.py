"""The vocabulary of a run's event log: one record per line of events.jsonl. Pure.

Most events are Dagster's, normalised; a few are our own. Every one has an `event_id`, so
that writing it twice is the same as writing it once.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Self

from screenalytics_core.ledger.event_check import check_event
from screenalytics_core.stages import PipelineStage

if TYPE_CHECKING:
    from screenalytics_core.ledger.prices import PriceList

_NAMESPACE: Final = uuid.UUID("6f7a2a4e-3a0b-5c52-9d0e-51c4a1f7b8d3")
# Our own events about a Dagster run stand after all of Dagster's.
AFTER_ALL: Final = 2**62


class EventKind(StrEnum):
    """What can happen to a run."""

    RUN_QUEUED = "run_queued"
    """data: created_at, trace_id?, parent_dagster_run_id?, parent_run_id?, tags[]"""
    RUN_STARTED = "run_started"
    RUN_CANCELING = "run_canceling"
    """data: message"""
    RUN_COMPLETED = "run_completed"
    RUN_FAILED = "run_failed"
    """data: error{code, message}"""
    RUN_CANCELED = "run_canceled"
    """data: error{code, message}?"""
    ATTEMPT_CLAIMED = "attempt_claimed"
    """Our own; data: claimed_at, process{host, pid, ...}"""
    ATTEMPT_LOST = "attempt_lost"
    """Our own: nobody else will ever say how it ended; data: error{code, message}"""
    STEP_PLANNED = "step_planned"
    """data: asset"""
    STEP_STARTED = "step_started"
    STEP_PROGRESS = "step_progress"
    """data: done, total, message, part?, facts{}?; parts of one step add up"""
    STEP_MEASURED = "step_measured"
    """What a step that failed had used up: data: facts{}"""
    STEP_RETRYING = "step_retrying"
    """data: error{code, message}"""
    STEP_SUCCEEDED = "step_succeeded"
    STEP_FAILED = "step_failed"
    """data: error{code, message}"""
    ARTIFACT_PUBLISHED = "artifact_published"
    """data: asset, source, note?, content_sha256?, facts{}; see `StageFacts` for the facts"""
    INDEX_PATCHED = "index_patched"
    """Our own; data: patch{}"""
    RUN_PRICED = "run_priced"
    """Our own, once in a run: what it is billed by; data: prices{}, see `PriceList`"""


OF_THE_RUN: Final = frozenset({EventKind.INDEX_PATCHED, EventKind.RUN_PRICED})
"""Events of the run itself, and of no Dagster run."""


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """One line of events.jsonl.

    Attributes:
        event_id: `{dagster_run_id}/{order}`, or a UUID for an event of our own.
        at: ISO 8601 in UTC with microseconds.
        dagster_run_id: The Dagster run that it belongs to; "" for an event of the run itself.
        order: Place within that Dagster run (its storage id); AFTER_ALL for our own.
        attempt: Number of the attempt, where it was known when the event was written.
        stage: Of a step's event.
        step: Op name in the graph; a stage has one or more.
        data: What the kind says above.
        sequence: Line number in the log, 1-based; 0 while it is not written.
    """

    event_id: str
    kind: EventKind
    at: str
    dagster_run_id: str = ""
    order: int = AFTER_ALL
    attempt: int | None = None
    stage: PipelineStage | None = None
    step: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    sequence: int = field(default=0, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return it as it stands in events.jsonl; what is not known is left out."""
        record = {
            "sequence": self.sequence,
            "event_id": self.event_id,
            "kind": self.kind.value,
            "at": self.at,
            "dagster_run_id": self.dagster_run_id,
            "order": self.order,
            "attempt": self.attempt,
            "stage": self.stage.value if self.stage else None,
            "step": self.step,
            "data": dict(self.data),
        }
        return {k: v for k, v in record.items() if v not in (None, {}, "")}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Build it from a line; ValueError, KeyError or TypeError if it is not an event."""
        values = dict(record)
        values["kind"] = EventKind(values["kind"])
        if values.get("stage") is not None:
            values["stage"] = PipelineStage(values["stage"])
        event = cls(**values)
        check_event(event)
        return event


def dagster_event_id(dagster_run_id: str, order: int) -> str:
    """Return the id of an event that Dagster stored as number `order` of a run."""
    return f"{dagster_run_id}/{order}"


def attempt_claimed(
    dagster_run_id: str, attempt: int, claimed_at: str, process: Mapping[str, Any]
) -> LedgerEvent:
    """Return the event of a Dagster run that became an attempt; the same one every time."""
    data = {"claimed_at": claimed_at, "process": dict(process)}
    return _own(EventKind.ATTEMPT_CLAIMED, claimed_at, dagster_run_id, attempt, data)


def attempt_lost(
    dagster_run_id: str, attempt: int | None, at: datetime, reason: str
) -> LedgerEvent:
    """Return the event of an attempt that nobody else will ever end; the same one every time."""
    data = {"error": {"code": "attempt_lost", "message": reason}}
    return _own(EventKind.ATTEMPT_LOST, iso(at), dagster_run_id, attempt, data)


def index_patched(patch: Mapping[str, Any], at: datetime) -> LedgerEvent:
    """Return the event of a caller's change to the run index."""
    kind = EventKind.INDEX_PATCHED
    return LedgerEvent(str(uuid.uuid4()), kind, iso(at), data={"patch": dict(patch)})


def run_priced(prices: PriceList, at: datetime) -> LedgerEvent:
    """Return the event that fixes what a run is billed by; of several the log keeps the first."""
    event_id = str(uuid.uuid5(_NAMESPACE, EventKind.RUN_PRICED))
    return LedgerEvent(event_id, EventKind.RUN_PRICED, iso(at), data={"prices": prices.to_dict()})


def iso(at: datetime) -> str:
    """Return a time as it stands in the log."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _own(
    kind: EventKind, at: str, dagster_run_id: str, attempt: int | None, data: Mapping[str, Any]
) -> LedgerEvent:
    # With the attempt: one presumed lost before it claimed may be lost again afterwards.
    event_id = str(uuid.uuid5(_NAMESPACE, f"{kind}/{dagster_run_id}/{attempt}"))
    return LedgerEvent(event_id, kind, at, dagster_run_id, attempt=attempt, data=data)
