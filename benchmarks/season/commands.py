"""The installed `screenalytics`, told what to do on its command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.processes import BIN, ROOT, BenchError, Measured, environment, measure

_POLL_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Commands:
    """Commands on one data root."""

    data_root: Path

    def run(self, *arguments: str) -> Measured:
        """Run a command and measure it.

        Raises:
            BenchError: It did not exit with 0.
        """
        return measure(self._command(arguments))

    def read(self, *arguments: str) -> Any:
        """Run a command with `--json` and return what it prints."""
        return json.loads(self.run(*arguments, "--json").stdout)

    def run_and_kill(self, *arguments: str, is_due: Callable[[], bool], after_s: float) -> float:
        """Start a command and kill it and all its processes `after_s` seconds from when it is due.

        Returns:
            Seconds that it lived.

        Raises:
            BenchError: It ended before that.
        """
        start = time.monotonic()
        due_at: float | None = None
        with tempfile.TemporaryFile() as said:
            child = subprocess.Popen(
                self._command(arguments),
                cwd=ROOT,
                stdout=said,
                stderr=said,
                env=environment(),
                start_new_session=True,
            )
            while due_at is None or time.monotonic() < due_at:
                if child.poll() is not None:
                    said.seek(0)
                    raise BenchError(
                        f"{' '.join(arguments)} ended with {child.returncode} before it was "
                        f"killed:\n{said.read().decode(errors='replace')[-2000:]}"
                    )
                if due_at is None and is_due():
                    due_at = time.monotonic() + after_s
                time.sleep(_POLL_S)
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        return time.monotonic() - start

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        command = [str(BIN / "screenalytics"), *arguments]
        return [*command, "--data-root", str(self.data_root)]
