"""Two tracks that were seen at one time in different places are two people."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from screenalytics_core.vision.boxes import as_boxes, iou_pairs
from screenalytics_core.vision.cannot_link import MAX_IOU, cannot_link_pairs

LEFT, RIGHT = [0, 0, 40, 40], [100, 0, 140, 40]


def pairs(*boxes: tuple[int, int, list[int]]) -> list[list[int]]:
    """Pairs of (track, frame, box)."""
    tracks, frames, rows = zip(*boxes, strict=True)
    found = cannot_link_pairs(np.array(tracks), np.array(frames), np.array(rows, np.float32))
    return found.tolist()


def test_two_faces_in_one_frame_cannot_be_one_person() -> None:
    assert pairs((5, 0, LEFT), (2, 0, RIGHT)) == [[2, 5]]


def test_faces_of_different_frames_can() -> None:
    assert pairs((5, 0, LEFT), (2, 1, RIGHT)) == []


def test_two_boxes_of_one_face_can() -> None:
    almost = [4, 2, 44, 42]

    assert pairs((1, 0, LEFT), (2, 0, almost)) == []
    assert pairs((1, 0, LEFT), (2, 0, [30, 30, 70, 70])) == [[1, 2]]


def test_one_frame_apart_is_enough_and_a_pair_is_named_once() -> None:
    boxes = [(t, f, LEFT if t == 1 else RIGHT) for t in (1, 2) for f in range(20)]

    assert pairs(*boxes, (3, 19, [60, 0, 90, 40])) == [[1, 2], [1, 3], [2, 3]]


def test_nothing_gives_no_pairs() -> None:
    empty = cannot_link_pairs(np.zeros(0, int), np.zeros(0, int), np.zeros((0, 4), np.float32))

    assert empty.shape == (0, 2)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 8), st.integers(0, 4), st.integers(0, 60), st.integers(1, 60)
        ),
        min_size=1, max_size=40, unique_by=lambda b: b[:2],
    ),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_all_pairs_are_found_whatever_the_order(rows: list[tuple[int, ...]], rng: object) -> None:
    boxes = [(t, f, [x, 0, x + w, 30]) for t, f, x, w in rows]
    shuffled = list(boxes)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]

    expected = {
        (min(a, b), max(a, b))
        for a, f, box in boxes
        for b, g, other in boxes
        if a != b and f == g and iou_pairs(as_boxes([box]), as_boxes([other]))[0] < MAX_IOU
    }
    assert pairs(*shuffled) == [list(pair) for pair in sorted(expected)]
