"""What this process need not ask the server for: files it alone writes, and contents by hash."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class Memory:
    """Contents of small files. Any thread may use it.

    Args:
        limit_bytes: How much of contents that are known by their hash is kept, the last used.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._guard = threading.Lock()
        self._owned: Counter[str] = Counter()
        self._changes: Counter[str] = Counter()
        # None: it was not there.
        self._of_key: dict[str, bytes | None] = {}
        self._of_sha256: OrderedDict[str, bytes] = OrderedDict()
        self._kept_bytes = 0

    @contextmanager
    def owning(self, keys: Iterable[str]) -> Iterator[None]:
        """Let contents of `keys` be remembered meanwhile."""
        held = tuple(keys)
        with self._guard:
            self._owned.update(held)
        try:
            yield
        finally:
            with self._guard:
                self._owned.subtract(held)
                for key in held:
                    if self._owned[key] <= 0:
                        del self._owned[key], self._changes[key]
                        self._of_key.pop(key, None)

    def of_key(self, key: str) -> tuple[bool, bytes | None]:
        """Tell whether an owned file is known, and return its content; None if it is missing."""
        with self._guard:
            return key in self._of_key, self._of_key.get(key)

    def changes(self, key: str) -> int:
        """Return how often `key` was written or removed by this process; for `note_read`."""
        with self._guard:
            return self._changes[key]

    def note_read(self, key: str, content: bytes | None, changes: int) -> None:
        """Remember what `key` was seen to hold, unless it was changed since the look began."""
        with self._guard:
            if self._owned[key] > 0 and self._changes[key] == changes:
                self._of_key[key] = content

    def note_written(self, key: str, content: bytes) -> None:
        """Remember what was written to `key`, if it is owned."""
        with self._guard:
            if self._owned[key] > 0:
                self._changes[key] += 1
                self._of_key[key] = content

    @contextmanager
    def changing(self, key: str) -> Iterator[None]:
        """Remember nothing of `key` that was seen before or meanwhile, however it ends."""
        self.forget(key)
        try:
            yield
        finally:
            self.forget(key)

    def forget(self, key: str) -> None:
        """Remember nothing of `key`."""
        with self._guard:
            if self._owned[key] > 0:
                self._changes[key] += 1
                self._of_key.pop(key, None)

    def of_sha256(self, sha256: str) -> bytes | None:
        """Return a content by its hash, if it is kept."""
        with self._guard:
            content = self._of_sha256.get(sha256)
            if content is not None:
                self._of_sha256.move_to_end(sha256)
            return content

    def keep(self, sha256: str, content: bytes) -> None:
        """Keep a content that has this hash; one that has not is not taken."""
        if hashlib.sha256(content).hexdigest() != sha256:
            return
        with self._guard:
            if sha256 in self._of_sha256:
                return
            self._of_sha256[sha256] = content
            self._kept_bytes += len(content)
            while self._kept_bytes > self._limit_bytes:
                _, dropped = self._of_sha256.popitem(last=False)
                self._kept_bytes -= len(dropped)
