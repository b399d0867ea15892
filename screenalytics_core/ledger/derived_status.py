"""The status of an episode that no run was made for: concluded from what the seeds left.

That is their artifacts (`manifests/{ep_id}/detections.jsonl` ...) and their markers
(`manifests/{ep_id}/runs/{phase}.json`). Nothing is written.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from screenalytics_core import layout
from screenalytics_core.artifacts import ARTIFACTS, ArtifactKind
from screenalytics_core.episodes import EpisodeId
from screenalytics_core.errors import SettingsError
from screenalytics_core.ledger.attempt_state import ErrorFacts, StageState
from screenalytics_core.ledger.events import iso
from screenalytics_core.ledger.run_facts import KnownStage
from screenalytics_core.ledger.run_rows import UNKNOWN
from screenalytics_core.ledger.status import SCHEMA_VERSION, git_facts, stage_document
from screenalytics_core.ledger.view_files import read_view
from screenalytics_core.ledger.vocabulary import RunStatus, StageStatus, parse_run_status
from screenalytics_core.stages import (
    SEED_STAGE_ARTIFACTS,
    STAGE_ARTIFACTS,
    STAGE_PHASES,
    STAGE_PLAN,
    PipelineStage,
)
from screenalytics_core.storage.base import Storage

_LOG: Final = logging.getLogger(__name__)
_STAGE_STATUSES: Final = {
    RunStatus.QUEUED: StageStatus.NOT_STARTED,
    RunStatus.RUNNING: StageStatus.RUNNING,
    RunStatus.COMPLETED: StageStatus.SUCCESS,
    RunStatus.FAILED: StageStatus.FAILED,
    RunStatus.CANCELED: StageStatus.CANCELED,
}


def derived_episode_status(
    storage: Storage, ep_id: str, generated_at: datetime
) -> dict[str, Any] | None:
    """Return a status document with run_id None, or None if the seeds left nothing.

    `derived_from` names the files, relative to the data root. A marker that one of our runs
    wrote is that run's view and counts for nothing here.
    """
    ep_id = EpisodeId.parse(ep_id).text
    known: dict[PipelineStage, KnownStage] = {}
    documents: dict[str, Any] = {}
    for stage in STAGE_PLAN:
        artifacts = _artifacts(storage, ep_id, stage)
        marker = _marker(storage, ep_id, stage)
        known[stage] = _known(ep_id, stage, artifacts, marker)
        counts = _counts(marker or {})
        documents[stage.value] = stage_document(known[stage], artifacts, counts, {}, {})
    derived_from = [name for stage in known.values() for name in stage.derived_from]
    if not derived_from:
        return None
    state = _state({stage: k.state.status for stage, k in known.items()})
    return {
        "schema_version": SCHEMA_VERSION,
        "sequence": 0,
        "episode_id": ep_id,
        "ep_id": ep_id,
        "run_id": None,
        "state": state.value if state else UNKNOWN,
        "is_derived": True,
        "derived_from": derived_from,
        "stage_plan": [stage.value for stage in STAGE_PLAN],
        "stages": documents,
        "error": next((d["error"] for d in documents.values() if d["error"]), None),
        "dagster_run_ids": [],
        "git": git_facts(None),
        "environment": {},
        "generated_at": iso(generated_at),
    }


def _artifacts(storage: Storage, ep_id: str, stage: PipelineStage) -> dict[str, str]:
    keys = {
        str(kind): layout.legacy_artifact_key(ep_id, ARTIFACTS[kind].primary.filename)
        for kind in STAGE_ARTIFACTS[stage]
    }
    return {kind: key for kind, key in keys.items() if storage.exists(key)}


def _marker(storage: Storage, ep_id: str, stage: PipelineStage) -> dict[str, Any] | None:
    """Return the seeds' marker of a stage; a damaged one is logged and none."""
    if stage not in STAGE_PHASES:
        return None
    marker = read_view(storage, layout.legacy_marker_key(ep_id, stage))
    run_id = marker.get("run_id") if marker else None
    is_of_a_run = isinstance(run_id, str) and run_id in storage.list_folders(
        layout.runs_prefix(ep_id)
    )
    return None if is_of_a_run else marker


def _known(
    ep_id: str,
    stage: PipelineStage,
    artifacts: Mapping[str, str],
    marker: Mapping[str, Any] | None,
) -> KnownStage:
    """Conclude a stage: its marker says how it ended, else its artifacts that it did."""
    derived_from = tuple(artifacts.values())
    needed = {str(kind) for kind in _needed(stage)}
    status = StageStatus.SUCCESS if needed <= artifacts.keys() else StageStatus.NOT_STARTED
    state = StageState(stage, status)
    told = _status(marker) if marker else None
    if marker is None or told is None:
        return KnownStage(state, derived_from)
    state = StageState(
        stage,
        told,
        started_at=_time(marker, "started_at"),
        ended_at=_time(marker, "finished_at"),
        error=_error(marker, told),
    )
    return KnownStage(state, (layout.legacy_marker_key(ep_id, stage), *derived_from))


def _needed(stage: PipelineStage) -> tuple[ArtifactKind, ...]:
    return SEED_STAGE_ARTIFACTS.get(stage, STAGE_ARTIFACTS[stage])


def _status(marker: Mapping[str, Any]) -> StageStatus | None:
    """Return what a marker's word means, in whichever vocabulary; None if in none."""
    word = str(marker.get("status", ""))
    if word in set(StageStatus):
        return StageStatus(word)
    try:
        return _STAGE_STATUSES[parse_run_status(word)]
    except SettingsError as error:
        _LOG.warning("marker %s: %s", marker.get("phase"), error)
        return None


def _time(marker: Mapping[str, Any], name: str) -> str | None:
    """Return a marker's time as the log writes times, UTC unless it says so; None if none."""
    try:
        at = datetime.fromisoformat(marker[name])
    except (KeyError, TypeError, ValueError):
        return None
    return iso(at if at.tzinfo else at.replace(tzinfo=UTC))


def _error(marker: Mapping[str, Any], status: StageStatus) -> ErrorFacts | None:
    """Return a marker's error, which was a text in some seeds and an object in others."""
    error = marker.get("error")
    if isinstance(error, Mapping):
        return ErrorFacts(str(error.get("code", status)), str(error.get("message", "")))
    return ErrorFacts(str(status), str(error)) if error else None


def _counts(marker: Mapping[str, Any]) -> dict[str, int]:
    counts = marker.get("counts")
    if not isinstance(counts, Mapping):
        return {}
    return {str(name): n for name, n in counts.items() if type(n) is int}


def _state(stages: Mapping[PipelineStage, StageStatus]) -> RunStatus | None:
    """Return what the stages make of the episode; None where that cannot be told."""
    words = set(stages.values())
    if StageStatus.FAILED in words:
        return RunStatus.FAILED
    if StageStatus.CANCELED in words:
        return RunStatus.CANCELED
    if StageStatus.RUNNING in words:
        return RunStatus.RUNNING
    is_whole = all(stages[stage] is StageStatus.SUCCESS for stage in SEED_STAGE_ARTIFACTS)
    return RunStatus.COMPLETED if is_whole else None
