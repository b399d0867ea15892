"""What every storage must hold: a local disk, and a bucket of moto's and of Ceph's server."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from screenalytics_core.errors import (
    DiskSpaceError,
    InvalidIdError,
    KeyMissingError,
    StorageError,
)
from screenalytics_core.storage.base import Storage
from tests.ledger_writers import start
from tests.storage_backends import (
    Backend,
    add_to_counter,
    append_for_ever,
    append_lines_under_lock,
    create_once,
)
from tests.stores import chunks_then_crash, race


def test_what_is_written_is_read_back(storage: Storage) -> None:
    storage.write_atomic("a/b.txt", b"one")
    storage.write_atomic("a/c.txt", (part for part in (b"t", b"wo")))

    assert storage.read_bytes("a/b.txt") == b"one"
    assert storage.size("a/c.txt") == 3
    with storage.open_read("a/c.txt") as file:
        file.seek(1)
        assert file.read() == b"wo"


def test_a_key_that_does_not_exist_has_its_own_error(storage: Storage) -> None:
    assert not storage.exists("a")
    for read in (storage.read_bytes, storage.open_read, storage.size):
        with pytest.raises(KeyMissingError, match="does not exist"):
            read("a")
    with pytest.raises(KeyMissingError):
        storage.link_or_copy("a", "b")


def test_deleting_twice_is_fine(storage: Storage) -> None:
    storage.write_atomic("a", b"1")

    storage.delete("a")
    storage.delete("a")

    assert not storage.exists("a")


def test_a_folder_is_no_key(storage: Storage) -> None:
    storage.write_atomic("a/b", b"1")

    assert not storage.exists("a")


@pytest.mark.parametrize("key", ["", "/a", "../a", "a/../../b", "a//b", "a/.", "a\\b", "a\0b"])
def test_a_key_that_could_leave_the_root_is_refused(storage: Storage, key: str) -> None:
    for use in (
        storage.read_bytes,
        storage.exists,
        storage.delete,
        lambda k: storage.write_atomic(k, b""),
        lambda k: storage.create_exclusive(k, b""),
        lambda k: storage.append(f"{k}/events.jsonl" if k else k, b"line\n"),
    ):
        with pytest.raises(InvalidIdError):
            use(key)


def test_lists_are_sorted_and_hold_neither_locks_nor_unfinished_files(storage: Storage) -> None:
    for key in ("f/b/2", "f/a/1", "f/1", "other/3"):
        storage.write_atomic(key, b"")
    storage.stage("f/unfinished", b"x")
    with storage.lock("f/1"):
        listed = storage.list("f")

    assert listed == ("f/1", "f/a/1", "f/b/2")
    assert storage.list_folders("f") == ("a", "b")
    assert storage.list("nothing") == ()
    assert storage.list_folders("nothing") == ()


def test_staged_bytes_are_invisible_until_committed(storage: Storage) -> None:
    storage.write_atomic("a", b"old")
    staged = storage.stage("a", b"new")

    assert storage.read_bytes("a") == b"old"
    storage.commit(staged)
    assert storage.read_bytes("a") == b"new"
    assert staged.size_bytes == 3
    assert staged.sha256 == "11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437"


def test_discarding_leaves_nothing_behind(storage: Storage, tmp_path: Path) -> None:
    storage.discard(storage.stage("a", b"new"))

    assert not storage.exists("a")
    assert list(tmp_path.rglob("*.tmp")) == []


def test_a_writer_that_dies_half_way_leaves_the_old_content(
    storage: Storage, tmp_path: Path
) -> None:
    storage.write_atomic("a", b"old")

    with pytest.raises(KeyboardInterrupt):
        storage.write_atomic("a", chunks_then_crash(b"ne"))

    assert storage.read_bytes("a") == b"old"
    assert list(tmp_path.rglob("*.tmp")) == []


def test_appended_lines_follow_each_other(storage: Storage) -> None:
    storage.append("f/events.jsonl", b"one\n")
    storage.append("f/events.jsonl", b"two\nthree\n")

    assert storage.read_bytes("f/events.jsonl") == b"one\ntwo\nthree\n"


@pytest.mark.parametrize(
    ("left", "kept"),
    [
        pytest.param(b"one\ntw", b"one\n", id="torn"),
        pytest.param(b"on", b"", id="nothing but a torn line"),
        pytest.param(b"one\n" + b"t" * 3_000_000, b"one\n", id="torn far back"),
        pytest.param(b"one\n\n", b"one\n\n", id="whole"),
    ],
)
def test_a_torn_last_line_is_cut_before_the_next_one(
    backend: Backend, storage: Storage, left: bytes, kept: bytes
) -> None:
    backend.put_plainly("events.jsonl", left)
    assert storage.read_bytes("events.jsonl") == left

    storage.append("events.jsonl", b"new\n")

    assert storage.read_bytes("events.jsonl") == kept + b"new\n"


@pytest.mark.parametrize("data", [b"", b"half a line", b"one\ntw"])
def test_what_would_be_cut_later_is_not_appended(storage: Storage, data: bytes) -> None:
    with pytest.raises(ValueError, match="only whole lines"):
        storage.append("events.jsonl", data)

    assert not storage.exists("events.jsonl")


def test_four_processes_that_append_under_a_lock_lose_nothing(backend: Backend) -> None:
    count = 10 if backend.is_s3 else 50
    writers = [(backend, "events.jsonl", f"writer {i}", count) for i in range(4)]
    race(append_lines_under_lock, writers)

    lines = backend.open().read_bytes("events.jsonl").decode().splitlines()

    assert sorted(lines) == sorted(f"writer {i} line {n}" for i in range(4) for n in range(count))


def test_a_writer_killed_at_any_moment_leaves_whole_lines_and_the_next_goes_on(
    backend: Backend,
) -> None:
    storage = backend.open()
    line = b"x" * 200_000 + b"\n"
    for _ in range(3):
        writer = start(append_for_ever, (backend, "events.jsonl", line))
        size = storage.size("events.jsonl") if storage.exists("events.jsonl") else 0
        while not storage.exists("events.jsonl") or storage.size("events.jsonl") < size + 20 * len(
            line
        ):
            time.sleep(0.001)
        writer.kill()
        writer.join()

    storage.append("events.jsonl", b"last\n")
    lines = storage.read_bytes("events.jsonl").splitlines(keepends=True)

    assert len(lines) > 60
    assert set(lines[:-1]) == {line}
    assert lines[-1] == b"last\n"


def test_a_file_from_outside_is_staged_with_its_hash(storage: Storage, tmp_path: Path) -> None:
    outside = tmp_path / "video.mp4"
    outside.write_bytes(b"new")

    staged = storage.stage_file("videos/x/episode.mp4", outside)
    storage.commit(staged)

    assert storage.read_bytes("videos/x/episode.mp4") == b"new"
    assert staged.sha256 == storage.stage("other", b"new").sha256


def test_only_the_first_creates(storage: Storage) -> None:
    assert storage.create_exclusive("f/a", b"first")
    assert not storage.create_exclusive("f/a", b"second")
    assert storage.read_bytes("f/a") == b"first"


def test_of_eight_processes_one_creates(backend: Backend) -> None:
    won = race(create_once, [(backend, "f/a", bytes([i]) * 1000) for i in range(8)])

    assert won.count(True) == 1
    assert backend.open().read_bytes("f/a") == bytes([won.index(True)]) * 1000


def test_a_lock_holds_against_other_processes(backend: Backend) -> None:
    race(add_to_counter, [(backend, "counter", 10) for _ in range(4)])

    assert backend.open().read_bytes("counter") == b"40"


def test_a_lock_is_reentrant_in_a_thread_and_holds_against_others(storage: Storage) -> None:
    outcome: list[object] = []

    def other_thread() -> None:
        try:
            with storage.lock("a"):
                outcome.append("got in")
        except StorageError as error:
            outcome.append(error.reason)

    with storage.lock("a"), storage.lock("a"):
        thread = threading.Thread(target=other_thread)
        thread.start()
        thread.join()
    with storage.lock("a"):
        outcome.append("free again")

    assert outcome == ["is held by somebody else for over 0.2 s", "free again"]


def test_a_linked_key_has_the_content_and_keeps_it(storage: Storage) -> None:
    storage.write_atomic("a", b"one")
    storage.write_atomic("f/b", b"old")

    storage.link_or_copy("a", "f/b")
    storage.write_atomic("a", b"two")

    assert storage.read_bytes("f/b") == b"one"


def test_linking_twice_leaves_no_second_name(storage: Storage, tmp_path: Path) -> None:
    storage.write_atomic("a", b"one")

    storage.link_or_copy("a", "b")
    storage.link_or_copy("a", "b")
    storage.link_or_copy("a", "a")

    assert storage.read_bytes("b") == b"one"
    assert list(tmp_path.rglob("*.tmp")) == []


def test_too_little_space_is_told_before_the_start(storage: Storage) -> None:
    storage.check_free_space(1)
    with pytest.raises(DiskSpaceError, match=r"1,000,000,000,000,000,000 bytes needed, but only"):
        storage.check_free_space(10**18)


def test_an_unfinished_file_of_a_living_process_is_not_swept(storage: Storage) -> None:
    staged = storage.stage("f/a", b"x")

    assert storage.sweep_abandoned("f") == 0
    storage.commit(staged)
    assert storage.sweep_abandoned("nothing") == 0
