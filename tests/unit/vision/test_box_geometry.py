"""Overlap, growth and straight lines of boxes, by hand-made numbers."""

from __future__ import annotations

import numpy as np
import pytest

from screenalytics_core.vision.boxes import (
    areas_px,
    as_boxes,
    grow_boxes,
    interpolate_boxes,
    iou_matrix,
    iou_pairs,
    lexicographic,
)

UNIT = [0.0, 0.0, 10.0, 10.0]


@pytest.mark.parametrize(
    ("other", "iou"),
    [
        pytest.param([0, 0, 10, 10], 1.0, id="the same"),
        pytest.param([5, 0, 15, 10], 1 / 3, id="half moved aside"),
        pytest.param([5, 5, 15, 15], 25 / 175, id="a quarter shared"),
        pytest.param([2, 2, 7, 7], 0.25, id="inside"),
        pytest.param([10, 0, 20, 10], 0.0, id="touching"),
        pytest.param([30, 30, 40, 40], 0.0, id="apart on both axes"),
        pytest.param([4, 4, 4, 4], 0.0, id="without area"),
    ],
)
def test_iou_is_shared_over_covered_area(other: list[float], iou: float) -> None:
    assert iou_matrix(as_boxes([UNIT]), as_boxes([other]))[0, 0] == pytest.approx(iou)
    assert iou_pairs(as_boxes([other]), as_boxes([UNIT]))[0] == pytest.approx(iou)


def test_two_boxes_without_area_do_not_overlap_themselves() -> None:
    point = as_boxes([[3, 3, 3, 3]])

    assert iou_matrix(point, point)[0, 0] == 0
    assert areas_px(as_boxes([[5, 0, 2, 9]]))[0] == 0


def test_nothing_against_something_is_an_empty_matrix() -> None:
    assert iou_matrix(as_boxes([]), as_boxes([UNIT])).shape == (0, 1)
    assert iou_matrix(as_boxes([UNIT]), as_boxes([])).shape == (1, 0)


def test_a_box_grows_by_a_part_of_each_side() -> None:
    assert grow_boxes(as_boxes([[0, 0, 10, 20]]), 0.5).tolist() == [[-5, -10, 15, 30]]


def test_boxes_move_straight_between_known_times_and_stand_outside() -> None:
    known = np.array([1.0, 2.0])
    boxes = as_boxes([[0, 0, 10, 10], [10, 20, 30, 40]])

    made = interpolate_boxes(np.array([0.0, 1.25, 2.0, 9.0]), known, boxes)

    assert made.tolist() == [boxes[0].tolist(), [2.5, 5, 15, 17.5], *[boxes[1].tolist()] * 2]


def test_order_is_by_the_keys_then_left_top_right_bottom() -> None:
    boxes = as_boxes([[2, 0, 9, 9], [1, 5, 9, 9], [1, 3, 9, 9], [0, 0, 9, 9]])

    assert lexicographic(boxes).tolist() == [3, 2, 1, 0]
    assert lexicographic(boxes, np.array([1.0, 1.0, 0.0, 1.0])).tolist() == [2, 3, 1, 0]
