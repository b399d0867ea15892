"""A job as the API shows it: the fields of seed 001, from Dagster's row and the run's folder."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

import dagster as dg
from pydantic import BaseModel, Field

from screenalytics_assets.api.canceling import no_job
from screenalytics_assets.engine import result_of
from screenalytics_assets.graph import OUTPUTS, assets_of_stages
from screenalytics_assets.mirror import mirror_runs, run_key_of, tolerated
from screenalytics_assets.outcome import outcome_of
from screenalytics_assets.stores import Stores
from screenalytics_core.ledger.attempt_fold import REFUSALS
from screenalytics_core.stages import STAGE_PHASES, STAGE_PLAN, PipelineStage

_CANCELED: Final = "canceled"
EPISODE_RUN: Final = "episode_run"
JobState = Literal["running", "succeeded", "failed"]

_STATES: Final[dict[dg.DagsterRunStatus, JobState]] = {
    dg.DagsterRunStatus.SUCCESS: "succeeded",
    dg.DagsterRunStatus.FAILURE: "failed",
    dg.DagsterRunStatus.CANCELED: "failed",
}
_WAITING: Final = (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.QUEUED)
# How Dagster ends a run that did not end itself.
_FROM_OUTSIDE: Final = "This run has been marked as failed from outside"
_OF_ITS_PROCESS: Final = "Run execution process"
# For somebody who comes for the first time, or seldom.
_FRESH_S: Final = 1.0
# `Following` reads each second what was asked for lately; on a machine that runs keep busy it
# may be late, and many pollers must not all wait for it then.
_LATE_S: Final = 10.0
_ASKED_LATELY_S: Final = 60.0
_KEPT: Final = 512


class JobLine(BaseModel):
    """A job, as a list shows it."""

    job_id: str = Field(description="Its id, which is that of its Dagster run.")
    job_type: str = Field(description="episode_run, or the stage that it runs.")
    ep_id: str
    run_id: str = Field(description="The run that it makes; with ep_id, the run's name.")
    state: JobState
    queued: bool = Field(description="It waits for others; no process works on it yet.")
    started_at: str | None = Field(description="UTC; null while it waits.")
    ended_at: str | None = Field(description="UTC; null until it ends.")


class JobView(JobLine):
    """A job with what became of it."""

    summary: dict[str, Any] | None = Field(
        description="Of a job that succeeded: what `screenalytics run --json` prints; null once "
        "its run was removed."
    )
    error: str | None = Field(description="Of a job that failed: why; `canceled` if it was.")


def job_line(record: dg.RunRecord) -> JobLine | None:
    """Return the line of a Dagster run; None if it is not about an episode."""
    run = record.dagster_run
    key = run_key_of(run)
    if key is None:
        return None
    state = _STATES.get(run.status, "running")
    ended_s = record.end_time or record.update_timestamp.timestamp()
    return JobLine(
        job_id=run.run_id,
        job_type=_job_type(run),
        ep_id=key.ep_id,
        run_id=key.run_id,
        state=state,
        queued=run.status in _WAITING,
        started_at=_utc(record.start_time) if record.start_time else None,
        ended_at=_utc(ended_s) if run.is_finished else None,
    )


def job_type_of(stages: Iterable[PipelineStage]) -> str:
    """Return what a job of these stages is called: by the seeds' names of the stages."""
    some = tuple(stages)
    if len(some) != 1:
        return EPISODE_RUN
    return STAGE_PHASES.get(some[0], some[0].value)


def _job_type(run: dg.DagsterRun) -> str:
    selected = {key.to_user_string() for key in run.asset_selection or ()} & OUTPUTS.keys()
    return job_type_of(
        stage for stage in STAGE_PLAN if not selected or selected & {*assets_of_stages((stage,))}
    )


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")[:-6] + "Z"


@dataclass(slots=True)
class _Seen:
    content: bytes
    is_final: bool
    seen_s: float
    asked_s: float


