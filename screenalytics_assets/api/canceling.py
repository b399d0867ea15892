"""Ends a job before its time: in the queue, at its code server, or at its process."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Sequence
from typing import Final

import dagster as dg
from dagster._core.errors import DagsterUserCodeProcessError, DagsterUserCodeUnreachableError

from screenalytics_assets.liveness import Verdict, judge, process_of
from screenalytics_assets.mirror import mirror_runs, run_key_of, tolerated
from screenalytics_assets.stores import Stores
from screenalytics_core.errors import JobEndedError, JobNotFoundError
from screenalytics_core.processes import ProcessIdentity, pid_started_s

_LOG: Final = logging.getLogger(__name__)
CANCELED_TAG: Final = "screenalytics/canceled"
"""On a run that somebody wants ended, for good: since when, seconds since 1970."""

_WAITING: Final = (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.QUEUED)
_WORKING: Final = (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED)
# Between looking at a run in the queue and marking it as starting, the daemon takes some
# milliseconds; on a busy machine more.
_REVIVED_WITHIN_S: Final = 1.0
# A run that unwinds must not be hit while it does; a frame or a batch takes far less.
_AGAIN_AFTER_S: Final = 10.0


def cancel_run(instance: dg.DagsterInstance, stores: Stores, job_id: str) -> None:
    """Cancel a Dagster run; a second time is no error.

    Raises:
        JobNotFoundError: There is no such run of ours.
        JobEndedError: It completed, or failed, before.
    """
    run = require_run(instance, job_id)
    if run.status is dg.DagsterRunStatus.CANCELED:
        return
    if run.is_finished:
        raise JobEndedError(
            thing=f"job {job_id}",
            reason=f"has ended ({run.status.value.lower()})",
            way_out="Nothing is left to cancel.",
        )
    instance.add_run_tags(job_id, {CANCELED_TAG: str(time.time())})
    if run.status in _WAITING:
        # Not canceled yet: the daemon may be taking it from the queue just now, and would
        # start what has ended. `Insistence` does the rest.
        instance.report_run_canceling(run, "canceled while it waited")
    elif run.status in _WORKING or _has_begun(instance, run):
        _end(instance, stores, run)
    mirror_runs(instance, stores, [job_id])


class Insistence:
    """Sees to it that runs end which somebody wants ended. One thread uses it.

    One that waited is canceled once whoever took it from the queue just then has marked it;
    one that goes on is told again, since what interrupts a process may be lost in it.
    """

    def __init__(
        self,
        instance: dg.DagsterInstance,
        stores: Stores,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._instance = instance
        self._stores = stores
        self._clock = clock
        self._told_s: dict[str, float] = {}

    def look(self, runs: Sequence[dg.DagsterRun]) -> None:
        """Look after all runs that have not ended; called again and again."""
        now_s = self._clock()
        known = self._told_s
        # Whoever ended it elsewhere, as the Dagster UI does, told it by now.
        self._told_s = {
            run.run_id: known.get(run.run_id, now_s)
            for run in runs
            if run.status is dg.DagsterRunStatus.CANCELING
        }
        for run in runs:
            with tolerated(run.run_id, []):
                self._insist(run, now_s)

    def _insist(self, run: dg.DagsterRun, now_s: float) -> None:
        wanted_s = _wanted_s(run)
        is_wanted = wanted_s is not None and now_s - wanted_s >= _REVIVED_WITHIN_S
        if run.status is dg.DagsterRunStatus.CANCELING:
            if _has_begun(self._instance, run):
                self._tell_again(run, now_s)
            elif is_wanted:
                self._instance.report_run_canceled(run)
                mirror_runs(self._instance, self._stores, [run.run_id])
        elif is_wanted and run.status in _WORKING:
            _end(self._instance, self._stores, run)
        elif is_wanted and run.status in _WAITING:
            self._instance.report_run_canceling(run, "canceled while it waited")

    def _tell_again(self, run: dg.DagsterRun, now_s: float) -> None:
        since_s = now_s - self._told_s[run.run_id]
        if since_s < _AGAIN_AFTER_S:
            return
        self._told_s[run.run_id] = now_s
        # Not through its code server, which passes on one interrupt and no more.
        if _interrupt(self._stores, run):
            _LOG.warning("run %s goes on %.0f s after it was told to end: interrupted again",
                         run.run_id, since_s)  # fmt: skip


def _wanted_s(run: dg.DagsterRun) -> float | None:
    try:
        return float(run.tags[CANCELED_TAG])
    except (KeyError, ValueError):
        return None


def _has_begun(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Tell whether a process has begun to work on a run."""
    begun = dg.DagsterEventType.RUN_START
    return bool(instance.get_records_for_run(run.run_id, of_type=begun, limit=1).records)


def require_run(instance: dg.DagsterInstance, job_id: str) -> dg.DagsterRun:
    """Return the Dagster run of a job.

    Raises:
        JobNotFoundError: There is none, or it is not about an episode.
    """
    run = instance.get_run_by_id(job_id)
    if run is None or run_key_of(run) is None:
        raise no_job(job_id)
    return run


def no_job(job_id: str) -> JobNotFoundError:
    """Build the error for a job that is not known."""
    return JobNotFoundError(
        thing=f"job {job_id!r}", reason="does not exist", way_out="GET /jobs lists them."
    )


def _end(instance: dg.DagsterInstance, stores: Stores, run: dg.DagsterRun) -> None:
    try:
        is_told = instance.run_launcher.terminate(run.run_id)
    except (DagsterUserCodeUnreachableError, DagsterUserCodeProcessError) as error:
        _LOG.info("the code server cannot end run %s: %s", run.run_id, error)
        is_told = False
    if not _has_begun(instance, run):
        # Its process comes up, finds it canceled, and leaves; one that only found that somebody
        # cancels it would leave it unended, to be called failed.
        instance.report_run_canceled(run)
    elif not is_told:
        # Its code server was restarted, or the command line runs it.
        _interrupt(stores, run)


def _interrupt(stores: Stores, run: dg.DagsterRun) -> bool:
    """Send Ctrl-C to the run's process, which is marked already; return whether it was sent."""
    here = ProcessIdentity.current()
    process = process_of(run, stores.attempts)
    if process is None or not process.shares_pids_with(here):
        _LOG.info("run %s has no process here: Dagster ends it after its timeout", run.run_id)
        return False
    if judge(process, None, here, pid_started_s) is not Verdict.ALIVE:
        return False
    os.kill(process.pid, signal.SIGINT)
    return True
