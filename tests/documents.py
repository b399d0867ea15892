"""What a document says, taken out of its Markdown: tables, code blocks, commands."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
API = ROOT / "docs" / "api.md"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def rows_under(document: str, first_header: str) -> list[list[str]]:
    """Return the rows of every table whose first column is headed so; cells without backticks."""
    found, is_inside = [], False
    for line in document.splitlines():
        cells = [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            is_inside = False
        elif cells[0] == first_header:
            is_inside = True
        elif is_inside and set(cells[0]) != {"-"}:
            found.append(cells)
    return found


def code_blocks(document: str, language: str) -> list[str]:
    """Return the fenced blocks of a language, from the first to the last."""
    fence = re.compile(rf"^```{language}\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return fence.findall(document)


def shell_commands(block: str) -> list[str]:
    """Return the commands of a block, as they stand, each with its continued lines."""
    lines = re.sub(r"^#.*\n", "", block, flags=re.MULTILINE)
    return [c.strip() for c in re.split(r"(?<!\\)\n", lines) if c.strip()]
