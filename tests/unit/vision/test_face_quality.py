"""Measures of a face, the gates, and which faces stand for a track."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screenalytics_core.vision.alignment import TEMPLATE_XY
from screenalytics_core.vision.face_quality import (
    Gates,
    RejectReason,
    choose_faces,
    frontalities,
    gate,
    qualities,
    select_top_k,
    sharpness,
    sizes_px,
)

GATES = Gates(min_size_px=20, min_confidence=0.5, min_sharpness=8, min_frontality=0.05)


def head(yaw_deg: float = 0, pitch_deg: float = 0, roll_deg: float = 0) -> np.ndarray:
    """Landmarks of a head whose nose stands out by 0.8 of half the pupils' distance."""
    eyes_and_mouth = TEMPLATE_XY - TEMPLATE_XY[[0, 1, 3, 4]].mean(axis=0)
    points = np.column_stack([eyes_and_mouth, np.zeros(5)])
    half = (points[1, 0] - points[0, 0]) / 2
    points[2] = [0, 0, 0.8 * half]
    yaw, pitch, roll = np.radians([yaw_deg, pitch_deg, roll_deg])
    about_y = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
    about_x = [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    about_z = [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    turned = points @ (np.array(about_z) @ np.array(about_x) @ np.array(about_y)).T
    return (turned[:, :2] * 2.5 + 300).astype(np.float32).reshape(1, 10)


@pytest.mark.parametrize("yaw_deg", [-80, -45, -10, 0, 20, 60, 85])
def test_frontality_falls_evenly_with_the_angle_of_the_head(yaw_deg: float) -> None:
    expected = 1 - abs(yaw_deg) / 90

    assert frontalities(head(yaw_deg))[0] == pytest.approx(expected, abs=0.03)


def test_looking_down_counts_like_looking_aside() -> None:
    down, aside = frontalities(head(pitch_deg=40))[0], frontalities(head(yaw_deg=40))[0]

    assert down == pytest.approx(aside, abs=0.1)


@given(roll=st.floats(-180, 180), yaw=st.floats(-85, 85))
def test_a_tilted_head_is_as_frontal_as_an_upright_one(roll: float, yaw: float) -> None:
    assert frontalities(head(yaw, roll_deg=roll))[0] == pytest.approx(
        frontalities(head(yaw))[0], abs=1e-3
    )


def test_the_template_is_frontal_and_collapsed_landmarks_are_profile() -> None:
    rows = np.stack([TEMPLATE_XY.reshape(-1), np.full(10, 7.0), np.full(10, np.nan)])

    frontal, collapsed, unknown = frontalities(rows.astype(np.float32))

    assert frontal > 0.97
    assert collapsed == 0
    assert np.isnan(unknown)


def test_frontalities_of_nothing_are_nothing() -> None:
    assert frontalities(np.zeros((0, 10), np.float32)).shape == (0,)


def test_size_is_the_shorter_side() -> None:
    boxes = np.array([[0, 0, 30, 50], [10, 10, 60, 20]], np.float32)

    assert sizes_px(boxes).tolist() == [30, 10]


def test_blur_lowers_sharpness() -> None:
    crop = np.random.default_rng(0).integers(0, 255, (112, 112, 3), np.uint8)
    blurred = np.asarray(cv2.GaussianBlur(crop, (9, 9), 0), np.uint8)

    assert 0 < sharpness(blurred) < sharpness(crop) / 20
    assert sharpness(np.full((112, 112, 3), 90, np.uint8)) == 0


def quality(**changed: float) -> float:
    face = {"confidence": 0.9, "size": 80.0, "frontality": 0.8, "sharpness": 100.0, **changed}
    parts = [np.array([face[k]], np.float32) for k in ("confidence", "size", "frontality")]
    return float(qualities(*parts, np.array([face["sharpness"]], np.float32))[0])


@pytest.mark.parametrize(
    "worse",
    [{"confidence": 0.5}, {"size": 30.0}, {"frontality": 0.1}, {"sharpness": 5.0}],
    ids=lambda w: next(iter(w)),
)
def test_each_part_lowers_the_quality(worse: dict[str, float]) -> None:
    assert 0 < quality(**worse) < quality()


@given(
    confidence=st.floats(0.1, 1), size=st.floats(1, 5000), frontality=st.floats(0, 1),
    sharp=st.floats(0.01, 1e6),
)  # fmt: skip
def test_quality_stays_between_0_and_1_and_a_profile_still_counts(
    confidence: float, size: float, frontality: float, sharp: float
) -> None:
    value = quality(confidence=confidence, size=size, frontality=frontality, sharpness=sharp)

    assert 0 < value <= 1


def test_unknown_pose_lies_between_frontal_and_profile() -> None:
    assert quality(frontality=0.0) < quality(frontality=np.nan) < quality(frontality=1.0)


def test_a_face_larger_than_a_crop_is_no_better() -> None:
    assert quality(size=112.0) == quality(size=600.0)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, None),
        ({"size_px": 20}, None),
        ({"size_px": 19.5}, RejectReason.TOO_SMALL),
        ({"size_px": 5, "confidence": 0.1, "sharpness": 0.0}, RejectReason.TOO_SMALL),
        ({"confidence": 0.49, "sharpness": 0.0}, RejectReason.LOW_CONFIDENCE),
        ({"sharpness": 7.9, "frontality": 0.0}, RejectReason.BLURRED),
        ({"frontality": 0.04}, RejectReason.PROFILE),
        ({"frontality": np.nan}, None),
    ],
)
def test_the_first_gate_that_fails_is_named(
    changed: dict[str, float], reason: RejectReason | None
) -> None:
    face = {"size_px": 60.0, "confidence": 0.8, "sharpness": 90.0, "frontality": 0.7, **changed}

    assert gate(GATES, **face) == reason


