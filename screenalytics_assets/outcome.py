"""How a Dagster run ended, read from its events: per stage, and the error in our words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import dagster as dg

from screenalytics_assets.failures import CODE_KEY, TYPE_KEY
from screenalytics_assets.graph import STEPS, stage_of_asset
from screenalytics_assets.results import StageResult
from screenalytics_core import errors
from screenalytics_core.errors import RunBusyError
from screenalytics_core.stages import STAGE_PLAN

_STAGE_OF_STEP: Final = {s.name: stage_of_asset(s.outputs[0].name) for s in STEPS}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run."""

    success: bool
    stages: tuple[StageResult, ...] = ()
    error: str | None = None
    error_code: str | None = None

    @classmethod
    def canceled(cls, reason: str = "canceled") -> Outcome:
        """Return the outcome of a run that was interrupted."""
        return cls(success=False, error=reason or "canceled", error_code="canceled")


@dataclass(slots=True)
class _StageFacts:
    """What the events say of one stage so far."""

    runtime_sec: float = 0.0
    compute_sec: float = 0.0
    sources: set[str] = field(default_factory=set)
    error: str | None = None

    def result(self, stage: str) -> StageResult:
        source = "mixed" if len(self.sources) > 1 else next(iter(self.sources), None)
        return StageResult(
            stage=stage,
            success=self.error is None,
            runtime_sec=self.runtime_sec,
            compute_sec=self.compute_sec,
            source=source,
            error=self.error,
        )


def outcome_of(result: dg.ExecuteInProcessResult, instance: dg.DagsterInstance) -> Outcome:
    """Fold a finished run's events."""
    facts: dict[str, _StageFacts] = {}
    error = code = None
    for stats in instance.get_run_step_stats(result.run_id):
        stage = _STAGE_OF_STEP[stats.step_key]
        if stats.start_time and stats.end_time:
            facts.setdefault(stage, _StageFacts()).runtime_sec += stats.end_time - stats.start_time
    for event in result.all_events:
        if event.is_step_materialization:
            _add_materialization(facts, event)
        if event.is_step_failure and event.step_key is not None:
            text, failed_code = _describe_failure(event)
            facts.setdefault(_STAGE_OF_STEP[event.step_key], _StageFacts()).error = text
            error, code = error or text, code or failed_code
    run = instance.get_run_by_id(result.run_id)
    if run is not None and run.status is dg.DagsterRunStatus.CANCELED:
        # A run that found its run_id taken ends canceled too, and says so.
        error, code = (error, code) if code == RunBusyError.code else ("canceled", "canceled")
    if not result.success and error is None:
        error, code = "the run failed outside its steps; see the Dagster UI", "run_failed"
    stages = tuple(facts[s].result(s.value) for s in STAGE_PLAN if s in facts)
    return Outcome(result.success, stages, error, code)


def _add_materialization(facts: dict[str, _StageFacts], event: dg.DagsterEvent) -> None:
    materialization = event.step_materialization_data.materialization
    stage = facts.setdefault(
        stage_of_asset(materialization.asset_key.to_user_string()), _StageFacts()
    )
    stage.sources.add(str(materialization.metadata["source"].value))
    stage.compute_sec += float(materialization.metadata["compute_s"].value or 0.0)  # type: ignore[arg-type]


def _describe_failure(event: dg.DagsterEvent) -> tuple[str, str]:
    data = event.step_failure_data
    if data.user_failure_data is not None:
        metadata: dict[str, Any] = dict(data.user_failure_data.metadata)
        name, code = metadata.get(TYPE_KEY), metadata.get(CODE_KEY)
        text = data.user_failure_data.description or "failed"
        if name is not None and code is not None:
            return f"{name.value}: {text}", str(code.value)
        return text, "failed"
    error = data.error
    while error is not None and error.cause is not None:
        error = error.cause  # Dagster wraps; the first cause is what happened
    if error is None:
        return "failed", "unexpected_error"
    message = error.message.strip()
    ours = getattr(errors, error.cls_name or "", None)
    if isinstance(ours, type) and issubclass(ours, errors.ScreenalyticsError):
        return message.removeprefix(f"{errors.__name__}."), ours.code
    return message, "unexpected_error"  # a bug: named as Python does
