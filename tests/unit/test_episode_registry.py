"""An episode has one video; another one is noticed, and asked about."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from screenalytics_core import episode_registry, layout
from screenalytics_core.episode_registry import (
    list_episodes,
    load_video,
    register_video,
    set_trims,
)
from screenalytics_core.errors import (
    ArtifactCorruptError,
    DiskSpaceError,
    EpisodeVideoConflictError,
    InvalidIdError,
    SettingsError,
    VideoChangedError,
    VideoError,
)
from screenalytics_core.file_hashes import VideoHashCache, sha256_file
from screenalytics_core.storage.local import LocalStorage
from screenalytics_core.vision.video import VideoFacts

EP = "rhobh-s05e14"
FACTS = VideoFacts(1280, 720, Fraction(30000, 1001), 60, 2.0, "h264", "yuv420p", "mp4", True)


def probe(_: Path) -> VideoFacts:
    return FACTS


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "data")


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return put(tmp_path / "S05E14.mp4", b"first")


def video_path(storage: LocalStorage) -> Path:
    return storage.local_path(layout.video_key(EP))


def put(path: Path, content: bytes) -> Path:
    """Write a file that has not been touched for a day."""
    path.write_bytes(content)
    os.utime(path, (1e9, 1e9))
    return path


def test_a_registered_video_is_in_place_with_its_facts(storage: LocalStorage, video: Path) -> None:
    registered = register_video(storage, "RHOBH-S05E14", video, probe=probe)
    record = json.loads((storage.root / "videos" / EP / "video.json").read_text())

    assert video_path(storage).read_bytes() == b"first"
    assert record["sha256"] == sha256_file(video) == registered.sha256
    assert (record["ep_id"], record["source"], record["fps"]) == (EP, "S05E14.mp4", "30000/1001")
    assert (record["size_bytes"], record["duration_s"]) == (5, 2.0)
    assert record["trims"] == {"recap": None, "credits": None}
    assert load_video(storage, EP) == registered
    assert list_episodes(storage) == (EP,)


def test_the_file_is_linked_not_copied(storage: LocalStorage, video: Path) -> None:
    register_video(storage, EP, video, probe=probe)

    assert video_path(storage).samefile(video)


def test_the_target_of_a_symbolic_link_is_registered(
    storage: LocalStorage, video: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link.mp4"
    link.symlink_to(video)

    register_video(storage, EP, link, probe=probe)

    assert not video_path(storage).is_symlink()
    assert video_path(storage).read_bytes() == b"first"


def test_the_same_content_again_changes_nothing(
    storage: LocalStorage, video: Path, tmp_path: Path
) -> None:
    first = register_video(storage, EP, video, probe=probe)
    copy = put(tmp_path / "other-name.mp4", b"first")

    assert register_video(storage, EP, copy, probe=probe) == first
    assert register_video(storage, EP, copy, probe=probe, replace=True) == first
    assert register_video(storage, EP, video_path(storage), probe=probe) == first


def test_another_content_is_refused_unless_it_may_replace(
    storage: LocalStorage, video: Path, tmp_path: Path
) -> None:
    register_video(storage, EP, video, probe=probe)
    other = put(tmp_path / "other.mp4", b"second")

    with pytest.raises(EpisodeVideoConflictError, match="episode rhobh-s05e14 has another video"):
        register_video(storage, EP, other, probe=probe)
    assert video_path(storage).read_bytes() == b"first"

    replaced = register_video(storage, EP, other, probe=probe, replace=True)
    assert load_video(storage, EP) == replaced
    assert video_path(storage).read_bytes() == b"second"
    assert video.read_bytes() == b"first"


def test_a_video_that_does_not_open_is_not_registered(storage: LocalStorage, video: Path) -> None:
    def refuse(path: Path) -> VideoFacts:
        raise VideoError(thing=str(path), reason="has no picture")

    with pytest.raises(VideoError, match="has no picture"):
        register_video(storage, EP, video, probe=refuse)

    assert list_episodes(storage) == ()


def test_an_unsafe_id_is_refused_before_anything_is_read(storage: LocalStorage) -> None:
    with pytest.raises(InvalidIdError):
        register_video(storage, "../x", Path("nowhere"), probe=probe)


def test_a_missing_file_is_named(storage: LocalStorage, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"nowhere\.mp4: No such file"):
        register_video(storage, EP, tmp_path / "nowhere.mp4", probe=probe)


def test_an_episode_without_a_video_says_how_to_add_one(storage: LocalStorage) -> None:
    with pytest.raises(VideoError, match="screenalytics episodes add VIDEO --ep-id rhobh-s05e14"):
        load_video(storage, EP)


def test_a_replaced_file_is_noticed(storage: LocalStorage, video: Path) -> None:
    registered = register_video(storage, EP, video, probe=probe)
    load_video(storage, EP)
    video_path(storage).unlink()
    put(video_path(storage), b"other")

    # Same size and same time, but another file: only its content tells.
    os.utime(video_path(storage), (1e9 + 1, 1e9 + 1))
    with pytest.raises(VideoChangedError) as raised:
        load_video(storage, EP)
    assert raised.value.expected_sha256 == registered.sha256

    again = register_video(storage, EP, video, probe=probe)
    assert load_video(storage, EP) == again == registered


def test_a_file_that_is_gone_is_named_and_can_be_put_back(
    storage: LocalStorage, video: Path
) -> None:
    registered = register_video(storage, EP, video, probe=probe)
    video_path(storage).unlink()

    with pytest.raises(VideoError, match=r"episode\.mp4: does not exist"):
        load_video(storage, EP)
    assert register_video(storage, EP, video, probe=probe) == registered
    assert load_video(storage, EP) == registered


def test_a_video_that_changes_while_it_is_registered_is_refused(
    storage: LocalStorage, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        episode_registry.VideoHashCache, "sha256", lambda *_: "0" * 64, raising=True
    )

    with pytest.raises(VideoChangedError, match="changed while it was registered"):
        register_video(storage, EP, video, probe=probe)
    assert not video_path(storage).exists()
    assert list(storage.root.rglob("*.tmp")) == []


def test_a_full_disk_leaves_the_old_video(
    storage: LocalStorage, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered = register_video(storage, EP, video, probe=probe)
    other = put(tmp_path / "other.mp4", b"second")

    def no_links(*_: object) -> None:
        raise OSError(errno.EXDEV, "another device")

    def tiny(*_: object) -> object:
        return type("Usage", (), {"free": 3})()

    monkeypatch.setattr(os, "link", no_links)
    monkeypatch.setattr("shutil.disk_usage", tiny)
    with pytest.raises(DiskSpaceError, match="6 bytes needed, but only 3 bytes are free"):
        register_video(storage, EP, other, probe=probe, replace=True)

    assert load_video(storage, EP) == registered


def test_only_registered_episodes_are_listed(storage: LocalStorage, video: Path) -> None:
    for ep_id in ("b-s01e02", "b-s01e01"):
        register_video(storage, ep_id, video, probe=probe)
    (storage.root / "videos" / "dropped-in").mkdir()

    assert list_episodes(storage) == ("b-s01e01", "b-s01e02")


# --- trims ---------------------------------------------------------------------------------


def test_trims_are_set_one_by_one_and_cleared(storage: LocalStorage, video: Path) -> None:
    register_video(storage, EP, video, probe=probe)

    assert set_trims(storage, EP, recap=(0, 95.5)).trims == {"recap": [0, 95.5], "credits": None}
    both = set_trims(storage, "RHOBH-S05E14", credits=(2470.0, 2580.0))
    assert both.trims == {"recap": [0, 95.5], "credits": [2470, 2580]}
    assert load_video(storage, EP) == both

    assert set_trims(storage, EP, recap=(5, 9), clear=True).trims == {
        "recap": [5, 9], "credits": None,
    }  # fmt: skip
    assert set_trims(storage, EP, clear=True) == register_video(storage, EP, video, probe=probe)
    assert load_video(storage, EP).trims == {"recap": None, "credits": None}


def test_a_trim_that_does_not_end_after_its_start_is_refused(
    storage: LocalStorage, video: Path
) -> None:
    before = set_trims_of(storage, video, recap=(0, 5))

    with pytest.raises(SettingsError, match="credits must end after its start: 9 to 9 s"):
        set_trims(storage, EP, credits=(9, 9))
    assert load_video(storage, EP) == before


def set_trims_of(storage: LocalStorage, video: Path, **trims: tuple[float, float]) -> object:
    register_video(storage, EP, video, probe=probe)
    return set_trims(storage, EP, **trims)  # type: ignore[arg-type]


def test_only_a_registered_episode_has_trims(storage: LocalStorage) -> None:
    with pytest.raises(VideoError, match="has no registered video"):
        set_trims(storage, EP, recap=(0, 5))
    assert list_episodes(storage) == ()


def test_trims_go_with_the_content_they_were_set_for(
    storage: LocalStorage, video: Path, tmp_path: Path
) -> None:
    trimmed = set_trims_of(storage, video, recap=(0, 5))
    video_path(storage).unlink()

    assert register_video(storage, EP, video, probe=probe) == trimmed
    other = put(tmp_path / "other.mp4", b"second")
    replaced = register_video(storage, EP, other, probe=probe, replace=True)
    assert replaced.trims == {"recap": None, "credits": None}


@pytest.mark.parametrize(
    ("trims", "reason"),
    [
        pytest.param({"intro": [0, 5]}, "no trim is called intro", id="unknown name"),
        pytest.param({"recap": [5, 5]}, "recap must end after its start", id="no length"),
        pytest.param({"recap": [True, 5]}, r"recap is \[start_s, end_s\]", id="truth value"),
        pytest.param({"recap": ["0:00", "1:35"]}, r"recap is \[start_s, end_s\]", id="text"),
        pytest.param({"recap": [0, 5, 9]}, r"recap is \[start_s, end_s\]", id="three"),
        pytest.param({"recap": [0, float("nan")]}, "recap must end after", id="no number"),
        pytest.param([0, 5], "trims are a mapping", id="no mapping"),
    ],
)
def test_a_damaged_trim_is_named(
    storage: LocalStorage, video: Path, trims: object, reason: str
) -> None:
    register_video(storage, EP, video, probe=probe)
    facts = storage.root / "videos" / EP / "video.json"
    facts.write_text(json.dumps({**json.loads(facts.read_text()), "trims": trims}))

    with pytest.raises(ArtifactCorruptError, match=reason):
        load_video(storage, EP)


# --- the hash cache ------------------------------------------------------------------------


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files whose content was really hashed."""
    seen: list[Path] = []

    def noting(path: Path) -> str:
        seen.append(path)
        return sha256_file(path)

    monkeypatch.setattr("screenalytics_core.file_hashes.sha256_file", noting)
    return seen


