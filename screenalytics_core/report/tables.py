"""Plain ruled tables, as the pages about the run use them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, Table

from screenalytics_core.report import style
from screenalytics_core.report.markup import paragraph

_TIGHT: Final = 0.9 * mm
Cells = list[list[Any]]


def ruled_table(
    rows: Cells,
    widths_mm: Sequence[float],
    *,
    head: bool = True,
    extra: Sequence[tuple[Any, ...]] = (),
    indent: bool = False,
) -> Table:
    """Return a ruled table; `indent` keeps right-aligned columns clear of what follows them."""
    lines: list[tuple[Any, ...]] = [("LINEBELOW", (0, 0), (-1, -1), 0.4, style.RULE)]
    if head:
        lines.append(("LINEBELOW", (0, 0), (-1, 0), 0.6, style.UNKNOWN))
    table = Table(rows, colWidths=[w * mm for w in widths_mm], repeatRows=1 if head else 0)
    table.setStyle([*_padding(), *extra, *lines])
    if indent:
        table.setStyle([("LEFTPADDING", (-1, 0), (-1, -1), 4 * mm)])
    return table


def two_columns(cells: Cells, widths_mm: tuple[float, float]) -> Table:
    """Set (name, value) rows two abreast, reading across, so that a page may end anywhere."""
    gap = style.CONTENT_WIDTH / mm - 2 * sum(widths_mm)
    rows = [
        [*cells[i], "", *(cells[i + 1 : i + 2] or [["", ""]])[0]] for i in range(0, len(cells), 2)
    ]
    last = len(rows) - 1 - len(cells) % 2
    ruled: list[tuple[Any, ...]] = [
        ("LINEBELOW", (0, 0), (1, -1), 0.4, style.RULE),
        ("RIGHTPADDING", (1, 0), (1, -1), 0),
    ]
    if last >= 0:
        ruled.append(("LINEBELOW", (3, 0), (4, last), 0.4, style.RULE))
    table = Table(rows or [[""] * 5], colWidths=[w * mm for w in (*widths_mm, gap, *widths_mm)])
    table.setStyle([*_padding(), *ruled])
    return table


def head_row(*titles: str) -> list[Paragraph]:
    """Return header cells; a title that starts with `>` stands right."""
    return [
        Paragraph(t.lstrip(">"), style.SMALL_RIGHT if t.startswith(">") else style.SMALL)
        for t in titles
    ]


def hash_cell(sha256: str, *, halved: bool = False) -> Paragraph:
    """Return a sha256 on one line, or on two for a narrow column."""
    return paragraph(f"{sha256[:32]} {sha256[32:]}" if halved else sha256, style.HASH)


def _padding() -> list[tuple[Any, ...]]:
    return [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        # An empty cell is as high as its font, of which the default is larger than ours.
        ("FONTSIZE", (0, 0), (-1, -1), 1),
        ("LEADING", (0, 0), (-1, -1), 1),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 2 * mm),
        ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), _TIGHT),
        ("BOTTOMPADDING", (0, 0), (-1, -1), _TIGHT),
    ]
