"""Files that commands write outside the data root: whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def whole_file(output: Path) -> Iterator[Path]:
    """Give a path to write to; it becomes `output` when all went well, and goes if not.

    It lies beside `output` and has its suffix. The folder is made if need be.

    Raises:
        DiskSpaceError, StorageError: It cannot be written there.
    """
    from screenalytics_core.storage.posix import remove, sync_folder, translated

    temp = output.with_name(f".{output.stem}.{os.getpid()}-{uuid4().hex[:8]}{output.suffix}")
    try:
        with translated(output):
            output.parent.mkdir(parents=True, exist_ok=True)
            temp.touch(exist_ok=False)
        yield temp
        with translated(output):
            with temp.open("rb") as file:
                os.fsync(file.fileno())
            temp.replace(output)
            sync_folder(output.absolute().parent)
    finally:
        remove(temp)
