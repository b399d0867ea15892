"""What processes run that append to logs."""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from screenalytics_core.errors import ScreenalyticsError
from screenalytics_core.ledger.event_log import EventLog
from screenalytics_core.ledger.events import EventKind, LedgerEvent, dagster_event_id
from screenalytics_core.stages import PipelineStage
from screenalytics_core.storage.local import LocalStorage


def start(work: Callable[..., Any], arguments: tuple[Any, ...]) -> ForkServerProcess:
    """Start `work` in a process of its own, for the caller to kill."""
    process = multiprocessing.get_context("forkserver").Process(target=work, args=arguments)
    process.start()
    return process


def append_lines_under_lock(root: Path, key: str, name: str, count: int) -> None:
    storage = LocalStorage(root)
    for n in range(count):
        with storage.lock(key):
            storage.append(key, f"{name} line {n}\n".encode())


def append_for_ever(root: Path, key: str, line: bytes) -> None:
    storage = LocalStorage(root)
    while True:
        with storage.lock(key):
            storage.append(key, line)


def append_into_too_little_space(root: Path, key: str, data: bytes, limit: int) -> str:
    """Append where files may not grow beyond `limit` bytes; return the error's name."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        LocalStorage(root).append(key, data)
    except ScreenalyticsError as error:
        return type(error).__name__
    return "none"


def report_progress(root: Path, run: tuple[str, str], part: int, count: int) -> int:
    """Report the work of one part of a step, one by one; return how many lines were new."""
    log = EventLog(LocalStorage(root))
    added = 0
    for done in range(1, count + 1):
        order = 1000 + part * count + done
        data = {"done": done, "total": count, "message": "", "part": f"part {part}"}
        event = LedgerEvent(
            dagster_event_id("d1", order),
            EventKind.STEP_PROGRESS,
            "2026-01-02T03:10:00.000000+00:00",
            "d1",
            order,
            1,
            PipelineStage.DETECT_TRACK,
            "scan",
            data,
        )
        added += len(log.append(*run, [event]))
        if done % 10 == 0:
            # Again, as a second mirror that reads the same events would.
            added += len(log.append(*run, [event]))
    return added
