"""Tables and lines on a terminal, drawn with Rich; `console` decides when."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from screenalytics_assets.cli.cells import Cell


def draw_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]], whole: Sequence[str]
) -> None:
    """Draw a table; a column is aligned right where its cells are.

    Args:
        whole: Columns whose cells never break over lines.
    """
    table = Table(
        title=_text(Cell(title)) if title else None,
        title_justify="left",
        title_style="bold",
        header_style="bold",
    )
    for index, column in enumerate(columns):
        table.add_column(
            column,
            justify="right" if any(row[index].is_number for row in rows) else "left",
            overflow="fold",
            no_wrap=column in whole,
        )
    for row in rows:
        table.add_row(*map(_text, row))
    _print(table)


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
    _print(table)


def draw_line(cells: Sequence[Cell]) -> None:
    """Draw cells, filled up already, on one line however long it gets."""
    _print(Text(" ").join(map(_text, cells)), soft_wrap=True)


def _text(cell: Cell) -> Text:
    # Never from markup: a label may hold brackets.
    return Text(cell.text, style=cell.style)


def _print(drawn: Table | Text, *, soft_wrap: bool = False) -> None:
    Console(highlight=False).print(drawn, soft_wrap=soft_wrap)
