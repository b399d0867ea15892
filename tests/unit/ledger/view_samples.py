"""Stories of Dagster runs as their events tell them, and run folders that hold artifacts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from screenalytics_core.artifacts import SCREEN_TIME, SCREEN_TIME_CSV, SEGMENTS, ArtifactKind
from screenalytics_core.ledger.event_log import EventLog
from screenalytics_core.ledger.events import (
    EventKind,
    LedgerEvent,
    attempt_claimed,
    dagster_event_id,
    iso,
)
from screenalytics_core.ledger.run_facts import RunFacts, load_run_facts
from screenalytics_core.manifest import (
    EntryFacts,
    ManifestEntry,
    Source,
    read_manifest,
    write_manifest,
)
from screenalytics_core.stages import STAGE_ARTIFACTS, PipelineStage
from screenalytics_core.steps.base import FileFacts
from tests.stores import EP, MODEL_SHA256, Stores

Stage = PipelineStage
Kind = ArtifactKind
HOST = {"host": "studio", "pid": 42}
DETECT_FACTS = {"code_ref": "c0de-dirty", "rows_out": 3, "frames": 90, "inferences": 30}


@dataclass
class Story:
    """What one Dagster run does, an event a second."""

    dagster_run_id: str = "dagster-a"
    attempt: int | None = 1
    begins: str = "2026-01-02T04:00:00+00:00"
    events: list[LedgerEvent] = field(default_factory=list)

    def __iter__(self) -> Iterator[LedgerEvent]:
        return iter(self.events)

    def after(self, seconds: int) -> str:
        return iso(datetime.fromisoformat(self.begins) + timedelta(seconds=seconds))

    def add(
        self, kind: EventKind, stage: Stage | None = None, step: str | None = None, **data: Any
    ) -> Self:
        order = len(self.events)
        name = step or (stage.value if stage else None)
        event_id = dagster_event_id(self.dagster_run_id, order)
        self.events.append(
            LedgerEvent(
                event_id, kind, self.after(order), self.dagster_run_id, order, self.attempt,
                stage, name, data,
            )
        )  # fmt: skip
        return self

    def queued(self) -> Self:
        return self.add(EventKind.RUN_QUEUED, created_at=self.begins, trace_id="trace-7")

    def launched(self) -> Self:
        self.queued().add(EventKind.RUN_STARTED)
        if self.attempt is not None:
            at = self.after(len(self.events))
            self.events.append(attempt_claimed(self.dagster_run_id, self.attempt, at, HOST))
        return self

    def planned(self, *stages: Stage) -> Self:
        for stage in stages:
            self.add(EventKind.STEP_PLANNED, stage, asset=stage.value)
        return self

    def started(self, stage: Stage) -> Self:
        return self.add(EventKind.STEP_STARTED, stage)

    def progressed(self, stage: Stage, done: int, total: int, message: str = "") -> Self:
        return self.add(EventKind.STEP_PROGRESS, stage, done=done, total=total, message=message)

    def published(self, stage: Stage, source: str = "computed", **data: Any) -> Self:
        for kind in STAGE_ARTIFACTS[stage]:
            self.add(EventKind.ARTIFACT_PUBLISHED, stage, asset=kind.value, source=source, **data)
        return self

    def finished(self, stage: Stage, source: str = "computed", **data: Any) -> Self:
        """Start a stage, publish what it makes and end it well."""
        return (
            self.started(stage)
            .published(stage, source, **data)
            .add(EventKind.STEP_SUCCEEDED, stage)
        )

    def completed(self) -> Self:
        return self.add(EventKind.RUN_COMPLETED)

    def failed(self, stage: Stage, code: str = "video_unusable", message: str = "no frame") -> Self:
        error = {"code": code, "message": message}
        return self.add(EventKind.STEP_FAILED, stage, error=error).add(
            EventKind.RUN_FAILED, error={"code": "run_failed", "message": "steps failed"}
        )

    def canceled(self) -> Self:
        return self.add(EventKind.RUN_CANCELED)


def hold(
    stores: Stores,
    run_id: str,
    *stages: Stage,
    kinds: tuple[Kind, ...] = (),
    source: Source = "computed",
    **facts: Any,
) -> None:
    """Enter artifacts into a run's manifest; their files are not made."""
    for kind in (*kinds, *(kind for stage in stages for kind in STAGE_ARTIFACTS[stage])):
        files = (FileFacts(f"{kind}.bin", "c" * 64, 10, 3),)
        made_by = EntryFacts(**{"fingerprint": f"print of {kind}", "step_version": "2", **facts})
        entry = ManifestEntry.computed(kind, files, made_by, attempt=1)
        if source != "computed":
            entry = entry.taken(source, "earlier", 1, None)
        held = read_manifest(stores.storage, EP, run_id)
        write_manifest(stores.storage, held.with_entry(entry))


def publish_screen_time(stores: Stores, run_id: str, people: int = 1) -> None:
    person = {
        "face_s": 2.0, "total_s": 2.0, "share": 0.2, "first_s": 0.0, "last_s": 2.0,
        "low_s": 2.0, "high_s": 2.0, "track_count": 1, "body_track_count": 0, "segments": [],
    }  # fmt: skip
    document = {
        "duration_s": 10.0, "counted_s": 10.0, "covered_s": 2.0, "overlap_s": 0.0,
        "unknown_s": 0.0, "has_bodies": False, "co_appearances": [], "trims": [],
    }  # fmt: skip
    value = SCREEN_TIME.conform({**document, "people": [person] * people})
    empty = {"csv": SCREEN_TIME_CSV.from_rows([]), "segments": SEGMENTS.from_rows([])}
    stores.publish(run_id, Kind.SCREEN_TIME, {"screen_time": value, **empty})


def facts_of(stores: Stores, run_id: str, *stories: Story) -> RunFacts:
    """Write the stories into the run's log and read the run's folder back."""
    log = EventLog(stores.storage)
    for story in stories:
        log.append(EP, run_id, story)
    return load_run_facts(stores.runs, stores.artifacts, EP, run_id, log.state(EP, run_id))


def detect_facts(**more: Any) -> dict[str, Any]:
    """Return the entry facts of a detect stage: settings, models."""
    settings = {"det_thresh": 0.65, "stride": 3}
    return {"settings": settings, "models": {"face_detector": MODEL_SHA256}, **more}
