"""Dagster's events in our own words: what the ledger needs of them, and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import dagster as dg

from screenalytics_assets.failures import INTERRUPTED, describe_step_failure
from screenalytics_assets.graph import OUTPUTS, STEPS, stage_of_asset
from screenalytics_assets.liveness import DIED
from screenalytics_assets.tags import (
    PARENT_RUN_ID_TAG,
    RUN_ID_TAG,
    TRACE_ID_TAG,
    UPSTREAM_RUN_ID_TAG,
)
from screenalytics_core.ledger.events import EventKind, LedgerEvent, dagster_event_id, iso
from screenalytics_core.stages import PipelineStage

STAGE_OF_STEP: Final = {s.name: stage_of_asset(s.outputs[0].name) for s in STEPS}
_PARENT_TAG: Final = "dagster/parent_run_id"
# What Dagster says of a run that a signal ended while no step of ours could ask for it.
_INTERRUPTED_RUN: Final = "Execution was interrupted unexpectedly"
_FACTS: Final = (
    "fingerprint",
    "code_ref",
    "rows_in",
    "rows_out",
    "frames",
    "inferences",
    "cpu_s",
    "gpu_s",
    "compute_s",
    "peak_rss_bytes",
    "stored_bytes",
)

_LONGEST_TEXT: Final = 10_000

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """An event's kind and data in our words."""

    kind: EventKind
    data: Data


def queued_event(record: dg.RunRecord) -> LedgerEvent:
    """Return the event of a Dagster run's creation; Dagster stores none of its own."""
    run = record.dagster_run
    created_at = iso(record.create_timestamp)
    data: Data = {
        "created_at": created_at,
        "trace_id": run.tags.get(TRACE_ID_TAG),
        "parent_dagster_run_id": run.tags.get(_PARENT_TAG),
        "parent_run_id": run.tags.get(PARENT_RUN_ID_TAG) or run.tags.get(UPSTREAM_RUN_ID_TAG),
        "tags": _callers_tags(run.tags),
    }
    known = {name: value for name, value in data.items() if value}
    event_id = dagster_event_id(run.run_id, 0)
    return LedgerEvent(event_id, EventKind.RUN_QUEUED, created_at, run.run_id, 0, data=known)


def normalise(record: dg.EventLogRecord, attempt: int | None) -> LedgerEvent | None:
    """Return what a stored Dagster event means for the ledger; None if it means nothing.

    Args:
        attempt: The attempt that its Dagster run claimed, if it did.
    """
    entry = record.event_log_entry
    event = entry.dagster_event
    say = _SAYINGS.get(event.event_type) if event is not None else None
    if event is None or say is None:
        return None
    said = say(event)
    if said is None:
        return None
    is_of_step = said.kind.value.startswith(("step_", "artifact_"))
    stage = _stage_of(said, event.step_key or "") if is_of_step else None
    if is_of_step and stage is None:
        return None
    return LedgerEvent(
        event_id=dagster_event_id(entry.run_id, record.storage_id),
        kind=said.kind,
        at=iso(datetime.fromtimestamp(entry.timestamp, UTC)),
        dagster_run_id=entry.run_id,
        order=record.storage_id,
        attempt=attempt,
        stage=stage,
        step=event.step_key if is_of_step else None,
        data=said.data,
    )


def _stage_of(said: Said, step: str) -> PipelineStage | None:
    """Return the stage of an event: that of what was published, which a step may share."""
    if said.kind is EventKind.ARTIFACT_PUBLISHED and said.data["asset"] in OUTPUTS:
        return stage_of_asset(said.data["asset"])
    return STAGE_OF_STEP.get(step)


def _callers_tags(tags: Mapping[str, str]) -> list[str]:
    """Return what the launcher tagged the run with, without what Dagster and we add."""
    ours = ("dagster/", "screenalytics/", ".dagster/")
    kept = {k: v for k, v in tags.items() if not k.startswith(ours) and k != RUN_ID_TAG}
    return [f"{name}={value}" for name, value in sorted(kept.items())]


def _text(message: str | None, otherwise: str) -> str:
    """Return a message that every view can hold: names of files may not be valid text."""
    cleaned = (message or "").strip().encode("utf-8", "replace").decode()
    if len(cleaned) > _LONGEST_TEXT:
        # It stands in every view of the run, and whoever reads one run's row reads all rows.
        more = len(cleaned) - _LONGEST_TEXT
        cleaned = f"{cleaned[:_LONGEST_TEXT]} ... ({more:,} more characters in Dagster's log)"
    return cleaned or otherwise


