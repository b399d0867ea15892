"""Storage in a bucket of an S3 server, with copies of what is read on this machine."""

from __future__ import annotations

import io
from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from screenalytics_core.errors import KeyMissingError
from screenalytics_core.layout import check_key
from screenalytics_core.s3_layout import is_log, s3_key, s3_prefixes
from screenalytics_core.storage.base import DiskFile, StagedFile, Stamp
from screenalytics_core.storage.data_root import S3Root
from screenalytics_core.storage.local import LocalStorage
from screenalytics_core.storage.posix import chunks_of
from screenalytics_core.storage.posix import translated as local_translated
from screenalytics_core.storage.s3_bucket import Bucket
from screenalytics_core.storage.s3_cache import FileCache
from screenalytics_core.storage.s3_conditions import ConditionCheck, Conditions
from screenalytics_core.storage.s3_contents import KEPT_FROM_BYTES, Contents
from screenalytics_core.storage.s3_copy import COPIED_AT_ONCE_BYTES, copy_object
from screenalytics_core.storage.s3_fence import FencedBucket
from screenalytics_core.storage.s3_lock import LINGER_S, LeaseLocks
from screenalytics_core.storage.s3_log import PartedLogs
from screenalytics_core.storage.s3_memory import Memory
from screenalytics_core.storage.s3_places import Places
from screenalytics_core.storage.s3_stamps import folder_stamps, stamp_of, stamps_of
from screenalytics_core.storage.s3_upload import (
    PART_BYTES,
    S3StagedFile,
    abort,
    abort_older,
    complete,
    upload_parts,
)
from screenalytics_core.storage.s3_urls import URL_LASTS_S, signed_url

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

LOCK_TIMEOUT_S: Final = 60.0
# Less than the timeout, so that who waits for a machine that died gets the lock.
LEASE_S: Final = 30.0
# Events of some hundred runs.
_LOG_CACHE_BYTES: Final = 64 << 20
# All small artifacts of some runs.
_MEMORY_BYTES: Final = 32 << 20
# An upload of another machine may be going on; a day is what a local temporary file is given.
_ABANDONED_S: Final = 24 * 3600.0


