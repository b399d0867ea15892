"""Attempts: which Dagster run owns a run folder, and whether its process still lives."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from screenalytics_core import layout
from screenalytics_core.errors import (
    ArtifactCorruptError,
    AttemptSupersededError,
    KeyMissingError,
    RunBusyError,
    RunNotFoundError,
)
from screenalytics_core.processes import ProcessIdentity, pid_started_s
from screenalytics_core.records import read_record
from screenalytics_core.shapes import check_time, check_types
from screenalytics_core.storage.base import Stamp, Storage

__all__ = ["AttemptRecord", "AttemptStore", "ProcessIdentity", "pid_started_s", "process_is_alive"]

DEAD_AFTER_S: Final = 60.0
# Starts are counted in ticks of 10 ms; elsewhere the clock may have been set a little.
_START_TOLERANCE_S: Final = 0.5

# Attempts that are remembered: of all runs that are at work, and many more.
_KEPT: Final = 1000
_ATTEMPT_FILE: Final = re.compile(r"(\d{4,})\.json")
_RESTORE: Final = "Move it away if its process is gone, or start a new run."

Clock = Callable[[], datetime]
_TYPES: Final = {"ep_id": str, "run_id": str, "n": int, "dagster_run_id": str, "claimed_at": str}


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One Dagster run inside a run, as claimed in attempts/{n:04d}.json.

    Attributes:
        n: 1-based; the highest one owns the run.
        claimed_at: ISO 8601 in UTC.
    """

    ep_id: str
    run_id: str
    n: int
    dagster_run_id: str
    process: ProcessIdentity
    claimed_at: str

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> AttemptRecord:
        """Build it from its file; TypeError, KeyError or ValueError if it is no attempt."""
        check_types(record, _TYPES)
        check_time(record["claimed_at"])
        return cls(**{**record, "process": ProcessIdentity.from_dict(record["process"])})


def process_is_alive(
    process: ProcessIdentity,
    heartbeat_age_s: float | None,
    here: ProcessIdentity,
    pid_started_s: Callable[[int], float | None],
) -> bool:
    """Tell whether a process lives: by its pid where pids mean the same, else by its heartbeat.

    Args:
        heartbeat_age_s: None if there was no heartbeat, which counts as dead elsewhere.
        here: The process that asks.
        pid_started_s: Start time of a live pid on this machine, None if there is none.
    """
    if process.shares_pids_with(here):
        started_s = pid_started_s(process.pid)
        # Another start time means that the pid was given to another process since.
        return started_s is not None and abs(started_s - process.started_s) < _START_TOLERANCE_S
    return heartbeat_age_s is not None and heartbeat_age_s < DEAD_AFTER_S


def utc_now() -> datetime:
    """Return the current time, aware, in UTC."""
    return datetime.now(UTC)


