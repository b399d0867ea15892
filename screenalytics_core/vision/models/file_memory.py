"""What was learnt of files, for as long as they stay what they were; for the life of a process."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeVar

Learnt = TypeVar("Learnt")
_Stamp = tuple[int, ...]

# Files of some dozen packs; what is learnt of each is a line of text.
_MOST: Final = 256
# A file written again within one tick of its clock keeps its times: too young to be trusted.
_SETTLED_NS: Final = 2_000_000_000


class FileMemory(Generic[Learnt]):
    """Remembers what `learn` said of a file by device, inode, size and times; for threads.

    Args:
        learn: Reads a file; what it raises is raised each time.
        most: How many files are remembered, the oldest forgotten first.
        now_ns: Nanoseconds since 1970.
    """

    def __init__(
        self,
        learn: Callable[[Path], Learnt],
        most: int = _MOST,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._learn = learn
        self._now_ns = now_ns
        self._most = most
        self._held: OrderedDict[Path, tuple[_Stamp, Learnt]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, path: Path) -> Learnt:
        """Return what there is to learn of a file, which is read again only if it may differ."""
        before = _stamp(path)
        with self._lock:
            known = self._held.get(path)
        if known is not None and known[0] == before:
            return known[1]
        learnt = self._learn(path)  # perhaps twice: nobody waits for another's file
        # A change while it was read, too, shows in its times.
        if before is not None and self._is_settled(before) and _stamp(path) == before:
            with self._lock:
                self._held[path] = (before, learnt)
                while len(self._held) > self._most:
                    self._held.popitem(last=False)
        return learnt

    def _is_settled(self, stamp: _Stamp) -> bool:
        return self._now_ns() - max(stamp[3:]) > _SETTLED_NS


def _stamp(path: Path) -> _Stamp | None:
    """Return what changes with a file's content; None where `learn` shall say what is wrong."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
