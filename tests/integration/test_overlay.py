"""`overlay` and `screen-time --format` on a finished run, as a stranger meets them."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
import webvtt

from screenalytics_assets.engine import EpisodeRunResult
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.vision.decode import open_video
from tests.command_line import in_this_process, screenalytics
from tests.integration.support import EP_ID, CopyFinished

pytestmark = pytest.mark.models

Finished = tuple[Settings, EpisodeRunResult]


def segments(settings: Settings) -> list[dict[str, object]]:
    ref = Stores.open(settings.data_root).require(EP_ID, "first", ArtifactKind.SCREEN_TIME)
    rows: list[dict[str, object]] = ref.read("segments").to_pylist()
    return rows


def test_an_overlay_has_the_episodes_frames_and_stays_what_it_is(
    clip: Path, finished: Finished, tmp_path: Path
) -> None:
    root = finished[0].data_root

    made = screenalytics("overlay", EP_ID, "--run-id", "first", data_root=root, cwd=tmp_path)

    output = tmp_path / f"{EP_ID}_first_overlay.mp4"
    assert made.returncode == 0, made.stderr
    assert made.stdout == ""
    assert list(tmp_path.iterdir()) == [output]
    shown, source = open_video(output), open_video(clip)
    assert (shown.facts.width_px, shown.facts.height_px) == (640, 448)
    assert shown.facts.codec == "h264"
    assert [f.timestamp_s for f in shown.frames()] == [f.timestamp_s for f in source.frames()]

    before = output.read_bytes()
    again = screenalytics("overlay", f"{EP_ID}/first", data_root=root, cwd=tmp_path)
    assert again.returncode == 1
    assert "exists. Name another file, or give --force." in again.stderr
    assert output.read_bytes() == before


def test_the_episodes_own_video_is_never_drawn_over(finished: Finished, tmp_path: Path) -> None:
    root = finished[0].data_root
    video = root / "videos" / EP_ID / "episode.mp4"
    (tmp_path / "link.mp4").symlink_to(video)
    before = video.read_bytes()

    for output in (str(video), "link.mp4"):
        made = screenalytics(
            "overlay", EP_ID, "--output", output, "--force", data_root=root, cwd=tmp_path
        )
        assert made.returncode == 1
        assert "is the episode's own video" in made.stderr
    assert video.read_bytes() == before


def test_faces_are_framed_where_the_run_found_them(finished: Finished, tmp_path: Path) -> None:
    output = tmp_path / "deep" / "part.mp4"
    root = finished[0].data_root
    tracks = Stores.open(root).require(EP_ID, "first", ArtifactKind.TRACKS).read().to_pylist()
    boxes = [
        box
        for t in tracks
        for frame, box in zip(t["frame_idxs"], t["bboxes_xyxy"], strict=True)
        if frame == 0
    ]

    made = in_this_process(
        "overlay", EP_ID, "--run-id", "first", "--end", "0.04", "--output", output, "--json",
        data_root=root,
    )  # fmt: skip

    told = json.loads(made.stdout)
    assert (told["frames"], told["encoder"], told["output"]) == (1, "libx264", str(output))
    before = next(iter(open_video(root / "videos" / EP_ID / "episode.mp4").frames())).bgr()
    after = next(iter(open_video(output).frames())).bgr()
    assert len(boxes) == 3
    assert np.median(abs(after.astype(int) - before)) < 4
    for left, top, _, bottom in boxes:
        line = slice(round(top), round(bottom)), slice(round(left), round(left) + 2)
        assert abs(after[line].astype(int) - before[line]).mean() > 15


def test_a_part_outside_the_episode_is_wrong_usage_and_leaves_nothing(
    finished: Finished, tmp_path: Path
) -> None:
    made = in_this_process(
        "overlay", EP_ID, "--run-id", "first", "--start", "99", "--output", tmp_path / "x.mp4",
        data_root=finished[0].data_root,
    )  # fmt: skip

    assert made.returncode == 2
    assert "holds no frame. The video goes from 0.00 to 2.40 s." in made.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_overlay_does_not_go_into_a_pipe(finished: Finished, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)

    made = in_this_process(
        "overlay", EP_ID, "--run-id", "first", "--output", pipe, data_root=finished[0].data_root
    )

    assert made.returncode == 1
    assert "is no ordinary file" in made.stderr
    assert "Name a file, and pass that on." in made.stderr
    assert pipe.is_fifo()


def test_boxes_are_not_drawn_on_another_video(copy_finished: CopyFinished, tmp_path: Path) -> None:
    settings = copy_finished(tmp_path / "data")
    video = settings.data_root / "videos" / EP_ID / "episode.mp4"
    video.write_bytes(video.read_bytes() + b"\0")

    made = in_this_process(
        "overlay", EP_ID, "--run-id", "first", "--output", tmp_path / "x.mp4",
        data_root=settings.data_root,
    )  # fmt: skip

    assert made.returncode == 1
    assert "video_changed" in made.stderr
    assert not (tmp_path / "x.mp4").exists()


@pytest.mark.parametrize("name", ["edl", "fcpxml", "vtt"])
def test_segments_come_out_clean_and_whole(name: str, finished: Finished) -> None:
    root = finished[0].data_root
    expected = segments(finished[0])

    made = in_this_process(
        "screen-time", EP_ID, "--run-id", "first", "--format", name, data_root=root
    )

    assert made.returncode == 0
    assert made.stderr == ""
    people = {row["identity_id"] for row in expected}
    if name == "edl":
        timeline = otio.adapters.read_from_string(made.stdout, adapter_name="cmx_3600", rate=25)
        clips = [c for c in timeline.tracks[0] if isinstance(c, otio.schema.Clip)]
        assert len(clips) == len(expected)
        assert {c.name for c in clips} == people
    elif name == "fcpxml":
        tree = ET.fromstring(made.stdout)
        clips = tree.findall(".//spine/asset-clip/asset-clip")
        assert len(clips) == len(expected)
        assert {c.attrib["videoRole"] for c in clips} == people
        media = tree.find(".//media-rep")
        assert media is not None
        assert media.attrib["src"] == (root / "videos" / EP_ID / "episode.mp4").as_uri()
    else:
        named = {name for cue in webvtt.from_string(made.stdout) for name in cue.text.split(", ")}
        assert {name.removesuffix(" (body)") for name in named} == people


def test_one_persons_segments_go_into_a_file(finished: Finished, tmp_path: Path) -> None:
    counts = Counter(row["identity_id"] for row in segments(finished[0]))
    output = tmp_path / "one.edl"

    made = in_this_process(
        "screen-time", EP_ID, "--run-id", "first", "--format", "edl", "--person", "id_0001",
        "--output", output, data_root=finished[0].data_root,
    )  # fmt: skip

    assert (made.returncode, made.stdout) == (0, "")
    text = output.read_text()
    assert (
        text.count("FROM CLIP NAME: id_0001") == text.count("FROM CLIP NAME") == counts["id_0001"]
    )


def test_segments_go_into_standard_output_by_its_path(finished: Finished, tmp_path: Path) -> None:
    words = "screen-time", EP_ID, "--run-id", "first", "--format", "vtt"
    root = finished[0].data_root

    made = screenalytics(*words, "--output", "/dev/stdout", data_root=root, cwd=tmp_path)

    assert made.returncode == 0, made.stderr
    assert made.stdout == in_this_process(*words, data_root=root).stdout


def test_segments_are_written_without_the_video_and_that_is_told(
    copy_finished: CopyFinished, tmp_path: Path
) -> None:
    settings = copy_finished(tmp_path / "data")
    (settings.data_root / "videos" / EP_ID / "episode.mp4").unlink()

    made = in_this_process(
        "screen-time", EP_ID, "--run-id", "first", "--format", "vtt", data_root=settings.data_root
    )

    assert made.returncode == 0
    assert made.stdout.startswith("WEBVTT")
    assert "link the segments to the video yourself" in made.stderr


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--format", "edl", "--csv"), "choose one of"),
        (("--person", "id_0001"), "go with --format"),
        (("--format", "edl", "--person", "nobody"), "is not in run"),
        (("--format", "avi"), "avi"),
    ],
)
def test_wrong_usage_is_told(options: tuple[str, ...], reason: str, finished: Finished) -> None:
    made = in_this_process(
        "screen-time", EP_ID, "--run-id", "first", *options, data_root=finished[0].data_root
    )

    assert made.returncode == 2
    assert reason in made.stderr
    assert made.stdout == ""
