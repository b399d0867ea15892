"""How commands talk: data to stdout, talk to stderr, progress bars on a terminal only."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from screenalytics_core.errors import ScreenalyticsError


def tell(line: str) -> None:
    """Say a line to the person at the terminal."""
    Console(stderr=True, highlight=False).print(line, markup=False, soft_wrap=True)


def fail(error: ScreenalyticsError, status: int, *, as_json: bool) -> int:
    """Say what went wrong, to programs too if they asked for JSON; return the exit status."""
    if as_json:
        put_json({"success": False, "error": str(error), "error_code": error.code})
    tell(f"error [{error.code}]: {error}")
    return status


def put_json(value: Any) -> None:
    """Print `value` as JSON."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def put_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table; numbers are aligned right."""
    table = Table(
        title=title or None, title_justify="left", title_style="bold", header_style="bold"
    )
    for index, column in enumerate(columns):
        numeric = any(isinstance(row[index], int | float) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    # Not a terminal: no guess of 80 columns, since a script or a log wants whole lines.
    width = None if sys.stdout.isatty() else 160
    Console(highlight=False, width=width).print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


class StepProgress:
    """Shows each step's progress: bars on a terminal, one line per step otherwise."""

    def __init__(self, bars: Progress | None) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, step: str, done: int, total: int, message: str) -> None:
        """Take one report."""
        if self._bars is None:
            if step not in self._tasks:
                self._tasks[step] = TaskID(len(self._tasks))
                tell(f"{step} ...")
            return
        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(step, total=total or None, note="")
        self._bars.update(self._tasks[step], completed=done, total=total or None, note=message)


@contextmanager
def step_progress() -> Iterator[StepProgress]:
    """Give a progress listener for the duration of a run."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield StepProgress(None)
        return
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        yield StepProgress(bars)
