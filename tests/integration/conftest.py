"""A small clip with real faces, and a place to run it in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from screenalytics_assets.engine import EpisodeRunResult, Launch, run_episode
from screenalytics_assets.settings import Settings
from screenalytics_core.vision.models.protocols import ModelPack
from tests.integration.support import (
    EP_ID,
    CopyFinished,
    balanced,
    real_face_frames,
    settings_for,
)
from tests.videos import make_video


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 2.4 s video with six people in two shots."""
    return make_video(tmp_path_factory.mktemp("clip") / "clip.mp4", real_face_frames(), fps=25)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An empty data root."""
    return settings_for(tmp_path / "data")


@pytest.fixture(scope="session")
def finished(
    clip: Path, tmp_path_factory: pytest.TempPathFactory, lite_pack: ModelPack
) -> tuple[Settings, EpisodeRunResult]:
    """A data root with one complete run, `first`; tests add runs but change none."""
    settings = settings_for(tmp_path_factory.mktemp("root") / "data")
    result = run_episode(EP_ID, clip, balanced(), settings=settings, launch=Launch(run_id="first"))
    assert result.success, result.error
    shutil.copytree(settings.data_root, _snapshot(settings))
    return settings, result


@pytest.fixture(scope="session")
def copy_finished(finished: tuple[Settings, EpisodeRunResult]) -> CopyFinished:
    """Copies the finished root, as it was before any test added a run, to be changed at will."""

    def copy(root: Path) -> Settings:
        shutil.copytree(_snapshot(finished[0]), root)
        return settings_for(root)

    return copy


def _snapshot(settings: Settings) -> Path:
    return settings.data_root.with_name("snapshot")
