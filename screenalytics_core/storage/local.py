"""Storage on a local (or mounted) file system."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, Final

from filelock import FileLock, Timeout

from screenalytics_core.errors import StorageError
from screenalytics_core.layout import check_key
from screenalytics_core.storage import local_files
from screenalytics_core.storage.base import DiskFile, StagedFile, Stamp
from screenalytics_core.storage.local_temps import abandoned_under, strays_under, temp_path
from screenalytics_core.storage.posix import (
    append_lines,
    chunks_of,
    disk_full,
    remove,
    sync_folder,
    system_error,
    translated,
    try_link,
)

_LOCK_TIMEOUT_S: Final = 60.0


class LocalStorage:
    """`Storage` in a folder; created on the first write.

    Args:
        lock_timeout_s: How long `lock` waits before it gives up.
    """

    def __init__(self, root: Path, lock_timeout_s: float = _LOCK_TIMEOUT_S) -> None:
        self.root = Path(root)
        self._folder = str(root)
        self._lock_timeout_s = lock_timeout_s

    def local_path(self, key: str) -> Path:
        """Return where `key` lies; it need not exist."""
        return self.root / check_key(key)

    def location(self, key: str) -> str:
        return str(self.local_path(key))

    def fetch(self, key: str) -> Path:
        path = self.local_path(key)
        with translated(path):
            path.stat()
        return path

    def url(self, key: str) -> str:
        return self.local_path(key).absolute().as_uri()

    def stamp(self, key: str) -> Stamp | None:
        return local_files.stamp_of(self.local_path(key))

    def folder_stamps(
        self, prefix: str, names: tuple[str, ...]
    ) -> dict[str, tuple[Stamp | None, ...]]:
        return local_files.folder_stamps(self.local_path(prefix), names)

    def disk_files(self, prefix: str) -> tuple[DiskFile, ...]:
        return tuple(local_files.files_under(self.local_path(prefix)))

    def strays(self, prefix: str, min_age_s: float) -> tuple[str, ...]:
        return strays_under(self.local_path(prefix), min_age_s)

    def prune(self, prefix: str) -> None:
        local_files.prune(self.local_path(prefix))

    def is_same_file(self, key: str, path: Path) -> bool:
        own = self.local_path(key)
        with translated(path):
            return own.is_file() and not own.is_symlink() and own.samefile(path)

    def set_modified(self, key: str, modified_ns: int) -> None:
        path = self.local_path(key)
        with translated(path):
            os.utime(path, ns=(modified_ns, modified_ns))

    def read_bytes(self, key: str) -> bytes:
        # Thousands of small records are listed at once: text, since a path costs as much again.
        path = f"{self._folder}/{check_key(key)}"
        try:
            with open(path, "rb") as file:  # noqa: PTH123
                return file.read()
        except OSError as error:
            raise system_error(Path(path), error) from error

    def open_read(self, key: str, sha256: str | None = None) -> BinaryIO:  # noqa: ARG002 - cheap
        path = self.local_path(key)
        with translated(path):
            return path.open("rb")

    def exists(self, key: str) -> bool:
        return self.local_path(key).is_file()

    def size(self, key: str) -> int:
        path = self.local_path(key)
        with translated(path):
            return path.stat().st_size

    def list(self, prefix: str) -> tuple[str, ...]:
        folder = self.local_path(prefix)
        found = []
        with translated(folder):
            for where, folders, files in os.walk(folder):
                folders[:] = [name for name in folders if not name.startswith(".")]
                start = Path(where).relative_to(self.root)
                found += [(start / f).as_posix() for f in files if not f.startswith(".")]
        return tuple(sorted(found))

    def stamps(self, prefix: str) -> dict[str, Stamp]:
        found = {key: self.stamp(key) for key in self.list(prefix)}
        return {key: stamp for key, stamp in found.items() if stamp is not None}

    def owning(self, keys: Iterable[str]) -> AbstractContextManager[None]:  # noqa: ARG002 - cheap
        return nullcontext()

    def list_folders(self, prefix: str) -> tuple[str, ...]:
        folder = self.local_path(prefix)
        if not folder.is_dir():
            return ()
        with translated(folder), os.scandir(folder) as entries:
            names = [e.name for e in entries if e.is_dir() and not e.name.startswith(".")]
        return tuple(sorted(names))

    def stage(self, key: str, data: bytes | Iterable[bytes]) -> StagedFile:
        temp = temp_path(self.local_path(key))
        chunks = (data,) if isinstance(data, bytes) else data
        digest, size = hashlib.sha256(), 0
        try:
            with translated(temp, len(data) if isinstance(data, bytes) else None):
                temp.parent.mkdir(parents=True, exist_ok=True)
                with temp.open("xb") as file:
                    for chunk in chunks:
                        file.write(chunk)
                        digest.update(chunk)
                        size += len(chunk)
                    file.flush()
                    os.fsync(file.fileno())
        except BaseException:
            # Also when the encoder that gives the chunks fails, or on Ctrl-C.
            remove(temp)
            raise
        return StagedFile(key, temp, digest.hexdigest(), size)

    def stage_file(self, key: str, path: Path) -> StagedFile:
        temp = temp_path(self.local_path(key))
        with translated(temp):
            temp.parent.mkdir(parents=True, exist_ok=True)
        if not try_link(path.resolve(), temp):
            with translated(path):
                self.check_free_space(path.stat().st_size)
            return self.stage(key, chunks_of(path))
        with translated(temp), temp.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return StagedFile(key, temp, sha256, temp.stat().st_size)

    def commit(self, staged: StagedFile) -> None:
        path = self.local_path(staged.key)
        with translated(path, staged.size_bytes):
            staged.temp_path.replace(path)
            # rename() between two names of one inode does nothing and keeps the first name.
            staged.temp_path.unlink(missing_ok=True)
            sync_folder(path.parent)

    def discard(self, staged: StagedFile) -> None:
        remove(staged.temp_path)

    def write_atomic(self, key: str, data: bytes | Iterable[bytes]) -> None:
        staged = self.stage(key, data)
        try:
            self.commit(staged)
        finally:
            self.discard(staged)

    def write_dated(self, key: str, data: bytes, modified_ns: int) -> None:
        staged = self.stage(key, data)
        try:
            with translated(staged.temp_path):
                os.utime(staged.temp_path, ns=(modified_ns, modified_ns))
            self.commit(staged)
        finally:
            self.discard(staged)

    def append(self, key: str, data: bytes) -> None:
        path = self.local_path(key)
        if not data.endswith(b"\n"):
            raise ValueError(f"{key}: only whole lines can be appended")
        with translated(path, len(data)):
            path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not path.exists()
            append_lines(path, data)
            if is_new:
                sync_folder(path.parent)

    def create_exclusive(self, key: str, data: bytes) -> bool:
        path = self.local_path(key)
        if path.exists():
            return False
        staged = self.stage(key, data)
        try:
            # link() fails if the name exists, and shows the whole file or nothing.
            created = try_link(staged.temp_path, path) or self._create_under_lock(staged)
            sync_folder(path.parent)
            return created
        except FileExistsError:
            return False
        finally:
            self.discard(staged)

    def _create_under_lock(self, staged: StagedFile) -> bool:
        with self.lock(staged.key):
            if self.exists(staged.key):
                return False
            self.commit(staged)
            return True

    def delete(self, key: str, *, durable: bool = False) -> None:
        path = self.local_path(key)
        with translated(path):
            path.unlink(missing_ok=True)
            if durable and path.parent.is_dir():
                sync_folder(path.parent)

    def link_or_copy(self, src_key: str, dst_key: str) -> None:
        src, dst = self.local_path(src_key), self.local_path(dst_key)
        with translated(src):
            if dst.exists() and src.samefile(dst):
                return
            size = src.stat().st_size
        temp = temp_path(dst)
        with translated(temp):
            temp.parent.mkdir(parents=True, exist_ok=True)
        if not try_link(src, temp):
            self.check_free_space(size)
            self.write_atomic(dst_key, chunks_of(src))
            return
        staged = StagedFile(dst_key, temp, "", size)
        try:
            self.commit(staged)
        finally:
            self.discard(staged)

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        path = self.local_path(key)
        sidecar = path.with_name(f".{path.name}.lock")
        with translated(sidecar):
            sidecar.parent.mkdir(parents=True, exist_ok=True)
        # One lock object per path and thread: nested use in a thread is re-entrant, other
        # threads and processes wait. The file stays, since removing it would split waiters.
        held = FileLock(str(sidecar), is_singleton=True)
        with translated(sidecar):
            try:
                held.acquire(timeout=self._lock_timeout_s)
            except Timeout as error:
                raise StorageError(
                    thing=str(sidecar),
                    reason=f"is held by somebody else for over {self._lock_timeout_s:g} s",
                    way_out="Wait for it, or end the process that hangs.",
                ) from error
        try:
            yield
        finally:
            held.release()

    def check_free_space(self, needed_bytes: int) -> None:
        folder = self.root.absolute()
        while not folder.exists():
            folder = folder.parent
        with translated(folder):
            free = shutil.disk_usage(folder).free
        if free < needed_bytes:
            raise disk_full(self.root, needed_bytes, free)

    def sweep_abandoned(self, prefix: str) -> int:
        abandoned = abandoned_under(self.local_path(prefix))
        for path in abandoned:
            remove(path)
        return len(abandoned)
