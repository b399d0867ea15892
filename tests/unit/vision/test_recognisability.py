"""Faces that cannot be told: where they lie, what stands out of them, what is made so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screenalytics_core.vision.recognisability import (
    Unknowable,
    clarity,
    lit,
    reference_rows,
    unrecognisable,
)


def test_the_place_of_unknowable_faces_is_their_mean_and_noise_their_distance_to_it() -> None:
    place = Unknowable.of(np.array([[2, 1], [2, -1], [4, 1], [4, -1]], np.float32))

    assert place.vector.tolist() == [3, 0]
    assert place.noise == pytest.approx(2**0.5)


def test_strangers_who_share_only_what_all_share_have_nothing_in_common() -> None:
    place = Unknowable.of(np.array([[3, 0.2, 0], [3, -0.2, 0]], np.float32))

    anna, ben = place.taken_off(np.array([[3, 1, 0], [3, 0, 1]], np.float32))

    assert float(anna @ ben) == 0


def test_a_face_that_lies_exactly_there_keeps_a_direction() -> None:
    place = Unknowable.of(np.array([[3, 0]], np.float32))

    assert place.taken_off(np.array([[3, 0], [3, 2]], np.float32)).tolist() == [[3, 0], [0, 2]]


def test_without_references_nothing_is_taken_off() -> None:
    nowhere = Unknowable.of(np.zeros((0, 2), np.float32))

    assert nowhere.noise == 0
    assert nowhere.taken_off(np.array([[1, 2]], np.float32)).tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("length", "noise", "expected"),
    [(5, 0, 1), (3, 4, 0.6), (1, 1, 0.5**0.5), (0, 1, 0), (0, 0, 0)],
)
def test_clarity(length: float, noise: float, expected: float) -> None:
    assert clarity(length, noise) == pytest.approx(expected)


def test_clarities_make_a_cosine_what_better_views_would_have() -> None:
    """Two views of one person with noise of their own: their cosine is the clarities' product."""
    rng = np.random.default_rng(3)
    person = np.zeros(4096)
    person[0] = 2
    a, b = (person + rng.normal(0, s / 64, 4096) for s in (1.0, 3.0))

    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)

    assert cosine == pytest.approx(clarity(2, 1) * clarity(2, 3), abs=0.03)


@given(st.integers(1, 5000))
def test_references_are_few_different_and_from_first_to_last(count: int) -> None:
    rows = reference_rows(count).tolist()

    assert len(rows) == min(count, 16) == len(set(rows))
    assert rows[0] == 0
    assert rows == sorted(rows)
    assert rows[-1] == (count - 1 if count > 1 else 0)


def test_an_unrecognisable_face_keeps_its_light_and_loses_its_detail() -> None:
    rng = np.random.default_rng(0)
    face = rng.integers(0, 256, (1, 112, 112, 3)).astype(np.uint8)

    made = unrecognisable(face)

    assert (made.shape, made.dtype) == (face.shape, np.uint8)
    assert made.mean() == pytest.approx(face.mean(), abs=1)
    assert np.abs(np.diff(made.astype(int), axis=1)).max() < 12
    assert np.abs(np.diff(face.astype(int), axis=1)).max() > 200


@pytest.mark.parametrize(
    ("brightest", "becomes"),
    [(13, 128), (64, 128), (127, 128), (128, 128), (250, 250), (0, 0)],
)
def test_dark_faces_are_brightened_and_others_left_alone(brightest: int, becomes: int) -> None:
    ramp = np.minimum(np.linspace(0, 1.1 * brightest, 112), brightest).round().astype(np.uint8)
    face = np.repeat(np.tile(ramp, (112, 1))[None, ..., None], 3, axis=3)

    made = lit(face)

    assert int(made.max()) == becomes
    assert (made is face or (made == face).all()) == (becomes == brightest)


def test_no_crops_stay_no_crops() -> None:
    none = np.zeros((0, 112, 112, 3), np.uint8)

    assert lit(none).shape == unrecognisable(none).shape == none.shape
