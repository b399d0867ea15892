"""What is known of an attempt and of its stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from screenalytics_core.ledger.vocabulary import RunStatus, StageStatus
from screenalytics_core.stages import PipelineStage


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """What went wrong: a stable code and a line for people."""

    code: str
    message: str

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> ErrorFacts | None:
        """Read it from an event's data."""
        error = data.get("error")
        return cls(str(error["code"]), str(error["message"])) if error else None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage's current step is.

    Attributes:
        rate_per_s: Units done per second since the step started; None before it is known.
    """

    step: str
    done: int
    total: int
    message: str
    updated_at: str
    rate_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class StageFacts:
    """What a stage read, used and made; None where nothing said so.

    Attributes:
        input_fingerprint: Over the whole input of each of its outputs.
        rows_in: Rows read from artifacts of earlier stages, summed over its steps.
        rows_out: Rows of the artifacts it published.
        frames: Video frames decoded.
        inferences: Pictures put through a model.
        cpu_s: CPU time of the process while its steps ran.
        gpu_s: Wall time in which a model was at work on a CUDA device.
        compute_s: Wall time inside its steps; 0 when everything was reused.
        peak_rss_bytes: Highest resident memory of the process while its steps ran.
        stored_bytes: Size of the artifacts that it computed and published.
    """

    input_fingerprint: str | None = None
    code_ref: str | None = None
    rows_in: int | None = None
    rows_out: int | None = None
    frames: int | None = None
    inferences: int | None = None
    cpu_s: float | None = None
    gpu_s: float | None = None
    compute_s: float | None = None
    peak_rss_bytes: int | None = None
    stored_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class StageState:
    """A stage in one attempt.

    Attributes:
        attempt: None if its Dagster run never claimed the run.
        source: computed, or checkpoint when every output was reused.
        assets: Published ones, in order.
        told_pct: Percent done as the events of its steps tell it; see `shares`.
        notes: Why results of other settings were taken.
        retries: How often a step was tried again.
    """

    stage: PipelineStage
    status: StageStatus = StageStatus.NOT_STARTED
    attempt: int | None = None
    dagster_run_id: str = ""
    started_at: str | None = None
    ended_at: str | None = None
    progress: Progress | None = None
    told_pct: float = 0.0
    error: ErrorFacts | None = None
    blocked_reason: str | None = None
    source: str | None = None
    assets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    retries: int = 0
    facts: StageFacts = field(default_factory=StageFacts)

    @property
    def pct(self) -> float:
        """Percent done: 100 of a stage that succeeded, whatever its reports told last."""
        return 100.0 if self.status is StageStatus.SUCCESS else self.told_pct

    @property
    def duration_s(self) -> float | None:
        """Seconds from start to end."""
        return seconds_between(self.started_at, self.ended_at)


@dataclass(frozen=True, slots=True)
class AttemptState:
    """One Dagster run inside a run.

    Attributes:
        attempt: Its number; None if it never claimed.
        is_refused: It found the run busy or bound to other settings, so it never counts.
        parent_run_id: The run (ours) that it replays or takes its inputs from.
        tags: `key=value` of what the launcher tagged it with.
        pct: Percent done of the stages that it planned or began; never falls.
        process: Who claimed it: host, pid and so on.
    """

    dagster_run_id: str
    attempt: int | None
    status: RunStatus
    created_at: str
    claimed_at: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    error: ErrorFacts | None = None
    is_refused: bool = False
    trace_id: str | None = None
    parent_dagster_run_id: str | None = None
    parent_run_id: str | None = None
    tags: tuple[str, ...] = ()
    process: Mapping[str, Any] = field(default_factory=dict)
    pct: float = 0.0
    stages: Mapping[PipelineStage, StageState] = field(default_factory=dict)

    @property
    def duration_s(self) -> float | None:
        """Seconds from start to end."""
        return seconds_between(self.started_at, self.ended_at)


def seconds_between(start: str | None, end: str | None) -> float | None:
    """Return the seconds between two times of the log; None if one is missing."""
    if start is None or end is None:
        return None
    apart = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    return round(apart.total_seconds(), 6)
