"""events.jsonl as lines: read from any of them on, and written. No line makes reading fail."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Final

from screenalytics_core.errors import KeyMissingError
from screenalytics_core.ledger.events import LedgerEvent
from screenalytics_core.storage.base import Storage


@dataclass(frozen=True, slots=True)
class LogPosition:
    """How far a log was read: `lines` whole lines, `offset` bytes; the last one to know it by."""

    lines: int = 0
    offset: int = 0
    last_line: bytes = b""


START: Final = LogPosition()


@dataclass(frozen=True, slots=True)
class LogPart:
    """What stands in a log from some position on.

    Attributes:
        is_rest: False if the log is not the one that the position was of, so that this is
            all of it.
        damaged: Numbers of the lines that are no events.
    """

    events: tuple[LedgerEvent, ...]
    end: LogPosition
    is_rest: bool
    damaged: tuple[int, ...] = ()


def read_log(storage: Storage, key: str, after: LogPosition = START) -> LogPart:
    """Return the events after a position, each with its line number.

    A last line without its newline is still being written, or was left by a writer that was
    killed; it is no line yet. A log that shrank or was replaced is read from its start.
    """
    try:
        file = storage.open_read(key)
    except KeyMissingError:
        return LogPart((), START, is_rest=after == START)
    with file:
        is_rest = _continues(file, after)
        start = after if is_rest else START
        file.seek(start.offset)
        lines = file.read().split(b"\n")[:-1]
    return _parsed(lines, start, is_rest)


def parse_lines(content: bytes, after: LogPosition) -> LogPart:
    """Return the events in whole lines that follow a position."""
    return _parsed(content.split(b"\n")[:-1], after, is_rest=True)


def _continues(file: BinaryIO, after: LogPosition) -> bool:
    """Tell whether the line that was read last still stands where it stood."""
    file.seek(after.offset - len(after.last_line))
    return file.read(len(after.last_line)) == after.last_line


def _parsed(lines: list[bytes], start: LogPosition, is_rest: bool) -> LogPart:
    events, damaged = [], []
    for number, line in enumerate(lines, start.lines + 1):
        event = _parse(line, number)
        if event is None:
            damaged.append(number)
        else:
            events.append(event)
    if not lines:
        return LogPart((), start, is_rest)
    offset = start.offset + sum(len(line) + 1 for line in lines)
    end = LogPosition(start.lines + len(lines), offset, lines[-1] + b"\n")
    return LogPart(tuple(events), end, is_rest, tuple(damaged))


def _parse(line: bytes, number: int) -> LedgerEvent | None:
    """Return the event in line `number` of a log, or None if it holds none."""
    try:
        record: Any = json.loads(line)
        event = LedgerEvent.from_dict(record)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return event if event.sequence == number else replace(event, sequence=number)


def format_lines(events: Iterable[LedgerEvent]) -> bytes:
    """Return numbered events as lines of a log."""
    # ASCII only, so that a lone surrogate in a file's name can be written too.
    return b"".join(json.dumps(event.to_dict()).encode("ascii") + b"\n" for event in events)
