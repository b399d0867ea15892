"""The sensor over a bucket: what is uploaded into place becomes an episode, read once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from screenalytics_assets.stores import Stores
from screenalytics_assets.video_sensor import Found, look
from screenalytics_assets.video_watch import Memory
from screenalytics_core.episode_registry import (
    fetch_video,
    load_video,
    recorded_video,
    register_video,
    set_trims,
)
from screenalytics_core.errors import VideoChangedError, VideoError
from screenalytics_core.file_hashes import sha256_file
from screenalytics_core.storage.base import Storage
from screenalytics_core.vision.decode import probe_video
from tests.s3_roots import S3House, s3_house
from tests.videos import make_video, numbered

EP, OTHER = "a-s01e01", "a-s01e02"
KEY = f"shows/videos/{EP}/episode.mp4"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[S3House]:
    with s3_house(tmp_path) as house:
        yield house


@pytest.fixture
def storage(house: S3House) -> Storage:
    return Stores.open(house.settings().data_root).storage


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return make_video(tmp_path / "one.mp4", numbered(8))


@pytest.fixture
def another(tmp_path: Path) -> Path:
    return make_video(tmp_path / "other.mp4", numbered(9))


def tick(storage: Storage, memory: Memory | None = None, **given: Any) -> Found:
    given = {"partitions": (), "probe": probe_video, **given}
    return look(storage, memory=memory or Memory(), now_ns=time.time_ns(), **given)


def next_second(house: S3House) -> None:
    """Wait until whatever is written now has another time than all that was."""
    time.sleep(1.1)
    house.faults.asked.clear()


def gets(house: S3House) -> list[str]:
    return [asked for asked in house.faults.asked if asked == f"GET /{house.bucket}/{KEY}"]


def test_what_is_uploaded_into_place_is_registered_at_once(
    house: S3House, storage: Storage, video: Path
) -> None:
    house.put(KEY, video.read_bytes())

    found = tick(storage)

    assert found.registered == {EP: sha256_file(video)}
    assert found.partitions == (EP,)
    assert load_video(storage, EP).size_bytes == video.stat().st_size
    assert fetch_video(storage, EP).read_bytes() == video.read_bytes()
    assert len(gets(house)) == 1


def test_what_was_registered_costs_later_ticks_one_request(
    house: S3House, storage: Storage, video: Path
) -> None:
    house.put(KEY, video.read_bytes())
    memory = tick(storage).memory
    next_second(house)

    again = tick(storage, memory, partitions=(EP,))

    assert again.say() == "nothing new in videos/"
    assert len(house.faults.asked) == 1


def test_a_video_that_is_replaced_is_noticed_and_no_run_uses_it(
    house: S3House, storage: Storage, video: Path, another: Path
) -> None:
    registered = register_video(storage, EP, video, probe=probe_video)
    memory = tick(storage, partitions=(EP,)).memory
    next_second(house)
    house.put(KEY, another.read_bytes())

    found = tick(storage, memory, partitions=(EP,))

    assert found.replaced == {EP: sha256_file(another)}
    with pytest.raises(VideoChangedError, match="was replaced"):
        load_video(storage, EP)
    with pytest.raises(VideoChangedError):
        fetch_video(storage, EP, registered.sha256)


def test_trims_of_a_video_that_was_replaced_are_refused(
    house: S3House, storage: Storage, video: Path, another: Path
) -> None:
    register_video(storage, EP, video, probe=probe_video)
    house.put(KEY, another.read_bytes())

    with pytest.raises(VideoChangedError, match="was replaced"):
        set_trims(storage, EP, recap=(0, 0.1))
    known = recorded_video(storage, EP)
    assert known is not None
    assert known.trims["recap"] is None


def test_a_registered_video_is_not_sent_and_not_fetched_again(
    house: S3House, storage: Storage, video: Path
) -> None:
    first = register_video(storage, EP, video, probe=probe_video)
    house.faults.asked.clear()

    assert register_video(storage, EP, video, probe=probe_video) == first
    assert load_video(storage, EP) == first
    assert not [asked for asked in house.faults.asked if asked.endswith(KEY) and "GET" in asked]
    assert not [asked for asked in house.faults.asked if asked.endswith(KEY) and "PUT" in asked]


def test_what_one_machine_has_read_another_need_not(
    house: S3House, storage: Storage, video: Path
) -> None:
    register_video(storage, EP, video, probe=probe_video)
    other = Stores.open(house.settings("elsewhere").data_root).storage
    house.faults.asked.clear()

    assert load_video(other, EP).sha256 == sha256_file(video)
    assert gets(house) == []


def test_a_video_that_is_gone_is_named_by_its_place(
    house: S3House, storage: Storage, video: Path
) -> None:
    register_video(storage, EP, video, probe=probe_video)
    house.client.delete_object(Bucket=house.bucket, Key=KEY)

    with pytest.raises(VideoError, match=f"s3://{house.bucket}/{KEY}: does not exist"):
        load_video(storage, EP)
    assert tick(storage, partitions=(EP,)).problems == [
        f"partitions without their video, kept with their runs: {EP}"
    ]
