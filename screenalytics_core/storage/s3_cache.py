"""Copies of a bucket's files on this machine, kept up to a size and dropped least used first.

A copy lies as `{key}/{etag}{suffix}`: its name says which content it is, so it is never
changed, and processes that share the folder need no lock to trust one.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from filelock import FileLock

from screenalytics_core.storage.posix import remove, translated

_COPIES: Final = "copies"
_LOCKS: Final = "locks"
_STAGED: Final = "staged"
# As many downloads at once; two files that share one wait for each other.
_LOCK_COUNT: Final = 64
_PLAIN: Final = re.compile(r"[A-Za-z0-9-]{1,80}")
# Whoever got a path opens it soon, and an open file outlives its name.
_IN_USE_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Copy:
    """A file of the cache and the ETag of what it is a copy of."""

    path: Path
    etag: str


class FileCache:
    """The copies in one folder.

    Args:
        limit_bytes: How much to keep; what was used within the hour is kept beyond that.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        # Not known before the first look.
        self._size_bytes: int | None = None

    @property
    def staging(self) -> Path:
        """Where files are written that become copies: the same file system."""
        return self._folder / _STAGED

    def find(self, key: str, etag: str, size_bytes: int) -> Path | None:
        """Return the copy of this content, if there is a whole one; it counts as used now."""
        path = self._path(key, etag)
        try:
            is_whole = path.stat().st_size == size_bytes
        except OSError:
            return None
        return path if is_whole and self.touch(path) else None

    def newest(self, key: str) -> Copy | None:
        """Return the copy of `key` that was used last, whatever the content is by now."""
        try:
            with os.scandir(self._folder / _COPIES / key) as entries:
                files = [entry for entry in entries if entry.is_file()]
                found = max(files, key=lambda e: e.stat().st_mtime_ns, default=None)
        except OSError:
            return None
        if found is None:
            return None
        name = found.name.removesuffix(PurePosixPath(key).suffix)
        return Copy(Path(found.path), f'"{name}"') if _PLAIN.fullmatch(name) else None

    def touch(self, path: Path) -> bool:
        """Say that a copy is used now; False if it is gone."""
        try:
            os.utime(path)
        except OSError:
            return False
        return True

    def take(self, key: str, etag: str, temp: Path) -> Path:
        """Make a staged file the copy of this content, and return where it is then."""
        path = self._path(key, etag)
        with translated(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            size_bytes = temp.stat().st_size
            temp.replace(path)
            os.utime(path)
            # rename() between two names of one inode keeps the first.
            temp.unlink(missing_ok=True)
        self._make_room(size_bytes)
        return path

    def make_room(self, needed_bytes: int) -> None:
        """Drop copies until so much more fits into the limit, or none is left that may go."""
        self._make_room(needed_bytes)
        self._size_bytes = None

    def forget(self, key: str) -> None:
        """Drop the copies of `key`."""
        folder = self._folder / _COPIES / key
        with suppress(OSError):
            for path in folder.iterdir():
                remove(path)
            folder.rmdir()

    def download_lock(self, key: str) -> FileLock:
        """Return the lock to hold while `key` is fetched, so that it is fetched once."""
        number = int(hashlib.sha256(key.encode()).hexdigest(), 16) % _LOCK_COUNT
        path = self._folder / _LOCKS / f"{number:02d}"
        with translated(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(str(path), is_singleton=True)

    def _path(self, key: str, etag: str) -> Path:
        name = etag.strip('"')
        if not _PLAIN.fullmatch(name):
            name = hashlib.sha256(etag.encode()).hexdigest() + "_"
        return self._folder / _COPIES / key / f"{name}{PurePosixPath(key).suffix}"

    def _make_room(self, added_bytes: int) -> None:
        if self._size_bytes is not None:
            self._size_bytes += added_bytes
            if self._size_bytes <= self._limit_bytes:
                return
        copies = sorted(self._copies(), key=lambda copy: copy[0])
        size_bytes = sum(size for _, size, _ in copies)
        for used_s, size, path in copies:
            if size_bytes <= self._limit_bytes or time.time() - used_s < _IN_USE_S:
                break
            remove(path)
            size_bytes -= size
        self._size_bytes = size_bytes

    def _copies(self) -> list[tuple[float, int, Path]]:
        """Return when each copy was used last, its size and its path."""
        found = []
        for where, _, names in os.walk(self._folder / _COPIES):
            for name in names:
                path = Path(where) / name
                try:
                    stat = path.stat()
                except FileNotFoundError:
                    continue  # dropped by somebody else meanwhile
                found.append((stat.st_mtime, stat.st_size, path))
        return found
