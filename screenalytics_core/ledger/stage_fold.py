"""The fold of one attempt's step events to the state of each stage. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from screenalytics_core.ledger.attempt_state import (
    ErrorFacts,
    Progress,
    StageFacts,
    StageState,
    seconds_between,
)
from screenalytics_core.ledger.events import EventKind, LedgerEvent
from screenalytics_core.ledger.vocabulary import RunStatus, StageStatus
from screenalytics_core.stages import STAGE_PLAN, PipelineStage

_ADDED_UP: Final = ("rows_in", "rows_out", "frames", "inferences", "cpu_s", "compute_s")


@dataclass(slots=True)
class _Step:
    """What the events say of one step so far."""

    name: str
    stage: PipelineStage
    status: StageStatus = StageStatus.NOT_STARTED
    started_at: str | None = None
    ended_at: str | None = None
    restarted_at: str | None = None
    retries: int = 0
    error: ErrorFacts | None = None
    reports: dict[str, LedgerEvent] = field(default_factory=dict)
    published: dict[str, LedgerEvent] = field(default_factory=dict)
    measured: list[LedgerEvent] = field(default_factory=list)

    def take(self, event: LedgerEvent) -> None:
        """Take the next event of this step."""
        kind = event.kind
        if kind is EventKind.STEP_STARTED:
            self.status = StageStatus.RUNNING
            self.started_at = self.started_at or event.at
            self.restarted_at = event.at
            self.ended_at = self.error = None
            self.reports = {}
        elif kind is EventKind.STEP_RETRYING:
            self.retries += 1
        elif kind is EventKind.STEP_PROGRESS:
            self.reports[str(event.data.get("part", ""))] = event
        elif kind is EventKind.STEP_MEASURED:
            self.measured.append(event)
        elif kind is EventKind.ARTIFACT_PUBLISHED:
            self.published[str(event.data["asset"])] = event
        elif kind is EventKind.STEP_SUCCEEDED:
            self.status, self.ended_at = StageStatus.SUCCESS, event.at
        elif kind is EventKind.STEP_FAILED:
            self.status, self.ended_at = StageStatus.FAILED, event.at
            self.error = ErrorFacts.of(event.data)

    def progress(self) -> Progress | None:
        """Return the sum over its parts' last reports."""
        if not self.reports:
            return None
        last = max(self.reports.values(), key=lambda e: (e.at, e.order, e.event_id))
        done = sum(int(e.data["done"]) for e in self.reports.values())
        total = sum(int(e.data["total"]) for e in self.reports.values())
        elapsed_s = seconds_between(self.restarted_at, last.at)
        rate = round(done / elapsed_s, 3) if elapsed_s and elapsed_s > 0 else None
        return Progress(self.name, done, total, str(last.data.get("message", "")), last.at, rate)

    def facts(self) -> list[Mapping[str, Any]]:
        """Return what was measured; before the step's end, what its last report says."""
        told = [*self.measured, *self.published.values()] or list(self.reports.values())[-1:]
        return [event.data.get("facts", {}) for event in told]


def fold_stages(
    dagster_run_id: str,
    attempt: int | None,
    status: RunStatus,
    error: ErrorFacts | None,
    ordered: Iterable[LedgerEvent],
) -> dict[PipelineStage, StageState]:
    """Return the stages that an attempt planned or touched, in the plan's order.

    Args:
        status: Of the attempt; steps that it left open share its fate.
        error: Of the attempt.
        ordered: Its events, in order, none after its end.
    """
    steps: dict[str, _Step] = {}
    canceling = False
    for event in ordered:
        canceling = canceling or event.kind is EventKind.RUN_CANCELING
        if event.step is None or event.stage is None:
            continue
        step = steps.setdefault(event.step, _Step(event.step, event.stage))
        step.take(event)
        if event.kind is EventKind.STEP_FAILED and canceling and status is RunStatus.CANCELED:
            step.status, step.error = StageStatus.CANCELED, None
    _close(steps.values(), status, error)
    culprit = next((s for s in steps.values() if s.status is StageStatus.FAILED), None)
    grouped = [(stage, [s for s in steps.values() if s.stage is stage]) for stage in STAGE_PLAN]
    return {
        stage: _stage(stage, own, dagster_run_id, attempt, culprit, error)
        for stage, own in grouped
        if own
    }


