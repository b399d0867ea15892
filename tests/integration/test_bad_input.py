"""Bad input: one error that names it and says what to do, the run failed, nothing earlier lost."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from screenalytics_assets.engine import (
    EpisodeRunResult,
    Launch,
    PipelineStage,
    run_episode,
    run_stage,
)
from screenalytics_assets.instance import open_instance
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.errors import (
    ArtifactCorruptError,
    DiskSpaceError,
    InvalidIdError,
    ModelError,
    SettingsError,
    VideoError,
)
from tests.integration.support import EP_ID, balanced
from tests.videos import (
    make_audio_only,
    make_not_a_video,
    make_truncated,
    make_video,
    make_zero_frame,
    solid,
)

pytestmark = pytest.mark.models
Finished = tuple[Settings, EpisodeRunResult]


@pytest.fixture
def earlier(finished: Finished) -> Iterator[Settings]:
    """A root with a finished run; afterwards every artifact of it must read back whole."""
    settings, result = finished
    yield settings
    stores = Stores.open(settings.data_root)
    for kind in result.artifacts:
        stores.require(EP_ID, "first", ArtifactKind(kind)).read()


def dagster_status(settings: Settings, result: EpisodeRunResult) -> dg.DagsterRunStatus:
    with open_instance(settings.dagster_home) as instance:
        run = instance.get_run_by_id(result.dagster_run_id)
        assert run is not None
        return run.status


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(make_not_a_video, "not a video", id="unreadable"),
        pytest.param(make_zero_frame, "no frame", id="zero frames"),
        pytest.param(make_audio_only, "no video stream", id="audio only"),
    ],
)
def test_a_file_that_is_no_video_is_refused_before_a_run_exists(
    make: object, reason: str, tmp_path: Path, earlier: Settings
) -> None:
    path = make(tmp_path / "bad.mp4")  # type: ignore[operator]

    with pytest.raises(VideoError, match=reason) as raised:
        run_episode("show-s01e02", path, balanced(), settings=earlier)
    assert "bad.mp4" in str(raised.value)
    assert Stores.open(earlier.data_root).runs.list_run_ids("show-s01e02") == ()


def test_a_missing_file_is_named(tmp_path: Path, earlier: Settings) -> None:
    with pytest.raises(VideoError, match=r"nowhere\.mp4"):
        run_episode("show-s01e02", tmp_path / "nowhere.mp4", balanced(), settings=earlier)


def test_a_truncated_file_with_an_index_is_refused_before_a_run_exists(
    tmp_path: Path, earlier: Settings
) -> None:
    path = make_truncated(tmp_path / "cut.mp4")

    with pytest.raises(VideoError, match=r"cut short: 25 of 60 frames are missing"):
        run_episode("show-s01e03", path, balanced(), settings=earlier)


def test_a_truncated_stream_fails_the_run_and_says_where_it_ends(
    tmp_path: Path, earlier: Settings
) -> None:
    path = make_truncated(tmp_path / "cut.mkv")

    result = run_episode("show-s01e03", path, balanced(), settings=earlier)

    assert not result.success
    assert result.error_code == VideoError.code
    assert "cut.mkv" in str(result.error) or "episode.mp4" in str(result.error)
    assert dagster_status(earlier, result) is dg.DagsterRunStatus.FAILURE
    assert result.artifacts == {}


def test_a_video_that_changes_while_it_is_read_fails_the_run(
    clip: Path, tmp_path: Path, earlier: Settings
) -> None:
    copy = Path(shutil.copy(clip, tmp_path / "copy.mp4"))
    registered = Path(
        Stores.open(earlier.data_root).storage.location("videos/show-s01e04/episode.mp4")
    )

    def edit(step: str, done: int, total: int, message: str) -> None:
        if step == "scan" and done == 5:
            with registered.open("ab") as file:
                file.write(b"\0")

    result = run_episode(
        "show-s01e04", copy, balanced(), settings=earlier, launch=Launch(listener=edit)
    )

    assert not result.success
    assert result.error_code == "video_changed"
    assert result.artifacts == {}


@pytest.mark.parametrize("ep_id", ["../etc", "a/b", "", "a..b", "x" * 129, "é-s01e01"])
def test_an_unsafe_episode_id_never_becomes_a_path(
    ep_id: str, clip: Path, earlier: Settings
) -> None:
    before = sorted(earlier.data_root.rglob("*"))

    with pytest.raises(InvalidIdError, match="ep_id"):
        run_episode(ep_id, clip, balanced(), settings=earlier)
    assert sorted(earlier.data_root.rglob("*")) == before


@pytest.mark.parametrize("run_id", ["../x", "a/b", ".hidden", "a..b"])
def test_an_unsafe_run_id_never_becomes_a_path(run_id: str, clip: Path, earlier: Settings) -> None:
    with pytest.raises(InvalidIdError, match="run_id"):
        run_episode(EP_ID, clip, balanced(), settings=earlier, launch=Launch(run_id=run_id))


def test_a_misspelt_setting_names_the_nearest_one() -> None:
    with pytest.raises(SettingsError, match="'stride'"):
        balanced(strid=3)


def test_a_setting_out_of_range_names_its_meaning() -> None:
    with pytest.raises(SettingsError, match="every n-th frame"):
        balanced(stride=0)


def test_a_missing_models_folder_is_named(clip: Path, tmp_path: Path, earlier: Settings) -> None:
    with pytest.raises(ModelError, match="no-models"):
        run_episode(EP_ID, clip, balanced(models=str(tmp_path / "no-models")), settings=earlier)


def test_a_corrupted_model_is_named(clip: Path, tmp_path: Path, earlier: Settings) -> None:
    models = shutil.copytree(earlier.models_dir, tmp_path / "models")
    victim = max(models.rglob("*.onnx"), key=lambda p: p.stat().st_size)
    victim.write_bytes(victim.read_bytes()[:-100] + b"\0" * 100)

    with pytest.raises(ModelError, match=victim.name):
        run_episode(EP_ID, clip, balanced(), settings=replace(earlier, models_dir=models))


def test_a_file_that_differs_from_its_manifest_fails_the_run_that_reads_it(
    clip: Path, tmp_path: Path, earlier: Settings
) -> None:
    ep_id = "show-s01e05"
    run_episode(
        ep_id,
        clip,
        balanced(),
        stages=(PipelineStage.DETECT_TRACK,),
        settings=earlier,
        launch=Launch(run_id="base"),
    )
    stores = Stores.open(earlier.data_root)
    tracks = stores.require(ep_id, "base", ArtifactKind.TRACKS).fetch()
    tracks.write_bytes(tracks.read_bytes().replace(b"0", b"1"))

    result = run_stage(
        ep_id,
        None,
        balanced(),
        PipelineStage.FACES_EMBED,
        settings=earlier,
        launch=Launch(run_id="base"),
    )

    assert not result.success
    assert result.error_code == ArtifactCorruptError.code
    assert "tracks.jsonl" in str(result.error)


def test_too_little_disk_is_said_before_anything_is_written(
    clip: Path, earlier: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(earlier.data_root)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    before = Stores.open(earlier.data_root).runs.list_run_ids(EP_ID)

    with pytest.raises(DiskSpaceError, match="free"):
        run_episode(EP_ID, clip, balanced(), settings=earlier)
    assert Stores.open(earlier.data_root).runs.list_run_ids(EP_ID) == before


def test_a_disk_that_fills_up_fails_the_run_and_a_later_launch_resumes_it(
    clip: Path, earlier: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ep_id = "show-s01e06"
    real = os.fsync

    def full(fd: int) -> None:
        if "faces" in str(Path(f"/proc/self/fd/{fd}").readlink()):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(fd)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        failed = run_episode(
            ep_id, clip, balanced(), settings=earlier, launch=Launch(run_id="full")
        )
    assert not failed.success
    assert failed.error_code == DiskSpaceError.code
    assert "faces" not in failed.artifacts
    assert "tracks" in failed.artifacts

    resumed = run_episode(ep_id, None, balanced(), settings=earlier, launch=Launch(run_id="full"))
    assert resumed.success, resumed.error
    leftovers = [p.name for p in (earlier.data_root / "manifests" / ep_id).rglob("*.tmp*")]
    assert leftovers == []


def test_an_episode_without_a_face_is_a_valid_empty_result(
    tmp_path: Path, settings: Settings, lite_pack: object
) -> None:

    path = make_video(tmp_path / "grey.mp4", (solid((90, 90, 90)) for _ in range(30)), fps=25)

    result = run_episode("grey-s01e01", path, balanced(), settings=settings)

    assert result.success, result.error
    assert (result.tracks_count, result.faces_count, result.identities_count) == (0, 0, 0)
    assert result.screen_time is not None
    assert result.screen_time["people"] == []
    assert Path(result.artifacts["report"]).read_bytes().startswith(b"%PDF")


def test_no_stage_at_all_is_refused_rather_than_all_of_them(earlier: Settings) -> None:
    with pytest.raises(SettingsError, match="is empty"):
        run_episode(EP_ID, None, balanced(), settings=earlier, stages=())
