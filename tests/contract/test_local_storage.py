"""What holds on a local disk beyond the contract: links, syncs, full disks, temporary files."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from screenalytics_core.errors import (
    DiskSpaceError,
    ScreenalyticsError,
    StorageError,
)
from screenalytics_core.storage.local import LocalStorage
from tests.ledger_writers import append_into_too_little_space
from tests.stores import race


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
    dead = staged.temp_path.with_name("-".join([own[0], "999999999", *own[2:]]))
    staged.temp_path.rename(dead)
    # Another process has got the pid of the one that made it.
    reused = local.stage("f/deep/c", b"x").temp_path
    space, pid, _, rest = reused.name.split("-")
    reused.rename(reused.with_name("-".join([space, pid, "1", rest])))
    kept = local.stage("f/deep/d", b"x").temp_path
    foreign = dead.with_name(".a.00000000-1-1-00000000.tmp")
    foreign.write_bytes(b"")
    old = dead.with_name(".b.00000000-1-1-00000000.tmp")
    old.write_bytes(b"")
    os.utime(old, (0, 0))
    unknown = dead.with_name(".by-somebody-else.tmp")
    unknown.write_bytes(b"")

    assert local.sweep_abandoned("f") == 3
    left = sorted(p.name for p in tmp_path.rglob("*.tmp"))
    assert left == sorted([foreign.name, unknown.name, kept.name])
