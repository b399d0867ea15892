"""Which face belongs to which body: where it lies in the box, and one to one in every frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from screenalytics_core.vision.boxes import as_boxes
from screenalytics_core.vision.face_in_body import MIN_FIT, faces_in_bodies, fit
from tests.fusion_scenes import Box, Seen, Story, body_at, face_at

STANDING = body_at(300)


def fit_of(face: Box, body: Box) -> float:
    return float(fit(as_boxes(face), as_boxes(body))[0])


@pytest.mark.parametrize(
    ("face", "body"),
    [
        pytest.param(face_at(300), STANDING, id="standing"),
        pytest.param((280, 112, 316, 156), (220, 100, 400, 260), id="sitting, turned aside"),
        pytest.param((240, 120, 340, 250), (150, 70, 430, 360), id="head and shoulders"),
        pytest.param((240, 80, 400, 290), (180, 10, 440, 360), id="close-up, cut by the picture"),
        pytest.param((282, 96, 318, 140), STANDING, id="the box cuts the head a little"),
    ],
)
def test_a_face_fits_into_its_own_body(face: Box, body: Box) -> None:
    assert fit_of(face, body) > 0.3


@pytest.mark.parametrize(
    ("face", "body"),
    [
        pytest.param((282, 250, 318, 294), STANDING, id="at the hip: somebody in front sits"),
        pytest.param((225, 180, 245, 205), STANDING, id="small, beside the shoulder: behind"),
        pytest.param((330, 112, 384, 166), STANDING, id="half outside"),
        pytest.param(face_at(300), (220, 100, 380, 148), id="in the lower part of a low box"),
        pytest.param((500, 112, 540, 156), STANDING, id="beside"),
        pytest.param((290, 60, 326, 98), STANDING, id="above"),
        pytest.param((295, 104, 305, 116), STANDING, id="much too small: no head of this body"),
    ],
)
def test_a_face_of_somebody_else_does_not_fit(face: Box, body: Box) -> None:
    assert fit_of(face, body) < MIN_FIT


def matches(faces: Sequence[Seen], bodies: Sequence[Seen]) -> dict[int, list[tuple[int, int]]]:
    """Return frame -> (face, body) pairs that were matched."""
    seen_faces, _, seen_bodies, _ = Story(faces, bodies).tracks()
    pairs = faces_in_bodies(seen_faces, seen_bodies, Story(faces, bodies).frame_times_s)
    found: dict[int, list[tuple[int, int]]] = {}
    for at in np.flatnonzero(pairs.is_match).tolist():
        face, body = seen_faces.ids[pairs.faces[at]], seen_bodies.ids[pairs.bodies[at]]
        found.setdefault(int(pairs.frame_idxs[at]), []).append((int(face), int(body)))
    return found


def test_the_face_of_one_behind_goes_to_the_body_behind() -> None:
    """Both faces lie in the front body's box; the hind body's top edge fits the hind face."""
    front, behind = Seen(1, 0, 0, body_at(300, y=100)), Seen(2, 0, 0, body_at(340, y=80))
    front_face, hind_face = Seen(11, 0, 0, face_at(300, y=100)), Seen(12, 0, 0, face_at(340, y=80))

    assert fit_of(hind_face.box, front.box) > MIN_FIT
    assert matches([hind_face, front_face], [behind, front]) == {0: [(11, 1), (12, 2)]}


def test_a_body_has_one_face_and_a_face_one_body() -> None:
    twice = [Seen(1, 0, 0, STANDING), Seen(2, 0, 0, body_at(303))]
    close = [Seen(11, 0, 0, face_at(300)), Seen(12, 0, 0, face_at(310))]

    assert matches(close[:1], twice) == {0: [(11, 1)]}
    assert matches(close, twice[:1]) == {0: [(11, 1)]}


def test_a_body_between_two_looks_is_where_the_straight_line_is() -> None:
    """Bodies are looked at on other frames than faces: here at frame 0 and 10 only."""
    faces, _, bodies, _ = Story([Seen(11, 5, 5, face_at(300))], [Seen(1, 0, 10, STANDING)]).tracks()
    boxes = np.array([body_at(200), body_at(400)], np.float64)
    walking = type(bodies)(
        bodies.ids, bodies.shot_ids, bodies.start_s, bodies.end_s, np.array([0, 2]),
        np.array([0, 10]), boxes, np.ones(2, bool),
    )  # fmt: skip

    pairs = faces_in_bodies(faces, walking, np.arange(12) / 10)

    assert pairs.is_match.tolist() == [True]
    assert pairs.fits[0] == pytest.approx(fit_of(face_at(300), STANDING))


def test_only_frames_with_both_are_looked_at() -> None:
    found = matches([Seen(11, 0, 10, face_at(300))], [Seen(1, 6, 20, STANDING)])

    assert list(found) == [6, 7, 8, 9, 10]


def test_without_faces_or_bodies_there_is_no_pair() -> None:
    assert matches([], [Seen(1, 0, 5, STANDING)]) == {}
    assert matches([Seen(11, 0, 5, face_at(300))], []) == {}
    assert matches([], []) == {}
