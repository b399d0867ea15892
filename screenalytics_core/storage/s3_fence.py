"""What a writer saw under its lock fences what it writes: who comes too late changes nothing.

A request may reach the server long after it was sent, when somebody else holds the lock. No
clock of the sender tells; so the server is asked to compare with what the sender had seen.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, Final, Generic, TypeVar
from weakref import WeakKeyDictionary

from screenalytics_core.errors import KeyMissingError, StorageError
from screenalytics_core.storage.s3_bucket import Body, Bucket, Item
from screenalytics_core.storage.s3_conditions import ConditionCheck
from screenalytics_core.storage.s3_lease import Hold
from screenalytics_core.storage.s3_lock import LeaseLocks

Seen = TypeVar("Seen")
# Stands for the ETag of an object that was not there.
_MISSING: Final = "missing"


class SeenUnderLock(Generic[Seen]):
    """What threads saw of objects under the locks that they hold; forgotten with the lock."""

    def __init__(self, locks: LeaseLocks) -> None:
        self._locks = locks
        self._guard = threading.Lock()
        self._of: WeakKeyDictionary[Hold, dict[str, Seen]] = WeakKeyDictionary()

    def get(self, name: str) -> Seen | None:
        """Return what this thread saw of `name`; None if nothing, or under no lock of now."""
        with self._guard:
            for hold in reversed(self._locks.held()):
                if name in (of_hold := self._of.get(hold, {})):
                    return of_hold[name]
        return None

    def note(self, name: str, seen: Seen) -> None:
        """Remember what this thread saw of `name`, until it releases the lock it took last."""
        if held := self._locks.held():
            self.forget(name)
            with self._guard:
                self._of.setdefault(held[-1], {})[name] = seen

    def forget(self, name: str) -> None:
        """Remember nothing of `name`."""
        with self._guard:
            for hold in self._locks.held():
                self._of.get(hold, {}).pop(name, None)

    def check(self) -> None:
        """Refuse to go on if this thread has lost a lock that it should hold.

        Raises:
            StorageError: Somebody else may hold it since.
        """
        self._locks.check()


class FencedBucket(Bucket):
    """A bucket where what was read under a lock is replaced only if it is still the same.

    What was missing is created only if it is missing still. Servers that cannot compare ETags
    replace what was there in any case.
    """

    def __init__(self, plain: Bucket, locks: LeaseLocks, conditions: ConditionCheck) -> None:
        super().__init__(plain.client, plain.name)
        self._conditions = conditions
        self._etags: SeenUnderLock[str] = SeenUnderLock(locks)

    def get(self, name: str, unless_etag: str | None = None) -> Body | None:
        """Open an object; None if its ETag is still `unless_etag`.

        Raises:
            KeyMissingError: There is none.
        """
        with self._noting_missing(name):
            body = super().get(name, unless_etag)
        self._etags.note(name, (unless_etag or _MISSING) if body is None else body.item.etag)
        return body

    def open(self, name: str) -> Body:
        """Open an object; KeyMissingError if there is none."""
        with self._noting_missing(name):
            body = super().open(name)
        self._etags.note(name, body.item.etag)
        return body

    def head(self, name: str) -> Item:
        """Return what is known of an object; KeyMissingError if there is none."""
        # Of one whose content was read, that counts: what is written was made from it.
        if self._etags.get(name) is not None:
            return super().head(name)
        with self._noting_missing(name):
            item = super().head(name)
        self._etags.note(name, item.etag)
        return item

    def put(self, name: str, data: bytes | BinaryIO) -> str:
        """Write an object, and return its ETag.

        Raises:
            StorageError: It is not what this thread saw under its lock.
        """
        etag = self._put_fenced(name, data)
        if etag is None:
            self._etags.forget(name)
            self._etags.check()
            raise StorageError(
                thing=self.url(name),
                reason="was written by somebody else since it was read under the lock",
                way_out="Nothing was written; try again.",
            )
        self._etags.note(name, etag)
        return etag

    def _put_fenced(self, name: str, data: bytes | BinaryIO) -> str | None:
        seen = self._etags.get(name)
        if seen is None or not isinstance(data, bytes):
            return super().put(name, data)
        if seen == _MISSING:
            return super().put_new(name, data)
        if not self._conditions.require().can_replace:
            return super().put(name, data)
        try:
            return self.put_over(name, data, seen)
        except KeyMissingError:
            return None  # Amazon's answer if somebody else has removed it

    def put_new(self, name: str, data: bytes) -> str | None:
        """Write an object unless there is one; return its ETag, or None if there was one."""
        etag = super().put_new(name, data)
        self.note_written(name, etag)
        return etag

    def delete(self, names: Sequence[str]) -> None:
        """Remove objects; nothing happens for one that does not exist."""
        super().delete(names)
        for name in names:
            self.note_written(name, None)

    def note_written(self, name: str, etag: str | None) -> None:
        """Take note that this thread wrote `name` by other means; None if nobody knows what."""
        # Servers may tell no ETag of an upload that was completed.
        if etag:
            self._etags.note(name, etag)
        else:
            self._etags.forget(name)

    @contextmanager
    def _noting_missing(self, name: str) -> Iterator[None]:
        try:
            yield
        except KeyMissingError:
            self._etags.note(name, _MISSING)
            raise
