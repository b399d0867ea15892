"""Aligned crops: the library's transform exactly, and sane crops where it has none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.transform import SimilarityTransform

from screenalytics_core.vision.alignment import (
    CROP_PX,
    TEMPLATE_XY,
    aligned_crop,
    box_transform,
    face_transform,
    landmark_transform,
)
from screenalytics_core.vision.face_quality import sharpness


def transformed(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]


def test_the_template_is_that_of_insightface() -> None:
    from insightface.utils.face_align import arcface_dst

    np.testing.assert_array_equal(TEMPLATE_XY.astype(np.float32), arcface_dst)


@given(noise=st.lists(st.floats(-6, 6), min_size=10, max_size=10), turn=st.floats(-3, 3),
       scale=st.floats(0.2, 20), shift=st.floats(-500, 2000))  # fmt: skip
def test_the_transform_is_the_least_squares_similarity(
    noise: list[float], turn: float, scale: float, shift: float
) -> None:
    moved = SimilarityTransform(scale=scale, rotation=turn, translation=(shift, shift))
    landmarks = (moved(TEMPLATE_XY + np.reshape(noise, (5, 2)))).astype(np.float32)

    ours = landmark_transform(landmarks.reshape(-1))

    reference = SimilarityTransform.from_estimate(landmarks.astype(np.float64), TEMPLATE_XY)
    assert ours is not None
    np.testing.assert_allclose(
        transformed(ours, landmarks), reference(landmarks.astype(np.float64)), atol=1e-6
    )


def test_a_tilted_face_comes_out_upright() -> None:
    turned = SimilarityTransform(scale=3.0, rotation=0.7, translation=(400, 90))

    matrix = landmark_transform(turned(TEMPLATE_XY).astype(np.float32).reshape(-1))

    assert matrix is not None
    np.testing.assert_allclose(transformed(matrix, turned(TEMPLATE_XY)), TEMPLATE_XY, atol=1e-4)


@pytest.mark.parametrize(
    "landmarks",
    [np.full(10, 50.0), np.array([np.nan] * 10), np.array([1.0] * 9 + [np.inf])],
    ids=["one point", "none", "not finite"],
)
def test_useless_landmarks_give_no_transform_and_the_box_is_used(landmarks: np.ndarray) -> None:
    bbox = np.array([100, 100, 180, 207], np.float32)

    assert landmark_transform(landmarks.astype(np.float32)) is None
    np.testing.assert_array_equal(
        face_transform(bbox, landmarks.astype(np.float32)), box_transform(bbox)
    )


def test_without_landmarks_a_box_lands_where_aligned_faces_have_theirs() -> None:
    matrix = face_transform(np.array([100, 200, 260, 414], np.float32), None)

    corners = transformed(matrix, np.array([[100.0, 200.0], [260.0, 414.0]]))
    np.testing.assert_allclose(corners, [[16, 10.5], [96, 117.5]])


def test_landmarks_win_over_the_box() -> None:
    landmarks = (TEMPLATE_XY * 2 + 30).astype(np.float32).reshape(-1)
    bbox = np.array([0, 0, 10, 10], np.float32)

    np.testing.assert_allclose(
        face_transform(bbox, landmarks), [[0.5, 0, -15], [0, 0.5, -15]], atol=1e-5
    )


@pytest.mark.parametrize("scale", [0.7, 2.0, 3.0, 5.0, 9.5])
def test_a_crop_shows_the_same_place_at_every_scale(scale: float) -> None:
    """Dots drawn at the landmarks of a large or small face lie at the template's in the crop."""
    size = int(140 * scale)
    points = TEMPLATE_XY * scale + 10
    image = np.zeros((size, size, 3), np.uint8)
    for x, y in points:
        place = (round(x * 256), round(y * 256))  # in 1/256 px
        cv2.circle(image, place, round(3 * scale * 256), (255, 255, 255), -1, cv2.LINE_AA, 8)

    matrix = landmark_transform(points.astype(np.float32).reshape(-1))
    assert matrix is not None
    crop = aligned_crop(image, matrix)[..., 0]

    for x, y in TEMPLATE_XY:
        left, top = int(x) - 7, int(y) - 7
        part = crop[top : top + 15, left : left + 15].astype(np.float64)
        ys, xs = np.mgrid[top : top + 15, left : left + 15]
        centre = (part * xs).sum() / part.sum(), (part * ys).sum() / part.sum()
        assert centre == pytest.approx((x, y), abs=0.15)


def test_noise_of_a_large_face_is_averaged_away_instead_of_sampled() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (1200, 1200, 3), np.uint8)
    large = np.array([[0.1, 0, 0], [0, 0.1, 0]])
    plain = cv2.warpAffine(noise, large, (CROP_PX, CROP_PX))

    assert sharpness(aligned_crop(noise, large)) < sharpness(np.asarray(plain, np.uint8)) / 5


def test_what_lies_outside_the_picture_is_black() -> None:
    white = np.full((50, 50, 3), 255, np.uint8)

    crop = aligned_crop(white, box_transform(np.array([30, 0, 80, 50], np.float32)))

    assert crop.shape == (CROP_PX, CROP_PX, 3)
    assert crop.dtype == np.uint8
    assert crop[60, 20].tolist() == [255, 255, 255]
    assert crop[60, 110].tolist() == [0, 0, 0]


def test_a_huge_face_wholly_outside_the_picture_is_a_black_crop() -> None:
    white = np.full((50, 50, 3), 255, np.uint8)

    crop = aligned_crop(white, np.array([[0.05, 0, 600.0], [0, 0.05, 600.0]]))

    assert not crop.any()
