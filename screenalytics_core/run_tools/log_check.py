"""Is a run's event log whole, and does its status file say no more than the log?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, BinaryIO

from screenalytics_core import layout
from screenalytics_core.errors import KeyMissingError
from screenalytics_core.ledger.events import EventKind, LedgerEvent
from screenalytics_core.run_record import RunKey
from screenalytics_core.storage.base import Storage


@dataclass(frozen=True, slots=True)
class LogCheck:
    """What is wrong with a log, in words.

    Attributes:
        lines: Whole ones.
        publishes: It tells of an artifact that was published.
    """

    exists: bool
    lines: int = 0
    problem: str = ""
    publishes: bool = False


def check_log(storage: Storage, key: RunKey) -> LogCheck:
    """Read a run's log line by line."""
    try:
        file = storage.open_read(layout.events_key(*key))
    except KeyMissingError:
        return LogCheck(exists=False)
    with file:
        return _check_lines(file)


def _check_lines(file: BinaryIO) -> LogCheck:
    lines, problem, publishes = 0, "", False
    seen: set[str] = set()
    for line in file:
        if not line.endswith(b"\n"):
            problem = problem or f"line {lines + 1} is torn; the next writer cuts it"
            break
        lines += 1
        event = _parse(line)
        if isinstance(event, LedgerEvent):
            problem = problem or _problem_of(event, lines, seen)
            seen.add(event.event_id)
            publishes = publishes or event.kind is EventKind.ARTIFACT_PUBLISHED
        else:
            problem = problem or f"line {lines} is no event ({event})"
    return LogCheck(True, lines, problem, publishes)


def _parse(line: bytes) -> LedgerEvent | str:
    """Return the event in a line, or why there is none."""
    try:
        return LedgerEvent.from_dict(json.loads(line))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return f"{type(error).__name__}: {error}"


def _problem_of(event: LedgerEvent, number: int, seen: set[str]) -> str:
    if event.sequence != number:
        return f"line {number} has sequence {event.sequence}"
    return f"line {number} repeats event {event.event_id}" if event.event_id in seen else ""


def check_status(storage: Storage, key: RunKey, log_lines: int) -> tuple[bool, str]:
    """Return whether there is a status file, and what is wrong with it, in words."""
    try:
        document: Any = json.loads(storage.read_bytes(layout.status_key(*key)))
        named = (document["ep_id"], document["run_id"])
        sequence = int(document["sequence"])
    except KeyMissingError:
        return False, ""
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        return True, f"is no status ({type(error).__name__}: {error})"
    if named != tuple(key):
        return True, f"belongs to {named[0]}/{named[1]}"
    if sequence > log_lines:
        return True, f"is of line {sequence} of the log, which has {log_lines}"
    return True, ""
