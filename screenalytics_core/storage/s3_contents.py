"""Reads files of a bucket: small ones into memory, large ones through the copies kept here."""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO, Final

from screenalytics_core.errors import KeyMissingError
from screenalytics_core.storage.local import LocalStorage
from screenalytics_core.storage.posix import translated
from screenalytics_core.storage.s3_bucket import Body, Bucket
from screenalytics_core.storage.s3_cache import FileCache
from screenalytics_core.storage.s3_memory import Memory
from screenalytics_core.storage.s3_places import Places

# Below, asking whether a copy still holds costs as much as the content itself.
KEPT_FROM_BYTES: Final = 256 << 10


class Contents:
    """The contents of files that are no logs."""

    def __init__(
        self,
        bucket: Bucket,
        places: Places,
        cache: FileCache,
        staging: LocalStorage,
        memory: Memory,
    ) -> None:
        self._bucket = bucket
        self._places = places
        self._cache = cache
        self._staging = staging
        self._memory = memory

    def read(self, key: str, *, anew: bool) -> bytes:
        """Return the content; KeyMissingError if there is none.

        Args:
            anew: What is remembered does not count.
        """
        is_known, known = (False, None) if anew else self._memory.of_key(key)
        if is_known:
            if known is None:
                raise KeyMissingError(thing=key, reason="does not exist")
            return known
        changes = self._memory.changes(key)
        try:
            found = self._found(key)
        except KeyMissingError:
            self._memory.note_read(key, None, changes)
            raise
        if isinstance(found, bytes):
            self._memory.note_read(key, found, changes)
            return found
        with translated(found):
            return found.read_bytes()

    def open(self, key: str, sha256: str | None = None) -> BinaryIO:
        """Open the content as a seekable file; what has this hash will do."""
        known = None if sha256 is None else self._memory.of_sha256(sha256)
        if known is not None:
            return io.BytesIO(known)
        found = self._found(key)
        if isinstance(found, bytes):
            if sha256 is not None:
                self._memory.keep(sha256, found)
            return io.BytesIO(found)
        with translated(found):
            return found.open("rb")

    def fetch(self, key: str) -> Path:
        """Return a copy of the content on this machine."""
        item = self._places.first(key, self._bucket.head)
        if path := self._cache.find(key, item.etag, item.size_bytes):
            return path
        with self._cache.download_lock(key):
            # Another process may have fetched it while this one waited.
            if path := self._cache.find(key, item.etag, item.size_bytes):
                return path
            return self._download(key, self._places.first(key, self._bucket.open))

    def _found(self, key: str) -> bytes | Path:
        """Return the content, or the copy that holds it."""
        copy = self._cache.newest(key)
        etag = None if copy is None else copy.etag
        body = self._places.first(key, lambda name: self._bucket.get(name, unless_etag=etag))
        if body is None and copy is not None and self._cache.touch(copy.path):
            return copy.path
        if body is None:
            body = self._places.first(key, self._bucket.open)
        return body.whole() if body.item.size_bytes < KEPT_FROM_BYTES else self._download(key, body)

    def _download(self, key: str, body: Body) -> Path:
        self._cache.make_room(body.item.size_bytes)
        self._staging.check_free_space(body.item.size_bytes)
        staged = self._staging.stage(key, body.chunks())
        return self._cache.take(key, body.item.etag, staged.temp_path)
