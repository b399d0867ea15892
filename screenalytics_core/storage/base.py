"""What a storage backend promises. Keys are those of `layout`."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Protocol

CHUNK_BYTES: Final = 1 << 20


class Stamp(NamedTuple):
    """What changes with a file.

    Attributes:
        modified_ns: When it was last written, since 1970; at the earliest, where the backend
            knows it only roughly.
        changed_ns: When it was last written, replaced, linked or renamed, which nobody can set
            (on Windows when it was created); at the latest, where it is known only roughly.
        etag: What the backend itself calls this content; empty where it has no word for it.
    """

    size_bytes: int
    modified_ns: int
    changed_ns: int
    etag: str = ""


@dataclass(frozen=True, slots=True)
class DiskFile:
    """A file as it takes up room; `links` counts the names of its `inode` anywhere."""

    inode: Hashable
    links: int
    size_bytes: int


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

    def open_read(self, key: str, sha256: str | None = None) -> BinaryIO:
        """Open `key` as a seekable binary file, which the caller closes.

        Args:
            sha256: What its content should be: where that is known already, nobody is asked
                what lies there. Else, it is not checked.
        """
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

    def stamps(self, prefix: str) -> dict[str, Stamp]:
        """Return the stamp of every key under `prefix` that is no log, sorted by key."""
        ...

    def owning(self, keys: Iterable[str]) -> AbstractContextManager[None]:
        """Let what was read of `keys` be remembered meanwhile, where asking costs time.

        The caller knows who else writes them, and that it wants none of that. Under a lock,
        everything is read anew.
        """
        ...

    def list_folders(self, prefix: str) -> tuple[str, ...]:
        """Return the names of the folders right under `prefix`, sorted."""
        ...

    def delete(self, key: str, *, durable: bool = False) -> None:
        """Remove `key`; nothing happens if it does not exist.

        Args:
            durable: A power cut must not bring it back.
        """
        ...

    def link_or_copy(self, src_key: str, dst_key: str) -> None:
        """Give `dst_key` the content of `src_key`, sharing it where the backend can."""
        ...

    def location(self, key: str) -> str:
        """Say where `key` lies, for people and other programs: a path, or `s3://...`."""
        ...

    def fetch(self, key: str) -> Path:
        """Return a file on this machine with the content of `key`, to be read only.

        It is for what needs a path, such as a decoder. On a local disk it is the file itself;
        elsewhere a copy that is kept, and fetched again when `key` has changed.
        """
        ...

    def url(self, key: str) -> str:
        """Return an address that a browser opens `key` at; one that is signed ends some day."""
        ...

    def stamp(self, key: str) -> Stamp | None:
        """Return the stamp of `key`, or None if there is none."""
        ...

    def folder_stamps(
        self, prefix: str, names: tuple[str, ...]
    ) -> dict[str, tuple[Stamp | None, ...]]:
        """Return, for every folder right under `prefix`, the stamps of the files `names` in it.

        One cheap look at thousands of folders; by the folder's name, sorted.
        """
        ...

    def disk_files(self, prefix: str) -> tuple[DiskFile, ...]:
        """Return what lies under `prefix` as it takes up room, the storage's own files too."""
        ...

    def strays(self, prefix: str, min_age_s: float) -> tuple[str, ...]:
        """Return staged bytes under `prefix` that lie for so long, relative to it, sorted."""
        ...

    def prune(self, prefix: str) -> None:
        """Remove the storage's own files under `prefix`, and folders that are empty then.

        Whoever waits for one of its locks notices.
        """
        ...

    def is_same_file(self, key: str, path: Path) -> bool:
        """Tell whether `path` is the very file that `key` names, so that none need be copied."""
        ...

    def write_dated(self, key: str, data: bytes, modified_ns: int) -> None:
        """Replace `key` as `write_atomic` does, with this time where times can be set."""
        ...

    def set_modified(self, key: str, modified_ns: int) -> None:
        """Set the time of `key`; nothing happens where times cannot be set."""
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
