"""Does anybody still work on a run? Pure; Dagster is not asked.

Whoever deletes must be sure: what cannot be known counts as alive.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from screenalytics_core.attempts import AttemptRecord, process_is_alive
from screenalytics_core.ledger.state import RunState
from screenalytics_core.processes import ProcessIdentity


class Life(StrEnum):
    """What is known of whoever works on a run."""

    ALIVE = "alive"
    OVER = "over"
    UNKNOWN = "unknown"


def process_lives(
    attempt: AttemptRecord,
    heartbeat_age_s: float | None,
    here: ProcessIdentity,
    pid_started_s: Callable[[int], float | None],
) -> bool:
    """Tell whether the process that claimed an attempt lives, whatever became of the attempt."""
    return process_is_alive(attempt.process, heartbeat_age_s, here, pid_started_s)


def life_of(
    state: RunState,
    newest: AttemptRecord | None,
    heartbeat_age_s: float | None,
    here: ProcessIdentity,
    pid_started_s: Callable[[int], float | None],
) -> Life:
    """Judge a run by its log, its newest attempt, and that attempt's process.

    Args:
        newest: None if nobody claimed the run.
        heartbeat_age_s: Of the newest attempt; None without a heartbeat file.
    """
    open_runs = {a.dagster_run_id for a in state.attempts if not a.status.is_terminal}
    told = {a.dagster_run_id for a in state.attempts}
    if newest is not None and (
        newest.dagster_run_id in open_runs or newest.dagster_run_id not in told
    ):
        life = _life_of_claim(newest, heartbeat_age_s, here, pid_started_s)
        if life is not Life.OVER:
            return life
        open_runs.discard(newest.dagster_run_id)
    claimed = {a.dagster_run_id for a in state.attempts if a.attempt is not None}
    # An earlier attempt that lost the run is over, whatever its log says; a Dagster run that
    # is queued, or on its way to its claim, is somebody whose process nobody here knows.
    return Life.UNKNOWN if open_runs - claimed else Life.OVER


def _life_of_claim(
    newest: AttemptRecord,
    heartbeat_age_s: float | None,
    here: ProcessIdentity,
    pid_started_s: Callable[[int], float | None],
) -> Life:
    if heartbeat_age_s is None and not newest.process.shares_pids_with(here):
        return Life.UNKNOWN
    is_alive = process_lives(newest, heartbeat_age_s, here, pid_started_s)
    return Life.ALIVE if is_alive else Life.OVER
