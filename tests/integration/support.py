"""What the integration tests share: a clip with real faces, folders and settings."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import insightface
import numpy as np

from screenalytics_assets.engine import EpisodeRunConfig
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from tests.videos import Picture

EP_ID = "show-s01e01"
CopyFinished = Callable[[Path], Settings]
WIDTH, HEIGHT = 640, 448
WAIT_S = 60.0

# A run that, once its scan is so many frames far, says so in a file and stays there until
# it is released.
STUCK = """
import sys, time
from pathlib import Path
from screenalytics_assets.engine import Launch, run_episode
from tests.integration.support import EP_ID, balanced, settings_for

def stay(step, done, total, message):
    if done < int(sys.argv[4]):
        return
    Path(sys.argv[3]).touch()
    while not Path(sys.argv[3] + ".release").exists():
        time.sleep(0.05)

run_episode(EP_ID, sys.argv[1], balanced(), settings=settings_for(Path(sys.argv[2])),
            launch=Launch(run_id="stuck", listener=stay))
"""


def real_face_frames() -> Iterator[Picture]:
    """Two shots of the group picture (its left, its right), then an empty one: 60 frames."""
    picture = cv2.imread(str(Path(insightface.__file__).parent / "data" / "images" / "t1.jpg"))
    for left in (0, 640):
        for step in range(22):
            window = picture[40 + step : 40 + step + HEIGHT, left : left + WIDTH]
            yield np.ascontiguousarray(window)
    for _ in range(16):
        yield np.full((HEIGHT, WIDTH, 3), 90, np.uint8)


def settings_for(root: Path) -> Settings:
    """Folders of a test: its own data root, the machine's installed packs."""
    return replace(Settings.from_env(), data_root=root, dagster_home=root / ".dagster")


def balanced(**given: object) -> EpisodeRunConfig:
    """The profile `balanced` with the lite pack, and what a test changes."""
    return EpisodeRunConfig.from_mapping({"models": "lite", **given}, profile="balanced")


def content(settings: Settings, run_id: str) -> dict[str, str]:
    """Every published file of a run with its sha256."""
    manifest = Stores.open(settings.data_root).artifacts.manifest(EP_ID, run_id)
    return {f.path: f.sha256 for entry in manifest.entries.values() for f in entry.files}


def start_stuck_run(
    clip: Path, settings: Settings, marker: Path, at_frame: int = 0
) -> subprocess.Popen[bytes]:
    """Start the run `stuck` in a process of its own; it stays in its scan."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            STUCK,
            str(clip),
            str(settings.data_root),
            str(marker),
            str(at_frame),
        ],
        cwd=Path(__file__).parents[2],
    )
    deadline = time.monotonic() + WAIT_S
    while not marker.exists():
        assert process.poll() is None, "the run ended before its scan"
        assert time.monotonic() < deadline, "the scan never reported"
        time.sleep(0.05)
    return process
