"""What every storage backend must hold; a backend joins by adding itself to `BACKENDS`."""

from __future__ import annotations

import errno
import os
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from screenalytics_core.errors import (
    DiskSpaceError,
    InvalidIdError,
    KeyMissingError,
    ScreenalyticsError,
    StorageError,
)
from screenalytics_core.storage.base import Storage
from screenalytics_core.storage.local import LocalStorage
from tests.ledger_writers import (
    append_for_ever,
    append_into_too_little_space,
    append_lines_under_lock,
    start,
)
from tests.stores import add_to_counter, chunks_then_crash, create_once, race

BACKENDS: dict[str, Callable[[Path], Storage]] = {
    "local": lambda folder: LocalStorage(folder / "data", lock_timeout_s=0.2),
}


@pytest.fixture(params=sorted(BACKENDS))
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return BACKENDS[request.param](tmp_path)


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
        lambda k: storage.append(k, b"line\n"),
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
    storage.append("f/log", b"one\n")
    storage.append("f/log", b"two\nthree\n")

    assert storage.read_bytes("f/log") == b"one\ntwo\nthree\n"


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
    storage: Storage, left: bytes, kept: bytes
) -> None:
    storage.write_atomic("log", left)

    storage.append("log", b"new\n")

    assert storage.read_bytes("log") == kept + b"new\n"


@pytest.mark.parametrize("data", [b"", b"half a line", b"one\ntw"])
def test_what_would_be_cut_later_is_not_appended(storage: Storage, data: bytes) -> None:
    with pytest.raises(ValueError, match="only whole lines"):
        storage.append("log", data)

    assert not storage.exists("log")


def test_four_processes_that_append_under_a_lock_lose_nothing(tmp_path: Path) -> None:
    root = tmp_path / "data"
    race(append_lines_under_lock, [(root, "log", f"writer {i}", 50) for i in range(4)])

    lines = LocalStorage(root).read_bytes("log").decode().splitlines()

    assert sorted(lines) == sorted(f"writer {i} line {n}" for i in range(4) for n in range(50))


def test_a_writer_killed_at_any_moment_leaves_whole_lines_and_the_next_goes_on(
    tmp_path: Path,
) -> None:
    root = tmp_path / "data"
    storage = LocalStorage(root)
    line = b"x" * 200_000 + b"\n"
    for _ in range(3):
        writer = start(append_for_ever, (root, "log", line))
        size = storage.size("log") if storage.exists("log") else 0
        while not storage.exists("log") or storage.size("log") < size + 20 * len(line):
            time.sleep(0.001)
        writer.kill()
        writer.join()

    storage.append("log", b"last\n")
    lines = storage.read_bytes("log").splitlines(keepends=True)

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


def test_of_eight_processes_one_creates(tmp_path: Path) -> None:
    root = tmp_path / "data"
    won = race(create_once, [(root, "f/a", bytes([i]) * 1000) for i in range(8)])

    assert won.count(True) == 1
    assert LocalStorage(root).read_bytes("f/a") == bytes([won.index(True)]) * 1000


def test_a_lock_holds_against_other_processes(tmp_path: Path) -> None:
    root = tmp_path / "data"
    race(add_to_counter, [(root, "counter", 10) for _ in range(4)])

    assert LocalStorage(root).read_bytes("counter") == b"40"


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


# --- the local file system alone -----------------------------------------------------------


@pytest.fixture
def local(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "data", lock_timeout_s=0.2)


def failing(number: int) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_a_link_shares_the_file(local: LocalStorage) -> None:
    local.write_atomic("a", b"one")
    local.link_or_copy("a", "b")

    assert local.local_path("a").samefile(local.local_path("b"))


