"""One run as plain data: what `runs show` prints and the page of a run shows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from screenalytics_core.ledger.attempt_state import AttemptState, ErrorFacts, StageState
from screenalytics_core.ledger.cost import invoice
from screenalytics_core.ledger.events import iso
from screenalytics_core.ledger.run_facts import KnownStage, RunFacts
from screenalytics_core.ledger.vocabulary import RunStatus, StageStatus
from screenalytics_core.manifest import Manifest
from screenalytics_core.report.lineage import FileRow, Lineage, build_lineage


def run_overview(facts: RunFacts, gone: Collection[int], generated_at: datetime) -> dict[str, Any]:
    """Return everything worth showing of a run, ready for JSON.

    Args:
        gone: Numbers of the attempts whose process is known to be dead.
    """
    files = _files(facts.manifest)
    lineage = build_lineage(facts.record.to_dict(), files) if facts.record else None
    attempts = [
        _attempt(a, is_gone=a.attempt in gone)
        for a in (*facts.state.attempts, *facts.state.refused)
    ]
    return {
        "run": _run(facts, is_gone=_is_gone(facts, gone)),
        "attempts": attempts,
        "stages": [_known_stage(known, gone) for known in facts.stages.values()],
        "settings": _settings(lineage),
        "video": [{"name": n, "value": v} for n, v in lineage.video] if lineage else [],
        "models": _models(lineage),
        "artifacts": _artifacts(facts.manifest),
        "people": _people(facts.screen_time),
        "invoice": bill.to_dict() if (bill := invoice(facts)) else None,
        "generated_at": iso(generated_at),
    }


def _is_gone(facts: RunFacts, gone: Collection[int]) -> bool:
    current = facts.state.current
    is_running = current is not None and current.status is RunStatus.RUNNING
    return is_running and current is not None and current.attempt in gone


def _run(facts: RunFacts, *, is_gone: bool) -> dict[str, Any]:
    current, record = facts.state.current, facts.record
    newest_first = facts.state.attempts[::-1]
    return {
        "ep_id": facts.ep_id,
        "run_id": facts.run_id,
        "status": facts.status.value if facts.status else "unknown",
        "is_derived": facts.is_derived,
        "is_process_gone": is_gone,
        "error": _error(facts.state.error),
        "created_at": record.created_at if record else facts.state.created_at,
        "started_at": current.started_at if current else None,
        "ended_at": current.ended_at if current else None,
        "duration_s": current.duration_s if current else None,
        "attempt": current.attempt if current else None,
        "code_ref": record.code_ref if record else None,
        "settings_hash": record.settings_hash if record else None,
        "source": record.source if record else None,
        "dagster_run_id": current.dagster_run_id if current else None,
        "parent_run_id": next((a.parent_run_id for a in newest_first if a.parent_run_id), None),
        "trace_id": next((a.trace_id for a in newest_first if a.trace_id), None),
        "tags": list(dict.fromkeys(tag for a in facts.state.attempts for tag in a.tags)),
        "events": facts.state.sequence,
    }


def _attempt(attempt: AttemptState, *, is_gone: bool) -> dict[str, Any]:
    is_gone = is_gone and attempt.status is RunStatus.RUNNING
    return {
        "attempt": attempt.attempt,
        "dagster_run_id": attempt.dagster_run_id,
        "status": attempt.status.value,
        "is_process_gone": is_gone,
        "is_refused": attempt.is_refused,
        "created_at": attempt.created_at,
        "started_at": attempt.started_at,
        "ended_at": attempt.ended_at,
        "duration_s": attempt.duration_s,
        "parent_dagster_run_id": attempt.parent_dagster_run_id,
        "host": attempt.process.get("host"),
        "pid": attempt.process.get("pid"),
        "error": _error(attempt.error),
        "stages": [_stage(stage, is_gone=is_gone) for stage in attempt.stages.values()],
    }


def _stage(stage: StageState, *, is_gone: bool) -> dict[str, Any]:
    progress = stage.progress
    return {
        "stage": stage.stage.value,
        "status": stage.status.value,
        "is_process_gone": is_gone and stage.status is StageStatus.RUNNING,
        "source": stage.source,
        "attempt": stage.attempt,
        "started_at": stage.started_at,
        "ended_at": stage.ended_at,
        "duration_s": stage.duration_s,
        **asdict(stage.facts),
        "retries": stage.retries,
        "progress": {**asdict(progress), "pct": stage.pct} if progress else None,
        "error": _error(stage.error),
        "blocked_reason": stage.blocked_reason,
        "notes": list(stage.notes),
    }


def _known_stage(known: KnownStage, gone: Collection[int]) -> dict[str, Any]:
    row = _stage(known.state, is_gone=known.state.attempt in gone)
    return {**row, "is_derived": bool(known.derived_from)}


def _error(error: ErrorFacts | None) -> dict[str, str] | None:
    return asdict(error) if error else None


def _settings(lineage: Lineage | None) -> dict[str, Any] | None:
    if lineage is None:
        return None
    return {"profile": lineage.profile, "rows": [asdict(row) for row in lineage.settings]}


def _models(lineage: Lineage | None) -> dict[str, Any] | None:
    if lineage is None:
        return None
    return {"pack": lineage.pack, "files": [asdict(row) for row in lineage.models]}


def _files(manifest: Manifest) -> list[FileRow]:
    return [
        FileRow(kind.value, f.path, f.rows, f.size_bytes, f.sha256)
        for kind, entry in manifest.entries.items()
        for f in entry.files
    ]


def _artifacts(manifest: Manifest) -> list[dict[str, Any]]:
    return [
        {
            "kind": kind.value,
            "path": f.path,
            "rows": f.rows,
            "size_bytes": f.size_bytes,
            "sha256": f.sha256,
            "source": entry.source,
            "from_run_id": entry.from_run_id,
            "attempt": entry.attempt,
            "redacted": entry.redacted,
        }
        for kind, entry in manifest.entries.items()
        for f in entry.files
    ]


def _people(screen_time: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the people, most seconds first."""
    if screen_time is None:
        return []
    rows = [
        {
            "name": p.get("label") or p.get("cast_id") or p.get("identity_id") or "unnamed",
            **{k: p.get(k) for k in ("identity_id", "cast_id", "label")},
            **{k: p.get(k) for k in ("total_s", "low_s", "high_s", "face_s", "body_only_s")},
            **{k: p.get(k) for k in ("share", "first_s", "last_s")},
            "segments": len(p["segments"]),
        }
        for p in screen_time["people"]
    ]
    return sorted(rows, key=lambda p: (-p["total_s"], p["first_s"], p["name"]))


def changed_settings(overview: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the settings that differ from the profile's and the pack's values."""
    settings = overview["settings"]
    return [row for row in settings["rows"] if row["is_changed"]] if settings else []


def short(sha256: str | None) -> str | None:
    """Return the start of a hash, enough to compare by eye."""
    return sha256[:12] if sha256 else None
