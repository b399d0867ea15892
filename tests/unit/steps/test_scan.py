"""The scan step: what it writes, what it depends on, and what makes it fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from screenalytics_core.artifacts import DETECTIONS, SHOTS, ArtifactKind
from screenalytics_core.config import LAUNCH_FIELDS, EpisodeRunConfig
from screenalytics_core.errors import VideoChangedError, VideoError
from screenalytics_core.steps.base import StepInput
from screenalytics_core.steps.scan import STEP
from screenalytics_core.vision.decode import PyAvFrame, PyAvVideo, open_video
from screenalytics_core.vision.models.protocols import FaceBoxes, FloatArray, Image
from screenalytics_core.vision.video import VideoSource
from tests.videos import Picture, make_truncated, make_video, solid, with_rectangle

RED = (0, 0, 255)
BACKGROUNDS = ((200, 60, 30), (60, 90, 60), (250, 250, 200))
BOTH = frozenset({ArtifactKind.SHOTS, ArtifactKind.DETECTIONS})


class RedFaces:
    """Finds one red rectangle, with its corners as landmarks."""

    def detect(self, image_bgr: Image, _within: FloatArray | None = None) -> FaceBoxes:
        blue, green, red = np.moveaxis(image_bgr.astype(np.int16), 2, 0)
        rows, columns = np.nonzero((red > 180) & (green < 80) & (blue < 80))
        if len(rows) == 0:
            return FaceBoxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), None)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return FaceBoxes(
            np.array([box], np.float32), np.array([0.8], np.float32), np.tile(
                np.array(box[:2], np.float32), 5)[None],
        )  # fmt: skip


class RedPack:
    """A model pack whose face detector is `RedFaces`; remembers how it was asked."""

    info = None

    def __init__(self) -> None:
        self.asked: list[tuple[int, float]] = []

    def face_detector(self, *, max_side_px: int, min_confidence: float) -> RedFaces:
        self.asked.append((max_side_px, min_confidence))
        return RedFaces()


def episode(*lengths: int) -> Iterator[Picture]:
    """One shot per length: in even ones a red face moves to the right, odd ones are empty."""
    for shot, length in enumerate(lengths):
        for i in range(length):
            picture = solid(BACKGROUNDS[shot % 3], width=320, height=192)
            left = 10 + 4 * i
            yield (
                picture if shot % 2
                else with_rectangle(picture, (left, 40, left + 48, 100), RED)
            )  # fmt: skip


def scan(
    video: VideoSource,
    wanted: Iterable[ArtifactKind] = BOTH,
    *,
    pack: RedPack | None = None,
    **settings: Any,
) -> Mapping[ArtifactKind, Mapping[str, Any]]:
    given = {"stride": 4, "min_stride": 4, "workers": 2, "det_thresh": 0.5, **settings}
    config = EpisodeRunConfig.from_mapping(given)
    return STEP.run(
        StepInput(
            ep_id="show-s01e01", run_id="r", settings=config.only(STEP.settings),
            wanted=frozenset(wanted),
            models=pack or RedPack(), video=video,  # type: ignore[arg-type]
        )
    )  # fmt: skip


@pytest.fixture
def video(tmp_path: Path) -> PyAvVideo:
    return open_video(make_video(tmp_path / "v.mp4", episode(15, 10, 13), Fraction(30000, 1001)))


def same(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    return set(a) == set(b) and all(
        a[k].tobytes() == b[k].tobytes() if isinstance(a[k], np.ndarray) else a[k] == b[k]
        for k in a
    )


def test_shots_and_frame_times_fit_their_specs_and_the_video(video: PyAvVideo) -> None:
    made = scan(video)[ArtifactKind.SHOTS]

    document = SHOTS.conform(made["shots"])
    assert [(s["start_frame"], s["end_frame"]) for s in document["shots"]] == [
        (0, 15), (15, 25), (25, 38),
    ]  # fmt: skip
    assert document["fps"] == "30000/1001"
    assert (document["width_px"], document["height_px"]) == (320, 192)
    assert document["frame_count"] == 38
    times = made["frame_times"]
    assert times.dtype == np.float64
    assert times == pytest.approx(np.arange(39) * 1001 / 30000)
    assert document["shots"][1]["start_s"] == times[15]
    assert document["shots"][1]["end_s"] == times[25]
    assert document["duration_s"] == pytest.approx(38 * 1001 / 30000)


def test_detections_stand_on_the_sampled_frames_of_the_right_shot(video: PyAvVideo) -> None:
    made = scan(video)[ArtifactKind.DETECTIONS]
    table: pa.Table = made["detections"]

    assert made["sampled_frames"].tolist() == [0, 4, 8, 12, 14, 15, 16, 20, 24, 25, 28, 32, 36, 37]
    assert table.schema == DETECTIONS.arrow_schema()
    assert table["frame_idx"].to_pylist() == [0, 4, 8, 12, 14, 25, 28, 32, 36, 37]
    assert table["shot_id"].to_pylist() == [0] * 5 + [2] * 5
    assert table["detection_id"].to_pylist() == list(range(10))
    assert table["timestamp_s"].to_pylist() == pytest.approx(
        [i * 1001 / 30000 for i in table["frame_idx"].to_pylist()]
    )
    assert np.array(table["bbox_xyxy"].to_pylist())[1] == pytest.approx([26, 40, 74, 100], abs=2)
    assert table["landmarks_xy"][0].as_py()[:2] == pytest.approx([10, 40], abs=2)


def test_an_episode_without_a_face_has_an_empty_valid_table(tmp_path: Path) -> None:
    grey = [solid((90, 90, 90))] * 20

    made = scan(open_video(make_video(tmp_path / "v.mp4", grey)))

    assert made[ArtifactKind.DETECTIONS]["detections"].num_rows == 0
    assert len(made[ArtifactKind.SHOTS]["shots"]["shots"]) == 1


def test_weak_faces_are_kept_whatever_the_threshold_of_strong_ones(video: PyAvVideo) -> None:
    pack = RedPack()

    scan(video, pack=pack, det_thresh=0.9, det_max_side_px=320)

    assert pack.asked == [(320, 0.1)]


def test_only_what_is_wanted_is_made_and_no_model_is_loaded_for_shots(video: PyAvVideo) -> None:
    pack = RedPack()

    assert set(scan(video, {ArtifactKind.SHOTS}, pack=pack)) == {ArtifactKind.SHOTS}
    assert pack.asked == []
    assert set(scan(video, {ArtifactKind.DETECTIONS})) == {ArtifactKind.DETECTIONS}


@pytest.mark.parametrize("detector", ["pyscenedetect", "content", "off"])
def test_neither_the_number_of_workers_nor_what_else_is_wanted_changes_a_byte(
    detector: str, video: PyAvVideo
) -> None:
    made = scan(video, scene_detector=detector)
    one = scan(video, scene_detector=detector, workers=1)
    alone = scan(video, {ArtifactKind.DETECTIONS}, scene_detector=detector)

    assert same(made[ArtifactKind.SHOTS], one[ArtifactKind.SHOTS])
    for other in (one, alone):
        detections = other[ArtifactKind.DETECTIONS]["detections"]
        assert detections.equals(made[ArtifactKind.DETECTIONS]["detections"])


def test_where_a_face_goes_the_step_looks_closer(tmp_path: Path) -> None:
    pictures = [*episode(11), *(solid(BACKGROUNDS[0], width=320, height=192) for _ in range(10))]
    video = open_video(make_video(tmp_path / "v.mp4", pictures))

    made = scan(video, stride=8, min_stride=2, scene_detector="off")[ArtifactKind.DETECTIONS]

    assert made["sampled_frames"].tolist() == [0, 4, 8, 10, 12, 16, 20]
    assert made["detections"]["frame_idx"].to_pylist() == [0, 4, 8, 10]


def test_variable_frame_rate_reaches_the_tables(tmp_path: Path) -> None:
    stamps = [i * 40 + (400 if i > 7 else 0) for i in range(15)]
    path = make_video(tmp_path / "v.mp4", episode(15), pts=stamps, time_base=Fraction(1, 1000))

    made = scan(open_video(path))

    times = made[ArtifactKind.SHOTS]["frame_times"]
    assert times[:15] == pytest.approx(np.array(stamps) / 1000)
    table = made[ArtifactKind.DETECTIONS]["detections"]
    assert table["timestamp_s"].to_pylist() == pytest.approx([0, 0.16, 0.72, 0.88, 0.96])


def test_progress_counts_up_to_the_number_of_frames(video: PyAvVideo) -> None:
    told: list[tuple[int, int, str]] = []
    given = {"stride": 4, "min_stride": 4, "workers": 1, "det_thresh": 0.5}
    config = EpisodeRunConfig.from_mapping(given)

    STEP.run(
        StepInput(
            ep_id="e", run_id="r", settings=config.only(STEP.settings), wanted=BOTH,
            models=RedPack(), video=video, progress=lambda *now: told.append(now),  # type: ignore[arg-type]
        )
    )  # fmt: skip

    assert told == [(i + 1, 38, "frames scanned") for i in range(38)]


def test_a_video_that_ends_early_fails_the_step(tmp_path: Path) -> None:
    video = open_video(make_truncated(tmp_path / "v.mkv", muxer_options={}))

    with pytest.raises(VideoError, match=r"of 2\.40 s"):
        scan(video)


class ReplacedMeanwhile:
    """A video whose file is replaced right after its last frame was read."""

    def __init__(self, video: PyAvVideo) -> None:
        self._video = video
        self.facts = video.facts

    def frames(self) -> Iterator[PyAvFrame]:
        yield from self._video.frames()
        self._video.path.write_bytes(b"another video")

    def check_unchanged(self) -> None:
        self._video.check_unchanged()


def test_a_video_that_changes_meanwhile_fails_the_step(video: PyAvVideo) -> None:
    with pytest.raises(VideoChangedError, match="was replaced"):
        scan(ReplacedMeanwhile(video))  # type: ignore[arg-type]


def test_the_number_of_workers_is_read_but_not_part_of_a_fingerprint() -> None:
    fingerprinted = {s for output in STEP.outputs for s in output.settings}

    assert "workers" in STEP.settings
    assert not fingerprinted & LAUNCH_FIELDS
    assert {"scene_detector", "scene_threshold", "adaptive_threshold"} <= fingerprinted
    assert STEP.inputs == ()
