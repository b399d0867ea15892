"""The rows of registry/stage_runs.parquet: one per stage and attempt that started. Pure.

Columns as in seed 003, then ours. What a stage says of itself comes from its attempt's
events; a stage whose results came along from another run has no events, but a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from screenalytics_core.ledger.attempt_state import AttemptState, StageState
from screenalytics_core.ledger.run_rows import NO_TIME, SEQUENCE, UNKNOWN, utc_text
from screenalytics_core.ledger.stage_fold import facts_of_entries
from screenalytics_core.ledger.vocabulary import STAGE_ROW_STATUSES, StageStatus
from screenalytics_core.schema import Column, TableSpec
from screenalytics_core.stages import STAGE_PLAN, PipelineStage

if TYPE_CHECKING:
    # Only for its name: readers of the registry must not load what renders it.
    from screenalytics_core.ledger.run_facts import RunFacts
    from screenalytics_core.manifest import ManifestEntry

_TEXT: Final = pa.string()
_INT: Final = pa.int64()
_INHERITED: Final = "inherited"

STAGE_RUNS_TABLE: Final = TableSpec(
    "stage_runs_registry",
    (
        Column("run_id", _TEXT, "run; unique within its episode"),
        Column("ep_id", _TEXT, "episode"),
        Column("stage", _TEXT, "stage of the plan"),
        Column("status", _TEXT, "running, completed or failed"),
        Column("error", _TEXT, "why it failed: `code: message`", nullable=True),
        Column("input_fingerprint", _TEXT, "over the whole input, or `unknown`"),
        Column("code_ref", _TEXT, "of the code that ran it, or `unknown`", nullable=True),
        Column("config_hash", _TEXT, "sha256 of the run's settings", nullable=True),
        Column("started_at", _TEXT, "ISO 8601 in UTC"),
        Column("finished_at", _TEXT, "ISO 8601 in UTC; null while it runs", nullable=True),
        Column("rows_in", _INT, "rows read from artifacts of earlier stages", nullable=True),
        Column("rows_out", _INT, "rows of the artifacts it published", nullable=True),
        Column("duration_seconds", pa.float64(), "start to end", "s", nullable=True),
        Column("llm_calls", _INT, "calls of a language model: none"),
        Column("tokens", _INT, "of those calls"),
        Column("trace_id", _TEXT, "of the trace that launched it", nullable=True),
        Column("source", _TEXT, "computed, checkpoint or inherited", nullable=True),
        Column("attempt", _INT, "0 for a Dagster run that never claimed the run"),
        Column("frames", _INT, "video frames decoded", nullable=True),
        Column("inferences", _INT, "pictures put through a model", nullable=True),
        Column("peak_rss_bytes", _INT, "highest resident memory", "byte", nullable=True),
        SEQUENCE,
    ),
    ("ep_id", "run_id", "stage", "attempt"),
)


def stage_rows(facts: RunFacts) -> list[dict[str, Any]]:
    """Return the rows of a run, attempts in order, stages in the plan's order."""
    rows: dict[tuple[int, PipelineStage], dict[str, Any]] = {}
    for attempt in facts.state.attempts:
        if attempt.attempt is None and attempt.ended_at is None:
            continue  # it may claim yet; a row under 0 would then stay beside its own
        for stage, state in attempt.stages.items():
            row = _recorded(facts, attempt, state)
            if row is not None:
                # Attempts without a number share 0: the newest of them speaks.
                rows[(row["attempt"], stage)] = row
    for stage in STAGE_PLAN:
        inherited = [e for e in facts.entries_of(stage) if e.source == _INHERITED]
        if inherited:
            row = _inherited(facts, stage, inherited)
            rows.setdefault((row["attempt"], stage), row)
    return [rows[key] for key in sorted(rows, key=lambda key: (key[0], STAGE_PLAN.index(key[1])))]


def _recorded(facts: RunFacts, attempt: AttemptState, state: StageState) -> dict[str, Any] | None:
    """Return what an attempt's events say of a stage; None if it never started."""
    started_at = state.started_at or state.ended_at
    if started_at is None or state.status is StageStatus.NOT_STARTED:
        return None
    said = state.facts
    return {
        **_common(facts, attempt, state.stage),
        # What started and can no longer go on, since something else failed, has failed too.
        "status": STAGE_ROW_STATUSES.get(state.status, "failed"),
        "error": _error(state),
        "input_fingerprint": said.input_fingerprint or UNKNOWN,
        "code_ref": said.code_ref or (facts.record.code_ref if facts.record else UNKNOWN),
        "started_at": utc_text(started_at),
        "finished_at": utc_text(state.ended_at),
        "rows_in": said.rows_in,
        "rows_out": said.rows_out,
        "duration_seconds": state.duration_s,
        "source": state.source,
        "attempt": attempt.attempt or 0,
        "frames": said.frames,
        "inferences": said.inferences,
        "peak_rss_bytes": said.peak_rss_bytes,
    }


def _inherited(
    facts: RunFacts, stage: PipelineStage, entries: list[ManifestEntry]
) -> dict[str, Any]:
    """Return the row of a stage whose results came along from another run."""
    number = max(entry.attempt for entry in entries)
    attempt = next((a for a in facts.state.attempts if a.attempt == number), None)
    at = utc_text(next(_times_of_taking(facts, attempt)))
    told = facts_of_entries(entries)
    return {
        **_common(facts, attempt, stage),
        "status": STAGE_ROW_STATUSES[StageStatus.SUCCESS],
        "error": None,
        "input_fingerprint": told.input_fingerprint,
        "code_ref": facts.record.code_ref if facts.record else UNKNOWN,
        "started_at": at,
        "finished_at": at,
        "rows_in": None,
        "rows_out": told.rows_out,
        "duration_seconds": 0.0,
        "source": _INHERITED,
        "attempt": number,
        "frames": None,
        "inferences": None,
        "peak_rss_bytes": None,
    }


def _times_of_taking(facts: RunFacts, attempt: AttemptState | None) -> Iterator[str]:
    """Yield what comes nearest to when an attempt took its inputs, best first."""
    if attempt is not None:
        yield attempt.claimed_at or attempt.created_at
    if facts.record is not None:
        yield facts.record.created_at
    yield facts.state.created_at or NO_TIME


def _common(facts: RunFacts, attempt: AttemptState | None, stage: PipelineStage) -> dict[str, Any]:
    return {
        "run_id": facts.run_id,
        "ep_id": facts.ep_id,
        "stage": stage.value,
        "config_hash": facts.record.settings_hash if facts.record else None,
        "llm_calls": 0,
        "tokens": 0,
        "trace_id": attempt.trace_id if attempt else None,
        "sequence": facts.state.sequence,
    }


def _error(state: StageState) -> str | None:
    if state.error is not None:
        return f"{state.error.code}: {state.error.message}"
    return state.blocked_reason
