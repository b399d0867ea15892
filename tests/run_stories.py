"""What happened in a run, told step by step: events for logs, rows and pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from screenalytics_core.ledger.events import (
    EventKind,
    LedgerEvent,
    attempt_claimed,
    dagster_event_id,
    iso,
)
from screenalytics_core.ledger.run_facts import RunFacts
from screenalytics_core.ledger.stage_rows import STAGE_RUNS_TABLE
from screenalytics_core.ledger.state import fold
from screenalytics_core.manifest import Manifest
from screenalytics_core.stages import STAGE_PLAN, PipelineStage

EP = "rhobh-s05e14"
PROCESS = {"host": "box", "boot_id": "b", "pid_namespace": "n", "pid": 7, "started_s": 1.0}


@dataclass
class Story:
    """Attempts of a run; the clock goes on with what is told."""

    run_id: str = "20261121_103000_0a1b2c3d"
    ep_id: str = EP
    now: datetime = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
    events: list[LedgerEvent] = field(default_factory=list)
    attempt: int = 0
    _order: int = 0

    @property
    def dagster_run_id(self) -> str:
        return f"{self.run_id}-{self.attempt}"

    def begin(self, process: dict[str, Any] | None = None, **queued: Any) -> Story:
        """Launch the next attempt, plan every stage, and claim the run."""
        self.attempt += 1
        self.tell(EventKind.RUN_QUEUED, **{"created_at": iso(self.now), "tags": [], **queued})
        for stage in STAGE_PLAN:
            self.tell(EventKind.STEP_PLANNED, stage, asset=stage.value)
        self.tell(EventKind.RUN_STARTED, after_s=0.5)
        claim = attempt_claimed(
            self.dagster_run_id, self.attempt, iso(self.now), process or PROCESS
        )
        self.events.append(claim)
        return self

    def stage(
        self, stage: PipelineStage, took_s: float, source: str = "computed", **facts: Any
    ) -> Story:
        """Let a stage succeed."""
        self.tell(EventKind.STEP_STARTED, stage, after_s=0.1)
        self.now += timedelta(seconds=took_s)
        told = {"asset": stage.value, "source": source, "facts": facts}
        self.tell(EventKind.ARTIFACT_PUBLISHED, stage, **told)
        return self.tell(EventKind.STEP_SUCCEEDED, stage)

    def start(self, stage: PipelineStage) -> Story:
        """Let a stage start and go on."""
        return self.tell(EventKind.STEP_STARTED, stage, after_s=0.1)

    def fail(self, stage: PipelineStage, took_s: float, code: str, message: str) -> Story:
        """Let a stage fail, and the attempt with it."""
        self.start(stage)
        self.now += timedelta(seconds=took_s)
        error = {"code": code, "message": message}
        self.tell(EventKind.STEP_FAILED, stage, error=error)
        return self.tell(EventKind.RUN_FAILED, after_s=0.1, error=error)

    def complete(self) -> Story:
        return self.tell(EventKind.RUN_COMPLETED, after_s=0.1)

    def tell(
        self,
        kind: EventKind,
        stage: PipelineStage | None = None,
        after_s: float = 0.0,
        **data: Any,
    ) -> Story:
        self.now += timedelta(seconds=after_s)
        self._order += 1
        self.events.append(
            LedgerEvent(
                event_id=dagster_event_id(self.dagster_run_id, self._order),
                kind=kind,
                at=iso(self.now),
                dagster_run_id=self.dagster_run_id,
                order=self._order,
                attempt=self.attempt,
                stage=stage,
                step=stage.value if stage else None,
                data=data,
            )
        )
        return self

    def facts(self, **known: Any) -> RunFacts:
        """Return what the run's folder says; `known`: record, manifest, screen_time."""
        values = {"record": None, "manifest": Manifest(self.ep_id, self.run_id), **known}
        return RunFacts(self.ep_id, self.run_id, fold(self.events), **values)


def stage_row(stage: str = "detect", status: str = "completed", **given: Any) -> dict[str, Any]:
    """Return a row of registry/stage_runs.parquet; what is not given is usual."""
    started_at = given.pop("started_at", "2026-11-21T10:30:00.000000+00:00")
    row = {column.name: None for column in STAGE_RUNS_TABLE.columns}
    return {
        **row,
        "run_id": "first",
        "ep_id": EP,
        "stage": stage,
        "status": status,
        "input_fingerprint": "f" * 64,
        "started_at": started_at,
        "finished_at": None if status == "running" else started_at,
        "duration_seconds": None if status == "running" else 1.0,
        "llm_calls": 0,
        "tokens": 0,
        "source": "computed" if status == "completed" else None,
        "attempt": 1,
        "sequence": 1,
        **given,
    }
