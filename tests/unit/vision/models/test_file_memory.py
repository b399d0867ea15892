"""What was learnt of a file is remembered only as long as the file cannot have changed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from screenalytics_core.vision.models.file_memory import FileMemory


class Reader:
    """Says what stands in a file, and remembers which ones it read."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, path: Path) -> str:
        self.read.append(path.name)
        return path.read_text()


def an_hour_later() -> int:
    return time.time_ns() + 3600 * 10**9


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model"
    path.write_text("old")
    return path


def test_a_file_that_stays_is_read_once(file: Path) -> None:
    reader = Reader()
    memory = FileMemory(reader, now_ns=an_hour_later)

    assert [memory.of(file) for _ in range(3)] == ["old"] * 3
    assert reader.read == ["model"]


@pytest.mark.parametrize("how", ["written over", "another in its place"])
def test_a_file_that_changed_is_read_again_though_size_and_mtime_are_as_before(
    file: Path, how: str
) -> None:
    memory = FileMemory(Reader(), now_ns=an_hour_later)
    memory.of(file)
    before = file.stat()
    other = file if how == "written over" else file.with_name("other")
    time.sleep(0.02)  # the file system's clock ticks each few milliseconds
    other.write_text("new")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)

    assert (file.stat().st_mtime_ns, file.stat().st_size) == (before.st_mtime_ns, before.st_size)
    assert memory.of(file) == "new"


def test_a_file_that_was_just_written_is_read_each_time(file: Path) -> None:
    reader = Reader()
    memory = FileMemory(reader)

    assert [memory.of(file), memory.of(file)] == ["old", "old"]
    assert len(reader.read) == 2


def test_what_changes_while_it_is_read_is_not_remembered(file: Path) -> None:
    changes = iter(["newer", None])

    def learn(path: Path) -> str:
        text = path.read_text()
        change = next(changes)
        if change:
            path.write_text(change)
        return text

    memory = FileMemory(learn, now_ns=an_hour_later)

    assert [memory.of(file), memory.of(file)] == ["old", "newer"]


def test_the_memory_is_bounded(tmp_path: Path) -> None:
    reader = Reader()
    memory = FileMemory(reader, most=2, now_ns=an_hour_later)
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        path.write_text(path.name)

    for path in (*paths, paths[2], paths[0]):
        memory.of(path)

    assert reader.read == ["a", "b", "c", "a"]


def test_a_file_that_is_gone_is_what_its_reader_says_each_time(file: Path) -> None:
    memory = FileMemory(Reader(), now_ns=an_hour_later)
    memory.of(file)
    file.unlink()

    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            memory.of(file)
