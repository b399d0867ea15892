"""What a storage backend promises. Keys are those of `layout`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class StagedFile:
    """Bytes that are written and synced, but not yet visible under their key."""

    key: str
    temp_path: Path
    sha256: str
    size_bytes: int


class Storage(Protocol):
    """Files under keys. No reader ever sees one half-written.

    Every method raises DiskSpaceError when the disk is full, StorageError when the
    backend fails, KeyMissingError when a key that is read does not exist, and
    InvalidIdError for a key that would leave the root.
    """

    def read_bytes(self, key: str) -> bytes:
        """Return the content of `key`."""
        ...

    def open_read(self, key: str) -> BinaryIO:
        """Open `key` as a seekable binary file, which the caller closes."""
        ...

    def write_atomic(self, key: str, data: bytes | Iterable[bytes]) -> None:
        """Replace `key` in one step; a crash leaves the old content or the new one."""
        ...

    def append(self, key: str, data: bytes) -> None:
        """Add whole lines to the end of `key`, durably; call it under a lock.

        A last line without its newline is what a writer left that was killed: it is cut
        first. When this raises, nothing was added.

        Raises:
            ValueError: `data` does not end with a newline, so it would be cut later.
        """
        ...

    def stage(self, key: str, data: bytes | Iterable[bytes]) -> StagedFile:
        """Write and sync `data` beside `key` without changing `key`."""
        ...

    def stage_file(self, key: str, path: Path) -> StagedFile:
        """Stage a local file's content: linked if the file system can, else copied."""
        ...

    def commit(self, staged: StagedFile) -> None:
        """Make staged bytes visible under their key."""
        ...

    def discard(self, staged: StagedFile) -> None:
        """Drop staged bytes; nothing happens if they were committed."""
        ...

    def create_exclusive(self, key: str, data: bytes) -> bool:
        """Create `key` unless it exists; of several racers exactly one gets True."""
        ...

    def exists(self, key: str) -> bool:
        """Tell whether `key` holds a file."""
        ...

    def size(self, key: str) -> int:
        """Return the size of `key`, bytes."""
        ...

    def list(self, prefix: str) -> tuple[str, ...]:
        """Return every key under the folder `prefix`, sorted; empty if there is none."""
        ...

    def list_folders(self, prefix: str) -> tuple[str, ...]:
        """Return the names of the folders right under `prefix`, sorted."""
        ...

    def delete(self, key: str) -> None:
        """Remove `key`; nothing happens if it does not exist."""
        ...

    def link_or_copy(self, src_key: str, dst_key: str) -> None:
        """Give `dst_key` the content of `src_key`, sharing it where the backend can."""
        ...

    def local_path(self, key: str) -> Path:
        """Return a path to read `key` from; it need not exist."""
        ...

    def lock(self, key: str) -> AbstractContextManager[None]:
        """Hold the lock that belongs to `key`, against every process; re-entrant in a thread."""
        ...

    def check_free_space(self, needed_bytes: int) -> None:
        """Raise DiskSpaceError unless `needed_bytes` fit."""
        ...

    def sweep_abandoned(self, prefix: str) -> int:
        """Remove staged bytes under `prefix` whose process is gone; return how many."""
        ...
