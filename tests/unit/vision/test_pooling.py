"""One vector for a track: who is left out, who counts more."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screenalytics_core.vision.pooling import inliers, normalised, pool


def around(direction: int, n: int, noise: float, seed: int = 0, dims: int = 64) -> np.ndarray:
    """`n` unit vectors near one axis."""
    vectors = np.random.default_rng(seed).normal(0, noise, (n, dims)).astype(np.float32)
    vectors[:, direction] += 1
    return normalised(vectors)


def test_normalised_rows_have_length_1_and_a_zero_row_stays_zero() -> None:
    rows = normalised(np.array([[3, 4], [0, 0]], np.float32))

    assert rows.tolist() == [[np.float32(0.6), np.float32(0.8)], [0, 0]]
    assert rows.dtype == np.float32


def test_a_face_of_somebody_else_is_left_out_of_its_track() -> None:
    faces = np.concatenate([around(0, 4, 0.05), around(1, 1, 0.05), around(0, 3, 0.05, seed=1)])

    pooled = pool(faces, np.ones(8, np.float32))

    assert pooled.kept.tolist() == [True] * 4 + [False] + [True] * 3
    assert pooled.embedding[1] < 0.1


def test_two_faces_that_are_left_out_tell_together_whom_they_show() -> None:
    others = around(1, 2, 0.05)
    faces = np.concatenate([around(0, 4, 0.05), 3 * others[:1], others[1:]])

    left_out = pool(faces, np.ones(6, np.float32)).left_out

    assert left_out == pytest.approx(normalised(others.mean(axis=0)[None])[0], abs=1e-6)


def test_one_face_that_is_left_out_tells_of_nobody() -> None:
    faces = np.concatenate([around(0, 4, 0.05), around(1, 1, 0.05)])

    assert pool(faces, np.ones(5, np.float32)).left_out is None


def test_faces_that_are_left_out_and_cancel_out_tell_of_nobody() -> None:
    axis = np.eye(1, 64, 1, dtype=np.float32)
    faces = np.concatenate([np.tile(np.eye(1, 64, dtype=np.float32), (4, 1)), axis, -axis])

    pooled = pool(faces, np.ones(6, np.float32))

    assert pooled.kept.tolist() == [True] * 4 + [False] * 2
    assert pooled.left_out is None


def test_a_heavy_outlier_is_left_out_all_the_same() -> None:
    faces = np.concatenate([around(0, 5, 0.05), around(1, 1, 0.05)])

    assert not pool(faces, np.array([1, 1, 1, 1, 1, 100], np.float32)).kept[5]


def test_natural_variation_leaves_nobody_out() -> None:
    assert inliers(around(0, 12, 0.04)).all()


def test_a_still_shot_does_not_make_a_small_change_an_outlier() -> None:
    still = np.tile(around(0, 1, 0), (7, 1))
    turned = normalised(np.array([[1, 0.4] + [0] * 62], np.float32))

    assert inliers(np.concatenate([still, turned])).all()


def test_of_two_faces_that_differ_neither_is_the_odd_one() -> None:
    assert inliers(np.eye(2, 8, dtype=np.float32)).all()


@given(n=st.integers(1, 20), seed=st.integers(0, 1000), noise=st.floats(0.01, 2))
def test_more_than_half_of_the_faces_stay(n: int, seed: int, noise: float) -> None:
    kept = inliers(around(0, n, noise, seed))

    assert kept.sum() > n / 2


def test_better_faces_count_more() -> None:
    faces = normalised(np.array([[1, 0.3], [1, -0.3]], np.float32))

    pooled = pool(faces, np.array([3, 1], np.float32))

    assert pooled.embedding[1] > 0.1
    assert np.linalg.norm(pooled.embedding) == pytest.approx(1)


def test_spread_is_the_mean_distance_of_the_pooled_faces() -> None:
    same = np.tile(around(0, 1, 0), (4, 1))
    faces = normalised(np.array([[1, 0.5], [1, -0.5]], np.float32))

    assert pool(same, np.ones(4, np.float32)).spread == pytest.approx(0, abs=1e-6)
    assert pool(faces, np.ones(2, np.float32)).spread == pytest.approx(1 - 1 / np.hypot(1, 0.5))


def test_a_longer_vector_counts_more() -> None:
    faces = np.array([[2, 0], [0, 1]], np.float32)

    pooled = pool(faces, np.ones(2, np.float32))

    assert pooled.embedding[0] == pytest.approx(2 * pooled.embedding[1])


def test_clarity_is_what_stands_out_of_the_noise() -> None:
    faces = np.tile(np.array([[3, 0]], np.float32), (2, 1))

    assert pool(faces, np.ones(2, np.float32)).clarity == 1
    assert pool(faces, np.ones(2, np.float32), noise=4).clarity == pytest.approx(0.6)


def test_faces_that_disagree_make_a_track_less_clear() -> None:
    agree, differ = np.array([[1, 0], [1, 0]], np.float32), np.eye(2, dtype=np.float32)
    weights = np.ones(2, np.float32)

    assert pool(differ, weights, noise=1).clarity < pool(agree, weights, noise=1).clarity - 0.1


@given(st.integers(1, 9), st.integers(0, 99), st.floats(0, 10), st.floats(0.1, 10))
def test_clarity_does_not_depend_on_the_embedders_scale(
    n: int, seed: int, noise: float, scale: float
) -> None:
    faces, weights = around(0, n, 0.3, seed), np.ones(n, np.float32)

    plain = pool(faces, weights, noise)
    scaled = pool(faces * np.float32(scale), weights, noise * scale)

    assert 0 <= plain.clarity <= 1
    assert scaled.clarity == pytest.approx(plain.clarity, abs=1e-5)
    np.testing.assert_allclose(scaled.embedding, plain.embedding, atol=1e-5)


def test_faces_that_cancel_out_give_the_better_one() -> None:
    faces = np.array([[1, 0], [-1, 0]], np.float32)

    assert pool(faces, np.array([1, 1], np.float32)).embedding.tolist() == [1, 0]
