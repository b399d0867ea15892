"""Ends a job before its time: in the queue, at its code server, or at its process."""

from __future__ import annotations

import logging
import os
import signal
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
"""On a run that somebody wants ended, for good."""

_WAITING: Final = (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.QUEUED)


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
    # First: whoever revives it by taking it from the queue just now is told again (`insist`).
    instance.add_run_tags(job_id, {CANCELED_TAG: "true"})
    _cancel(instance, stores, run)
    mirror_runs(instance, stores, [job_id])


def insist(instance: dg.DagsterInstance, stores: Stores, run: dg.DagsterRun) -> None:
    """Cancel a run again that somebody wanted ended and that goes on.

    The queue's daemon looks at a run and marks it as starting in two steps, and forgets in
    between that it was canceled.
    """
    if CANCELED_TAG in run.tags and run.status in {
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
    }:
        _cancel(instance, stores, run)


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


def _cancel(instance: dg.DagsterInstance, stores: Stores, run: dg.DagsterRun) -> None:
    if run.status in _WAITING:
        instance.report_run_canceling(run, "canceled while it waited")
        instance.report_run_canceled(run)
        return
    try:
        is_told = instance.run_launcher.terminate(run.run_id)
    except (DagsterUserCodeUnreachableError, DagsterUserCodeProcessError) as error:
        _LOG.info("the code server cannot end run %s: %s", run.run_id, error)
        is_told = False
    if not is_told:
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
