"""What a file's bytes are, found out in one pass and in constant memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow.parquet

from screenalytics_core.storage.base import CHUNK_BYTES, Storage


@dataclass(frozen=True, slots=True)
class Content:
    """Facts of a file; `rows` is None where the format has none, or cannot be read."""

    sha256: str
    size_bytes: int
    rows: int | None


def read_content(storage: Storage, key: str, on_bytes: Callable[[int], None]) -> Content:
    """Read a file once.

    Args:
        on_bytes: Told how many bytes were read, piece by piece.

    Raises:
        KeyMissingError: It is not there.
        StorageError: It cannot be read.
    """
    digest, size, newlines = hashlib.sha256(), 0, 0
    is_lines = key.endswith(".jsonl")
    with storage.open_read(key) as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
            newlines += chunk.count(b"\n") if is_lines else 0
            on_bytes(len(chunk))
        rows = newlines if is_lines else _rows_in_header(key, file)
    return Content(digest.hexdigest(), size, rows)


def _rows_in_header(key: str, file: BinaryIO) -> int | None:
    file.seek(0)
    try:
        if key.endswith(".npy"):
            return _npy_rows(file)
        if key.endswith(".parquet"):
            return int(pyarrow.parquet.read_metadata(file).num_rows)
    except (ValueError, EOFError, json.JSONDecodeError, pyarrow.ArrowException):
        return None  # its hash tells whether it ever was readable
    return None


def _npy_rows(file: BinaryIO) -> int:
    """Return the first dimension, if as many values follow the header as it promises; else -1."""
    version = np.lib.format.read_magic(file)
    read_header = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    shape, _, dtype = read_header(file)
    start = file.tell()
    held = file.seek(0, 2) - start
    promised = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    return int(shape[0]) if held == promised and shape else -1
