"""How times and lengths of time read wherever runs are shown."""

from __future__ import annotations

from datetime import UTC, datetime

from screenalytics_core.report.text import DASH


def when(at: str | None) -> str:
    """Write a time of the log as `2026-01-02 03:04:05Z`: UTC, to the second; a dash for None."""
    if not at:
        return DASH
    return f"{moment(at):%Y-%m-%d %H:%M:%S}Z"


def moment(at: str) -> datetime:
    """Read an ISO 8601 time; one without an offset is in UTC."""
    time = datetime.fromisoformat(at)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def took(seconds: float | None) -> str:
    """Write a length of time: `0.42 s`, `12.3 s`, `3 min 20 s`, `1 h 02 min`."""
    if seconds is None:
        return DASH
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def first_line(text: str, limit: int = 100) -> str:
    """Return the first line of a text, shortened to `limit` characters."""
    line = text.strip().splitlines()[0] if text.strip() else ""
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
