"""Files that commands write: whole, where they were asked for, and nothing beside them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from screenalytics_assets.cli.files import whole_file
from screenalytics_core.errors import StorageError

WAIT_WHILE_WRITING = """
import sys, time
from pathlib import Path
from screenalytics_assets.cli.files import whole_file

with whole_file(Path(sys.argv[1])) as path:
    path.write_text("half")
    print("writing", flush=True)
    time.sleep(600)
"""


def write(output: Path, text: str = "new") -> None:
    with whole_file(output) as path:
        path.write_text(text)


@contextmanager
def started(*command: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Run a command beside the test, and end it with it."""
    with subprocess.Popen(list(command), stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def contents(folder: Path) -> dict[str, str]:
    return {p.name: p.read_text() for p in folder.iterdir()}


def test_a_file_is_there_only_when_it_is_whole(tmp_path: Path) -> None:
    output = tmp_path / "deep" / "out.txt"

    with whole_file(output) as path:
        path.write_text("new")
        assert not output.exists()

    assert contents(output.parent) == {"out.txt": "new"}


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    output = tmp_path / "out.txt"
    output.write_text("old")

    with pytest.raises(UnicodeEncodeError):
        write(output, "half \ud800")

    assert contents(tmp_path) == {"out.txt": "old"}


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_stays_and_its_target_is_written(is_there: bool, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere" / "target.txt"
    target.parent.mkdir()
    if is_there:
        target.write_text("old")
    (tmp_path / "here").mkdir()
    link = tmp_path / "here" / "link.txt"
    link.symlink_to(Path("..", "elsewhere", "target.txt"))

    with whole_file(link) as path:
        assert path.parent == target.parent
        path.write_text("new")

    assert link.is_symlink()
    assert contents(target.parent) == {"target.txt": "new"}
    assert list(link.parent.iterdir()) == [link]


@pytest.mark.parametrize("is_linked", [False, True])
def test_a_pipe_is_written_to(is_linked: bool, tmp_path: Path) -> None:
    pipe = output = tmp_path / "pipe"
    os.mkfifo(pipe)
    if is_linked:
        output = tmp_path / "link"
        output.symlink_to(pipe)
    with started("cat", pipe) as reader:
        write(output)

        assert reader.communicate(timeout=60)[0] == "new"
    assert pipe.is_fifo()
    assert len(list(tmp_path.iterdir())) == 1 + is_linked


def test_a_device_stays_one() -> None:
    write(Path(os.devnull))

    assert Path(os.devnull).is_char_device()


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"is a folder\. Name a file\."):
        write(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_links_in_a_circle_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")

    with pytest.raises(StorageError):
        write(tmp_path / "a" / "out.txt")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing_behind(number: signal.Signals, tmp_path: Path) -> None:
    with started(sys.executable, "-c", WAIT_WHILE_WRITING, tmp_path / "out.mp4") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        assert len(list(tmp_path.iterdir())) == 1

        process.send_signal(number)

        assert process.wait(timeout=60) == 128 + number
    assert list(tmp_path.iterdir()) == []


def test_what_signals_did_before_they_do_again(tmp_path: Path) -> None:
    numbers = signal.SIGTERM, signal.SIGHUP
    before = [signal.signal(n, signal.SIG_DFL) for n in numbers]
    try:
        with whole_file(tmp_path / "out.txt") as path:
            assert signal.SIG_DFL not in [signal.getsignal(n) for n in numbers]
            path.write_text("new")

        assert [signal.getsignal(n) for n in numbers] == [signal.SIG_DFL] * 2
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def test_a_signal_that_is_ignored_stays_so(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with whole_file(tmp_path / "out.txt") as path:
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            path.write_text("new")
    finally:
        signal.signal(signal.SIGHUP, before)


def test_another_thread_writes_too(tmp_path: Path) -> None:
    thread = threading.Thread(target=write, args=(tmp_path / "out.txt",))
    thread.start()
    thread.join(timeout=60)

    assert contents(tmp_path) == {"out.txt": "new"}
