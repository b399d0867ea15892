"""Assignment and duplicate boxes in one frame."""

from __future__ import annotations

import numpy as np
import pytest

from screenalytics_core.vision.association import best_matches, without_duplicates
from screenalytics_core.vision.boxes import as_boxes


def test_the_sum_of_gains_counts_not_the_best_pair() -> None:
    matches = best_matches(np.array([[0.9, 0.8], [0.8, 0.1]]), 0.2)

    assert (matches.rows.tolist(), matches.columns.tolist()) == ([0, 1], [1, 0])


def test_a_pair_below_the_least_gain_does_not_push_one_above_it_aside() -> None:
    """0.4 + 0.4 is more than 0.7, but neither may be made."""
    matches = best_matches(np.array([[0.7, 0.4], [0.4, 0.0]]), 0.5)

    assert (matches.rows.tolist(), matches.columns.tolist()) == ([0], [0])
    assert (matches.free_rows.tolist(), matches.free_columns.tolist()) == ([1], [1])


def test_what_reaches_the_least_gain_is_paired() -> None:
    assert best_matches(np.array([[0.5]]), 0.5).rows.tolist() == [0]


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_with_nothing_on_one_side_all_of_the_other_is_free(shape: tuple[int, int]) -> None:
    matches = best_matches(np.zeros(shape), 0.5)

    assert len(matches.rows) == len(matches.columns) == 0
    assert matches.free_rows.tolist() == list(range(shape[0]))
    assert matches.free_columns.tolist() == list(range(shape[1]))


def box(left: float) -> list[float]:
    return [left, 0.0, left + 100, 100.0]


def test_the_more_confident_of_two_boxes_on_one_face_stays() -> None:
    kept = without_duplicates(as_boxes([box(0), box(5), box(300)]), np.array([0.6, 0.9, 0.3]), 0.6)

    assert kept.tolist() == [1, 2]


def test_a_box_that_only_overlaps_a_dropped_one_stays() -> None:
    boxes = as_boxes([box(0), box(22), box(44)])

    assert without_duplicates(boxes, np.array([0.9, 0.8, 0.7]), 0.6).tolist() == [0, 2]


def test_equal_confidences_are_settled_by_the_boxes_not_by_their_order() -> None:
    boxes = as_boxes([box(5), box(0)])
    confidences = np.array([0.5, 0.5])

    assert without_duplicates(boxes, confidences, 0.6).tolist() == [1]
    assert without_duplicates(boxes[::-1], confidences, 0.6).tolist() == [0]
