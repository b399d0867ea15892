"""The fonts of the report: DejaVu, which ships inside matplotlib and is embedded.

It covers Latin, Greek, Cyrillic, Hebrew and Arabic letters, not Chinese, Japanese or Korean.
What it lacks is shown as an empty box, on purpose and with a note, never as a blank.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from reportlab.pdfbase.ttfonts import TTFont

from screenalytics_core.report.direction import one_line

REGULAR: Final = "DejaVuSans"
BOLD: Final = "DejaVuSans-Bold"
MONO: Final = "DejaVuSansMono"
MISSING_GLYPH: Final = "\N{WHITE VERTICAL RECTANGLE}"
ELLIPSIS: Final = "…"


def font_path(name: str) -> Path:
    """Return the font file of `REGULAR`, `BOLD` or `MONO`.

    Raises:
        FileNotFoundError: matplotlib is not installed.
    """
    # Only its files are wanted: importing it takes longer than drawing.
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"{name}.ttf: matplotlib, which brings it, is not installed")
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / f"{name}.ttf"


@cache
def embedded(name: str) -> TTFont:
    """Return `REGULAR`, `BOLD` or `MONO` as reportlab wants it; parsed once, it takes a while."""
    return TTFont(name, str(font_path(name)))


@cache
def _covered() -> frozenset[int]:
    # What the bold face lacks, the regular one may have; a name stands in either.
    maps = [embedded(name).face.charToGlyph for name in (REGULAR, BOLD)]
    return frozenset(maps[0]) & frozenset(maps[1])


def displayable(text: str) -> str:
    """Return `text` on one line, with `MISSING_GLYPH` for what the fonts cannot show.

    It is still in the order in which it is read: `direction.visual` makes it ready to draw.
    """
    covered = _covered()
    composed = unicodedata.normalize("NFC", one_line(text))
    return "".join(c if ord(c) in covered else MISSING_GLYPH for c in composed)


def fit(text: str, width: float, measure: Callable[[str], float], *, middle: bool = False) -> str:
    """Shorten `text` with an ellipsis until `measure` finds it no wider than `width`.

    Args:
        middle: Cut in the middle, so that the ends of an id stay readable.
    """
    if measure(text) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        kept = (low + high + 1) // 2
        low, high = (kept, high) if measure(_cut(text, kept, middle)) <= width else (low, kept - 1)
    return _cut(text, low, middle)


def wrap(text: str, width: float, measure: Callable[[str], float], at_most: int) -> tuple[str, ...]:
    """Break `text` at blanks into at most `at_most` lines; what is left over gets an ellipsis.

    A word wider than a line is broken where the line ends.
    """
    lines: list[str] = []
    rest = text
    while rest and len(lines) < at_most - 1 and measure(rest) > width:
        kept = next(n for n in range(len(rest), 0, -1) if n == 1 or measure(rest[:n]) <= width)
        at_blank = rest.rfind(" ", 0, kept + 1)
        kept = at_blank if at_blank > 0 else kept
        lines.append(rest[:kept].rstrip())
        rest = rest[kept:].lstrip()
    return (*lines, fit(rest, width, measure)) if rest else tuple(lines)


def _cut(text: str, kept: int, middle: bool) -> str:
    if not middle:
        return text[:kept].rstrip() + ELLIPSIS
    tail = kept // 2
    return text[: kept - tail] + ELLIPSIS + (text[-tail:] if tail else "")
