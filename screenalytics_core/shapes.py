"""Is what a file holds of the kind that its reader counts on? Pure.

Anybody can edit a JSON file, and a disk can swap two of them: what reads one checks it at
the door, so that nothing behind the door stumbles.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def check_types(record: Mapping[str, Any], types: Mapping[str, type]) -> None:
    """Refuse a record in which a value is missing or of another type; a bool is no number.

    Raises:
        TypeError: A value is of another type; it is named.
        KeyError: A value is missing.
    """
    for name, wanted in types.items():
        value = record[name]
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            raise TypeError(f"{name} is {type(value).__name__}, not {wanted.__name__}")


def check_time(text: str) -> None:
    """Refuse what is no time that can be told in UTC.

    Raises:
        ValueError: It is not ISO 8601 with an offset, or lies outside the years 1 to 9999.
        TypeError: It is no text.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    try:
        at.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text} is no time in UTC") from None
