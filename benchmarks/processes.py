"""Runs a command and measures it as a whole: CPU seconds, wall time, peak memory.

Keep the measuring process small: a child's peak memory is never reported below what its
parent held when it was started.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parents[1]


class BenchError(RuntimeError):
    """A measured command failed; the message holds the end of what it said."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one process and its waited-for children used.

    Attributes:
        cpu_s: User and system time, of the process and its children.
        peak_rss_mb: Largest resident set of any one of them, in 10^6 bytes.
    """

    cpu_s: float
    wall_s: float
    peak_rss_mb: float
    stdout: str

    def figures(self) -> dict[str, float]:
        """Return the numbers alone, rounded for a report."""
        values = asdict(self)
        del values["stdout"]
        return {name: round(value, 2) for name, value in values.items()}


def environment(**extra: str) -> dict[str, str]:
    """Return this environment without what would slow Python's start, plus `extra`."""
    base = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**base, **extra}


def measure(command: list[str], **extra_environment: str) -> Measured:
    """Run `command` from the repository root and measure it.

    Raises:
        BenchError: It did not exit with 0.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=ROOT, stdout=out, stderr=err, env=environment(**extra_environment)
        )
        # wait4, since the totals of RUSAGE_CHILDREN would mix all commands of this bench.
        _, status, usage = os.wait4(child.pid, 0)
        wall_s = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if child.returncode != 0:
            said = err.read().decode(errors="replace")[-2000:]
            raise BenchError(f"{' '.join(command)} exited with {child.returncode}:\n{said}")
        return Measured(
            cpu_s=usage.ru_utime + usage.ru_stime,
            wall_s=wall_s,
            # Linux counts in 1024 bytes, macOS in bytes.
            peak_rss_mb=usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6,
            stdout=out.read().decode(),
        )