def test_top_k_takes_the_best_first() -> None:
    quality = np.array([0.1, 0.9, 0.2, 0.3], np.float32)

    assert select_top_k(quality, np.arange(4.0), 1).tolist() == [1]


def test_top_k_spreads_in_time_rather_than_take_neighbours() -> None:
    quality = np.array([0.9, 0.89, 0.88, 0.87, 0.5, 0.5, 0.5, 0.6], np.float32)
    times_s = np.array([0.0, 0.04, 0.08, 0.12, 2.0, 4.0, 6.0, 8.0])

    assert select_top_k(quality, times_s, 3).tolist() == [0, 5, 7]


def test_top_k_gives_equal_faces_to_the_earlier() -> None:
    same = np.full(6, 0.5, np.float32)

    assert select_top_k(same, np.zeros(6), 2).tolist() == [0, 1]


@given(
    quality=st.lists(st.floats(0.015625, 1, width=32), min_size=1, max_size=40),
    k=st.integers(1, 12),
)
def test_top_k_is_ascending_distinct_and_has_the_best(quality: list[float], k: int) -> None:
    values = np.array(quality, np.float32)

    chosen = select_top_k(values, np.arange(len(values)) / 25, k)

    assert chosen.tolist() == sorted(set(chosen.tolist()))
    assert len(chosen) == min(k, len(values))
    assert int(values.argmax()) in chosen


def test_doubtful_faces_are_chosen_only_where_no_clear_one_exists() -> None:
    quality, times_s = np.array([0.9, 0.2, 0.8], np.float32), np.arange(3.0)
    blurred, profile, small = RejectReason.BLURRED, RejectReason.PROFILE, RejectReason.TOO_SMALL

    assert choose_faces([blurred, None, profile], quality, times_s, 2).tolist() == [1]
    assert choose_faces([blurred, small, profile], quality, times_s, 2).tolist() == [0, 2]
    assert choose_faces([small, small, small], quality, times_s, 2).tolist() == []
