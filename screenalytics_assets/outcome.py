"""How a Dagster run ended: the ledger's fold of its events, as a launch returns it."""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg

from screenalytics_assets.mirror import read_events
from screenalytics_assets.results import StageResult
from screenalytics_core.ledger.attempt_fold import fold_attempt
from screenalytics_core.ledger.attempt_state import AttemptState, StageState
from screenalytics_core.ledger.vocabulary import RunStatus, StageStatus

_BEGUN = frozenset({StageStatus.SUCCESS, StageStatus.FAILED, StageStatus.CANCELED})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run."""

    success: bool
    stages: tuple[StageResult, ...] = ()
    error: str | None = None
    error_code: str | None = None


def outcome_of(instance: dg.DagsterInstance, dagster_run_id: str) -> Outcome:
    """Fold a Dagster run's events, straight from Dagster: the ledger may be behind.

    A run that was interrupted outside its steps has no end in the log; it counts as canceled.
    """
    events = read_events(instance, dagster_run_id)
    if not events:
        return Outcome(False, error="canceled", error_code="canceled")
    attempt = fold_attempt(dagster_run_id, events)
    if not attempt.status.is_terminal:
        return Outcome(False, _stages(attempt), "canceled", "canceled")
    error = attempt.error
    return Outcome(
        success=attempt.status is RunStatus.COMPLETED,
        stages=_stages(attempt),
        error=error.message if error else None,
        error_code=error.code if error else None,
    )


def _stages(attempt: AttemptState) -> tuple[StageResult, ...]:
    begun = (s for s in attempt.stages.values() if s.status in _BEGUN and s.started_at)
    return tuple(_stage_result(stage) for stage in begun)


def _stage_result(stage: StageState) -> StageResult:
    return StageResult(
        stage=stage.stage.value,
        success=stage.status is StageStatus.SUCCESS,
        runtime_sec=stage.duration_s or 0.0,
        compute_sec=stage.facts.compute_s or 0.0,
        source=stage.source,
        error=stage.error.message if stage.error else None,
    )
