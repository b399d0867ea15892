"""What a body track looks like: the mean over the frames where it stands alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from screenalytics_core.vision.body_appearance import appearances_of_tracks, covered_parts
from screenalytics_core.vision.track_shaping import NOT_SEEN, Track
from screenalytics_core.vision.tracking import Detections


def detections(*rows: tuple[int, tuple[float, float, float, float]]) -> Detections:
    """(frame, box) of each; ids count down from 90, so that no row can be taken for an id."""
    return Detections(
        90 - np.arange(len(rows)),
        np.array([frame for frame, _ in rows], np.int64),
        np.array([box for _, box in rows], np.float32).reshape(-1, 4),
        np.full(len(rows), 0.8, np.float32),
    )


def track(detection_ids: Sequence[int]) -> Track:
    n = len(detection_ids)
    return Track(0, np.arange(n), np.zeros((n, 4), np.float32), np.array(detection_ids), 0.8)


def test_how_much_of_a_box_is_covered_is_told_in_parts_of_its_own_area() -> None:
    there = detections(
        (0, (0, 0, 10, 20)),
        (0, (5, 0, 10, 10)),  # inside the first, of which it covers a quarter
        (0, (9, 0, 30, 20)),  # covers a tenth of the first, a fifth of the second
        (1, (0, 0, 10, 20)),  # another frame
    )

    parts = covered_parts(there, np.arange(4))

    assert parts.tolist() == pytest.approx([0.25, 1.0, 20 / 420, 0])


def test_only_the_named_boxes_cover_and_are_covered() -> None:
    there = detections((0, (0, 0, 10, 20)), (0, (5, 0, 10, 10)), (0, (0, 0, 10, 15)))

    assert covered_parts(there, np.array([2, 0])).tolist() == [0.75, 0, 1]
    assert covered_parts(there, np.empty(0, np.int64)).tolist() == [0, 0, 0]


@pytest.mark.parametrize(("right", "leaves_out"), [(12.9, False), (13.1, True)])
def test_a_detection_is_left_out_from_thirty_per_cent_on(right: float, leaves_out: bool) -> None:
    there = detections(
        (0, (10, 0, 20, 20)), (0, (0, 0, right, 20)), (1, (10, 0, 20, 20)), (1, (50, 0, 60, 20))
    )
    vectors = np.array([[0, 1], [0, 1], [1, 0], [1, 0]], np.float16)

    made = appearances_of_tracks([track([90, NOT_SEEN, 88]), track([89, 87])], there, vectors)

    half = 0.5**0.5
    assert made.vectors[0] == pytest.approx([1, 0] if leaves_out else [half, half])


def test_vectors_of_interpolated_boxes_are_nobodys() -> None:
    there = detections((0, (0, 0, 9, 9)), (2, (0, 0, 9, 9)))
    vectors = np.array([[1, 0], [0, 1]], np.float16)

    made = appearances_of_tracks([track([NOT_SEEN, 89, NOT_SEEN])], there, vectors)

    assert made.vectors.tolist() == [[0, 1]]


def test_vectors_that_cancel_out_leave_none() -> None:
    there = detections((0, (0, 0, 9, 9)), (2, (0, 0, 9, 9)))

    made = appearances_of_tracks([track([90, 89])], there, np.array([[1.0], [-1.0]]))

    assert made.rows.tolist() == [-1]
    assert made.vectors.shape == (0, 1)
