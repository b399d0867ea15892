"""A folder of videos: what would happen to each file, and that one bad file stops no other."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from screenalytics_assets.instance import open_instance
from screenalytics_core.episode_registry import list_episodes, recorded_video
from screenalytics_core.storage.local import LocalStorage
from tests.command_line import in_this_process
from tests.videos import make_not_a_video, make_video, numbered


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good videos, one that is none, two for one episode, and what is no episode."""
    folder = tmp_path / "rhobh"
    (folder / "Season 5").mkdir(parents=True)
    make_video(folder / "Season 5" / "Show.S05E10.mp4", numbered(9))
    make_video(folder / "Season 5" / "Episode 2.mp4", numbered(8))
    make_not_a_video(folder / "S05E03.mp4")
    make_video(folder / "S05E04.mp4", numbered(7))
    make_video(folder / "Show 5x04 again.mkv", numbered(6))
    make_video(folder / "trailer.mp4", numbered(5))
    (folder / "link S05E05.mp4").symlink_to(folder / "S05E04.mp4")
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "S05E06.mp4").write_bytes(b"x")
    (folder / ".S05E07.mp4").write_bytes(b"x")
    (folder / "S05E02.srt").write_text("words")
    return folder


def add(folder: Path, root: Path, *options: str) -> tuple[int, dict[str, str], dict[str, int]]:
    done = in_this_process(
        "episodes", "add", folder, "--show", "RHOBH", "--json", *options, data_root=root
    )
    said = json.loads(done.stdout)
    return done.returncode, {f["file"]: f["action"] for f in said["files"]}, said["skipped"]


EXPECTED = {
    "S05E03.mp4": "unreadable",
    "S05E04.mp4": "conflict",
    "Season 5/Episode 2.mp4": "new",
    "Season 5/Show.S05E10.mp4": "new",
    "Show 5x04 again.mkv": "conflict",
    "trailer.mp4": "not recognised",
}


def test_a_dry_run_says_what_would_happen_and_changes_nothing(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "data"

    status, actions, skipped = add(folder, root, "--dry-run")

    assert (status, actions) == (0, EXPECTED)
    assert skipped == {"hidden": 2, "no video file": 1, "symbolic link": 1}
    assert not root.exists()


def test_one_bad_file_stops_no_other(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "data"

    assert add(folder, root)[:2] == (1, EXPECTED)

    assert list_episodes(LocalStorage(root)) == ("rhobh-s05e02", "rhobh-s05e10")
    with open_instance(root / ".dagster") as instance:
        assert set(instance.get_dynamic_partitions("ep_id")) == {"rhobh-s05e02", "rhobh-s05e10"}


def test_adding_a_folder_again_changes_nothing_and_adds_what_is_new(
    folder: Path, tmp_path: Path
) -> None:
    root = tmp_path / "data"
    add(folder, root)
    (folder / "S05E03.mp4").unlink()
    (folder / "Show 5x04 again.mkv").unlink()
    before = (root / "videos" / "rhobh-s05e02" / "video.json").stat().st_mtime_ns

    status, actions, _ = add(folder, root)

    assert status == 0
    assert actions == {
        "S05E04.mp4": "new",
        "Season 5/Episode 2.mp4": "same",
        "Season 5/Show.S05E10.mp4": "same",
        "trailer.mp4": "not recognised",
    }
    assert (root / "videos" / "rhobh-s05e02" / "video.json").stat().st_mtime_ns == before


def test_another_video_is_refused_unless_it_may_replace(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "data"
    add(folder, root)
    (folder / "Season 5" / "Episode 2.mp4").unlink()
    make_video(folder / "Season 5" / "Episode 2.mp4", numbered(12))

    refused = add(folder / "Season 5" / "..", root)[1]
    replaced = add(folder, root, "--replace-video")[1]
    again = add(folder, root)[1]

    actions = [said["Season 5/Episode 2.mp4"] for said in (refused, replaced, again)]
    assert actions == ["other video", "replaces", "same"]


def test_a_partition_that_a_new_home_does_not_know_is_made_again(
    folder: Path, tmp_path: Path
) -> None:
    root = tmp_path / "data"
    add(folder, root)
    (root / ".dagster").rename(tmp_path / "old home")

    assert add(folder, root)[1]["Season 5/Episode 2.mp4"] == "same"

    with open_instance(root / ".dagster") as instance:
        assert instance.has_dynamic_partition("ep_id", "rhobh-s05e02")


def test_a_single_file_tells_its_episode_by_its_name(folder: Path, tmp_path: Path) -> None:
    video = folder / "Season 5" / "Show.S05E10.mp4"

    assert add(video, tmp_path / "data")[:2] == (0, {"Show.S05E10.mp4": "new"})
    assert recorded_video(LocalStorage(tmp_path / "data"), "rhobh-s05e10") is not None


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        pytest.param((), 1, "no name was recognised", id="no show"),
        pytest.param(("--ep-id", "a-s01e01"), 2, "is a folder", id="one id, many files"),
        pytest.param(("--ep-id", "a-s01e01", "--show", "a"), 2, "Give either", id="both"),
        pytest.param(
            ("--show", "a", "--pattern", "x"), 2, "does not know the season", id="pattern"
        ),
        pytest.param(("--show", "a", "--season", "7"), 1, "no name was recognised", id="none"),
    ],
)
def test_what_cannot_be_done_is_said_before_any_file_is_registered(
    folder: Path, tmp_path: Path, options: tuple[str, ...], status: int, said: str
) -> None:
    for path in folder.glob("Season 5/Episode*"):
        path.unlink()
    root = tmp_path / "data"
    done = in_this_process("episodes", "add", folder, *options, data_root=root)

    assert done.returncode == status
    assert said in done.stderr
    assert list_episodes(LocalStorage(root)) == ()


def test_a_missing_folder_and_an_empty_one_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    arguments = ("--show", "a", "--dry-run")
    missing = in_this_process("episodes", "add", tmp_path / "no", *arguments, data_root=tmp_path)
    empty = in_this_process("episodes", "add", tmp_path / "empty", *arguments, data_root=tmp_path)

    assert (missing.returncode, empty.returncode) == (1, 1)
    assert "no: does not exist" in missing.stderr
    assert "no video file" in empty.stderr


def test_the_table_names_file_episode_and_action(folder: Path, tmp_path: Path) -> None:
    done = in_this_process(
        "episodes", "add", folder, "--show", "rhobh", "--dry-run", data_root=tmp_path
    )

    lines = [line.split("  ") for line in done.stdout.splitlines()]
    assert [words[0] for words in lines] == ["file", *EXPECTED]
    assert "rhobh-s05e04 is also Show 5x04 again.mkv" in done.stdout
    assert done.stderr.startswith("would be: 1 unreadable; 2 conflict; 2 new; 1 not recognised")


def test_a_file_that_cannot_be_read_is_unreadable(folder: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("nothing is unreadable to root")
    (folder / "S05E04.mp4").chmod(0)
    (folder / "Show 5x04 again.mkv").unlink()

    assert add(folder, tmp_path / "data")[1]["S05E04.mp4"] == "unreadable"
