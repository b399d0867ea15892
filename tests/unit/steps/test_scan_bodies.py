"""Bodies in the scan: found in the decode that finds faces, or not at all and said so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from screenalytics_core.artifacts import ARTIFACTS, BODY_DETECTIONS
from screenalytics_core.artifacts import ArtifactKind as Kind
from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.steps.base import StepInput
from screenalytics_core.steps.scan import STEP
from screenalytics_core.vision.decode import PyAvFrame, PyAvVideo, open_video
from tests.body_fakes import BLUE, BodyPack
from tests.videos import Picture, make_video, solid, with_rectangle

BODIES = Kind.BODY_DETECTIONS
Made = Mapping[Kind, Mapping[str, Any]]


def episode(*lengths: int) -> Iterator[Picture]:
    """One shot per length: in even ones a body walks in from the left, odd ones are empty."""
    for shot, length in enumerate(lengths):
        for i in range(length):
            picture = solid((40, 90, 60) if shot % 2 else (90, 90, 90), width=320, height=192)
            yield (
                picture if shot % 2
                else with_rectangle(picture, (2 * i, 40, 2 * i + 48, 190), BLUE)
            )  # fmt: skip


@pytest.fixture
def video(tmp_path: Path) -> PyAvVideo:
    return open_video(make_video(tmp_path / "v.mp4", episode(15, 10, 13)))


class Watched:
    """A video that remembers which frames it gave out, and how many passes there were."""

    def __init__(self, video: PyAvVideo) -> None:
        self._video = video
        self.facts = video.facts
        self.given: list[int] = []
        self.passes = 0

    def frames(self) -> Iterator[PyAvFrame]:
        self.passes += 1
        yield from self._noted(self._video.frames())

    def _noted(self, frames: Iterator[PyAvFrame]) -> Iterator[PyAvFrame]:
        for frame in frames:
            self.given.append(frame.frame_idx)
            yield frame

    def check_unchanged(self) -> None:
        self._video.check_unchanged()


def scan(
    video: Any,
    wanted: Iterable[Kind] = (BODIES,),
    *,
    pack: BodyPack | None = None,
    notes: list[tuple[Kind, str]] | None = None,
    **settings: Any,
) -> Made:
    given = {"min_stride": 4, "det_thresh": 0.5, "body_stride": 6, "workers": 2, **settings}
    config = EpisodeRunConfig.from_mapping(given)
    told: list[tuple[Kind, str]] = [] if notes is None else notes
    return STEP.run(
        StepInput(
            ep_id="show-s01e01", run_id="r", settings=config.only(STEP.settings),
            wanted=frozenset(wanted), models=pack or BodyPack(),  # type: ignore[arg-type]
            video=video, note=lambda kind, sentence: told.append((kind, sentence)),
        )
    )  # fmt: skip


def test_bodies_stand_on_their_own_frames_with_what_they_look_like(video: PyAvVideo) -> None:
    made = scan(video)[BODIES]
    table = made["body_detections"]

    assert set(made) == {f.part for f in ARTIFACTS[BODIES].files}
    assert made["body_sampled_frames"].tolist() == [0, 6, 12, 14, 15, 18, 24, 25, 30, 36, 37]
    assert table.schema == BODY_DETECTIONS.arrow_schema()
    assert table["frame_idx"].to_pylist() == [0, 6, 12, 14, 25, 30, 36, 37]
    assert table["shot_id"].to_pylist() == [0] * 4 + [2] * 4
    assert table["detection_id"].to_pylist() == list(range(8))
    assert set(table["appearance"].to_pylist()) == {"hsv_stripes"}
    # Clipped to the picture: the detector puts the left edge 9 px too far left.
    assert np.array(table["bbox_xyxy"].to_pylist())[:2, 0] == pytest.approx([0, 3], abs=2)


def test_each_body_has_one_vector_made_of_its_clipped_box(video: PyAvVideo) -> None:
    made = scan(video)[BODIES]
    vectors = made["body_appearance"]

    assert (vectors.dtype, vectors.shape) == (np.float16, (8, 3))
    assert np.linalg.norm(vectors.astype(float), axis=1) == pytest.approx(1, abs=1e-3)
    # The first box lost its 9 px of background to the clip, so it is the bluest.
    assert vectors[:, 0].argmax() in {0, 4}
    assert vectors[0, 0] > vectors[1, 0] + 0.002


def test_all_three_come_from_one_decode_and_each_is_as_if_made_alone(video: PyAvVideo) -> None:
    watched = Watched(video)

    made = scan(watched, {Kind.SHOTS, Kind.DETECTIONS, BODIES}, stride=4)

    assert watched.passes == 1
    assert made[Kind.DETECTIONS]["sampled_frames"].tolist() == [
        0, 4, 8, 12, 14, 15, 16, 20, 24, 25, 28, 32, 36, 37,
    ]  # fmt: skip
    faces = scan(video, {Kind.DETECTIONS}, stride=4)[Kind.DETECTIONS]
    assert made[Kind.DETECTIONS]["detections"].equals(faces["detections"])
    bodies = scan(video)[BODIES]
    assert made[BODIES]["body_detections"].equals(bodies["body_detections"])
    assert made[BODIES]["body_appearance"].tobytes() == bodies["body_appearance"].tobytes()


@pytest.mark.parametrize("workers", [1, 3])
def test_the_number_of_workers_changes_no_byte(workers: int, video: PyAvVideo) -> None:
    made, other = (scan(video, workers=n)[BODIES] for n in (2, workers))

    assert other["body_detections"].equals(made["body_detections"])
    assert other["body_appearance"].tobytes() == made["body_appearance"].tobytes()


def test_no_person_detector_is_opened_for_other_outputs(video: PyAvVideo) -> None:
    pack = BodyPack()

    scan(video, {Kind.SHOTS}, pack=pack)

    assert pack.asked == []


def test_boxes_that_are_noise_are_not_asked_for(video: PyAvVideo) -> None:
    pack = BodyPack()

    scan(video, pack=pack, body_thresh=0.9)

    assert pack.asked == [0.25]


@pytest.mark.parametrize(
    ("pack", "body_tracking", "reason"),
    [
        (BodyPack(has_detector=False), True, "`screenalytics models install lite`"),
        (BodyPack(), False, "set body_tracking=true"),
    ],
    ids=["no detector", "switched off"],
)
def test_where_nobody_looks_for_bodies_all_is_empty_and_a_note_says_why(
    pack: BodyPack, body_tracking: bool, reason: str, video: PyAvVideo
) -> None:
    notes: list[tuple[Kind, str]] = []
    watched = Watched(video)

    made = scan(watched, pack=pack, body_tracking=body_tracking, notes=notes)[BODIES]

    assert made["body_detections"].schema == BODY_DETECTIONS.arrow_schema()
    assert made["body_detections"].num_rows == 0
    assert (made["body_sampled_frames"].dtype, made["body_sampled_frames"].size) == (np.int64, 0)
    assert (made["body_appearance"].dtype, made["body_appearance"].shape) == (np.float16, (0, 0))
    [(kind, sentence)] = notes
    assert kind == BODIES
    assert reason in sentence
    assert watched.passes == 0


def test_an_episode_without_bodies_tells_that_it_was_looked_at(tmp_path: Path) -> None:
    notes: list[tuple[Kind, str]] = []
    video = open_video(make_video(tmp_path / "v.mp4", [solid((90, 90, 90))] * 20))

    made = scan(video, notes=notes)[BODIES]

    assert made["body_detections"].num_rows == 0
    assert made["body_appearance"].shape == (0, 0)
    assert made["body_sampled_frames"].tolist() == [0, 6, 12, 18, 19]
    assert notes == []


def test_bodies_do_not_change_with_the_settings_of_faces_and_the_other_way_round() -> None:
    of = {output.name: set(output.settings) for output in STEP.outputs}

    assert not of["body_detections"] & {"stride", "det_max_side_px", "body_thresh"}
    assert {"device", "embed_device"} <= of["body_detections"]
    assert not (of["detections"] | of["shots"]) & {"body_stride", "body_tracking"}
