"""Leases of locks, and the thread that keeps them alive."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import Final

from screenalytics_core.errors import ScreenalyticsError, StorageError
from screenalytics_core.storage.clock import boot_s
from screenalytics_core.storage.s3_bucket import Bucket

_LOG: Final = logging.getLogger(__name__)


class Lease:
    """A numbered object that this process created, valid for a while after each time written.

    Args:
        owner: What the object holds while the lock is held.
        lease_s: How long it is valid without being written again.
    """

    def __init__(self, bucket: Bucket, name: str, owner: bytes, lease_s: float) -> None:
        self.name = name
        self._bucket = bucket
        self._owner = owner
        self._lease_s = lease_s
        self._guard = threading.Lock()
        self._has_ended = False
        self._valid_until_s = float("-inf")

    def begin(self) -> bool:
        """Create the object; False if somebody else did."""
        asked_s = boot_s()
        if self._bucket.put_new(self.name, self._owner) is None:
            return False
        self._valid_until_s = asked_s + self._lease_s
        return True

    def renew(self) -> None:
        """Write the object again, unless the lease is over."""
        with self._guard:
            asked_s = boot_s()
            # Once it is over somebody else may hold the lock, and coming back proves nothing.
            if self._has_ended or asked_s > self._valid_until_s:
                return
            self._bucket.put(self.name, self._owner)
            self._valid_until_s = asked_s + self._lease_s

    def check(self) -> None:
        """Refuse if the lease is over, or would be before a request is through.

        Raises:
            StorageError: It is; nothing more may be written under it.
        """
        # A third is left for the request itself; the keeper holds it above that.
        if self._left_s() < self._lease_s / 3:
            self.renew()
        if self._left_s() < self._lease_s / 3:
            raise self._lost()

    def end(self) -> bool:
        """Say that the lock is free; False if the lease was over before.

        Raises:
            StorageError: The server cannot be told.
        """
        with self._guard:
            self._has_ended = True
            if self._left_s() <= 0:
                return False
            self._bucket.put(self.name, b"")
            return True

    def _left_s(self) -> float:
        return self._valid_until_s - boot_s()

    def _lost(self) -> StorageError:
        return StorageError(
            thing=self._bucket.url(self.name),
            reason=f"this process was not heard of for over {self._lease_s:g} s, so that somebody "
            "else may hold the lock",
            way_out="Nothing more was written under it; try again.",
        )


@dataclass(eq=False, slots=True, weakref_slot=True)
class Hold:
    """One time that a thread holds a lock, from its first `with` to its last."""

    lease: Lease


class LeaseKeeper:
    """Writes the leases of one process again, each `period_s`, in a thread while there are any."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._changed = threading.Condition()
        self._leases: list[Lease] = []
        self._is_running = False

    def add(self, lease: Lease) -> None:
        """Keep a lease alive from now on."""
        with self._changed:
            self._leases.append(lease)
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="lease-keeper", daemon=True).start()

    def drop(self, lease: Lease) -> None:
        """Let a lease go; nothing happens if it is not kept."""
        with self._changed:
            self._leases = [kept for kept in self._leases if kept is not lease]

    def _run(self) -> None:
        while True:
            with self._changed:
                before = list(self._leases)
                # Nobody notifies: it is the pause between two rounds.
                self._changed.wait(self._period_s)
                if not before and not self._leases:
                    self._is_running = False
                    return
                due = [lease for lease in self._leases if lease in before]
            for lease in due:
                try:
                    lease.renew()
                except ScreenalyticsError as error:
                    _LOG.warning("the lock %s could not be kept: %s", lease.name, error)
