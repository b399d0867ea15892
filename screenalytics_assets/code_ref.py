"""Which code made a result: `<git sha>`, `<git sha>-dirty`, or `unknown`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

UNKNOWN: Final = "unknown"


def current_code_ref(folder: Path | None = None) -> str:
    """Return the commit that `folder` (default: this package) is checked out at.

    `unknown` is an answer, not a failure: an installed wheel has no repository.
    """
    where = folder or Path(__file__).resolve().parent
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
