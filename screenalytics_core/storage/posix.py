"""The operating system's file calls that need care, and its errors in our words."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from screenalytics_core.errors import DiskSpaceError, KeyMissingError, StorageError
from screenalytics_core.storage.base import CHUNK_BYTES

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
# What link() says where a file system has no hard links, spans devices or ran out of them.
_NO_LINKS: Final = frozenset(
    {errno.EPERM, errno.EXDEV, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
)


def try_link(src: Path, dst: Path) -> bool:
    """Hard-link `src` as `dst`; False where the file system cannot.

    Raises:
        FileExistsError: `dst` exists.
        KeyMissingError: `src` does not.
    """
    try:
        os.link(src, dst)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno in _NO_LINKS:
            return False
        raise system_error(src, error) from error
    return True


def chunks_of(path: Path) -> Iterator[bytes]:
    """Yield a file's content piece by piece."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def append_lines(path: Path, data: bytes) -> None:
    """Cut a torn last line, then add `data` and sync; the file is as before if that fails."""
    with path.open("ab+", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        end = _end_of_lines(file, size)
        if end < size:
            file.truncate(end)
        try:
            rest = memoryview(data)
            while rest:
                # An unbuffered write may stop half-way without an error.
                rest = rest[file.write(rest) :]
            os.fsync(file.fileno())
        except BaseException:
            # What cannot be taken back is a torn line, which the next writer cuts.
            with suppress(OSError):
                file.truncate(end)
            raise


def _end_of_lines(file: io.FileIO, size: int) -> int:
    """Return the offset behind the last newline."""
    end = size
    while end > 0:
        start = max(0, end - CHUNK_BYTES)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def remove(path: Path) -> None:
    """Remove a temporary file if it can be: a later sweep finds it, the first error counts."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a rename or link in `folder` survive a power cut."""
    if os.name == "nt":
        return  # Windows cannot open folders, and makes a rename durable itself
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def translated(path: Path, needed_bytes: int | None = None) -> Iterator[None]:
    """Turn the system's errors about `path` into ours."""
    try:
        yield
    except OSError as error:
        raise system_error(path, error, needed_bytes) from error


def system_error(
    path: Path, error: OSError, needed_bytes: int | None = None
) -> StorageError | DiskSpaceError:
    """Return our error for one of the system's."""
    if isinstance(error, FileNotFoundError):
        return KeyMissingError(thing=str(path), reason="does not exist")
    if error.errno in _FULL:
        return disk_full(path, needed_bytes, None)
    return StorageError(
        thing=str(path),
        reason=error.strerror or str(error),
        way_out="Check that the folder exists, is mounted and may be written.",
    )


def disk_full(path: Path, needed_bytes: int | None, free_bytes: int | None) -> DiskSpaceError:
    """Build the error for a disk that is full, or too small for what is to be written."""
    needed = "more" if needed_bytes is None else f"{needed_bytes:,} bytes"
    left = "the disk is full" if free_bytes is None else f"only {free_bytes:,} bytes are free"
    return DiskSpaceError(
        thing=str(path),
        reason=f"{needed} needed, but {left}",
        way_out="Free some space, or choose another data root.",
        path=str(path),
        needed_bytes=needed_bytes,
    )