class AttemptStore:
    """The attempts of all runs under one data root."""

    def __init__(self, storage: Storage, clock: Clock = utc_now) -> None:
        self._storage = storage
        self._clock = clock
        self._read: dict[str, tuple[Stamp, AttemptRecord]] = {}

    def claim(
        self,
        ep_id: str,
        run_id: str,
        dagster_run_id: str,
        process: ProcessIdentity,
        is_alive: Callable[[AttemptRecord], bool],
    ) -> AttemptRecord:
        """Make `dagster_run_id` the owner of the run, or return the attempt it already has.

        Args:
            is_alive: Asked about the newest attempt of another Dagster run.

        Raises:
            RunNotFoundError: The run is not reserved.
            RunBusyError: Another attempt is alive.
            AttemptSupersededError: This Dagster run had the run and lost it to a newer one.
        """
        if not self._storage.exists(layout.run_record_key(ep_id, run_id)):
            raise RunNotFoundError(
                thing=f"run {ep_id}/{run_id}",
                reason="is not reserved, so it cannot be claimed",
                way_out="Launch it through `screenalytics run`.",
            )
        with self._storage.lock(layout.run_lock_key(ep_id, run_id)):
            attempts = self.list(ep_id, run_id)
            newest = attempts[-1] if attempts else None
            if newest is not None and newest.dagster_run_id == dagster_run_id:
                return newest
            for old in attempts:
                if old.dagster_run_id == dagster_run_id:
                    raise superseded(old, newest)
            if newest is not None and is_alive(newest):
                raise busy(newest)
            self._storage.sweep_abandoned(layout.run_prefix(ep_id, run_id))
            n = newest.n + 1 if newest else 1
            return self._create(ep_id, run_id, n, dagster_run_id, process)

    def _create(
        self, ep_id: str, run_id: str, n: int, dagster_run_id: str, process: ProcessIdentity
    ) -> AttemptRecord:
        claimed_at = self._clock().isoformat(timespec="microseconds")
        attempt = AttemptRecord(ep_id, run_id, n, dagster_run_id, process, claimed_at)
        content = json.dumps(asdict(attempt), indent=1).encode() + b"\n"
        # Exclusive although the lock is held: a lock on a network file system may not hold.
        if not self._storage.create_exclusive(layout.attempt_key(ep_id, run_id, n), content):
            raise busy(self.get(ep_id, run_id, n))
        self.beat(attempt)
        return attempt

    def get(self, ep_id: str, run_id: str, n: int) -> AttemptRecord:
        """Return attempt `n`.

        Raises:
            KeyMissingError: There is none.
            ArtifactCorruptError: Its file is damaged, or that of another attempt.
        """
        key = layout.attempt_key(ep_id, run_id, n)
        attempt = read_record(self._storage, key, AttemptRecord.from_dict, _RESTORE)
        if attempt is None:
            raise KeyMissingError(thing=key, reason="does not exist")
        if (attempt.ep_id, attempt.run_id, attempt.n) != (ep_id, run_id, n):
            raise ArtifactCorruptError(
                thing=self._storage.location(key),
                reason=f"is attempt {attempt.n} of {attempt.ep_id}/{attempt.run_id}",
                way_out=_RESTORE,
            )
        return attempt

    def list(self, ep_id: str, run_id: str) -> tuple[AttemptRecord, ...]:
        """Return the run's attempts, oldest first."""
        found = {}
        for key, stamp in self._storage.stamps(layout.attempts_prefix(ep_id, run_id)).items():
            if match := _ATTEMPT_FILE.fullmatch(key.split("/")[-1]):
                found[int(match[1])] = (key, stamp)
        return tuple(self._known(ep_id, run_id, n, *found[n]) for n in sorted(found))

    def _known(self, ep_id: str, run_id: str, n: int, key: str, stamp: Stamp) -> AttemptRecord:
        """Return attempt `n`; read once, since an attempt never changes."""
        known = self._read.get(key)
        if known is None or known[0] != stamp:
            while len(self._read) >= _KEPT:
                self._read.pop(next(iter(self._read)), None)
            known = self._read[key] = (stamp, self.get(ep_id, run_id, n))
        return known[1]

    def newest(self, ep_id: str, run_id: str) -> AttemptRecord | None:
        """Return the attempt that owns the run, or None if nobody claimed it."""
        attempts = self.list(ep_id, run_id)
        return attempts[-1] if attempts else None

    def find(self, ep_id: str, run_id: str, dagster_run_id: str) -> AttemptRecord | None:
        """Return the attempt of a Dagster run, or None if it never claimed."""
        attempts = self.list(ep_id, run_id)
        return next((a for a in attempts if a.dagster_run_id == dagster_run_id), None)

    def check_newest(self, ep_id: str, run_id: str, attempt_n: int) -> None:
        """Refuse an attempt that does not own the run; call it under the run's lock.

        Raises:
            AttemptSupersededError: A newer attempt owns the run, or nobody claimed it.
        """
        newest = self.newest(ep_id, run_id)
        if newest is None or newest.n != attempt_n:
            raise _not_owner(ep_id, run_id, attempt_n, newest)

    def beat(self, attempt: AttemptRecord) -> None:
        """Say that the attempt's process is alive now."""
        now = self._clock().isoformat(timespec="microseconds")
        key = layout.heartbeat_key(attempt.ep_id, attempt.run_id, attempt.n)
        self._storage.write_atomic(key, now.encode())

    def last_beat(self, attempt: AttemptRecord) -> datetime:
        """Return when the attempt last said so; without a readable beat, when it claimed."""
        key = layout.heartbeat_key(attempt.ep_id, attempt.run_id, attempt.n)
        try:
            text = self._storage.read_bytes(key).decode()
            check_time(text)
        except (KeyMissingError, ValueError):
            text = attempt.claimed_at
        return datetime.fromisoformat(text)

    def heartbeat_age_s(self, attempt: AttemptRecord) -> float:
        """Return the seconds since the last beat."""
        return (self._clock() - self.last_beat(attempt)).total_seconds()


def superseded(old: AttemptRecord, newest: AttemptRecord | None) -> AttemptSupersededError:
    """Build the error for an attempt that lost the run."""
    return _not_owner(old.ep_id, old.run_id, old.n, newest)


def _not_owner(
    ep_id: str, run_id: str, attempt_n: int, newest: AttemptRecord | None
) -> AttemptSupersededError:
    owner = f"attempt {newest.n} owns it now" if newest else "nobody claimed it"
    return AttemptSupersededError(
        thing=f"attempt {attempt_n} of run {ep_id}/{run_id}",
        reason=f"may not write into the run, {owner}",
        way_out="Nothing was published by it; follow the newest attempt.",
        ep_id=ep_id,
        run_id=run_id,
        attempt=attempt_n,
    )


def busy(other: AttemptRecord) -> RunBusyError:
    """Build the error for a run that another attempt owns."""
    process = other.process
    return RunBusyError(
        thing=f"run {other.ep_id}/{other.run_id}",
        reason=f"attempt {other.n} (Dagster run {other.dagster_run_id}) is running as process "
        f"{process.pid} on {process.host} since {other.claimed_at}",
        way_out="Wait for it, cancel it, or launch without this run_id.",
        ep_id=other.ep_id,
        run_id=other.run_id,
        attempt=other.n,
        dagster_run_id=other.dagster_run_id,
    )
