"""Which code made a result: `<git sha>`, `<git sha>-dirty`, or `unknown`."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import Final

UNKNOWN: Final = "unknown"


@cache
def current_code_ref() -> str:
    """Return the commit of the code that this process runs, asked once.

    What is checked out later is not what this process has loaded: whoever lives long asks when
    it starts. A run names the code that reserved it, each stage that of the process that ran it.
    """
    return code_ref_of(Path(__file__).resolve().parent)


def code_ref_of(where: Path) -> str:
    """Return the commit that a folder is checked out at now.

    `unknown` is an answer, not a failure: an installed wheel has no repository.
    """
    sha = _git(where, "rev-parse", "HEAD")
    if sha is None or _git(where, "ls-files", "--error-unmatch", ".") is None:
        return UNKNOWN
    dirty = _git(where, "status", "--porcelain", "--untracked-files=no")
    return f"{sha}-dirty" if dirty else sha


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
