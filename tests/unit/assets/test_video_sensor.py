"""The sensor over real files: what is copied into place becomes an episode."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from screenalytics_assets.instance import open_instance
from screenalytics_assets.settings import Settings
from screenalytics_assets.video_sensor import Found, build_video_sensor, look
from screenalytics_assets.video_watch import GRACE_NS, Memory
from screenalytics_core import layout
from screenalytics_core.episode_registry import (
    list_episodes,
    recorded_video,
    register_video,
    set_trims,
)
from screenalytics_core.errors import StorageError
from screenalytics_core.file_hashes import sha256_file
from screenalytics_core.storage.local import LocalStorage
from screenalytics_core.vision.decode import probe_video
from tests.videos import cut_file, make_not_a_video, make_video, numbered

EP, OTHER = "a-s01e01", "a-s01e02"
NOTHING = Memory()


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "data")


def copy_in(storage: LocalStorage, ep_id: str, frames: int = 8) -> Path:
    path = storage.root / "videos" / ep_id / "episode.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    return make_video(path, numbered(frames))


def video_path(storage: LocalStorage) -> Path:
    return storage.local_path(layout.video_key(EP))


def later(storage: LocalStorage, memory: Memory = NOTHING, **given: Any) -> Found:
    """Look when everything that lies there has been left alone for long."""
    now_ns = time.time_ns() + GRACE_NS + 10**9
    given = {"partitions": (), "probe": probe_video, **given}
    return look(storage, memory=memory, now_ns=now_ns, **given)


def test_a_copied_file_is_registered_when_it_is_whole(storage: LocalStorage) -> None:
    path = copy_in(storage, EP)
    writing = look(storage, (), Memory(), probe=probe_video, now_ns=time.time_ns())
    assert (writing.registered, list_episodes(storage)) == ({}, ())

    whole = look(storage, (), writing.memory, probe=probe_video, now_ns=time.time_ns())

    assert whole.registered == {EP: sha256_file(path)}
    assert whole.partitions == list_episodes(storage) == (EP,)
    assert later(storage, whole.memory, partitions=(EP,)).say() == "nothing new in videos/"


def test_a_file_in_place_is_not_written_again(storage: LocalStorage) -> None:
    path = copy_in(storage, EP)
    before = path.stat().st_ino, path.stat().st_ctime_ns

    later(storage)

    assert (path.stat().st_ino, path.stat().st_ctime_ns) == before


def test_an_unreadable_file_is_told_once_and_stops_no_other(storage: LocalStorage) -> None:
    make_not_a_video(copy_in(storage, EP))
    copy_in(storage, OTHER)

    first = later(storage)
    second = later(storage, first.memory, partitions=(OTHER,))

    assert list(first.registered) == [OTHER]
    assert [p.split(":")[0] for p in first.problems] == [EP]
    assert (second.problems, second.registered) == ([], {})
    copy_in(storage, EP)
    assert list(later(storage, second.memory, partitions=(OTHER,)).registered) == [EP]


def test_what_another_try_may_help_is_tried_again(storage: LocalStorage) -> None:
    copy_in(storage, EP)

    def no_disk(_: Path) -> Any:
        raise StorageError(thing="disk", reason="is away")

    failed = later(storage, probe=no_disk)

    assert "is away" in failed.say()
    assert list(later(storage, failed.memory).registered) == [EP]


def test_a_replaced_file_is_observed_once_and_stays_registered_as_it_was(
    storage: LocalStorage,
) -> None:
    registered = register_video(storage, EP, copy_in(storage, OTHER), probe=probe_video)
    shutil.rmtree(storage.root / "videos" / OTHER)
    settled = later(storage, partitions=(EP,)).memory
    path = video_path(storage)
    path.unlink()
    copy_in(storage, EP, frames=11)

    found = later(storage, settled, partitions=(EP,))

    assert found.replaced == {EP: sha256_file(path)}
    assert "--replace-video" in found.problems[0]
    assert recorded_video(storage, EP) == registered
    assert later(storage, found.memory, partitions=(EP,)).say() == "nothing new in videos/"


def test_trims_hide_no_replaced_file(storage: LocalStorage) -> None:
    register_video(storage, EP, copy_in(storage, EP), probe=probe_video)
    path = video_path(storage)
    path.unlink()
    copy_in(storage, EP, frames=11)

    set_trims(storage, EP, recap=(0, 0.1))

    assert list(later(storage).replaced) == [EP]


def test_a_file_whose_other_link_is_removed_is_read_once_and_is_the_same(
    storage: LocalStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_video(tmp_path / "S01E01.mp4", numbered(8))
    os.utime(source, (1e9, 1e9))
    register_video(storage, EP, source, probe=probe_video)
    source.unlink()

    assert later(storage, partitions=(EP,)).say() == "nothing new in videos/"
    monkeypatch.setattr("screenalytics_core.episode_state.video_sha256", None)
    assert later(storage, partitions=(EP,)).say() == "nothing new in videos/"


def test_a_removed_video_is_told_once_and_its_partition_kept(storage: LocalStorage) -> None:
    register_video(storage, EP, copy_in(storage, EP), probe=probe_video)
    video_path(storage).unlink()

    first = later(storage, partitions=(EP, OTHER))

    assert first.say() == f"partitions without their video, kept with their runs: {EP}, {OTHER}"
    assert later(storage, first.memory, partitions=(EP, OTHER)).problems == []


def test_without_time_each_tick_gets_one_further(storage: LocalStorage) -> None:
    for n in range(1, 4):
        copy_in(storage, f"a-s01e{n:02d}")
    memory, counts = Memory(), []
    for _ in range(4):
        found = later(storage, memory, budget_s=0, partitions=list_episodes(storage))
        memory = found.memory
        counts.append(len(found.registered))

    assert counts == [1, 1, 1, 0]


def test_a_file_that_is_cut_short_is_told_and_taken_when_it_is_whole(
    storage: LocalStorage, tmp_path: Path
) -> None:
    path = copy_in(storage, EP)
    whole = path.read_bytes()
    cut_file(path, 0.5)

    first = later(storage)
    assert (first.registered, len(first.problems)) == ({}, 1)
    path.write_bytes(whole)
    assert list(later(storage, first.memory).registered) == [EP]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with open_instance(tmp_path / "home") as opened:
        yield opened


def test_the_sensor_adds_partitions_and_says_which_video_they_have(
    storage: LocalStorage, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    path = copy_in(storage, EP)
    os.utime(path, (1e9, 1e9))
    settings = Settings.from_env({"HOME": str(tmp_path)}, data_root=storage.root)

    def evaluate(cursor: str | None) -> dg.SensorResult:
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        result = build_video_sensor(settings)(context)
        assert isinstance(result, dg.SensorResult)
        return result

    first = evaluate(None)
    second = evaluate(first.cursor)

    assert instance.get_dynamic_partitions("ep_id") == [EP]
    (event,) = first.asset_events
    assert event.partition == EP
    assert event.tags["dagster/data_version"] == sha256_file(path)
    assert (list(second.asset_events), second.cursor) == ([], first.cursor)
