"""Files that commands write outside the data root: whole or not at all."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

# What ends a process without a word; Windows knows no SIGHUP.
_ENDING: Final = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)


@contextmanager
def whole_file(output: Path) -> Iterator[Path]:
    """Give a path to write to; it becomes `output` when all went well, and goes if not.

    It lies beside the file that `output` is, or links to. The folder is made if need be. A
    pipe or a device cannot be replaced: its own path is given.

    Raises:
        DiskSpaceError, StorageError: It cannot be written there, or is a folder.
    """
    from screenalytics_core.storage.posix import translated

    refuse_folder(output)
    # Asked before links are followed: /dev/stdout links to what is no path.
    if output.exists() and not output.is_file():
        with translated(output):
            yield output
        return
    with _unwound_by_signals(), _beside(Path(os.path.realpath(output))) as temp:
        yield temp


def refuse_folder(output: Path) -> None:
    """Raise StorageError if `output` is a folder."""
    from screenalytics_core.errors import StorageError

    if output.is_dir():
        raise StorageError(thing=str(output), reason="is a folder", way_out="Name a file.")


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    from screenalytics_core.storage.posix import remove, sync_folder, translated

    temp = target.with_name(f".{target.stem}.{os.getpid()}-{uuid4().hex[:8]}{target.suffix}")
    try:
        with translated(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            temp.touch(exist_ok=False)
        yield temp
        with translated(target):
            with temp.open("rb") as file:
                os.fsync(file.fileno())
            temp.replace(target)
            sync_folder(target.parent)
    finally:
        remove(temp)


@contextmanager
def _unwound_by_signals() -> Iterator[None]:
    """Let signals that end the process do it as Ctrl-C does: `finally` blocks still run."""
    previous: dict[int, Any] = {}

    def leave(number: int, _frame: object) -> None:
        for each in previous:
            # A second one must not cut the tidying short.
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(128 + number)

    try:
        # Python lets only the main thread set handlers.
        if threading.current_thread() is threading.main_thread():
            for number in _ENDING:
                # Under nohup SIGHUP is ignored, and stays so; others' handlers know better.
                if signal.getsignal(number) is signal.SIG_DFL:
                    previous[number] = signal.signal(number, leave)
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
