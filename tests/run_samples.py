"""Runs as they lie on disk: record, attempt, artifacts and log, without a pipeline."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from screenalytics_core.artifacts import SCREEN_TIME_CSV, SEGMENTS, ArtifactKind
from screenalytics_core.ledger.event_log import EventLog
from screenalytics_core.ledger.events import EventKind, LedgerEvent, dagster_event_id, iso
from screenalytics_core.manifest import ManifestEntry
from screenalytics_core.stages import PipelineStage
from tests.stores import EP, Stores

_DATA = {EventKind.ARTIFACT_PUBLISHED: {"asset": "tracks", "source": "computed", "facts": {}}}
_STAGES = {EventKind.ARTIFACT_PUBLISHED: PipelineStage.DETECT_TRACK}


def seen_person(
    identity_id: str, *segments: tuple[float, float], label: str | None = None
) -> dict[str, Any]:
    """Return a row of screen_time's people."""
    total_s = sum(end - start for start, end in segments)
    return {
        "identity_id": identity_id,
        "cast_id": label.lower() if label else None,
        "label": label,
        "face_s": total_s,
        "body_only_s": None,
        "total_s": total_s,
        "low_s": total_s,
        "high_s": total_s,
        "share": total_s / 100,
        "first_s": segments[0][0],
        "last_s": segments[-1][1],
        "track_count": 1,
        "body_track_count": 0,
        "segments": [{"start_s": s, "end_s": e, "source": "face"} for s, e in segments],
    }


def publish_screen_time(
    stores: Stores, run_id: str, *people: dict[str, Any], attempt: int = 1
) -> ManifestEntry:
    total_s = sum(p["total_s"] for p in people)
    document = {
        "duration_s": 100.0,
        "counted_s": 100.0,
        "covered_s": total_s,
        "overlap_s": 0.0,
        "unknown_s": 0.0,
        "has_bodies": False,
        "co_appearances": [],
        "trims": [],
    }
    columns = [c.name for c in SCREEN_TIME_CSV.columns]
    rows = [{name: p[name] for name in columns} for p in people]
    data = {
        "screen_time": {**document, "people": list(people)},
        "csv": SCREEN_TIME_CSV.from_rows(rows),
        "segments": SEGMENTS.arrow_schema().empty_table(),
    }
    return stores.publish(run_id, ArtifactKind.SCREEN_TIME, data, attempt=attempt)


def log_of(
    *kinds: EventKind, stores: Stores, run_id: str, attempt: int = 1, order: int = 1
) -> list[LedgerEvent]:
    """Return events of the run's Dagster run, a second apart, the last one now."""
    name = f"dagster-{run_id}"
    last = stores.clock()
    return [
        LedgerEvent(
            event_id=dagster_event_id(name, order + i),
            kind=kind,
            at=iso(last - timedelta(seconds=len(kinds) - 1 - i)),
            dagster_run_id=name,
            order=order + i,
            attempt=attempt,
            stage=stage,
            step=stage and stage.value,
            data=_DATA.get(kind, {}),
        )
        for i, kind in enumerate(kinds)
        for stage in [_STAGES.get(kind)]
    ]


def write_log(
    stores: Stores, run_id: str, end: EventKind | None = EventKind.RUN_COMPLETED
) -> EventLog:
    """Write the log of a run that started and, unless `end` is None, ended."""
    kinds = [EventKind.RUN_QUEUED, EventKind.RUN_STARTED, *([end] if end else [])]
    log = EventLog(stores.storage)
    log.append(EP, run_id, log_of(*kinds, stores=stores, run_id=run_id))
    return log


def finished_run(stores: Stores, run_id: str, **settings: Any) -> None:
    """Make a completed run that holds detections, tracks and one person's screen time."""
    stores.run(run_id, **settings)
    stores.publish_detections(run_id)
    stores.publish_tracks(run_id)
    publish_screen_time(stores, run_id, seen_person("id_0001", (0.0, 4.0)))
    write_log(stores, run_id)
