"""sha256 of files, and a cache for the large ones."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any, BinaryIO, Final

from screenalytics_core import layout
from screenalytics_core.errors import KeyMissingError, VideoChangedError, VideoError
from screenalytics_core.storage.base import CHUNK_BYTES, Stamp, Storage

# A file written again within one tick of its clock keeps its mtime: too young to be trusted.
_SETTLED_NS: Final = 2_000_000_000


def sha256_of(content: BinaryIO) -> str:
    """Return the sha256 of what is left to read, as hex."""
    digest = hashlib.sha256()
    while chunk := content.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def sha256_file(path: Path) -> str:
    """Return the sha256 of a file's content as hex."""
    with path.open("rb") as file:
        return sha256_of(file)


class VideoHashCache:
    """Remembers hashes by (path, size, mtime_ns) under the data root.

    One small file per path, replaced in one step: concurrent writers write the same truth.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def sha256(self, path: Path) -> str:
        """Return the sha256 of `path`, read again only if size or time of change differ.

        Raises:
            VideoError: It cannot be read.
            VideoChangedError: It changed while it was read.
        """
        absolute = path.resolve()
        try:
            before = _stamp(absolute)
            key = _record_key(absolute)
            known = self._known(key)
            if known is not None and known.get("stamp") == before:
                return str(known["sha256"])
            sha256 = sha256_file(absolute)
            after = _stamp(absolute)
        except OSError as error:
            raise _unreadable(str(path), error.strerror or str(error)) from error
        if before != after:
            raise _changed(str(path))
        if time.time_ns() - before["mtime_ns"] > _SETTLED_NS:
            record = {"stamp": before, "sha256": sha256}
            self._storage.write_atomic(key, json.dumps(record).encode())
        return sha256

    def sha256_of_key(self, key: str) -> str:
        """Return the sha256 of a stored file, read again only if it may have changed.

        Where the storage names each content (an ETag), what one machine has read or written
        is known to all.

        Raises:
            VideoError: It cannot be read.
            VideoChangedError: It changed while it was read.
        """
        stamp = self._storage.stamp(key)
        if stamp is None or not stamp.etag:
            return self.sha256(self._fetched(key))
        record = self._known(_record_key(self._storage.location(key)))
        if record is not None and record.get("stamp") == _named(self._storage.location(key), stamp):
            return str(record["sha256"])
        sha256 = sha256_file(self._fetched(key))
        if self._storage.stamp(key) != stamp:
            raise _changed(self._storage.location(key))
        self._remember(key, stamp, sha256)
        return sha256

    def note(self, key: str, sha256: str) -> None:
        """Remember what was just written to `key`, where the storage names each content."""
        stamp = self._storage.stamp(key)
        if stamp is not None and stamp.etag:
            self._remember(key, stamp, sha256)

    def _remember(self, key: str, stamp: Stamp, sha256: str) -> None:
        location = self._storage.location(key)
        record = {"stamp": _named(location, stamp), "sha256": sha256}
        self._storage.write_atomic(_record_key(location), json.dumps(record).encode())

    def _fetched(self, key: str) -> Path:
        try:
            return self._storage.fetch(key)
        except KeyMissingError as error:
            raise _unreadable(self._storage.location(key), error.reason) from error

    def _known(self, key: str) -> dict[str, Any] | None:
        try:
            record: dict[str, Any] = json.loads(self._storage.read_bytes(key))
        except (KeyMissingError, ValueError):
            return None  # never written, or unreadable: hash again
        return record


def _stamp(path: Path) -> dict[str, Any]:
    stat = path.stat()
    return {"path": str(path), "size_bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns}


def _named(location: str, stamp: Stamp) -> dict[str, Any]:
    return {"path": location, "size_bytes": stamp.size_bytes, "etag": stamp.etag}


def _record_key(location: str | Path) -> str:
    return layout.video_hash_key(hashlib.sha256(os.fsencode(location)).hexdigest())


def _unreadable(thing: str, reason: str) -> VideoError:
    return VideoError(
        thing=thing, reason=reason, way_out="Check the path, and that the file may be read."
    )


def _changed(thing: str) -> VideoChangedError:
    return VideoChangedError(
        thing=thing,
        reason="changed while it was read",
        way_out="Wait until it is written completely, then try again.",
    )
