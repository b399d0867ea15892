"""A run's log, line by line, as its listeners hear it. Pure: a line says the same every time.

Whoever comes late or comes back is told the same payloads under the same numbers, whichever
server tells them: they depend on the lines up to their own, and on nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from screenalytics_assets.api.progress.models import ProgressEvent, SeedStatus
from screenalytics_core.ledger.attempt_fold import CANCELED, REFUSALS
from screenalytics_core.ledger.attempt_state import ErrorFacts
from screenalytics_core.ledger.events import EventKind, LedgerEvent
from screenalytics_core.ledger.shares import Shares
from screenalytics_core.stages import PipelineStage

PIPELINE: Final = "pipeline"
WAITING: Final = "waits to be started"
_REAL_ENDS: Final = frozenset(
    {EventKind.RUN_COMPLETED, EventKind.RUN_FAILED, EventKind.RUN_CANCELED}
)
_AT_WORK: Final = frozenset(
    {EventKind.RUN_STARTED, EventKind.STEP_STARTED, EventKind.ATTEMPT_CLAIMED}
)
_SOURCES: Final = {"computed": "published", "checkpoint": "reused", "inherited": "taken over"}


class Said(NamedTuple):
    """What an event means to people."""

    agent: str
    status: SeedStatus
    message: str


class Told(NamedTuple):
    """What an event is to those who listen.

    Attributes:
        to_job: To listeners of its own launch.
        to_run: To listeners of the run; None if it is no news of the run.
    """

    to_job: ProgressEvent
    to_run: ProgressEvent | None


@dataclass(slots=True)
class _Launch:
    """One Dagster run, as far as it was told.

    Attributes:
        end: What ended it; `attempt_lost` is a presumption that Dagster may correct.
        step_error: What its first failed step said.
        refusal: Why it was not let into the run.
    """

    shares: Shares = field(default_factory=Shares)
    attempt: int | None = None
    end: EventKind | None = None
    step_error: ErrorFacts | None = None
    refusal: ErrorFacts | None = None

    def take(self, event: LedgerEvent) -> None:
        """Take its next event."""
        if event.attempt is not None:
            self.attempt = event.attempt
        self.shares.take(event)
        if event.kind in _REAL_ENDS or event.kind is EventKind.ATTEMPT_LOST:
            self.end = event.kind
        elif event.kind is EventKind.ATTEMPT_CLAIMED and self.end is EventKind.ATTEMPT_LOST:
            self.end = None  # who was presumed lost before it claimed was not
        error = ErrorFacts.of(event.data)
        if error is not None and event.kind is EventKind.STEP_FAILED:
            self.step_error = self.step_error or error
        if error is not None and error.code in REFUSALS:
            self.refusal = self.refusal or error

    def why(self, end: LedgerEvent) -> str:
        """Return why it did not complete, as the fold has it."""
        if end.kind is EventKind.RUN_CANCELED:
            # Canceling makes the running step fail too; only a refusal is the step's own news.
            return (self.refusal or CANCELED).message
        said = self.step_error or ErrorFacts.of(end.data)
        return said.message if said else "failed without a reason"

    @property
    def is_over(self) -> bool:
        """Whether Dagster has said how it ended; what an orphan writes then is no news."""
        return self.end in _REAL_ENDS

    @property
    def pct(self) -> float:
        """Percent done."""
        return 100.0 if self.end is EventKind.RUN_COMPLETED else self.shares.pct


class ProgressTeller:
    """Tells the events of one run's log, in the order of its lines."""

    def __init__(self, ep_id: str, run_id: str) -> None:
        self._ep_id = ep_id
        self._run_id = run_id
        self._launches: dict[str, _Launch] = {}
        self._holder: str | None = None

    def take(self, event: LedgerEvent) -> Told | None:
        """Return what the next line says; None if it says nothing to listeners."""
        job_id = event.dagster_run_id
        if not job_id:
            return None
        launch = self._launches.setdefault(job_id, _Launch())
        if launch.is_over:
            return None
        is_guest = self._is_guest(event)
        launch.take(event)
        said = _said(event, launch)
        if said is None:
            return None
        to_job = self._payload(event, launch, said, launch.pct)
        if not is_guest:
            return Told(to_job, to_job)
        held = self._launches[self._holder or job_id]
        aside = _aside(event, said)
        return Told(to_job, self._payload(event, launch, aside, held.pct) if aside else None)

    def waiting(self, job_id: str | None) -> ProgressEvent:
        """Return what is to be said while the log says nothing yet."""
        return ProgressEvent(
            projectId=self._ep_id, runId=self._run_id, agent=PIPELINE, status="queued",
            message=WAITING, timestamp=None, progress=0.0, ep_id=self._ep_id, run_id=self._run_id,
            sequence=0, job_id=job_id, attempt=None,
        )  # fmt: skip

    def _is_guest(self, event: LedgerEvent) -> bool:
        """Tell whether somebody else is at work in the run; who begins when nobody is, is it."""
        job_id = event.dagster_run_id
        holder = self._launches.get(self._holder) if self._holder else None
        is_free = holder is None or holder.end is not None
        # Nobody claims while the one before is alive: it is dead, and its end not told yet.
        takes_over = event.kind is EventKind.ATTEMPT_CLAIMED
        if event.kind in _AT_WORK and (is_free or takes_over):
            self._holder = job_id
            return False
        return not is_free and self._holder != job_id

    def _payload(
        self, event: LedgerEvent, launch: _Launch, said: Said, pct: float
    ) -> ProgressEvent:
        stage = event.stage if said.agent != PIPELINE else None
        step = launch.shares.step(event) if stage else None
        done, total = (step.counted if step else None) or (None, None)
        if event.kind is EventKind.STEP_SUCCEEDED:
            done = total  # reports are thinned out: the last one may say 58 %
        return ProgressEvent(
            projectId=self._ep_id, runId=self._run_id, agent=said.agent, status=said.status,
            message=said.message, timestamp=event.at, progress=pct, ep_id=self._ep_id,
            run_id=self._run_id, sequence=event.sequence, job_id=event.dagster_run_id,
            attempt=launch.attempt, step=event.step, done=done, total=total,
            stage_pct=launch.shares.stage_pct(stage) if stage else None,
        )  # fmt: skip