@pytest.mark.parametrize(
    ("change", "count"),
    [
        pytest.param(lambda p: None, 1, id="nothing"),
        pytest.param(lambda p: put(p, b"longer"), 2, id="its size"),
        pytest.param(lambda p: os.utime(p, (1e9, 1e9 + 1)), 2, id="its time"),
    ],
)
def test_a_file_is_hashed_again_when_it_changed(
    storage: LocalStorage,
    video: Path,
    reads: list[Path],
    change: Callable[[Path], object],
    count: int,
) -> None:
    cache = VideoHashCache(storage)
    cache.sha256(video)
    change(video)

    assert cache.sha256(video) == sha256_file(video)
    assert len(reads) == count


def test_a_file_that_was_just_written_is_not_trusted(
    storage: LocalStorage, video: Path, reads: list[Path]
) -> None:
    video.write_bytes(b"fresh")
    stamp = video.stat()
    cache = VideoHashCache(storage)
    first = cache.sha256(video)
    video.write_bytes(b"hserf")
    os.utime(video, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))

    assert cache.sha256(video) != first
    assert len(reads) == 2


def test_an_unreadable_cache_is_hashed_anew(
    storage: LocalStorage, video: Path, reads: list[Path]
) -> None:
    cache = VideoHashCache(storage)
    expected = cache.sha256(video)
    (cached,) = (storage.root / "videos" / "_hashes").iterdir()
    cached.write_bytes(b"{")

    assert cache.sha256(video) == expected
    assert len(reads) == 2


def test_a_file_that_changes_while_it_is_hashed_is_refused(
    storage: LocalStorage, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def growing(path: Path) -> str:
        path.write_bytes(path.read_bytes() + b"more")
        return "0" * 64

    monkeypatch.setattr("screenalytics_core.file_hashes.sha256_file", growing)
    with pytest.raises(VideoChangedError, match="changed while it was read"):
        VideoHashCache(storage).sha256(video)


def test_a_video_whose_name_is_no_unicode_is_registered(
    storage: LocalStorage, tmp_path: Path
) -> None:
    try:
        video = put(tmp_path / os.fsdecode(b"\xff.mp4"), b"pictures")
    except OSError:
        pytest.skip("this file system knows no such name")

    facts = register_video(storage, EP, video, probe=probe)

    assert facts.source == "�.mp4"
    assert load_video(storage, EP) == facts
