"""What the architecture tests look at: the tracked files and the packages' sources."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("screenalytics_core", "screenalytics_assets")


@cache
def tracked_files() -> tuple[Path, ...]:
    """Return what git tracks; without git (a source archive) every file that is not built."""
    if (ROOT / ".git").exists():
        listing = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
        ).stdout
        names = [name for name in listing.split("\0") if name]
        return tuple(ROOT / name for name in names if (ROOT / name).is_file())
    hidden = (".venv", "__pycache__", ".git", "data", "build", "dist")
    return tuple(
        path
        for path in sorted(ROOT.rglob("*"))
        if path.is_file() and not any(part in hidden for part in path.relative_to(ROOT).parts)
    )


def relative(path: Path) -> str:
    """Return the path as it is written in tables and messages."""
    return path.relative_to(ROOT).as_posix()


@cache
def sources() -> tuple[Path, ...]:
    """Return every Python file of the two packages."""
    return tuple(path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py")))


def nodes(path: Path) -> Iterator[ast.AST]:
    """Yield every syntax node of a file."""
    yield from ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path)))
