"""The fold of one attempt's step events to the state of each stage. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from screenalytics_core.ledger.attempt_state import (
    AttemptState,
    ErrorFacts,
    Progress,
    StageFacts,
    StageState,
    seconds_between,
)
from screenalytics_core.ledger.events import AFTER_ALL, EventKind, LedgerEvent
from screenalytics_core.ledger.shares import Shares, counted
from screenalytics_core.ledger.vocabulary import RunStatus, StageStatus
from screenalytics_core.stages import STAGE_PLAN, PipelineStage

if TYPE_CHECKING:
    # Only for its name: readers of the registry load no manifest.
    from screenalytics_core.manifest import ManifestEntry

# What becomes of a step that was running, or never ran, when its attempt ended.
_FATES: Final = {
    RunStatus.COMPLETED: StageStatus.SUCCESS,
    RunStatus.FAILED: StageStatus.FAILED,
    RunStatus.CANCELED: StageStatus.CANCELED,
}
_FATES_UNBORN: Final = {
    RunStatus.FAILED: StageStatus.BLOCKED,
    RunStatus.CANCELED: StageStatus.CANCELED,
}
_ADDED_UP: Final = (
    "rows_in",
    "rows_out",
    "frames",
    "inferences",
    "cpu_s",
    "gpu_s",
    "compute_s",
    "stored_bytes",
)


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
    failed_order: int = AFTER_ALL
    reports: dict[str, LedgerEvent] = field(default_factory=dict)
    published: dict[str, LedgerEvent] = field(default_factory=dict)
    measured: list[LedgerEvent] = field(default_factory=list)
    is_measured: bool = False

    def take(self, event: LedgerEvent) -> None:
        """Take the next event of this step."""
        kind = event.kind
        if kind is EventKind.STEP_STARTED:
            self._start(event)
        elif kind is EventKind.STEP_RETRYING:
            self.retries += 1
        elif kind is EventKind.STEP_PROGRESS:
            self.reports[str(event.data.get("part", ""))] = event
        elif kind is EventKind.STEP_MEASURED:
            self.measured.append(event)
            self.is_measured = True
        elif kind is EventKind.ARTIFACT_PUBLISHED:
            self.published[event.data["asset"]] = event
            self.is_measured = True
        elif kind is EventKind.STEP_SUCCEEDED:
            self.end(StageStatus.SUCCESS, event)
        elif kind is EventKind.STEP_FAILED:
            self.end(StageStatus.FAILED, event)

    def end(self, status: StageStatus, event: LedgerEvent) -> None:
        """End it, unless it has ended: the first end counts."""
        if self.ended_at is not None:
            return
        self.status, self.ended_at = status, event.at
        if status is StageStatus.FAILED:
            self.error, self.failed_order = ErrorFacts.of(event.data), event.order

    def _start(self, event: LedgerEvent) -> None:
        """Begin, or begin again: only this opens a step that ended."""
        self.status, self.restarted_at = StageStatus.RUNNING, event.at
        self.started_at = self.started_at or event.at
        self.ended_at = self.error = None
        self.failed_order = AFTER_ALL
        self.reports, self.is_measured = {}, False

    @property
    def is_share(self) -> bool:
        """Whether all that is known is what another stage's step made for this one."""
        return self.started_at is None and bool(self.published)

    def close(self, attempt: AttemptState) -> None:
        """Share the fate of an attempt that ended and left this step open."""
        if self.status is StageStatus.RUNNING and attempt.status.is_terminal:
            self.status, self.ended_at = _FATES[attempt.status], attempt.ended_at
            self.error = attempt.error if attempt.status is RunStatus.FAILED else None
        elif self.status is StageStatus.NOT_STARTED:
            self.status = _FATES_UNBORN.get(attempt.status, self.status)

    def progress(self) -> Progress | None:
        """Return the sum over its parts' last reports."""
        told = counted(self.reports.values())
        if told is None:
            return None
        done, total = told
        last = max(self.reports.values(), key=lambda e: (e.at, e.order, e.event_id))
        elapsed_s = seconds_between(self.restarted_at, last.at)
        rate = round(done / elapsed_s, 3) if elapsed_s and elapsed_s > 0 else None
        return Progress(self.name, done, total, str(last.data.get("message", "")), last.at, rate)

    def facts(self) -> list[Mapping[str, Any]]:
        """Return what was measured; before the step measures, what its parts last reported."""
        told = [*self.measured, *self.published.values()]
        if not self.is_measured:
            told += self.reports.values()
        return [event.data.get("facts", {}) for event in told]


