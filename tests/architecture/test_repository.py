"""The repository stays small, portable and free of what belongs to one machine."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import distributions

import pytest

from tests.architecture.house import ROOT, relative, tracked_files

MAX_FILE_BYTES = 1_000_000
# Home folders, workplaces and temporary folders of one machine. Spelled in halves, so that
# this file does not hold what it looks for.
MACHINE_PATHS = re.compile(
    "|".join(("/" + "work/", "/" + "home/[a-z]", "/" + "Users/", "/" + "root/", "/tmp/" + "bash_"))
)
# An index or registry host in a lock file would tie the install to one network.
URLS = re.compile(r"https?://|--(?:extra-)?index-url|--find-links|-i ")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_no_tracked_file_is_over_a_megabyte() -> None:
    big = [relative(p) for p in tracked_files() if p.stat().st_size > MAX_FILE_BYTES]

    assert big == []


def test_no_tracked_file_names_a_path_of_one_machine() -> None:
    found = []
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{relative(path)}: {match.group()}" for match in MACHINE_PATHS.finditer(text)]

    assert found == []


@pytest.mark.parametrize("path", ["/" + "work/main", "/" + "home/me", "/tmp/" + "bash_jobs"])
def test_the_machine_path_rule_sees_one(path: str) -> None:
    assert MACHINE_PATHS.search(f"see {path}/x")


def test_all_code_but_the_tests_is_type_checked() -> None:
    checked = tomllib.loads(text_of("pyproject.toml"))["tool"]["mypy"]
    inits = [relative(p).split("/") for p in tracked_files() if p.name == "__init__.py"]

    assert {folder for folder, *_ in inits} - {"tests"} == set(checked["packages"])
    assert checked["strict"] is True


def test_the_lock_file_names_no_index() -> None:
    assert URLS.findall(text_of("requirements.lock")) == []


def test_every_line_of_the_lock_file_is_pinned_and_hashed() -> None:
    entries = re.split(r"\n(?=\S)", text_of("requirements.lock").strip())
    loose = [e.splitlines()[0] for e in entries if "==" not in e or "--hash=sha256:" not in e]

    assert loose == []


def locked_names() -> set[str]:
    return set(re.findall(r"^([A-Za-z0-9._-]+)==", text_of("requirements.lock"), re.MULTILINE))


def test_the_lock_file_holds_every_dependency() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[<>=!~; \[]", w, maxsplit=1)[0].lower() for w in wanted}

    assert names - {n.lower() for n in locked_names()} == set()


def test_exactly_one_opencv_is_locked_and_installed() -> None:
    # Every build of OpenCV writes the same cv2/ folder: two of them overwrite each other.
    locked = {name for name in locked_names() if name.startswith("opencv")}
    installed = {
        d.metadata["Name"].lower()
        for d in distributions()
        if d.metadata["Name"].lower().startswith("opencv")
    }

    assert locked == {"opencv-python-headless"}
    assert installed == {"opencv-python-headless"}


def dependencies_without_a_reason(pyproject: str) -> list[str]:
    """Return the lines of `dependencies` that stand before any comment of their group."""
    block = pyproject.split("\ndependencies = [\n", 1)[1].split("\n]", 1)[0]
    missing, has_reason = [], False
    for line in (raw.strip() for raw in block.splitlines()):
        if line.startswith("#"):
            has_reason = True
        elif line and not has_reason:
            missing.append(line)
        elif not line:
            has_reason = False
    return missing


def test_every_dependency_stands_under_its_reason() -> None:
    assert dependencies_without_a_reason(text_of("pyproject.toml")) == []


def test_a_dependency_without_a_reason_is_seen() -> None:
    block = '\ndependencies = [\n    # Arrays.\n    "numpy",\n\n    "leftpad",\n]'

    assert dependencies_without_a_reason(block) == ['"leftpad",']


@pytest.mark.parametrize("name", [".ci/run"])
def test_a_script_can_be_executed(name: str) -> None:
    path = ROOT / name

    assert path.stat().st_mode & 0o111
    assert path.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n")
