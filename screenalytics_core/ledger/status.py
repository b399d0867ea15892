"""episode_status.json: a run at a glance, stage by stage. Pure, but for its reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from screenalytics_core import layout
from screenalytics_core.artifacts import ARTIFACTS
from screenalytics_core.ledger.attempt_state import ErrorFacts, StageState
from screenalytics_core.ledger.events import iso
from screenalytics_core.ledger.run_facts import MANIFEST_FILE, KnownStage, RunFacts
from screenalytics_core.ledger.run_rows import UNKNOWN
from screenalytics_core.ledger.view_files import read_view
from screenalytics_core.ledger.vocabulary import StageStatus
from screenalytics_core.manifest import ManifestEntry
from screenalytics_core.run_record import RunRecord
from screenalytics_core.stages import STAGE_PLAN, PipelineStage
from screenalytics_core.storage.base import Storage

SCHEMA_VERSION: Final = 1
# The settings that decide what counts as a shot, a face, a track, a person or a body.
THRESHOLDS: Final = (
    "scene_threshold",
    "adaptive_threshold",
    "det_thresh",
    "min_track_samples",
    "min_face_px",
    "min_sharpness",
    "min_frontality",
    "cluster_thresh",
    "min_identity_sim",
    "body_thresh",
    "body_bridge_s",
)
_DIRTY: Final = "-dirty"


def status_document(facts: RunFacts, generated_at: datetime) -> dict[str, Any]:
    """Return episode_status.json of a run.

    Args:
        generated_at: Time of this rendering; the only thing that the run's folder does
            not say.
    """
    state = facts.state
    return {
        "schema_version": SCHEMA_VERSION,
        "sequence": state.sequence,
        "episode_id": facts.ep_id,
        "ep_id": facts.ep_id,
        "run_id": facts.run_id,
        "state": facts.status.value if facts.status else UNKNOWN,
        "is_derived": facts.is_derived,
        "derived_from": [MANIFEST_FILE] if facts.is_derived else [],
        "stage_plan": [stage.value for stage in STAGE_PLAN],
        "stages": {stage.value: _stage(facts, stage, k) for stage, k in facts.stages.items()},
        "error": _error(state.error),
        "dagster_run_ids": [attempt.dagster_run_id for attempt in state.attempts],
        "git": git_facts(facts.record.code_ref if facts.record else None),
        "environment": _environment(facts),
        "generated_at": iso(generated_at),
    }


def stage_document(
    known: KnownStage,
    artifacts: Mapping[str, str],
    counts: Mapping[str, int],
    thresholds: Mapping[str, Any],
    models: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return what episode_status.json says of one stage.

    Args:
        artifacts: Kind -> key of its first file, relative to the data root.
        counts: Kind -> rows.
        thresholds: Setting -> value that the artifacts were made with.
        models: Role -> name and sha256.
    """
    state = known.state
    return {
        "status": state.status.value,
        "attempt": state.attempt,
        "started_at": state.started_at,
        "ended_at": state.ended_at,
        "duration_s": state.duration_s,
        # Reports are thinned out: the last one of a stage that succeeded may say 58 %.
        "progress": None if state.status is StageStatus.SUCCESS else _progress(state),
        "source": state.source,
        "notes": list(state.notes),
        "artifacts": dict(artifacts),
        "counts": dict(counts),
        "thresholds": dict(thresholds),
        "models": {role: dict(model) for role, model in models.items()},
        "error": _error(state.error),
        "blocked_reason": state.blocked_reason,
        "is_derived": bool(known.derived_from),
        "derived_from": list(known.derived_from),
    }


def read_status(storage: Storage, ep_id: str, run_id: str) -> dict[str, Any] | None:
    """Return a run's status file, or None if it is missing or damaged, which is logged."""
    return read_view(storage, layout.status_key(ep_id, run_id))


def git_facts(code_ref: str | None) -> dict[str, Any]:
    """Return a code_ref as commit and flag; both None where there was no repository."""
    if code_ref is None or code_ref == "unknown":
        return {"commit": None, "is_dirty": None}
    return {"commit": code_ref.removesuffix(_DIRTY), "is_dirty": code_ref.endswith(_DIRTY)}


def row_counts(entries: Iterable[ManifestEntry]) -> dict[str, int]:
    """Return kind -> rows of its first file, where they are counted."""
    counted = ((str(entry.kind), entry.files[0].rows) for entry in entries)
    return {kind: rows for kind, rows in counted if rows is not None}


def devices(facts: RunFacts) -> dict[str, str | None]:
    """Return where a run's models ran, as its settings were resolved."""
    settings = facts.record.settings if facts.record else {}
    detect = settings.get("device")
    return {"device": detect, "embed_device": settings.get("embed_device") or detect}


def _stage(facts: RunFacts, stage: PipelineStage, known: KnownStage) -> dict[str, Any]:
    entries = facts.entries_of(stage)
    used = {name: value for entry in entries for name, value in entry.settings.items()}
    return stage_document(
        known,
        artifacts={str(e.kind): artifact_location(facts, e) for e in entries},
        counts=row_counts(entries),
        thresholds={name: used[name] for name in THRESHOLDS if name in used},
        models=_models(facts.record, entries),
    )


def artifact_location(facts: RunFacts, entry: ManifestEntry) -> str:
    """Return where an artifact's first file lies, relative to the data root."""
    filename = ARTIFACTS[entry.kind].primary.filename
    return layout.artifact_key(facts.ep_id, facts.run_id, filename)


def _models(
    record: RunRecord | None, entries: Iterable[ManifestEntry]
) -> dict[str, dict[str, Any]]:
    files = record.models.get("files", ()) if record else ()
    names = {file["sha256"]: file.get("name") for file in files}
    used = {role: sha256 for entry in entries for role, sha256 in entry.models.items()}
    return {
        role: {"name": names.get(sha256), "sha256": sha256} for role, sha256 in sorted(used.items())
    }


def _environment(facts: RunFacts) -> dict[str, Any]:
    """Return what the newest attempt ran on."""
    current = facts.state.current
    process = current.process if current else {}
    return {
        "host": process.get("host"),
        "pid": process.get("pid"),
        **devices(facts),
        "model_pack": facts.record.models.get("pack") if facts.record else None,
        "trace_id": current.trace_id if current else None,
    }


def _progress(state: StageState) -> dict[str, Any] | None:
    progress = state.progress
    if progress is None:
        return None
    return {
        "step": progress.step,
        "done": progress.done,
        "total": progress.total,
        "pct": state.pct,
        "rate_per_s": progress.rate_per_s,
        "message": progress.message,
        "updated_at": progress.updated_at,
    }


def _error(error: ErrorFacts | None) -> dict[str, str] | None:
    return {"code": error.code, "message": error.message} if error else None