def _close(steps: Iterable[_Step], status: RunStatus, error: ErrorFacts | None) -> None:
    """Give the steps that the attempt left open the fate of the attempt."""
    for step in steps:
        if status is RunStatus.CANCELED:
            if step.status in {StageStatus.RUNNING, StageStatus.NOT_STARTED}:
                step.status = StageStatus.CANCELED
        elif status is RunStatus.FAILED:
            if step.status is StageStatus.RUNNING:
                step.status, step.error = StageStatus.FAILED, error
            elif step.status is StageStatus.NOT_STARTED:
                step.status = StageStatus.BLOCKED


def _stage(
    stage: PipelineStage,
    steps: Sequence[_Step],
    dagster_run_id: str,
    attempt: int | None,
    culprit: _Step | None,
    error: ErrorFacts | None,
) -> StageState:
    status = _status_of([s.status for s in steps])
    published = [event for step in steps for event in step.published.values()]
    reporting = [p for step in steps if (p := step.progress()) is not None]
    ends = [s.ended_at for s in steps if s.ended_at is not None]
    sources = {str(event.data.get("source")) for event in published}
    is_over = status not in {StageStatus.RUNNING, StageStatus.NOT_STARTED}
    return StageState(
        stage=stage,
        status=status,
        attempt=attempt,
        dagster_run_id=dagster_run_id,
        started_at=min((s.started_at for s in steps if s.started_at), default=None),
        ended_at=max(ends, default=None) if is_over else None,
        progress=max(reporting, key=lambda p: p.updated_at, default=None),
        error=next((s.error for s in steps if s.error is not None), None),
        blocked_reason=_reason(culprit, error) if status is StageStatus.BLOCKED else None,
        source=_source_of(sources),
        assets=tuple(str(event.data["asset"]) for event in published),
        notes=tuple(dict.fromkeys(str(e.data["note"]) for e in published if e.data.get("note"))),
        retries=sum(s.retries for s in steps),
        facts=_merged([facts for step in steps for facts in step.facts()]),
    )


def _status_of(statuses: Sequence[StageStatus]) -> StageStatus:
    """Return what several steps make of their stage."""
    for word in (StageStatus.FAILED, StageStatus.CANCELED, StageStatus.BLOCKED):
        if word in statuses:
            return word
    if all(s is StageStatus.SUCCESS for s in statuses):
        return StageStatus.SUCCESS
    idle = all(s is StageStatus.NOT_STARTED for s in statuses)
    return StageStatus.NOT_STARTED if idle else StageStatus.RUNNING


def _reason(culprit: _Step | None, error: ErrorFacts | None) -> str:
    if culprit is not None:
        why = f": {culprit.error.message}" if culprit.error else ""
        return f"stage {culprit.stage} failed{why}"
    return error.message if error else "the run ended before it"


def _source_of(sources: set[str]) -> str | None:
    """Return where a stage's outputs came from; one computed output makes it computed."""
    if not sources:
        return None
    return "computed" if "computed" in sources else sorted(sources)[0]


def _merged(told: Sequence[Mapping[str, Any]]) -> StageFacts:
    """Add up what the steps of a stage told."""
    values: dict[str, Any] = {}
    for name in _ADDED_UP:
        known = [facts[name] for facts in told if facts.get(name) is not None]
        values[name] = sum(known) if known else None
    peaks = [f["peak_rss_bytes"] for f in told if f.get("peak_rss_bytes") is not None]
    prints = sorted({str(f["fingerprint"]) for f in told if f.get("fingerprint")})
    refs = [str(f["code_ref"]) for f in told if f.get("code_ref")]
    return StageFacts(
        **values,
        peak_rss_bytes=max(peaks, default=None),
        input_fingerprint=_combined(prints),
        code_ref=refs[-1] if refs else None,
    )


def _combined(fingerprints: Sequence[str]) -> str | None:
    if len(fingerprints) < 2:
        return next(iter(fingerprints), None)
    return hashlib.sha256("\n".join(fingerprints).encode()).hexdigest()
