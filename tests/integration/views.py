"""Reads every view of a run as its readers do, and holds them against each other."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pandas as pd

from screenalytics_assets.instance import open_instance
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core import layout
from screenalytics_core.ledger.vocabulary import (
    REGISTRY_STATUSES,
    RUN_INDEX_STATUSES,
    STAGE_ROW_STATUSES,
    RunStatus,
    StageStatus,
)
from screenalytics_core.runs import RunKey
from screenalytics_core.stages import STAGE_PHASES, PipelineStage

_DAGSTER_ENDS = {
    dg.DagsterRunStatus.SUCCESS: RunStatus.COMPLETED,
    dg.DagsterRunStatus.FAILURE: RunStatus.FAILED,
    dg.DagsterRunStatus.CANCELED: RunStatus.CANCELED,
}


@dataclass(frozen=True)
class Views:
    """What is on disk about one run, each read through a bare path."""

    status: dict[str, Any]
    index: dict[str, Any]
    markers: dict[PipelineStage, dict[str, Any]]
    registry_row: dict[str, Any]
    stage_rows: list[dict[str, Any]]


def read_views(settings: Settings, ep_id: str, run_id: str) -> Views:
    """Read them; a missing or unreadable one fails here."""
    root = settings.data_root

    def load(key: str) -> Any:
        return json.loads((root / key).read_text())

    runs = pd.read_parquet(root / layout.RUNS_REGISTRY_KEY)
    stages = pd.read_parquet(root / layout.STAGE_RUNS_REGISTRY_KEY)
    rows = runs[(runs.ep_id == ep_id) & (runs.run_id == run_id)].to_dict("records")
    assert len(rows) == 1, f"{len(rows)} registry rows of {ep_id}/{run_id}"
    return Views(
        status=load(layout.status_key(ep_id, run_id)),
        index=load(layout.run_index_key(ep_id, run_id)),
        markers={
            stage: load(layout.run_marker_key(ep_id, run_id, stage))
            for stage in STAGE_PHASES
            if (root / layout.run_marker_key(ep_id, run_id, stage)).exists()
        },
        registry_row=rows[0],
        stage_rows=stages[(stages.ep_id == ep_id) & (stages.run_id == run_id)].to_dict("records"),
    )


def assert_views_agree(settings: Settings, ep_id: str, run_id: str) -> RunStatus | None:
    """Hold every view of a run against its log, and the files against the manifest.

    None: it was reserved, and nothing is known to have happened since.
    """
    stores = Stores.open(settings.data_root)
    state = stores.ledger.log.state(ep_id, run_id)
    status = state.status
    views = read_views(settings, ep_id, run_id)
    if status is None:
        assert state.sequence == 0
        assert views.registry_row["status"] == "unknown"
        assert (views.status["state"], views.stage_rows) == ("unknown", [])
        assert stores.artifacts.manifest(ep_id, run_id).entries == {}
        return None
    assert views.status["state"] == status
    assert views.status["sequence"] == state.sequence
    assert views.index["status"] == RUN_INDEX_STATUSES[status]
    assert views.registry_row["status"] == REGISTRY_STATUSES[status]
    assert views.registry_row["sequence"] == state.sequence
    shown = {name: stage["status"] for name, stage in views.status["stages"].items()}
    for stage, folded in state.stages.items():
        inherited = folded.status is StageStatus.NOT_STARTED and shown[stage] == "success"
        assert inherited or shown[stage] == folded.status
        if stage in views.markers and not inherited:
            assert views.markers[stage]["status"] == folded.status
    newest = {
        (row["stage"], row["attempt"]): row["status"]
        for row in views.stage_rows
        if row["source"] != "inherited"
    }
    for attempt in state.attempts:
        for stage, folded in attempt.stages.items():
            if folded.status in STAGE_ROW_STATUSES and folded.started_at:
                held = newest[(stage.value, attempt.attempt or 0)]
                assert held == STAGE_ROW_STATUSES[folded.status]
    assert_files_match_the_manifest(settings, ep_id, run_id)
    return status


def assert_files_match_the_manifest(settings: Settings, ep_id: str, run_id: str) -> None:
    """Re-hash every published file; look for anything half-written."""
    folder = settings.data_root / layout.run_prefix(ep_id, run_id)
    manifest = Stores.open(settings.data_root).artifacts.manifest(ep_id, run_id)
    for entry in manifest.entries.values():
        for file in entry.files:
            content = (folder / file.path).read_bytes()
            assert hashlib.sha256(content).hexdigest() == file.sha256, file.path


def assert_nothing_lies(settings: Settings) -> dict[RunKey, RunStatus | None]:
    """Check every run of a data root, and that Dagster says the same; return their states."""
    stores = Stores.open(settings.data_root)
    found = {key: assert_views_agree(settings, *key) for key in stores.ledger.log.list_runs()}
    with open_instance(settings.dagster_home) as instance:
        for key in found:
            state = stores.ledger.log.state(*key)
            for attempt in state.attempts:
                run = instance.get_run_by_id(attempt.dagster_run_id)
                if run is not None and run.is_finished:
                    assert attempt.status is _DAGSTER_ENDS[run.status], run.status
    return found
