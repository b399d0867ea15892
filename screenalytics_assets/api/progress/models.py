"""What a listener is told: progress, a snapshot, how it ended. Shapes only."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from screenalytics_core.ledger.vocabulary import RunStatus, StageStatus
from screenalytics_core.stages import PipelineStage

# The words of seed 002, for a stage and for the pipeline alike.
SeedStatus = Literal["queued", "running", "completed", "failed"]


def _readable(value: Any) -> Any:
    """Return text that every listener can read: names of files may hold half a character."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_readable)]
"""Text out of a log, whatever it holds."""


class ProgressEvent(BaseModel):
    """One line of the run's log for a listener: `appendProgress` of seed 002, and more.

    `completed` or `failed` is said of the agent. Only an `end` ends a stream: a stage may
    complete while the run goes on, and a launch may be refused while another one works.
    """

    projectId: str = Field(description="Episode; the same as `ep_id`.")  # noqa: N815 - the seed's
    runId: str = Field(description="Run; the same as `run_id`.")  # noqa: N815 - the seed's
    agent: str = Field(description="The stage, or `pipeline` for what concerns all of it.")
    status: SeedStatus
    message: Text
    timestamp: str | None = Field(description="ISO 8601, UTC; null while nothing has happened.")
    progress: float = Field(
        description="Percent of what the launch set out to do; every stage counts alike. It never "
        "falls within a launch."
    )
    ep_id: str
    run_id: str
    sequence: int = Field(description="Line in the run's log, from 1; some lines say nothing.")
    job_id: Text | None = Field(description="The launch that it is about (Dagster's run id).")
    attempt: int | None = Field(description="Number of the attempt, once it has claimed the run.")
    step: Text | None = Field(default=None, description="Part of the stage that is at work.")
    done: int | None = Field(default=None, description="Units that the step has done.")
    total: int | None = Field(default=None, description="Units that it has to do; 0 = not known.")
    stage_pct: float | None = Field(
        default=None, description="Percent of the stage; every step of it counts alike."
    )


class StageProgress(BaseModel):
    """How far a stage is."""

    status: StageStatus
    pct: float = Field(description="Percent of it; every step of it counts alike.")
    step: Text | None = None
    done: int | None = None
    total: int | None = None
    message: Text | None = None
    error: Text | None = None


class Snapshot(ProgressEvent):
    """The newest progress with where everything stands; later events go on from its `sequence`."""

    state: RunStatus | None = Field(description="null: nobody says, of a run without a log.")
    error: Text | None = None
    error_code: Text | None = None
    stages: dict[PipelineStage, StageProgress]


class Ending(BaseModel):
    """How a run, or a job, ended. Nothing follows, unless the run is resumed by a new job."""

    projectId: str  # noqa: N815 - the seed's
    runId: str  # noqa: N815 - the seed's
    state: RunStatus = Field(description="completed, failed or canceled.")
    error: Text | None = None
    error_code: Text | None = Field(
        default=None,
        description="`canceled`; `process_died` or `attempt_lost` when nobody was left to say; "
        "`run_busy` and the like when the launch was refused.",
    )
    ep_id: str
    run_id: str
    sequence: int
    job_id: Text | None = None
    attempt: int | None = None


class ProgressPage(BaseModel):
    """What a poller gets: where the run stands, what is new, and how it ended."""

    snapshot: Snapshot
    events: list[ProgressEvent] = Field(description="Those after `after`, oldest first.")
    next_after: int = Field(description="`after` of the next request.")
    end: Ending | None = Field(description="null while it goes on.")
