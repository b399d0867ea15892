"""The parts of a log in a bucket, by the names of their objects. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from screenalytics_core.s3_layout import PARTS_SUFFIX
from screenalytics_core.storage.s3_bucket import Item

RESET: Final = "reset"


@dataclass(frozen=True, slots=True)
class Part:
    """An object that holds the parts `first` to `last`."""

    item: Item
    first: int
    last: int
    is_reset: bool


@dataclass(frozen=True, slots=True)
class LogView:
    """A log as it was listed."""

    base: Item | None
    parts: tuple[Part, ...]
    all_parts: tuple[Part, ...]
    at: datetime

    @property
    def next_number(self) -> int:
        """The number after the last one that is taken."""
        return max((part.last for part in self.all_parts), default=0) + 1


def part_name(name: str, number: int, tail: str = "") -> str:
    """Return the S3 key of a part; `tail` tells what it is if it is not lines of this number."""
    return f"{name}{PARTS_SUFFIX}/{number:010d}" + (f"-{tail}" if tail else "")


def parsed(item: Item, name: str) -> Part | None:
    """Return the part that an object is; None for what is none of ours."""
    first, _, tail = name.partition("-")
    if not first.isdigit():
        return None
    if tail == RESET:
        return Part(item, int(first), int(first), True)
    if not tail:
        return Part(item, int(first), int(first), False)
    return Part(item, int(first), int(tail), False) if tail.isdigit() else None
