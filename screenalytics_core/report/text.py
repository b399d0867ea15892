"""How numbers, times and names read in the report, so that every page says them alike."""

from __future__ import annotations

import re
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Final

from screenalytics_core.episodes import EpisodeId, is_path_safe

DASH: Final = "\N{EN DASH}"
# An absolute path inside a sentence; what follows a word, ':' or '/' is a URL or a package.
_FOLDERS: Final = re.compile(r"(?<![\w:/.@-])(?:/[^\s/]+)+/|\b[A-Za-z]:\\(?:[^\s\\]+\\)*")


def headline(ep_id: str) -> str:
    """Say `rhobh · season 5, episode 14` where the id tells it, else the id."""
    parsed = EpisodeId.parse(ep_id) if is_path_safe(ep_id) else None
    if parsed is None or parsed.show is None:
        return ep_id
    return f"{parsed.show} · season {parsed.season}, episode {parsed.episode}"


def clock(seconds: float) -> str:
    """Write a position in the episode: `0:07.3`, `12:40.0`, `1:02:03.4`."""
    tenths = round(max(0.0, seconds) * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest // 10:02d}.{rest % 10}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def tick(seconds: float) -> str:
    """Write a round position: `0:05`, `12:00`, `1:02:00`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def seconds(value: float) -> str:
    """Write a length: `7.3 s`, `1,234.5 s`; below one second `0.25 s`, `< 0.01 s`, `0 s`.

    From 10,000 s on without tenths (`13,479 s`), which no column has room for.
    """
    return f"{bare_seconds(value)} s"


def bare_seconds(value: float) -> str:
    """Write a length as `seconds` does, without the unit."""
    if value >= 0.995:
        return f"{value:,.1f}" if value < 9_999.95 else f"{value:,.0f}"
    return f"{value:.2f}" if value >= 0.005 else "< 0.01" if value > 0 else "0"


def percent(share: float) -> str:
    """Write a share of 0 to 1 as `12.3 %`, `< 0.1 %`, `0 %`."""
    if share >= 0.0005:
        return f"{100 * share:.1f} %"
    return "< 0.1 %" if share > 0 else "0 %"


def count(value: int | None) -> str:
    """Write a count with thousands apart; a dash when unknown."""
    return DASH if value is None else f"{value:,}"


def size(size_bytes: int) -> str:
    """Write a file size in bytes, kB or MB (powers of ten)."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    return f"{size_bytes / 1e3:,.1f} kB" if size_bytes < 1e6 else f"{size_bytes / 1e6:,.1f} MB"


def number(value: float | None) -> str:
    """Write a measured value with at most four significant digits; a dash when undefined."""
    return DASH if value is None else f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def plain(value: Any) -> str:
    """Write a setting: yes/no, a dash for null, numbers without needless zeros."""
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else without_folders(str(value))


def plural(n: int, singular: str, many: str | None = None) -> str:
    """Write `1 person`, `3 people`."""
    return f"{n:,} {singular if n == 1 else many or singular + 's'}"


def without_folders(text: str) -> str:
    """Leave only the last part of an absolute path: a report must not tell where it was made."""
    for path in (PurePosixPath(text), PureWindowsPath(text)):
        if path.is_absolute():
            return path.name or "/"
    return _FOLDERS.sub("", text)
