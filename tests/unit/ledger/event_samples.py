"""Builders of logs: one `Told` per Dagster run, an event a second, as Dagster orders them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Self

from screenalytics_core.ledger.events import (
    EventKind,
    LedgerEvent,
    attempt_claimed,
    attempt_lost,
    dagster_event_id,
    iso,
    run_priced,
)
from screenalytics_core.ledger.prices import PriceList, Rate
from screenalytics_core.stages import PipelineStage

STAGE_OF: Final = {
    "scan": PipelineStage.DETECT_TRACK,
    "tracks": PipelineStage.DETECT_TRACK,
    "faces": PipelineStage.FACES_EMBED,
    "embeddings": PipelineStage.FACES_EMBED,
    "identities": PipelineStage.CLUSTER,
    "body_tracks": PipelineStage.BODY_TRACKING,
    "screen_time": PipelineStage.SCREEN_TIME,
}
STEPS: Final = ("scan", "tracks", "faces", "embeddings", "identities", "screen_time")
PROCESS: Final = {"host": "host", "pid": 42}
PRICES: Final = PriceList(
    version="test-1",
    sha256="e" * 64,
    origin="default",
    currency="USD",
    decimals=6,
    markup_percent=Decimal("20"),
    storage_months=Decimal("12"),
    rates={
        "cpu_s": Rate(Decimal("0.036"), Decimal("3600")),
        "gpu_s": Rate(Decimal("3.6"), Decimal("3600")),
        "storage_gb_months": Rate(Decimal("0.02"), Decimal("1")),
    },
)
_BEGIN: Final = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)


def at(second: float) -> str:
    """Return the time so many seconds into the tests' day, as it stands in a log."""
    return iso(_BEGIN + timedelta(seconds=second))


@dataclass
class Told:
    """What Dagster tells of one of its runs; each method adds the next event."""

    dagster_run_id: str = "d1"
    attempt: int | None = None
    second: float = 0.0
    events: list[LedgerEvent] = field(default_factory=list)

    def __iter__(self) -> Iterator[LedgerEvent]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)

    def tell(self, kind: EventKind, step: str | None = None, **data: Any) -> Self:
        order = len(self.events)
        event = LedgerEvent(
            event_id=dagster_event_id(self.dagster_run_id, order),
            kind=kind,
            at=at(self.second),
            dagster_run_id=self.dagster_run_id,
            order=order,
            attempt=self.attempt,
            stage=STAGE_OF[step] if step else None,
            step=step,
            data=data,
        )
        return self._add(event)

    def _add(self, event: LedgerEvent) -> Self:
        self.events.append(event)
        self.second += 1
        return self

    def queued(self, steps: Iterable[str] = STEPS, **data: Any) -> Self:
        self.tell(EventKind.RUN_QUEUED, created_at=at(self.second), **data)
        for step in steps:
            self.tell(EventKind.STEP_PLANNED, step, asset=step)
        return self

    def run_started(self) -> Self:
        return self.tell(EventKind.RUN_STARTED)

    def claims(self, n: int) -> Self:
        self.attempt = n
        return self._add(attempt_claimed(self.dagster_run_id, n, at(self.second), PROCESS))

    def begins(self, n: int, steps: Iterable[str] = STEPS) -> Self:
        """Queue, start and claim."""
        return self.queued(steps).run_started().claims(n)

    def started(self, step: str) -> Self:
        return self.tell(EventKind.STEP_STARTED, step)

    def reported(self, step: str, done: int, total: int, **more: Any) -> Self:
        data = {"done": done, "total": total, "message": f"{done} of {total}", **more}
        return self.tell(EventKind.STEP_PROGRESS, step, **data)

    def measured(self, step: str, **facts: Any) -> Self:
        return self.tell(EventKind.STEP_MEASURED, step, facts=facts)

    def published(self, step: str, source: str = "computed", **facts: Any) -> Self:
        data = {"asset": step, "source": source, "facts": facts}
        return self.tell(EventKind.ARTIFACT_PUBLISHED, step, **data)

    def shared(self, step: str, stage: PipelineStage, asset: str, **facts: Any) -> Self:
        """Publish what a step makes for another stage than its own."""
        self.published(step, **facts)
        event = self.events[-1]
        self.events[-1] = replace(event, stage=stage, data={**event.data, "asset": asset})
        return self

    def succeeded(self, step: str) -> Self:
        return self.tell(EventKind.STEP_SUCCEEDED, step)

    def does(self, *steps: str) -> Self:
        """Run steps from start to success."""
        for step in steps:
            self.started(step).published(step).succeeded(step)
        return self

    def retrying(self, step: str) -> Self:
        return self.tell(EventKind.STEP_RETRYING, step, error=error("retried", "again"))

    def failed(self, step: str, code: str = "video_error", message: str = "bad video") -> Self:
        return self.tell(EventKind.STEP_FAILED, step, error=error(code, message))

    def run_failed(self, code: str = "run_failed", message: str = "steps failed") -> Self:
        return self.tell(EventKind.RUN_FAILED, error=error(code, message))

    def swept(self) -> Self:
        """End as Dagster ends a run whose process was found dead."""
        return self.run_failed("process_died", "the process died")

    def canceling(self) -> Self:
        return self.tell(EventKind.RUN_CANCELING, message="by the user")

    def canceled(self) -> Self:
        """End as Dagster does for somebody who asked it to."""
        words = "This run has been marked as canceled from outside the execution context."
        return self.tell(EventKind.RUN_CANCELED, error=error("canceled", words))

    def completed(self) -> Self:
        return self.tell(EventKind.RUN_COMPLETED)

    def lost(self, reason: str = "Dagster does not know it") -> Self:
        when = _BEGIN + timedelta(seconds=self.second)
        return self._add(attempt_lost(self.dagster_run_id, self.attempt, when, reason))


def error(code: str, message: str) -> dict[str, str]:
    return {"code": code, "message": message}


def refused(dagster_run_id: str, second: float = 0.0) -> Told:
    """Return a launch that found the run busy."""
    told = Told(dagster_run_id, second=second).queued().run_started().started("scan").canceling()
    return told.failed("scan", "run_busy", "attempt 1 is running").canceled()


def patched(patch: dict[str, Any], second: float = 0.0, event_id: str = "patch") -> LedgerEvent:
    kind = EventKind.INDEX_PATCHED
    return LedgerEvent(event_id, kind, at(second), data={"patch": patch})


def priced(second: float = 0.0, **changed: Any) -> LedgerEvent:
    """Return the event of a run's prices; `changed`: what differs from the program's own list."""
    return run_priced(replace(PRICES, **changed), _BEGIN + timedelta(seconds=second))


def numbered(events: Iterable[LedgerEvent]) -> list[LedgerEvent]:
    """Return events as a log gives them, with line numbers."""
    return [replace(event, sequence=n) for n, event in enumerate(events, 1)]
