"""Rules that a linter does not know: file and function size, prints, environment reads."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.house import nodes, relative, sources

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40

# path -> why it may be longer. An entry that is no longer needed fails the test below.
LONG_FILES = {
    "screenalytics_core/artifacts.py": "the data contract reads best as one table",
}
# path::function -> why it may be longer.
LONG_FUNCTIONS: dict[str, str] = {}
# The one door between the environment and the program.
ENVIRONMENT_DOOR = "screenalytics_assets/settings.py"


def long_files() -> set[str]:
    return {
        relative(path)
        for path in sources()
        if len(path.read_text(encoding="utf-8").splitlines()) > MAX_FILE_LINES
    }


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines below the signature and the docstring.

    A command's options stand in its signature, and they are a table rather than code.
    """
    last = function.end_lineno or function.lineno
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        return last - (first.end_lineno or first.lineno)
    return last - first.lineno + 1


def long_functions() -> set[str]:
    return {
        f"{relative(path)}::{node.name}"
        for path in sources()
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and body_lines(node) > MAX_FUNCTION_LINES
    }


def test_a_file_over_300_lines_has_a_reason() -> None:
    assert long_files() == set(LONG_FILES), "split it, or add or drop its reason in LONG_FILES"


def test_a_function_over_40_lines_has_a_reason() -> None:
    assert long_functions() == set(LONG_FUNCTIONS), "split it, or add its reason"


def prints(tree: ast.AST) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"print", "pprint"}
    ]


ENVIRONMENT_NAMES = {"environ", "environb", "getenv", "putenv", "unsetenv"}


def environment_reads(tree: ast.AST) -> list[int]:
    """Return the lines that touch `os.environ`, `os.getenv` and their kin, however imported."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ENVIRONMENT_NAMES:
            found.append(node.lineno)
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            found += [node.lineno for name in node.names if name.name in ENVIRONMENT_NAMES]
    return found


def broad_handlers(tree: ast.AST) -> list[int]:
    """Return the lines of bare handlers, and of broad ones that only pass."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (_is_broad(node.type) and _only_passes(node)))
    ]


def _is_broad(caught: ast.expr) -> bool:
    names = {n.id for n in ast.walk(caught) if isinstance(n, ast.Name)}
    return bool(names & {"Exception", "BaseException", "OSError", "ScreenalyticsError"})


def _only_passes(handler: ast.ExceptHandler) -> bool:
    return all(isinstance(step, ast.Pass) for step in handler.body)


@pytest.mark.parametrize("path", sources(), ids=relative)
def test_nothing_is_printed(path: Path) -> None:
    assert prints(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "path", [p for p in sources() if relative(p) != ENVIRONMENT_DOOR], ids=relative
)
def test_only_the_settings_read_the_environment(path: Path) -> None:
    assert environment_reads(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", sources(), ids=relative)
def test_no_exception_is_swallowed_in_silence(path: Path) -> None:
    assert broad_handlers(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("code", "finder"),
    [
        ("print(1)", prints),
        ("import os\nos.environ['HOME']", environment_reads),
        ("import os\nos.getenv('HOME')", environment_reads),
        ("from os import environ", environment_reads),
        ("import os as system\nsystem.environ.get('HOME')", environment_reads),
        ("try:\n    f()\nexcept:\n    g()", broad_handlers),
        ("try:\n    f()\nexcept OSError:\n    pass", broad_handlers),
        ("try:\n    f()\nexcept (KeyError, Exception):\n    pass", broad_handlers),
    ],
)
def test_the_rules_see_what_they_forbid(code: str, finder: object) -> None:
    assert callable(finder)
    assert finder(ast.parse(code)) != []
