"""Temporary files that a killed process left in a run's folder."""

from __future__ import annotations

from typing import Final

from screenalytics_core import layout
from screenalytics_core.attempts import AttemptStore
from screenalytics_core.errors import ScreenalyticsError
from screenalytics_core.processes import ProcessIdentity, pid_started_s
from screenalytics_core.run_record import RunKey
from screenalytics_core.run_tools.lives import process_lives
from screenalytics_core.storage.base import Storage

# Views of a run are also written by others than its own process, in moments.
_SETTLED_S: Final = 60.0


def stray_files(storage: Storage, attempts: AttemptStore, key: RunKey) -> list[str]:
    """Return temporary files that no process of the run is writing, relative to its folder."""
    if _is_written_to(attempts, key):
        return []
    return list(storage.strays(layout.run_prefix(*key), _SETTLED_S))


def _is_written_to(attempts: AttemptStore, key: RunKey) -> bool:
    try:
        newest = attempts.newest(*key)
    except ScreenalyticsError:
        return False  # named as a damaged file of its own
    if newest is None:
        return False
    here = ProcessIdentity.current()
    return process_lives(newest, attempts.heartbeat_age_s(newest), here, pid_started_s)
