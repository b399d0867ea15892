"""Tables and lines on a terminal, drawn with Rich; `console` decides when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from screenalytics_assets.cli.cells import Cell

# A column of sentences is still read at this many characters.
_FOLDED: Final = 22


def draw_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    whole: Sequence[str],
    spare: Sequence[str],
) -> None:
    """Draw a table; a column is aligned right where its cells are.

    Args:
        whole: Columns whose cells never break over lines.
        spare: Columns that a narrow terminal does without, the first one first.
    """
    console = Console(highlight=False)
    widths = {
        name: max([len(name), *(len(row[i].text) for row in rows)])
        for i, name in enumerate(columns)
    }
    shown = _fitting(widths, whole, spare, console.width)
    table = Table(
        title=_text(Cell(title)) if title else None,
        title_justify="left",
        title_style="bold",
        header_style="bold",
    )
    for name in shown:
        cells = [row[columns.index(name)] for row in rows]
        table.add_column(
            name,
            justify="right" if any(cell.is_number for cell in cells) else "left",
            overflow="fold",
            no_wrap=name in whole,
        )
    for row in rows:
        table.add_row(*(_text(row[columns.index(name)]) for name in shown))
    console.print(table)


def _fitting(
    widths: Mapping[str, int], whole: Sequence[str], spare: Sequence[str], width: int
) -> list[str]:
    """Return the columns that fit; long texts can be folded, ids cannot."""
    shown = list(widths)
    for name in spare:
        needed = sum(widths[n] if n in whole else min(widths[n], _FOLDED) for n in shown)
        if needed + 3 * len(shown) + 1 <= width:
            break
        shown.remove(name)
    return shown


def draw_facts(title: str, facts: Sequence[tuple[str, Cell]]) -> None:
    """Draw names and values below each other."""
    table = Table(
        title=_text(Cell(title)),
        title_justify="left",
        title_style="bold",
        box=box.ROUNDED,
        show_header=False,
    )
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(Text(name), _text(value))
    Console(highlight=False).print(table)


def draw_line(cells: Sequence[Cell]) -> None:
    """Draw cells, filled up already, on one line however long it gets."""
    Console(highlight=False).print(Text("  ").join(map(_text, cells)), soft_wrap=True)


def _text(cell: Cell) -> Text:
    # Never from markup: a label may hold brackets.
    return Text(cell.text, style=cell.style)