class JobViews:
    """What `GET /jobs/{job_id}` answers: kept as bytes, and kept fresh for those who ask again.

    Any thread may use it.
    """

    def __init__(
        self,
        instance: dg.DagsterInstance,
        stores: Stores,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._instance = instance
        self._stores = stores
        self._clock = clock
        self._guard = threading.Lock()
        self._seen: OrderedDict[str, _Seen] = OrderedDict()

    def fresh(self, job_id: str) -> bytes | None:
        """Return what is known, if it is not too old; this takes no lock and reads nothing."""
        seen = self._seen.get(job_id)
        if seen is None:
            return None
        now_s = self._clock()
        is_followed = now_s - seen.asked_s < _ASKED_LATELY_S
        seen.asked_s = now_s
        limit_s = _LATE_S if is_followed else _FRESH_S
        return seen.content if seen.is_final or now_s - seen.seen_s < limit_s else None

    def load(self, job_id: str) -> bytes:
        """Return the job as it is now.

        Raises:
            JobNotFoundError: There is no such job.
        """
        with self._guard:
            # Whoever waited here finds what the one before has read.
            known = self.fresh(job_id)
            return known if known is not None else self._read(job_id)

    def forget(self, job_id: str) -> None:
        """Something was done about the job: what is known of it is out of date."""
        with self._guard:
            seen = self._seen.get(job_id)
            if seen is not None and not seen.is_final:
                del self._seen[job_id]

    def refresh(self) -> None:
        """Read again what somebody asked for lately and what may still change."""
        since_s = self._clock() - _ASKED_LATELY_S
        for job_id, seen in list(self._seen.items()):
            if not seen.is_final and seen.asked_s > since_s:
                with self._guard:
                    self._read_tolerantly(job_id)

    def _read_tolerantly(self, job_id: str) -> None:
        """Read a job; one that cannot be read is left to who asks for it, and told them."""
        problems: list[str] = []
        with tolerated(job_id, problems):
            self._read(job_id)
        if problems:
            self._seen.pop(job_id, None)

    def _read(self, job_id: str) -> bytes:
        record = self._instance.get_run_record_by_id(job_id)
        line = job_line(record) if record is not None else None
        if record is None or line is None:
            self._seen.pop(job_id, None)
            raise no_job(job_id)
        is_final = record.dagster_run.is_finished
        view = self._ended(record, line) if is_final else _going_on(line)
        content, now_s = view.model_dump_json().encode(), self._clock()
        asked = self._seen.get(job_id)
        self._seen[job_id] = _Seen(content, is_final, now_s, asked.asked_s if asked else now_s)
        self._seen.move_to_end(job_id)
        while len(self._seen) > _KEPT:
            self._seen.popitem(last=False)
        return content

    def _ended(self, record: dg.RunRecord, line: JobLine) -> JobView:
        """Tell how a job ended; its run's own log knows it before anybody is told here."""
        mirror_runs(self._instance, self._stores, [line.job_id])
        outcome = outcome_of(self._instance, line.job_id)
        known = line.model_dump()
        if line.state == "failed":
            # That somebody wanted it ended is not enough: it may have failed before.
            is_canceled = (
                record.dagster_run.status is dg.DagsterRunStatus.CANCELED
                or outcome.error_code == _CANCELED
            )
            # A run that was refused ends canceled too, for a reason that is worth telling.
            if is_canceled and outcome.error_code not in REFUSALS:
                return JobView(**known, summary=None, error=_CANCELED)
            return JobView(**known, summary=None, error=self._reason(line.job_id, outcome.error))
        run = self._stores.runs.get(line.ep_id, line.run_id)
        if run is None:  # `runs gc` removed it
            return JobView(**known, summary=None, error=None)
        runtime_s = (record.end_time or 0.0) - (record.start_time or 0.0)
        result = result_of(self._stores, run, line.job_id, outcome, runtime_s)
        return JobView(**known, summary=result.to_dict(), error=None)

    def _reason(self, job_id: str, error: str | None) -> str:
        """Tell why a job failed; of one that could not run, only Dagster's engine knows it."""
        if error is not None and not error.startswith(_FROM_OUTSIDE):
            return error
        events = self._instance.all_logs(job_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
        for event in reversed([e.dagster_event for e in events if e.dagster_event is not None]):
            failure = event.engine_event_data.error
            if failure is not None:
                return f"{event.message} {failure.message}".strip()
            if event.message and _OF_ITS_PROCESS in event.message:
                return event.message
        return error or "failed without a reason"


def _going_on(line: JobLine) -> JobView:
    return JobView(**line.model_dump(), summary=None, error=None)
