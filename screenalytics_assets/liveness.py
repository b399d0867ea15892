"""Ends runs whose process died.

`kill -9` of an in-process run leaves Dagster's run STARTED for ever and its pool slot
taken, so the next run would wait for a ghost. Every launch sweeps first. `judge` decides
without I/O; `sweep` gathers the facts and acts.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

import dagster as dg

from screenalytics_assets.tags import PARTITION_TAG, PROCESS_TAG, run_id_of
from screenalytics_core.attempts import AttemptRecord, AttemptStore, process_is_alive
from screenalytics_core.errors import InvalidIdError, ScreenalyticsError
from screenalytics_core.processes import ProcessIdentity, pid_started_s, wall_to_started_s

_LOG: Final = logging.getLogger(__name__)
DIED: Final = "died without ending the run"
"""How the reason ends of a Dagster run that a sweep reported failed."""

UNENDED: Final = (
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


class Verdict(StrEnum):
    """What is known of the process behind a run."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LaunchedWorker:
    """A run worker as Dagster's own 'Started process for run' event names it.

    Attributes:
        announced_s: When it did, on the clock of `ProcessIdentity.started_s`.
    """

    pid: int
    announced_s: float


def judge(
    process: ProcessIdentity | None,
    heartbeat_age_s: float | None,
    here: ProcessIdentity,
    pid_started_s: Callable[[int], float | None],
    worker: LaunchedWorker | None = None,
) -> Verdict:
    """Decide whether the process of a run that has not ended still lives.

    Args:
        process: The process that claimed the run, else the one its tags name; None when
            neither is known (a queued run has no process yet): then nothing is decided.
        heartbeat_age_s: Age of the attempt's last heartbeat; None if there never was one.
        here: The machine that asks.
        pid_started_s: Start time of a live pid on this machine, None if there is none.
        worker: Looked at only when `process` is unknown.
    """
    if process is not None:
        if heartbeat_age_s is None and not process.shares_pids_with(here):
            return Verdict.UNKNOWN  # not claimed yet, on a machine that we cannot look into
        alive = process_is_alive(process, heartbeat_age_s, here, pid_started_s)
    elif worker is not None:
        started_s = pid_started_s(worker.pid)
        # A later start is another process that was given the same pid.
        alive = started_s is not None and started_s <= worker.announced_s + 1.0
    else:
        return Verdict.UNKNOWN
    return Verdict.ALIVE if alive else Verdict.DEAD


def attempt_is_alive(
    instance: dg.DagsterInstance,
    attempt: AttemptRecord,
    attempts: AttemptStore,
    here: ProcessIdentity,
) -> bool:
    """Tell whether an attempt still runs: its Dagster run has not ended, its process lives."""
    run = instance.get_run_by_id(attempt.dagster_run_id)
    if run is not None and run.is_finished:
        return False
    age_s = attempts.heartbeat_age_s(attempt)
    return judge(attempt.process, age_s, here, pid_started_s) is Verdict.ALIVE


def sweep(
    instance: dg.DagsterInstance,
    attempts: AttemptStore,
    here: ProcessIdentity,
) -> list[str]:
    """End every run whose process is dead; return their Dagster run ids.

    One that was being canceled ends canceled: that is what somebody wanted. Slots are freed
    before the run is ended: a sweep killed in between leaves the run unended, so the next
    sweep finds it again.
    """
    swept = []
    for run in instance.get_runs(dg.RunsFilter(statuses=list(UNENDED))):
        attempt = _attempt_of(run, attempts)
        process = attempt.process if attempt else _tagged_process(run.tags)
        age_s = _heartbeat_age_s(attempt, attempts) if attempt else None
        worker = None if process else _launched_worker(instance, run.run_id)
        if judge(process, age_s, here, pid_started_s, worker) is not Verdict.DEAD:
            continue
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        where = f"process {process.pid} on {process.host}" if process else "its process"
        if run.status is dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run)
        else:
            instance.report_run_failed(run, f"{where} {DIED}")
        _LOG.warning("run %s: %s died; the run was ended", run.run_id, where)
        swept.append(run.run_id)
    return swept


def process_tag(process: ProcessIdentity) -> dict[str, str]:
    """Return the tag that lets a sweep judge a run which never claimed an attempt."""
    return {PROCESS_TAG: json.dumps(asdict(process), sort_keys=True)}


def process_of(run: dg.DagsterRun, attempts: AttemptStore) -> ProcessIdentity | None:
    """Return the process that claimed a run's attempt, else the one its tags name."""
    attempt = _attempt_of(run, attempts)
    return attempt.process if attempt else _tagged_process(run.tags)


def _tagged_process(tags: Mapping[str, Any]) -> ProcessIdentity | None:
    text = tags.get(PROCESS_TAG)
    try:
        return ProcessIdentity.from_dict(json.loads(text)) if text else None
    except (ValueError, TypeError, KeyError, RecursionError):
        _LOG.warning("tag %s names no process: %r", PROCESS_TAG, text)  # anyone can set tags
        return None


def _heartbeat_age_s(attempt: AttemptRecord, attempts: AttemptStore) -> float | None:
    """Return the age of the last beat; None if it cannot be read, which proves nothing."""
    try:
        return attempts.heartbeat_age_s(attempt)
    except ScreenalyticsError as error:
        _LOG.warning("heartbeat of Dagster run %s: %s", attempt.dagster_run_id, error)
        return None


def _launched_worker(instance: dg.DagsterInstance, dagster_run_id: str) -> LaunchedWorker | None:
    records = instance.get_records_for_run(
        dagster_run_id, of_type=dg.DagsterEventType.ENGINE_EVENT, limit=50
    ).records
    for record in records:
        event = record.event_log_entry.dagster_event
        if event is None or "Started process for run" not in (event.message or ""):
            continue
        pid = event.engine_event_data.metadata.get("pid")
        if pid is not None:
            announced_s = wall_to_started_s(record.event_log_entry.timestamp)
            return LaunchedWorker(int(str(pid.value)), announced_s)
    return None


def _attempt_of(run: dg.DagsterRun, attempts: AttemptStore) -> AttemptRecord | None:
    ep_id = run.tags.get(PARTITION_TAG)
    if ep_id is None:
        return None
    try:
        return attempts.find(ep_id, run_id_of(run.tags, run.run_id), run.run_id)
    except InvalidIdError:
        return None  # not a partition of ours
    except ScreenalyticsError as error:
        # One damaged run must not stop the launches of every other.
        _LOG.warning("run %s is judged without its attempt: %s", run.run_id, error)
        return None