class S3Storage:
    """`Storage` under a prefix of a bucket. Opening it asks nobody; any thread may use it.

    Args:
        client: A boto3 client; its retries should be botocore's `standard` mode.
        lock_timeout_s: How long `lock` waits before it gives up.
        lease_s, linger_s: As those of `LeaseLocks`.
        part_bytes: From which size on files go up in parts, before they are committed.
        copied_at_once_bytes: Up to which size the server copies in one request.
    """

    def __init__(
        self,
        client: S3Client,
        root: S3Root,
        *,
        lock_timeout_s: float = LOCK_TIMEOUT_S,
        lease_s: float = LEASE_S,
        linger_s: float = LINGER_S,
        part_bytes: int = PART_BYTES,
        copied_at_once_bytes: int = COPIED_AT_ONCE_BYTES,
    ) -> None:
        self.root = root
        self._part_bytes = part_bytes
        self._copied_at_once_bytes = copied_at_once_bytes
        own = f"{root.prefix}/" if root.prefix else ""
        plain = Bucket(client, root.bucket)
        self._check = ConditionCheck(plain, f"{own}.conditions/")
        self._locks = LeaseLocks(plain, f"{own}.locks/", lock_timeout_s, lease_s, linger_s)
        self._logs = PartedLogs(plain, self._locks, _LOG_CACHE_BYTES)
        self._bucket = FencedBucket(plain, self._locks, self._check)
        self._places = Places(self._bucket, root.prefix)
        self._cache = FileCache(root.cache.path / root.name, root.cache.limit_bytes)
        self._staging = LocalStorage(self._cache.staging)
        self._memory = Memory(_MEMORY_BYTES)
        self._contents = Contents(
            self._bucket, self._places, self._cache, self._staging, self._memory
        )

    def conditions(self) -> Conditions:
        """Return what the server holds; asked once.

        Raises:
            StorageError: It ignores conditions, so that nothing may be written there.
        """
        return self._check.require()

    def location(self, key: str) -> str:
        return self._bucket.url(s3_key(key, self.root.prefix))

    def url(self, key: str) -> str:
        name = self._places.of(key)[0]
        if self._places.legacy_of(key) is not None:
            with suppress(KeyMissingError):
                name = self._places.first(key, lambda one: self._bucket.head(one).name)
        return signed_url(self._bucket, name, URL_LASTS_S)

    def read_bytes(self, key: str) -> bytes:
        if is_log(check_key(key)):
            return self._logs.read(*self._log(key))
        # Whoever holds a lock wants to see what others have written by now.
        return self._contents.read(key, anew=self._locks.is_holding())

    def open_read(self, key: str, sha256: str | None = None) -> BinaryIO:
        if is_log(check_key(key)):
            return io.BytesIO(self._logs.read(*self._log(key)))
        return self._contents.open(key, sha256)

    def fetch(self, key: str) -> Path:
        if not is_log(check_key(key)):
            return self._contents.fetch(key)
        stamp = self._logs.stamp(*self._log(key))
        staged = self._staging.stage(key, self.read_bytes(key))
        return self._cache.take(key, stamp.etag if stamp else "", staged.temp_path)

    def exists(self, key: str) -> bool:
        return self.stamp(key) is not None

    def size(self, key: str) -> int:
        if is_log(check_key(key)):
            return len(self.read_bytes(key))
        return self._places.first(key, self._bucket.head).size_bytes

    def stamp(self, key: str) -> Stamp | None:
        if is_log(check_key(key)):
            return self._logs.stamp(*self._log(key))
        try:
            return stamp_of(self._places.first(key, self._bucket.head))
        except KeyMissingError:
            return None

    def folder_stamps(
        self, prefix: str, names: tuple[str, ...]
    ) -> dict[str, tuple[Stamp | None, ...]]:
        return folder_stamps(prefix, names, self._places.under(check_key(prefix)))

    def disk_files(self, prefix: str) -> tuple[DiskFile, ...]:
        found = self._places.under(check_key(prefix))
        return tuple(DiskFile(item.name, 1, item.size_bytes) for _, item in found)

    def list(self, prefix: str) -> tuple[str, ...]:
        return tuple(sorted({key for key, _ in self._places.under(check_key(prefix))}))

    def stamps(self, prefix: str) -> dict[str, Stamp]:
        return stamps_of(self._places.under(check_key(prefix)))

    def owning(self, keys: Iterable[str]) -> AbstractContextManager[None]:
        return self._memory.owning(keys)

    def list_folders(self, prefix: str) -> tuple[str, ...]:
        return tuple(sorted(self._places.folders(check_key(prefix))))

    def stage(self, key: str, data: bytes | Iterable[bytes]) -> StagedFile:
        staged = self._staging.stage(key, data)
        if staged.size_bytes < self._part_bytes or is_log(key):
            return staged
        try:
            name = s3_key(key, self.root.prefix)
            upload = upload_parts(self._bucket, name, staged.temp_path, self._part_bytes)
        except BaseException:
            self._staging.discard(staged)
            raise
        return S3StagedFile(key, staged.temp_path, staged.sha256, staged.size_bytes, upload)

    def stage_file(self, key: str, path: Path) -> StagedFile:
        with local_translated(path):
            self._cache.make_room(path.stat().st_size)
            self._staging.check_free_space(path.stat().st_size)
        # Not linked: it becomes the copy that is kept, which nobody may change.
        return self.stage(key, chunks_of(path))

    def commit(self, staged: StagedFile) -> None:
        self._locks.check()
        with self._memory.changing(staged.key):
            self._commit(staged)

    def _commit(self, staged: StagedFile) -> None:
        name = s3_key(staged.key, self.root.prefix)
        if is_log(staged.key):
            with local_translated(staged.temp_path):
                self._logs.replace(name, staged.temp_path.read_bytes())
            self._staging.discard(staged)
            return
        if isinstance(staged, S3StagedFile) and staged.upload is not None:
            etag = complete(self._bucket, staged.upload)
            self._bucket.note_written(name, etag)
        else:
            with local_translated(staged.temp_path):
                content = staged.temp_path.read_bytes()
            etag = self._bucket.put(name, content)
            if staged.size_bytes < KEPT_FROM_BYTES and staged.sha256:
                self._memory.keep(staged.sha256, content)
        if staged.size_bytes >= KEPT_FROM_BYTES:
            self._cache.take(staged.key, etag, staged.temp_path)
        self._staging.discard(staged)

    def discard(self, staged: StagedFile) -> None:
        upload = staged.upload if isinstance(staged, S3StagedFile) else None
        # The file is gone if it was committed.
        if upload is not None and staged.temp_path.exists():
            abort(self._bucket, upload)
        self._staging.discard(staged)

    def write_atomic(self, key: str, data: bytes | Iterable[bytes]) -> None:
        if isinstance(data, bytes) and len(data) < KEPT_FROM_BYTES and not is_log(check_key(key)):
            self._locks.check()
            with self._memory.changing(key):
                self._bucket.put(s3_key(key, self.root.prefix), data)
            self._memory.note_written(key, data)
            return
        staged = self.stage(key, data)
        try:
            self.commit(staged)
        finally:
            self.discard(staged)

    def write_dated(self, key: str, data: bytes, modified_ns: int) -> None:  # noqa: ARG002 - S3 sets it
        self.write_atomic(key, data)

    def set_modified(self, key: str, modified_ns: int) -> None:  # noqa: ARG002 - S3 sets it
        check_key(key)

    def append(self, key: str, data: bytes) -> None:
        if not data.endswith(b"\n"):
            raise ValueError(f"{key}: only whole lines can be appended")
        if not is_log(check_key(key)):
            raise ValueError(f"{key}: is not one of the logs that lines can be appended to")
        self._check.require()
        self._locks.check()
        self._logs.append(s3_key(key, self.root.prefix), data)

    def create_exclusive(self, key: str, data: bytes) -> bool:
        check_key(key)
        self._check.require()
        self._locks.check()
        if self._places.legacy_of(key) is not None and self.exists(key):
            return False
        return self._bucket.put_new(s3_key(key, self.root.prefix), data) is not None

    def delete(self, key: str, *, durable: bool = False) -> None:  # noqa: ARG002 - it always is
        self._locks.check()
        names = self._places.of(key)
        if is_log(key):
            self._logs.delete(names[0])
            names = names[1:]
        self._bucket.delete(names)
        self._cache.forget(key)
        self._memory.forget(key)

    def link_or_copy(self, src_key: str, dst_key: str) -> None:
        self._locks.check()
        self._memory.forget(dst_key)
        if is_log(src_key) or is_log(dst_key):
            self.write_atomic(dst_key, self.read_bytes(src_key))
            return
        dst = s3_key(dst_key, self.root.prefix)

        def copy(src: str) -> None:
            copy_object(self._bucket, src, dst, self._copied_at_once_bytes)
            self._bucket.note_written(dst, None)

        self._places.first(src_key, copy)

    def lock(self, key: str) -> AbstractContextManager[None]:
        self._check.require()
        return self._locks.hold(check_key(key))

    def strays(self, prefix: str, min_age_s: float) -> tuple[str, ...]:
        return self._staging.strays(prefix, min_age_s)

    def prune(self, prefix: str) -> None:
        # There are no folders. Locks stay: their numbers must never be used again.
        self._staging.prune(prefix)

    def is_same_file(self, key: str, path: Path) -> bool:  # noqa: ARG002
        return False  # nothing on this machine is the object itself

    def check_free_space(self, needed_bytes: int) -> None:
        self._staging.check_free_space(needed_bytes)

    def sweep_abandoned(self, prefix: str) -> int:
        swept = self._staging.sweep_abandoned(prefix)
        folders = s3_prefixes(prefix, self.root.prefix)
        return swept + sum(abort_older(self._bucket, one, _ABANDONED_S) for one in folders)

    def _log(self, key: str) -> tuple[str, str | None]:
        return s3_key(key, self.root.prefix), self._places.legacy_of(key)