def _plain(kind: EventKind) -> Callable[[dg.DagsterEvent], Said]:
    return lambda _event: Said(kind, {})


def _planned(event: dg.DagsterEvent) -> Said:
    data = event.asset_materialization_planned_data
    return Said(EventKind.STEP_PLANNED, {"asset": data.asset_key.to_user_string()})


def _retrying(event: dg.DagsterEvent) -> Said:
    error = event.step_retry_data.error
    message = error.message if error is not None else event.message
    told = {"code": "retried", "message": _text(message, "tried again")}
    return Said(EventKind.STEP_RETRYING, {"error": told})


def _step_failed(event: dg.DagsterEvent) -> Said:
    message, code = describe_step_failure(event)
    return Said(
        EventKind.STEP_FAILED, {"error": {"code": code, "message": _text(message, "failed")}}
    )


def _canceling(event: dg.DagsterEvent) -> Said:
    return Said(EventKind.RUN_CANCELING, {"message": _text(event.message, "")})


def _failed(event: dg.DagsterEvent) -> Said:
    data = event.job_failure_data
    message = _text(event.message or (data.error.message if data.error else ""), "failed")
    code = "process_died" if message.endswith(DIED) else "run_failed"
    if _INTERRUPTED_RUN in message:
        code = INTERRUPTED
    return Said(EventKind.RUN_FAILED, {"error": {"code": code, "message": message}})


def _canceled(event: dg.DagsterEvent) -> Said:
    message = _text(event.message, "canceled")
    return Said(EventKind.RUN_CANCELED, {"error": {"code": "canceled", "message": message}})


def _published(event: dg.DagsterEvent) -> Said:
    materialization = event.step_materialization_data.materialization
    told = _values(materialization.metadata)
    data: Data = {
        "asset": materialization.asset_key.to_user_string(),
        "source": str(told.get("source", "computed")),
        "facts": _facts(told),
    }
    if told.get("note"):
        data["note"] = str(told["note"])
    return Said(EventKind.ARTIFACT_PUBLISHED, data)


def _observed(event: dg.DagsterEvent) -> Said | None:
    """Read progress or a failed step's measurements; other observations are none of ours."""
    told = _values(event.asset_observation_data.asset_observation.metadata)
    if told.get("measured"):
        return Said(EventKind.STEP_MEASURED, {"facts": _facts(told)})
    if "done" not in told or "total" not in told:
        return None
    data: Data = {
        "done": int(told["done"]),
        "total": int(told["total"]),
        "message": _text(str(told.get("message", "")), ""),
        "facts": _facts(told),
    }
    return Said(EventKind.STEP_PROGRESS, data)


def _values(metadata: Mapping[str, dg.MetadataValue[Any]]) -> Data:
    return {name: value.value for name, value in metadata.items()}


def _facts(told: Data) -> Data:
    return {name: told[name] for name in _FACTS if told.get(name) is not None}


_TYPE: Final = dg.DagsterEventType
_SAYINGS: Final[dict[dg.DagsterEventType, Callable[[dg.DagsterEvent], Said | None]]] = {
    _TYPE.RUN_START: _plain(EventKind.RUN_STARTED),
    _TYPE.RUN_CANCELING: _canceling,
    _TYPE.RUN_SUCCESS: _plain(EventKind.RUN_COMPLETED),
    _TYPE.RUN_FAILURE: _failed,
    _TYPE.RUN_CANCELED: _canceled,
    _TYPE.ASSET_MATERIALIZATION_PLANNED: _planned,
    _TYPE.STEP_START: _plain(EventKind.STEP_STARTED),
    _TYPE.STEP_RESTARTED: _plain(EventKind.STEP_STARTED),
    _TYPE.STEP_UP_FOR_RETRY: _retrying,
    _TYPE.STEP_SUCCESS: _plain(EventKind.STEP_SUCCEEDED),
    _TYPE.STEP_FAILURE: _step_failed,
    _TYPE.ASSET_MATERIALIZATION: _published,
    _TYPE.ASSET_OBSERVATION: _observed,
}

MIRRORED_TYPES: Final = frozenset(_SAYINGS)
"""The Dagster event types that mean something for the ledger."""