def _aside(event: LedgerEvent, said: Said) -> Said | None:
    """Return what listeners of the run hear of a launch that came while another works."""
    if event.kind is EventKind.RUN_QUEUED:
        return Said(PIPELINE, "running", f"another launch of this run {WAITING}")
    if event.kind in _REAL_ENDS or event.kind is EventKind.ATTEMPT_LOST:
        return Said(PIPELINE, "running", f"another launch of this run ended: {said.message}")
    return None


def _said(event: LedgerEvent, launch: _Launch) -> Said | None:
    if event.stage is not None and event.step is not None:
        word = _said_of_step(event, launch, event.stage)
        return Said(event.stage.value, *word) if word else None
    word = _said_of_pipeline(event, launch)
    return Said(PIPELINE, *word) if word else None


def _said_of_pipeline(event: LedgerEvent, launch: _Launch) -> tuple[SeedStatus, str] | None:
    match event.kind:
        case EventKind.RUN_QUEUED:
            return "queued", WAITING
        case EventKind.RUN_STARTED:
            return "running", "started"
        case EventKind.ATTEMPT_CLAIMED:
            return "running", f"attempt {launch.attempt} began"
        case EventKind.RUN_CANCELING:
            return "running", str(event.data.get("message") or "is being canceled")
        case EventKind.RUN_COMPLETED:
            return "completed", "completed"
        case EventKind.RUN_FAILED | EventKind.RUN_CANCELED | EventKind.ATTEMPT_LOST:
            return "failed", launch.why(event)
    return None


def _said_of_step(
    event: LedgerEvent, launch: _Launch, stage: PipelineStage
) -> tuple[SeedStatus, str] | None:
    match event.kind:
        case EventKind.STEP_STARTED:
            return "running", f"{event.step} started"
        case EventKind.STEP_PROGRESS:
            return "running", str(event.data.get("message") or f"{event.step} goes on")
        case EventKind.STEP_RETRYING:
            return "running", f"{event.step} is tried again: {_reason(event)}"
        case EventKind.STEP_SUCCEEDED:
            is_done = launch.shares.is_done(stage)
            return "completed" if is_done else "running", f"{event.step} is done"
        case EventKind.STEP_FAILED:
            return "failed", _reason(event)
        case EventKind.ARTIFACT_PUBLISHED:
            return "running", _published(event)
    return None


def _reason(event: LedgerEvent) -> str:
    error = ErrorFacts.of(event.data)
    return error.message if error else "failed"


def _published(event: LedgerEvent) -> str:
    rows = event.data.get("facts", {}).get("rows_out")
    word = _SOURCES.get(str(event.data.get("source")), "published")
    counted = f", {rows:,} rows" if rows is not None else ""
    return f"{event.data['asset']} {word}{counted}"
