"""Which predicted box is which labelled face, and which counts for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from screenalytics_core.evaluation.faces import FaceScores, face_scores
from screenalytics_core.evaluation.prediction import track_boxes
from screenalytics_core.evaluation.scene import boxes_at, labelled_frames
from tests.unit.evaluation.clips import BOTH, EXTRAS, LEFT, RIGHT, TrackRow, face, prediction, truth

FAR = [150.0, 20.0, 160.0, 30.0]


def scores(tracks: Sequence[TrackRow] = BOTH, **changed: Any) -> FaceScores:
    return face_scores(labelled_frames(truth(**changed), prediction(tracks)))


def test_tracks_on_the_faces_find_them_all() -> None:
    found = scores()

    assert (found.tp, found.fn, found.fp) == (6, 0, 0)
    assert (found.recall, found.precision) == (1.0, 1.0)


def test_a_missed_face_and_a_box_on_nothing_are_counted() -> None:
    found = scores([BOTH[0], (7, (3,), (FAR,))])

    assert (found.tp, found.fn, found.fp) == (4, 2, 1)
    assert found.false_positive_examples == ((3, 7),)
    assert (found.recall, found.precision) == (4 / 6, 0.8)


def test_a_second_box_on_a_face_is_false() -> None:
    assert scores([*BOTH, (7, (0,), (LEFT,))]).fp == 1


def test_a_box_is_clipped_to_the_picture_before_it_is_compared() -> None:
    tracks = [(1, (0, 9), ([-20.0, 0.0, 10.0, 10.0],) * 2), BOTH[1]]

    assert scores(tracks).recall == 1.0


@pytest.mark.parametrize("kind", ["small", "hard", "away"])
def test_a_doubtful_face_may_be_found_or_missed(kind: str) -> None:
    faces = [face(0, "ana", LEFT), face(0, "bo", FAR, **{kind: True})]
    one = [(1, (0,), (LEFT,))]

    for tracks in (one, [*one, (2, (0,), (FAR,))]):
        found = scores(tracks, faces=faces, persons=EXTRAS)
        assert (found.clear_faces, found.tp, found.fp) == (1, 1, 0)
    assert (found.hard_or_small_faces, found.hard_or_small_found) == (1, 1)
    assert found.ignored_predictions == 1


def test_a_box_inside_a_doubtful_face_counts_for_nothing() -> None:
    faces = [face(0, "bo", [100, 0, 150, 50], hard=True)]
    inside = [(1, (0,), ([110.0, 10.0, 120.0, 20.0],))]

    assert scores(inside, faces=faces, persons=EXTRAS).fp == 0
    assert scores([(1, (0,), (LEFT,))], faces=faces, persons=EXTRAS).fp == 1


@pytest.mark.parametrize(("start", "end", "fp"), [(3, 3, 0), (0, 2, 1), (4, 9, 1)])
def test_in_an_ignore_region_nothing_is_false_while_it_lasts(start: int, end: int, fp: int) -> None:
    region = {"start": start, "end": end, "bbox_xyxy": [140, 0, 200, 50]}

    assert scores([*BOTH, (7, (3,), (FAR,))], ignore_regions=[region]).fp == fp


def test_an_ignore_region_ends_where_its_box_ends() -> None:
    region = {"start": 0, "end": 9, "bbox_xyxy": [140, 0, 154, 50]}

    assert scores([*BOTH, (7, (3,), (FAR,))], ignore_regions=[region]).fp == 1


def test_more_pairs_go_before_better_ones() -> None:
    def at(left: float) -> list[float]:
        return [left, 0.0, left + 10.0, 10.0]

    faces = [face(0, "ana", at(20.5)), face(0, "bo", at(15.9))]

    # Ana's best box would leave Bo without any.
    assert scores([(1, (0,), (at(20.0),)), (2, (0,), (at(24.6),))], faces=faces).tp == 2


@pytest.mark.parametrize(
    ("frame", "left"), [(9, None), (10, 0.0), (15, 5.0), (20, 10.0), (40, None), (60, 50.0)]
)
def test_a_tracks_box_is_linear_between_its_frames_but_not_over_a_long_hole(
    frame: int, left: float | None
) -> None:
    corners = {10: 0, 20: 10, 60: 50}
    track = track_boxes(1, list(corners), [[x, 0, x + 4, 4] for x in corners.values()])

    at, boxes = boxes_at(track, np.array([frame]))

    assert [b[0] for b in boxes.tolist()] == ([] if left is None else [pytest.approx(left)])
    assert at.tolist() == ([] if left is None else [frame])


def test_recall_is_told_by_height_with_small_faces_and_without_hard_ones() -> None:
    def high(px: float, frame: int, person: str, x: float, **more: Any) -> dict[str, Any]:
        return face(frame, person, [x, 0, x + 10, px], **more)

    faces = [
        high(19.9, 0, "ana", 0, small=True), high(20, 0, "bo", 20), high(39, 3, "ana", 40),
        high(45, 3, "bo", 60, hard=True), high(40, 6, "ana", 80),
    ]  # fmt: skip
    tracks = [(1, (0,), ([0.0, 0.0, 10.0, 19.9],)), (2, (0,), ([20.0, 0.0, 30.0, 20.0],))]

    bands = scores(tracks, faces=faces).by_height

    assert [(b.from_px, b.to_px, b.faces, b.found) for b in bands] == [
        (0, 20, 1, 1), (20, 40, 2, 1), (40, 80, 1, 0), (80, 160, 0, 0), (160, None, 0, 0),
    ]  # fmt: skip
    assert bands[1].recall == 0.5
    assert bands[3].recall is None


def test_without_any_box_there_is_no_precision() -> None:
    found = scores([])

    assert (found.recall, found.precision) == (0.0, None)


def test_a_track_of_frames_in_any_order_is_the_same_track() -> None:
    assert scores([(1, (9, 0), (LEFT, LEFT)), (2, (4, 0), (RIGHT, RIGHT))]).recall == 1.0
