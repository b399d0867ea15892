"""Ends a job before its time: in the queue, at its code server, or at its process."""

from __future__ import annotations

import logging
import os
import signal
import time
from typing import Final

import dagster as dg
from dagster._core.errors import DagsterUserCodeProcessError, DagsterUserCodeUnreachableError

from screenalytics_assets.liveness import Verdict, judge, process_of
from screenalytics_assets.mirror import mirror_runs, run_key_of
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
        # start what has ended. `insist` does the rest.
        instance.report_run_canceling(run, "canceled while it waited")
    elif run.status in _WORKING or _has_begun(instance, run):
        _end(instance, stores, run)
    mirror_runs(instance, stores, [job_id])


def insist(instance: dg.DagsterInstance, stores: Stores, run: dg.DagsterRun) -> None:
    """See to it that a run ends which somebody wants ended; called again and again.

    One that waited is canceled once whoever took it from the queue just then has marked it;
    one that goes on is told again.
    """
    wanted_s = _wanted_s(run)
    if wanted_s is None or time.time() - wanted_s < _REVIVED_WITHIN_S:
        return
    if run.status in _WORKING:
        _end(instance, stores, run)
    elif run.status in _WAITING:
        instance.report_run_canceling(run, "canceled while it waited")
    elif not _has_begun(instance, run):
        instance.report_run_canceled(run)
        mirror_runs(instance, stores, [run.run_id])


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


def _interrupt(stores: Stores, run: dg.DagsterRun) -> None:
    """Send Ctrl-C to the run's process, if it is one of this machine; it is marked already."""
    here = ProcessIdentity.current()
    process = process_of(run, stores.attempts)
    if process is None or not process.shares_pids_with(here):
        _LOG.info("run %s has no process here: Dagster ends it after its timeout", run.run_id)
        return
    if judge(process, None, here, pid_started_s) is Verdict.ALIVE:
        os.kill(process.pid, signal.SIGINT)