def test_a_crash_before_the_rename_leaves_the_old_content(
    local: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.write_atomic("a", b"old")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", failing(errno.EIO))
        with pytest.raises(StorageError):
            local.write_atomic("a", b"new")

    assert local.read_bytes("a") == b"old"


def test_bytes_and_folder_are_synced_before_and_after_the_rename(
    local: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noting_fsync(descriptor: int) -> None:
        order.append("fsync")
        fsync(descriptor)

    def noting_replace(self: Path, target: Path) -> Path:
        order.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(Path, "replace", noting_replace)
    local.write_atomic("a", b"new")

    assert order == ["fsync", "rename", "fsync"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_names_the_path_and_the_bytes_and_loses_nothing(
    local: LocalStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    local.write_atomic("f/a", b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing(number))
        with pytest.raises(DiskSpaceError, match="5 bytes needed, but the disk is full") as raised:
            local.write_atomic("f/a", b"newer")

    assert str(tmp_path / "data/f") in raised.value.path
    assert raised.value.needed_bytes == 5
    assert local.read_bytes("f/a") == b"old"
    assert list(tmp_path.rglob("*.tmp")) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_adds_nothing_to_a_log(
    local: LocalStorage, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    local.append("f/log", b"one\n")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing(number))
        with pytest.raises(DiskSpaceError, match="8 bytes needed, but the disk is full"):
            local.append("f/log", b"two\nTWO\n")

    assert local.read_bytes("f/log") == b"one\n"
    local.append("f/log", b"three\n")
    assert local.read_bytes("f/log") == b"one\nthree\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_is_really_full_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "log").symlink_to("/dev/full")

    with pytest.raises(DiskSpaceError, match="the disk is full"):
        LocalStorage(tmp_path).append("log", b"one\n")


def test_what_was_written_before_the_space_ended_is_taken_back(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    storage.append("log", b"one\n")
    lines = b"two\n" * 1000

    (error,) = race(append_into_too_little_space, [(tmp_path, "log", lines, 2002)])

    assert error == "StorageError"
    assert storage.read_bytes("log") == b"one\n"


def test_a_log_is_synced_with_its_folder_when_it_is_new(
    local: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bool] = []
    fsync = os.fsync

    def noting_fsync(descriptor: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    local.append("log", b"one\n")
    local.append("log", b"two\n")

    assert synced == [False, True, False]


def test_without_hard_links_files_are_copied_and_created_once(
    local: LocalStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", failing(errno.EPERM))
    outside = tmp_path / "outside"
    outside.write_bytes(b"video")

    assert local.create_exclusive("a", b"one")
    assert not local.create_exclusive("a", b"two")
    local.link_or_copy("a", "b")
    local.commit(local.stage_file("c", outside))

    assert not local.local_path("a").samefile(local.local_path("b"))
    assert [local.read_bytes(key) for key in "abc"] == [b"one", b"one", b"video"]
    assert list(tmp_path.rglob("*.tmp")) == []


def test_the_loser_without_hard_links_sees_that_it_lost(
    local: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link_after_the_winner(src: Path, dst: Path) -> None:
        dst.write_bytes(b"winner")
        raise OSError(errno.EPERM, "no links")

    monkeypatch.setattr(os, "link", link_after_the_winner)

    assert not local.create_exclusive("a", b"loser")
    assert local.read_bytes("a") == b"winner"


def test_the_loser_of_a_race_to_link_sees_that_it_lost(
    local: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def link_after_the_winner(src: Path, dst: Path) -> None:
        dst.write_bytes(b"winner")
        link(src, dst)

    monkeypatch.setattr(os, "link", link_after_the_winner)

    assert not local.create_exclusive("a", b"loser")
    assert local.read_bytes("a") == b"winner"


def test_another_error_of_the_system_is_told_in_our_words(
    local: LocalStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", failing(errno.EIO))
    with pytest.raises(StorageError, match=os.strerror(errno.EIO)):
        local.create_exclusive("a", b"")

    (tmp_path / "data" / "file").write_bytes(b"")
    with pytest.raises(ScreenalyticsError):
        local.write_atomic("file/below", b"")


def test_unfinished_files_of_dead_processes_are_swept(local: LocalStorage, tmp_path: Path) -> None:
    staged = local.stage("f/deep/a", b"x")
    own = staged.temp_path.name.split("-")
    dead = staged.temp_path.with_name("-".join([own[0], "999999999", own[2]]))
    staged.temp_path.rename(dead)
    foreign = dead.with_name(".a.00000000-1-00000000.tmp")
    foreign.write_bytes(b"")
    old = dead.with_name(".b.00000000-1-00000000.tmp")
    old.write_bytes(b"")
    os.utime(old, (0, 0))
    unknown = dead.with_name(".by-somebody-else.tmp")
    unknown.write_bytes(b"")

    assert local.sweep_abandoned("f") == 2
    assert sorted(p.name for p in tmp_path.rglob("*.tmp")) == sorted([foreign.name, unknown.name])
