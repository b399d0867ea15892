"""Locks on a server that can do no more than create an object unless it exists.

A lock is a folder of numbered objects. Who creates the next number holds the lock; the highest
number tells how it stands: an empty object is released, one with an owner in it is held until
the server has not heard of it for `lease_s`. All ages are differences of the server's own
times; a holder counts on the boot clock from before it asked, so it gives up first. A holder
that was paused too long finds its lease over and may not publish (`check`).

A lock that is let go stays with this process for a moment: one step often takes the same lock
several times, and each release and taking is a request that somebody would wait for.

Numbers are never used twice: the highest object stays, and others are removed only when they
are older than any knowledge that somebody may act on (`FORGOTTEN_S` against `FRESH_S`).
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Final

from screenalytics_core.errors import KeyMissingError, ScreenalyticsError, StorageError
from screenalytics_core.processes import ProcessIdentity, pid_started_s
from screenalytics_core.storage.clock import boot_s
from screenalytics_core.storage.s3_bucket import Bucket, Item, Listing
from screenalytics_core.storage.s3_lease import Hold, Lease, LeaseKeeper
from screenalytics_core.storage.s3_release import LateRelease
from screenalytics_core.storage.s3_turn import NEVER_S, Turn

_LOG: Final = logging.getLogger(__name__)

# Dates of HTTP have whole seconds, so an age may be told up to two too long.
_SLACK_S: Final = 2.0
# Numbers that were overtaken are removed after this; three times as long, for safety.
FORGOTTEN_S: Final = 900.0
_TIDIED_EVERY: Final = 64
_POLLED_S: Final = (0.02, 0.1)
# Long enough for a log and the views that are written after it, short for whoever waits.
LINGER_S: Final = 0.5
# Long enough for whoever waits to look and to ask.
_GIVEN_WAY_S: Final = 0.15
# Starts are counted in ticks of 10 ms.
_START_TOLERANCE_S: Final = 0.5


class LeaseLocks:
    """The locks under one prefix of a bucket.

    Args:
        prefix: The S3 folder that their objects lie in.
        timeout_s: How long to wait for one.
        lease_s: After how long without a sign of life a holder counts as gone.
        linger_s: For how long after it was taken a lock that was let go may stay with this
            process; 0 releases it before `hold` ends.
    """

    def __init__(
        self, bucket: Bucket, prefix: str, timeout_s: float, lease_s: float, linger_s: float
    ) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._timeout_s = timeout_s
        self._lease_s = lease_s
        self._linger_s = linger_s
        self._keeper = LeaseKeeper(lease_s / 3)
        self._late = LateRelease(self._release_if_idle)
        self._guard = threading.Lock()
        # Kept for all keys: what was learned saves a request each time.
        self._turns: dict[str, Turn] = {}
        self._of_thread = threading.local()

    @contextmanager
    def hold(self, key: str) -> Iterator[None]:
        """Hold the lock of `key`; re-entrant in a thread.

        Raises:
            StorageError: It is not to be had in time, or was lost while it was held.
        """
        deadline_s = time.monotonic() + self._timeout_s
        with self._guard:
            turn = self._turns.setdefault(key, Turn())
        if not turn.guard.acquire(timeout=self._timeout_s):
            raise self._busy(key)
        try:
            if turn.depth == 0:
                if not self._take_back(turn):
                    turn.give_way(_GIVEN_WAY_S)
                    turn.lease = self._acquire(key, turn, deadline_s)
                assert turn.lease is not None
                turn.hold = Hold(turn.lease)
            turn.depth += 1
            try:
                with self._noted(turn.hold):
                    yield
            finally:
                turn.depth -= 1
                if turn.depth == 0:
                    turn.hold = None
                    if self._linger_s == 0:
                        self._release(turn)
        finally:
            turn.guard.release()
            # Not before: the thread that releases passes over what somebody is at.
            if turn.depth == 0 and turn.lease is not None:
                self._late.add(turn, turn.kept_until_s)

    def check(self) -> None:
        """Refuse to go on if this thread has lost a lock that it should hold.

        Raises:
            StorageError: Somebody else may hold it since.
        """
        for hold in self.held():
            hold.lease.check()

    def is_holding(self) -> bool:
        """Tell whether this thread holds a lock."""
        return bool(self.held())

    def held(self) -> list[Hold]:
        """Return what this thread holds, the last taken last."""
        held: list[Hold] = getattr(self._of_thread, "held", [])
        self._of_thread.held = held
        return held

    @contextmanager
    def _noted(self, hold: Hold | None) -> Iterator[None]:
        held = self.held()
        if hold is None or hold in held:
            yield
            return
        held.append(hold)
        try:
            yield
        finally:
            held.remove(hold)

    def _take_back(self, turn: Turn) -> bool:
        """Go on with a lock that is not released yet, unless it was kept for long."""
        if turn.lease is None:
            return False
        if boot_s() < turn.kept_until_s:
            with suppress(StorageError):
                turn.lease.check()
                return True
        self._release(turn)
        return False

    def _release_if_idle(self, turn: Turn) -> None:
        # Whoever is at it hands it in again, or has taken it anew.
        if turn.guard.acquire(blocking=False):
            try:
                if turn.depth == 0:
                    self._release(turn)
            finally:
                turn.guard.release()

    def _acquire(self, key: str, turn: Turn, deadline_s: float) -> Lease:
        wait_s = _POLLED_S[0]
        while True:
            if turn.is_known_free() or self._look(key, turn):
                lease = self._try_next(key, turn)
                if lease is not None:
                    return lease
            if time.monotonic() > deadline_s:
                raise self._busy(key)
            time.sleep(wait_s * random.uniform(0.5, 1.0))
            wait_s = min(2 * wait_s, _POLLED_S[1])

    def _try_next(self, key: str, turn: Turn) -> Lease | None:
        """Create the next number; None if somebody else has it."""
        token = uuid.uuid4().hex
        owner = {"token": token, "process": asdict(ProcessIdentity.current())}
        lease = Lease(
            self._bucket,
            self._name(key, turn.number + 1),
            json.dumps(owner).encode(),
            self._lease_s,
        )
        if not lease.begin():
            turn.free_at_s = NEVER_S
            return None
        if not turn.is_known_free():
            # This machine slept between asking and creating: the number may have been one that
            # was removed since. It may as well be the highest, so it is released and not removed.
            self._end(lease)
            return None
        turn.number += 1
        turn.free_at_s = NEVER_S
        turn.keep(self._linger_s)
        self._keeper.add(lease)
        if turn.number % _TIDIED_EVERY == 0:
            try:
                self._tidy(key, turn)
            except ScreenalyticsError as error:
                _LOG.warning("old numbers of the lock %s stay: %s", lease.name, error)
        return lease

    def _release(self, turn: Turn) -> None:
        lease, turn.lease = turn.lease, None
        if lease is None:
            return
        self._keeper.drop(lease)
        is_free = self._end(lease)
        turn.released_at_s = boot_s()
        if is_free:
            turn.free_at_s = turn.released_at_s

    def _end(self, lease: Lease) -> bool:
        """Release a lease; tell whether it was held until then."""
        try:
            return lease.end()
        except ScreenalyticsError:
            # The work is done; without a sign of life the lease ends by itself.
            _LOG.warning("the lock %s could not be released; it ends by itself", lease.name)
            return False

    def _look(self, key: str, turn: Turn) -> bool:
        """Learn how the lock stands; tell whether it is free."""
        asked_s = boot_s()
        folder = self._name(key, None)
        # We never remove the highest, so what comes before the one known is of no use...
        known = self._name(key, turn.number - 1) if turn.number else ""
        listing = self._bucket.list(folder, after=known)
        if known and not listing.items:
            # ...unless somebody else removed it: then others may have begun from a lower one.
            listing = self._bucket.list(folder)
        newest = max(listing.items, key=lambda item: item.name, default=None)
        is_free = newest is None or self._is_free(newest, listing)
        turn.number = _number(newest) if newest else 0
        turn.free_at_s = asked_s if is_free else NEVER_S
        return is_free

    def _is_free(self, newest: Item, listing: Listing) -> bool:
        if newest.size_bytes == 0:
            return True
        age_s = (listing.at - newest.modified).total_seconds()
        return age_s > self._lease_s + _SLACK_S or self._owner_is_gone(newest)

    def _owner_is_gone(self, newest: Item) -> bool:
        """Tell whether the owner was a process of this machine that has ended."""
        try:
            owner = json.loads(self._bucket.open(newest.name).whole())
            process = ProcessIdentity.from_dict(owner["process"])
        except (KeyMissingError, ValueError, KeyError, TypeError):
            return False  # released meanwhile, or nothing of ours: its age decides
        if not process.shares_pids_with(ProcessIdentity.current()):
            return False
        started_s = pid_started_s(process.pid)
        return started_s is None or abs(started_s - process.started_s) > _START_TOLERANCE_S

    def _tidy(self, key: str, turn: Turn) -> None:
        listing = self._bucket.list(self._name(key, None))
        old = [
            item.name
            for item in listing.items
            if _number(item) < turn.number
            and (listing.at - item.modified).total_seconds() > FORGOTTEN_S
        ]
        if old:
            self._bucket.delete(old)

    def _name(self, key: str, number: int | None) -> str:
        return f"{self._prefix}{key}/" + ("" if number is None else f"{number:012d}")

    def _busy(self, key: str) -> StorageError:
        return StorageError(
            thing=self._bucket.url(self._name(key, None)),
            reason=f"is held by somebody else for over {self._timeout_s:g} s",
            way_out="Wait for it, or end the process that hangs.",
        )


def _number(item: Item) -> int:
    tail = item.name.rpartition("/")[2]
    return int(tail) if tail.isdigit() else 0
