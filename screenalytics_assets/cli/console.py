"""How commands talk: data to stdout, talk to stderr; drawn on a terminal, plain otherwise.

Rich is imported where something is drawn with it: a pipe needs none of it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from screenalytics_assets.cli.cells import Cell, printable, printable_json
from screenalytics_core.errors import ScreenalyticsError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


def tell(line: str) -> None:
    """Say a line to the person at the terminal."""
    sys.stderr.write(printable(line) + "\n")


def put_said(line: str) -> None:
    """Print a line that is part of the answer."""
    sys.stdout.write(printable(line) + "\n")


def fail(error: ScreenalyticsError, status: int, *, as_json: bool) -> int:
    """Say what went wrong, to programs too if they asked for JSON; return the exit status."""
    if as_json:
        put_json({"success": False, "error": str(error), "error_code": error.code})
    tell(f"error [{error.code}]: {error}")
    return status


def put_json(value: Any, *, indent: int | None = 2) -> None:
    """Print `value` as JSON; without an indent on one line."""
    sys.stdout.write(printable_json(json.dumps(value, ensure_ascii=False, indent=indent)) + "\n")


def put_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    whole: Sequence[str] = (),
    spare: Sequence[str] = (),
) -> None:
    """Print a table; numbers are aligned right.

    In a pipe every cell is whole and every column there: a script or a log wants lines.

    Args:
        whole: Columns whose cells never break over lines, so that they can be copied.
        spare: Columns that a narrow terminal does without, the first one first.
    """
    cells = [[Cell.of(value) for value in row] for row in rows]
    if sys.stdout.isatty():
        from screenalytics_assets.cli.drawing import draw_table

        draw_table(title, columns, cells, whole, spare)
        return
    flat = [[_one_line(cell) for cell in row] for row in cells]
    widths = [
        max(len(text) for text in (name, *(row[i].text for row in flat)))
        for i, name in enumerate(columns)
    ]
    numeric = [any(row[i].is_number for row in flat) for i in range(len(columns))]
    head = [Cell(name, is_number=right) for name, right in zip(columns, numeric, strict=True)]
    if title:
        sys.stdout.write(printable(title) + "\n")
    for row in (head, *flat):
        _write_line(cell.filled_text(width) for cell, width in zip(row, widths, strict=True))


def put_facts(title: str, facts: Sequence[tuple[str, Any]]) -> None:
    """Print names and values below each other; what is None or empty is left out."""
    known = [(printable(n), Cell.of(v)) for n, v in facts if v not in (None, "")]
    if not known:
        return
    if sys.stdout.isatty():
        from screenalytics_assets.cli.drawing import draw_facts

        draw_facts(title, known)
        return
    sys.stdout.write(printable(title) + "\n")
    width = max(len(name) for name, _ in known)
    for name, cell in known:
        text = cell.text.replace("\n", "\n" + " " * (width + 2))
        sys.stdout.write(f"{name.ljust(width)}  {text}\n")


def put_line(values: Sequence[Any], widths: Sequence[int]) -> None:
    """Print one line of a table whose other lines are not known yet, at once."""
    cells = [
        _one_line(Cell.of(value)).filled(width) for value, width in zip(values, widths, strict=True)
    ]
    if sys.stdout.isatty():
        from screenalytics_assets.cli.drawing import draw_line

        draw_line(cells)
    else:
        _write_line(cell.text for cell in cells)
    sys.stdout.flush()


def _one_line(cell: Cell) -> Cell:
    if "\n" not in cell.text:
        return cell
    return Cell(" ".join(cell.text.split("\n")), cell.style, cell.is_number)


def _write_line(texts: Iterable[str]) -> None:
    sys.stdout.write("  ".join(texts).rstrip() + "\n")


class StepProgress:
    """Shows each step's progress: bars on a terminal, one line per step otherwise."""

    def __init__(self, bars: Progress | None) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}
        self._told: set[str] = set()

    def __call__(self, step: str, done: int, total: int, message: str) -> None:
        """Take one report."""
        if self._bars is None:
            if step not in self._told:
                self._told.add(step)
                tell(f"{step} ...")
            return
        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(step, total=total or None, note="")
        self._bars.update(self._tasks[step], completed=done, total=total or None, note=message)


@contextmanager
def step_progress() -> Iterator[StepProgress]:
    """Give a progress listener for the duration of a run."""
    if not sys.stderr.isatty():
        yield StepProgress(None)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        yield StepProgress(bars)
