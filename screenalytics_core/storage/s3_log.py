"""Logs on a server whose objects cannot be added to: numbered parts, joined by readers.

`events.jsonl` lies as `events.jsonl.parts/0000000001`, `.../0000000002`, ...: each is created
unless it exists, so two writers never lose a line to each other, and a part is there whole or
not at all. Beside them may stand

- `0000000001-0000000064`: those parts as one. Its content follows from theirs, so whoever
  makes it makes the same; the single ones go later, when no writer can still be at their
  numbers.
- `0000000065-reset`: everything before it counts no more.
- the plain object `events.jsonl`, copied there from a local data root: it comes first.

Whoever read a log under a lock adds right after what was read, or not at all: a part's number is
the fence against requests that arrive when somebody else holds the lock.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from screenalytics_core.errors import KeyMissingError, StorageError
from screenalytics_core.s3_layout import PARTS_SUFFIX
from screenalytics_core.storage.base import Stamp
from screenalytics_core.storage.clock import boot_s
from screenalytics_core.storage.s3_bucket import Bucket, Item
from screenalytics_core.storage.s3_fence import SeenUnderLock
from screenalytics_core.storage.s3_lock import FORGOTTEN_S, LeaseLocks
from screenalytics_core.storage.s3_log_parts import RESET, LogView, Part, parsed, part_name
from screenalytics_core.storage.s3_stamps import stamp_of
from screenalytics_core.storage.s3_turn import FRESH_S

_LOG: Final = logging.getLogger(__name__)

# A reader without anything asks for each part: at most about this many.
_MERGED_FROM: Final = 64
# Larger ones are left alone, or a long log would be written again and again.
_MERGED_BYTES: Final = 4 << 20
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class _Next:
    """The number after the last one of a log, and since when that is known."""

    number: int
    learned_s: float

    def is_fresh(self) -> bool:
        """Tell whether no part of this number can have come and gone since."""
        return boot_s() - self.learned_s <= FRESH_S


class PartedLogs:
    """The logs of one bucket, by the S3 key of their file. Any thread may use it.

    Args:
        locks: What writers hold while they read and add.
        cache_bytes: How much of the parts that were read to keep; they never change.
    """

    def __init__(self, bucket: Bucket, locks: LeaseLocks, cache_bytes: int) -> None:
        self._bucket = bucket
        self._cache_bytes = cache_bytes
        self._guard = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._kept_bytes = 0
        self._next: dict[str, _Next] = {}
        self._seen: SeenUnderLock[_Next] = SeenUnderLock(locks)

    def read(self, name: str, legacy: str | None) -> bytes:
        """Return the whole log.

        Args:
            legacy: The S3 key of a second place whose file comes first, if there is one.

        Raises:
            KeyMissingError: There is none.
        """
        for tries in range(1, _TRIES + 1):
            asked_s = boot_s()
            view = self._view(name, legacy)
            self._seen.note(name, _Next(view.next_number, asked_s))
            if view.base is None and not view.parts:
                raise KeyMissingError(thing=self._bucket.url(name), reason="does not exist")
            try:
                return self._join(view)
            except KeyMissingError:
                # Its parts became one, or it was replaced, since it was listed.
                if tries == _TRIES:
                    raise
        raise AssertionError("not reached")

    def stamp(self, name: str, legacy: str | None) -> Stamp | None:
        """Return the stamp of a log; its ETag follows from those of its parts."""
        view = self._view(name, legacy)
        items = [*([view.base] if view.base else []), *(part.item for part in view.parts)]
        if not items:
            return None
        newest = max(items, key=lambda item: item.modified)
        etag = hashlib.sha256("|".join(item.etag for item in items).encode()).hexdigest()
        size = sum(item.size_bytes for item in items)
        return stamp_of(Item(name, size, f'"{etag}"', newest.modified))

    def append(self, name: str, data: bytes) -> None:
        """Add lines as the next part; under a lock, right after what was read under it.

        Raises:
            StorageError: Somebody else added lines since; or it cannot be told whether these
                were added, if it took minutes.
        """
        while True:
            known = self._next_of(name)
            part = part_name(name, known.number)
            etag = self._bucket.put_new(part, data)
            if etag is not None:
                break
            self._refuse_if_fenced(name)
        if not known.is_fresh():
            raise StorageError(
                thing=self._bucket.url(part),
                reason="was written for minutes, so that it may count no more",
                way_out="Try again.",
            )
        self._keep(part, etag, data)
        self._note_added(name, known.number)
        if known.number % _MERGED_FROM == 0:
            self._merge(name)

    def replace(self, name: str, data: bytes) -> None:
        """Let the log hold this alone.

        Raises:
            StorageError: Somebody else added lines since it was read under a lock.
        """
        while True:
            number = self._next_of(name).number
            # The number first, so that no writer can still take it for lines of its own.
            if self._bucket.put_new(part_name(name, number), b"") is not None:
                break
            self._refuse_if_fenced(name)
        self._seen.check()
        self._bucket.put_new(part_name(name, number, RESET), data)
        self._note_added(name, number)
        self._drop_covered(name)

    def _next_of(self, name: str) -> _Next:
        seen = self._seen.get(name)
        known = seen or self._next.get(name)
        if known is not None and known.is_fresh():
            return known
        asked_s = boot_s()
        found = _Next(self._view(name, None).next_number, asked_s)
        if seen is not None and found.number != seen.number:
            self._refuse_if_fenced(name)
        return found

    def _refuse_if_fenced(self, name: str) -> None:
        """Let nobody go on to another number who has read the log under a lock, or lost one."""
        self._next.pop(name, None)
        self._seen.check()
        if self._seen.get(name) is not None:
            raise StorageError(
                thing=self._bucket.url(name),
                reason="somebody else added lines since it was read under the lock",
                way_out="Nothing was added; try again.",
            )

    def _note_added(self, name: str, number: int) -> None:
        after = self._next[name] = _Next(number + 1, boot_s())
        if self._seen.get(name) is not None:
            self._seen.note(name, after)

    def delete(self, name: str) -> None:
        """Remove the log with its parts; the last first, so that a reader meets no gap."""
        self._next.pop(name, None)
        self._seen.forget(name)
        view = self._view(name, None)
        parts = sorted(view.all_parts, key=lambda part: part.last, reverse=True)
        names = [part.item.name for part in parts]
        self._bucket.delete(names + ([view.base.name] if view.base else []))

    def _view(self, name: str, legacy: str | None) -> LogView:
        listing = self._bucket.list(name)
        folder = f"{name}{PARTS_SUFFIX}/"
        base = next((item for item in listing.items if item.name == name), None)
        found = [parsed(i, i.name.removeprefix(folder)) for i in listing.items if folder in i.name]
        parts = tuple(part for part in found if part is not None)
        resets = [part.first for part in parts if part.is_reset]
        if resets:
            return LogView(None, self._cover(name, parts, max(resets)), parts, listing.at)
        if base is None and legacy is not None:
            base = self._legacy_base(legacy)
        # Not from 1: whoever appends to a log that was deleted meanwhile goes on counting.
        first = min((part.first for part in parts), default=1)
        return LogView(base, self._cover(name, parts, first), parts, listing.at)

    def _legacy_base(self, legacy: str) -> Item | None:
        try:
            return self._bucket.head(legacy)
        except KeyMissingError:
            return None

    def _cover(self, name: str, parts: tuple[Part, ...], first: int) -> tuple[Part, ...]:
        """Return the fewest parts that hold all from `first` on, in order."""
        best: dict[int, Part] = {}
        for part in parts:
            held = best.get(part.first)
            if held is None or (part.is_reset, part.last) > (held.is_reset, held.last):
                best[part.first] = part
        chosen = []
        while first in best:
            chosen.append(best[first])
            first = best[first].last + 1
        if any(part.first > first for part in parts):
            raise StorageError(
                thing=self._bucket.url(name),
                reason=f"its part {first} is missing",
                way_out="Restore it from a copy; nothing of the log was read.",
            )
        return tuple(chosen)

    def _join(self, view: LogView) -> bytes:
        content = [self._content(part.item) for part in view.parts]
        if view.base is None:
            return b"".join(content)
        base = self._content(view.base)
        if content:
            # A torn last line, which a writer left that was killed before it was copied here.
            base = base[: base.rfind(b"\n") + 1]
        return b"".join((base, *content))

    def _content(self, item: Item) -> bytes:
        with self._guard:
            kept = self._kept.get((item.name, item.etag))
            if kept is not None:
                self._kept.move_to_end((item.name, item.etag))
                return kept
        body = self._bucket.open(item.name)
        if body.item.etag != item.etag:
            raise KeyMissingError(thing=self._bucket.url(item.name), reason="was replaced")
        content = body.whole()
        self._keep(item.name, item.etag, content)
        return content

    def _keep(self, name: str, etag: str, content: bytes) -> None:
        with self._guard:
            if (name, etag) in self._kept:
                return
            self._kept[name, etag] = content
            self._kept_bytes += len(content)
            while self._kept_bytes > self._cache_bytes:
                _, dropped = self._kept.popitem(last=False)
                self._kept_bytes -= len(dropped)

    def _merge(self, name: str) -> None:
        """Make one of the last parts that are small; the log is as good without."""
        try:
            view = self._view(name, None)
            some = _small_end(view.parts)
            if len(some) >= _MERGED_FROM // 2:
                content = b"".join(self._content(part.item) for part in some)
                tail = f"{some[-1].last:010d}"
                self._bucket.put_new(part_name(name, some[0].first, tail), content)
                self._drop_covered(name)
        except StorageError as error:
            _LOG.warning("the parts of %s stay many: %s", self._bucket.url(name), error)

    def _drop_covered(self, name: str) -> None:
        view = self._view(name, None)
        needed = set(view.parts)
        old = [
            part.item.name
            for part in view.all_parts
            if part not in needed and (view.at - part.item.modified).total_seconds() > FORGOTTEN_S
        ]
        if old:
            self._bucket.delete(old)


def _small_end(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    for index in range(len(parts), 0, -1):
        part = parts[index - 1]
        if part.is_reset or part.item.size_bytes > _MERGED_BYTES:
            return parts[index:]
    return parts
