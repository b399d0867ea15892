"""The command line as a stranger meets it: in a pipe or on a terminal."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import subprocess
import sys
from pathlib import Path
from unittest import mock

# Reading commands let Arrow find no pandas in their process; here it is found first.
import pandas  # noqa: F401

from screenalytics_assets.cli import main

MAIN = "from screenalytics_assets.cli import main; main()"


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-c", MAIN, *map(str, arguments)]


def environment(data_root: Path | None = None) -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    if data_root is not None:
        env["SCREENALYTICS_DATA_ROOT"] = str(data_root)
        env["DAGSTER_HOME"] = str(data_root / ".dagster")
    return env


def screenalytics(
    *arguments: str | Path, data_root: Path | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command with its output in pipes."""
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        env=environment(data_root),
        cwd=cwd,
        check=False,
    )


def in_this_process(*arguments: str | Path, data_root: Path) -> subprocess.CompletedProcess[str]:
    """Run the command here: a start of Python costs more than most of what is asked."""
    words = ["screenalytics", *map(str, arguments)]
    out, err = io.StringIO(), io.StringIO()
    status: object = 0
    with (
        mock.patch.object(sys, "argv", words),
        mock.patch.dict(os.environ, environment(data_root)),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            status = end.code or 0
    assert isinstance(status, int)
    return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())


def on_terminal(*arguments: str | Path, data_root: Path, columns: int = 120) -> str:
    """Run the command on a terminal and return what it showed, colours and all."""
    ours, theirs = pty.openpty()
    env = {**environment(data_root), "COLUMNS": str(columns), "LINES": "40", "TERM": "xterm"}
    env.pop("NO_COLOR", None)
    process = subprocess.Popen(
        command(*arguments), stdin=theirs, stdout=theirs, stderr=theirs, env=env
    )
    os.close(theirs)
    shown = bytearray()
    while True:
        try:
            shown += os.read(ours, 1 << 16)
        except OSError:  # Linux's way of saying that nobody writes any more
            break
    os.close(ours)
    assert process.wait(timeout=60) == 0, shown.decode()
    return shown.decode()
