"""Stretches of time as people write them: 0:00-1:35, 41:10-43:00.5, 1:02:03-1:04:00, 0-95."""

from __future__ import annotations

import re
from typing import Final

from screenalytics_core.errors import SettingsError

_TIME: Final = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,9}(?:\.\d{1,9})?)", re.ASCII)
_SIXTY: Final = 60


def parse_stretch(option: str, text: str) -> tuple[float, float]:
    """Return (start_s, end_s) of `FROM-TO`, each in seconds or as [h:]mm:ss[.s].

    Raises:
        SettingsError: It is not that, or ends before it begins.
    """
    start, dash, end = (part.strip() for part in text.partition("-"))
    start_s, end_s = _seconds(start), _seconds(end)
    if not dash or start_s is None or end_s is None:
        raise _refused(option, text, "is no stretch of time")
    if start_s >= end_s:
        raise _refused(option, text, "does not end after its start")
    return start_s, end_s


def parse_clock(option: str, text: str) -> float:
    """Return a moment in seconds, written in seconds or as [h:]mm:ss[.s].

    Raises:
        SettingsError: It is not that.
    """
    moment_s = _seconds(text.strip())
    if moment_s is None:
        raise SettingsError(
            thing=f"{option} {text!r}",
            reason="is no moment",
            way_out=f"Write {option} 12:31 (mm:ss, h:mm:ss or seconds).",
        )
    return moment_s


def clock(seconds: float) -> str:
    """Return seconds as people read them: 95.5 -> 1:35.5.

    Example:
        >>> clock(3723)
        '1:02:03'
    """
    whole, fraction = divmod(round(seconds, 3), 1)
    minutes, rest = divmod(int(whole), _SIXTY)
    hours, minutes = divmod(minutes, _SIXTY)
    tail = f"{fraction:.3f}"[1:].rstrip("0").rstrip(".")
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{head}:{rest:02d}{tail}"


def _seconds(text: str) -> float | None:
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    hours, minutes, seconds = found.groups()
    # 1:75 is a slip; 75:00 and plain 4500 are ways to write it.
    if minutes is not None and float(seconds) >= _SIXTY:
        return None
    if hours is not None and int(minutes) >= _SIXTY:
        return None
    return int(hours or 0) * _SIXTY**2 + int(minutes or 0) * _SIXTY + float(seconds)


def _refused(option: str, text: str, reason: str) -> SettingsError:
    return SettingsError(
        thing=f"{option} {text!r}",
        reason=reason,
        way_out=f"Write {option} 41:10-43:00 (mm:ss, h:mm:ss or seconds).",
    )