def fold_stages(
    attempt: AttemptState, ordered: Iterable[LedgerEvent], shares: Shares
) -> dict[PipelineStage, StageState]:
    """Return the stages that an attempt planned or touched, in the plan's order.

    Args:
        attempt: Without stages; steps that it left open share its fate.
        ordered: Its events, in order, none after its end.
        shares: What those tell of how far it is.
    """
    steps = _fold_steps(attempt.status, ordered)
    for step in steps:
        step.close(attempt)
    failed = [step for step in steps if step.status is StageStatus.FAILED]
    culprit = min(failed, key=lambda step: step.failed_order, default=None)
    grouped = [(stage, [s for s in steps if s.stage is stage]) for stage in STAGE_PLAN]
    return {
        stage: replace(_stage(stage, own, attempt, culprit), told_pct=shares.stage_pct(stage))
        for stage, own in grouped
        if own
    }


def _fold_steps(status: RunStatus, ordered: Iterable[LedgerEvent]) -> list[_Step]:
    # A step that makes outputs of two stages, as the scan does, stands in both.
    steps: dict[tuple[str, PipelineStage], _Step] = {}
    canceling = False
    for event in ordered:
        canceling = canceling or event.kind is EventKind.RUN_CANCELING
        if event.step is None or event.stage is None:
            continue
        key = (event.step, event.stage)
        step = steps.get(key)
        if step is None:
            step = steps[key] = _Step(*key)
        if event.kind is EventKind.STEP_FAILED and canceling and status is not RunStatus.FAILED:
            # Canceling interrupts the running step, which Dagster shows as a failure.
            step.end(StageStatus.CANCELED, event)
        else:
            step.take(event)
    return list(steps.values())


def _stage(
    stage: PipelineStage, steps: Sequence[_Step], attempt: AttemptState, culprit: _Step | None
) -> StageState:
    # A share brings its facts; when the stage runs, its own steps say.
    own = [s.status for s in steps if not s.is_share]
    status = _status_of(own or [StageStatus.NOT_STARTED], attempt.status)
    published = [event for step in steps for event in step.published.values()]
    reporting = [p for step in steps if (p := step.progress()) is not None]
    ends = [s.ended_at for s in steps if s.ended_at is not None]
    is_over = status not in {StageStatus.RUNNING, StageStatus.NOT_STARTED}
    is_blocked = status is StageStatus.BLOCKED
    return StageState(
        stage=stage,
        status=status,
        attempt=attempt.attempt,
        dagster_run_id=attempt.dagster_run_id,
        started_at=min((s.started_at for s in steps if s.started_at), default=None),
        ended_at=max(ends, default=None) if is_over else None,
        progress=max(reporting, key=lambda p: p.updated_at, default=None),
        error=next((s.error for s in steps if s.error is not None), None),
        blocked_reason=_reason(culprit, attempt.error) if is_blocked else None,
        source=combined_source({e.data["source"] for e in published if e.data.get("source")}),
        assets=tuple(e.data["asset"] for e in published),
        notes=tuple(dict.fromkeys(e.data["note"] for e in published if e.data.get("note"))),
        retries=sum(s.retries for s in steps),
        facts=_merged([facts for step in steps for facts in step.facts()]),
    )


def _status_of(statuses: Sequence[StageStatus], run: RunStatus) -> StageStatus:
    """Return what several steps make of their stage."""
    for word in (StageStatus.FAILED, StageStatus.CANCELED, StageStatus.BLOCKED):
        if word in statuses:
            return word
    if all(s is StageStatus.NOT_STARTED for s in statuses):
        return StageStatus.NOT_STARTED
    # In a run that completed, a step that never started was not needed.
    is_done = run is RunStatus.COMPLETED or all(s is StageStatus.SUCCESS for s in statuses)
    return StageStatus.SUCCESS if is_done else StageStatus.RUNNING


def _reason(culprit: _Step | None, error: ErrorFacts | None) -> str:
    if culprit is not None:
        why = f": {culprit.error.message}" if culprit.error else ""
        return f"stage {culprit.stage} failed{why}"
    return error.message if error else "the run ended before it"


def combined_source(sources: Collection[str]) -> str | None:
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
        input_fingerprint=combined_fingerprint(prints),
        code_ref=refs[-1] if refs else None,
    )


def facts_of_entries(entries: Sequence[ManifestEntry]) -> StageFacts:
    """Return what a manifest alone tells of the stage that made these artifacts."""
    rows = [e.files[0].rows for e in entries if e.files and e.files[0].rows is not None]
    return StageFacts(
        input_fingerprint=combined_fingerprint(sorted({e.fingerprint for e in entries})),
        rows_out=sum(rows) if rows else None,
    )


def combined_fingerprint(fingerprints: Sequence[str]) -> str | None:
    """Return one fingerprint for those of a stage's outputs, sorted; None without any."""
    if len(fingerprints) < 2:
        return next(iter(fingerprints), None)
    return hashlib.sha256("\n".join(fingerprints).encode()).hexdigest()
