"""Logs on a server whose objects cannot be added to: numbered parts, joined by readers.

`events.jsonl` lies as `events.jsonl.parts/0000000001`, `.../0000000002`, ...: each is created
unless it exists, so two writers never lose a line to each other, and a part is there whole or
not at all. Beside them may stand

- `0000000001-0000000064`: those parts as one. Its content follows from theirs, so whoever
  makes it makes the same; the single ones go later, when no writer can still be at their
  numbers.
- `0000000065-reset`: everything before it counts no more.
- the plain object `events.jsonl`, copied there from a local data root: it comes first.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from screenalytics_core.errors import KeyMissingError, StorageError
from screenalytics_core.s3_layout import PARTS_SUFFIX
from screenalytics_core.storage.base import Stamp
from screenalytics_core.storage.clock import boot_s
from screenalytics_core.storage.s3_bucket import Bucket, Item
from screenalytics_core.storage.s3_lock import FORGOTTEN_S, FRESH_S
from screenalytics_core.storage.s3_stamps import stamp_of

_LOG: Final = logging.getLogger(__name__)

# A reader without anything asks for each part: at most about this many.
_MERGED_FROM: Final = 64
# Larger ones are left alone, or a long log would be written again and again.
_MERGED_BYTES: Final = 4 << 20
_RESET: Final = "reset"
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class _Part:
    """An object that holds the parts `first` to `last`."""

    item: Item
    first: int
    last: int
    is_reset: bool


@dataclass(frozen=True, slots=True)
class _View:
    """A log as it was listed."""

    base: Item | None
    parts: tuple[_Part, ...]
    all_parts: tuple[_Part, ...]
    at: datetime

    @property
    def next_number(self) -> int:
        return max((part.last for part in self.all_parts), default=0) + 1


class PartedLogs:
    """The logs of one bucket, by the S3 key of their file. Any thread may use it.

    Args:
        cache_bytes: How much of the parts that were read to keep; they never change.
    """

    def __init__(self, bucket: Bucket, cache_bytes: int) -> None:
        self._bucket = bucket
        self._cache_bytes = cache_bytes
        self._guard = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._kept_bytes = 0
        # By log: the number after the last one known, and when that was learned.
        self._next: dict[str, tuple[int, float]] = {}

    def read(self, name: str, legacy: str | None) -> bytes:
        """Return the whole log.

        Args:
            legacy: The S3 key of a second place whose file comes first, if there is one.

        Raises:
            KeyMissingError: There is none.
        """
        for tries in range(1, _TRIES + 1):
            view = self._view(name, legacy)
            if view.base is None and not view.parts:
                raise KeyMissingError(thing=self._bucket.url(name), reason="does not exist")
            try:
                return self._join(view)
            except KeyMissingError:
                # Its parts became one, or it was replaced, since it was listed.
                if tries == _TRIES:
                    raise
        raise AssertionError("not reached")

    def exists(self, name: str, legacy: str | None) -> bool:
        """Tell whether there is such a log."""
        view = self._view(name, legacy)
        return view.base is not None or bool(view.parts)

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
        """Add lines as the next part.

        Raises:
            StorageError: It cannot be told whether they were added, if it took minutes.
        """
        while True:
            number, learned_s = self._next.get(name, (0, float("-inf")))
            if boot_s() - learned_s > FRESH_S:
                learned_s = boot_s()
                number = self._view(name, None).next_number
            part = _part_name(name, number)
            etag = self._bucket.put_new(part, data)
            if etag is None:
                self._next.pop(name, None)
                continue
            if boot_s() - learned_s > FRESH_S:
                raise StorageError(
                    thing=self._bucket.url(part),
                    reason="was written for minutes, so that it may count no more",
                    way_out="Try again.",
                )
            self._keep(part, etag, data)
            self._next[name] = (number + 1, boot_s())
            break
        if number % _MERGED_FROM == 0:
            self._merge(name)

    def replace(self, name: str, data: bytes) -> None:
        """Let the log hold this alone."""
        while True:
            number = self._view(name, None).next_number
            # The number first, so that no writer can still take it for lines of its own.
            if self._bucket.put_new(_part_name(name, number), b"") is not None:
                break
        self._bucket.put_new(_part_name(name, number, _RESET), data)
        self._next.pop(name, None)
        self._drop_covered(name)

    def delete(self, name: str) -> None:
        """Remove the log with its parts; the last first, so that a reader meets no gap."""
        self._next.pop(name, None)
        view = self._view(name, None)
        parts = sorted(view.all_parts, key=lambda part: part.last, reverse=True)
        names = [part.item.name for part in parts]
        self._bucket.delete(names + ([view.base.name] if view.base else []))

    def _view(self, name: str, legacy: str | None) -> _View:
        listing = self._bucket.list(name)
        folder = f"{name}{PARTS_SUFFIX}/"
        base = next((item for item in listing.items if item.name == name), None)
        found = [_parsed(i, i.name.removeprefix(folder)) for i in listing.items if folder in i.name]
        parts = tuple(part for part in found if part is not None)
        resets = [part.first for part in parts if part.is_reset]
        if resets:
            return _View(None, self._cover(name, parts, max(resets)), parts, listing.at)
        if base is None and legacy is not None:
            base = self._legacy_base(legacy)
        # Not from 1: whoever appends to a log that was deleted meanwhile goes on counting.
        first = min((part.first for part in parts), default=1)
        return _View(base, self._cover(name, parts, first), parts, listing.at)

    def _legacy_base(self, legacy: str) -> Item | None:
        try:
            return self._bucket.head(legacy)
        except KeyMissingError:
            return None

    def _cover(self, name: str, parts: tuple[_Part, ...], first: int) -> tuple[_Part, ...]:
        """Return the fewest parts that hold all from `first` on, in order."""
        best: dict[int, _Part] = {}
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

    def _join(self, view: _View) -> bytes:
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
                self._bucket.put_new(_part_name(name, some[0].first, tail), content)
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


def _small_end(parts: tuple[_Part, ...]) -> tuple[_Part, ...]:
    for index in range(len(parts), 0, -1):
        part = parts[index - 1]
        if part.is_reset or part.item.size_bytes > _MERGED_BYTES:
            return parts[index:]
    return parts


def _part_name(name: str, number: int, tail: str = "") -> str:
    return f"{name}{PARTS_SUFFIX}/{number:010d}" + (f"-{tail}" if tail else "")


def _parsed(item: Item, name: str) -> _Part | None:
    """Return the part that an object is; None for what is none of ours."""
    first, _, tail = name.partition("-")
    if not first.isdigit():
        return None
    if tail == _RESET:
        return _Part(item, int(first), int(first), True)
    if not tail:
        return _Part(item, int(first), int(first), False)
    return _Part(item, int(first), int(tail), False) if tail.isdigit() else None
