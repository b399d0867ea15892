"""What the documents say can be done: commands exist, links lead somewhere, files are there."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from screenalytics_assets.cli import app
from tests.architecture.house import ROOT, relative

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
SOURCE_FILE = re.compile(
    r"`((?:screenalytics_core|screenalytics_assets|benchmarks|tests)/[^`\s]+)`"
)


def code_lines(text: str) -> list[str]:
    """Return the lines of all fenced blocks, without prompts, continuations joined."""
    blocks = "\n".join(FENCE.findall(text)).replace("\\\n", " ")
    return [line.removeprefix("$ ").strip() for line in blocks.splitlines()]


def make_targets(makefile: str) -> set[str]:
    return set(re.findall(r"^([a-z][a-z0-9-]*):", makefile, re.MULTILINE))


def commands_of(text: str, name: str) -> list[list[str]]:
    """Return the words of every line of the code blocks that starts with `name`."""
    lines = [line.split("#", 1)[0].strip() for line in code_lines(text)]
    return [shlex.split(line) for line in lines if line.split(" ", 1)[0] == name]


@cache
def command_line() -> Any:
    """Return the tree of commands; a group has `commands`, a command has `params`."""
    return typer.main.get_command(app)


def unknown_words(words: list[str]) -> list[str]:
    """Return the commands and options of a `screenalytics ...` line that do not exist."""
    command = command_line()
    rest = words[1:]
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        default = getattr(command, "default_command", None)
        if rest[0] not in command.commands and default is None:
            return [rest[0]]
        if rest[0] not in command.commands:
            rest = [default, *rest]
        command, rest = command.commands[rest[0]], rest[1:]
    known = {option for p in command.params for option in (*p.opts, *p.secondary_opts)}
    given = {word.split("=", 1)[0] for word in rest if word.startswith("-")}
    return sorted(given - known - {"--help"})


def cases(name: str) -> list[object]:
    return [
        pytest.param(words, id=f"{relative(path)}: {shlex.join(words)}")
        for path in DOCUMENTS
        for words in commands_of(path.read_text(encoding="utf-8"), name)
    ]


@pytest.mark.parametrize("words", cases("make"))
def test_every_make_target_in_the_documents_exists(words: list[str]) -> None:
    targets = make_targets((ROOT / "Makefile").read_text(encoding="utf-8"))

    assert {w for w in words[1:] if "=" not in w} <= targets


@pytest.mark.parametrize("words", cases("screenalytics"))
def test_every_command_and_option_in_the_documents_exists(words: list[str]) -> None:
    assert unknown_words(words) == []


def slug(heading: str) -> str:
    """Return the anchor that a heading gets: lower case, dashes for blanks."""
    text = re.sub(r"[`*]", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    return {slug(h) for h in re.findall(r"^#{1,6}\s+(.+)$", text, re.MULTILINE)}


def broken_links(path: Path) -> list[str]:
    """Return the links into this repository that lead nowhere."""
    broken = []
    for link in LINK.findall(FENCE.sub("", path.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_every_link_leads_somewhere(path: Path) -> None:
    assert broken_links(path) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_every_source_file_that_is_named_exists(path: Path) -> None:
    named = set(SOURCE_FILE.findall(path.read_text(encoding="utf-8")))

    assert {name for name in named if not (ROOT / name.split("::")[0]).exists()} == set()


def test_a_broken_link_and_a_missing_anchor_are_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One thing\n[a](#one-thing) [b](#other) [c](gone.md) [d](page.md)\n")

    assert broken_links(page) == ["#other", "gone.md"]


def test_an_unknown_command_and_an_unknown_option_are_seen() -> None:
    assert unknown_words(["screenalytics", "fly"]) == ["fly"]
    assert unknown_words(["screenalytics", "run", "x.mp4", "--colour", "red"]) == ["--colour"]


def test_commands_are_found_in_code_blocks_only() -> None:
    block = "$ make demo   # this\nscreenalytics run a.mp4 \\\n  --json\n"
    text = f"run `make nothing`\n```sh\n{block}```\n"

    assert commands_of(text, "make") == [["make", "demo"]]
    assert commands_of(text, "screenalytics") == [["screenalytics", "run", "a.mp4", "--json"]]
