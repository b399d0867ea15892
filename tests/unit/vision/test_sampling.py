"""Between two looks nothing need be looked at if it is clear who became whom."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screenalytics_core.vision.box_rows import Boxes
from screenalytics_core.vision.sampling import is_clear, where_between

STRONG = 0.5
Face = tuple[float, float, float]
"""Left edge and side in px, and confidence."""


def boxes(*faces: Face) -> Boxes:
    return Boxes(
        np.array([(x, 0, x + side, side) for x, side, _ in faces], np.float32).reshape(-1, 4),
        np.array([confidence for _, _, confidence in faces], np.float32),
    )


@pytest.mark.parametrize(
    ("before", "after", "clear"),
    [
        pytest.param([], [], True, id="nobody"),
        pytest.param([(0, 60, 0.8)], [(10, 60, 0.8)], True, id="somebody who moves a little"),
        pytest.param([(0, 60, 0.8)], [(40, 60, 0.8)], False, id="somebody who moves fast"),
        pytest.param([(0, 20, 0.8)], [(10, 20, 0.8)], False, id="the same step of a small face"),
        pytest.param([(0, 60, 0.8)], [(0, 120, 0.8)], False, id="a face that grows fast"),
        pytest.param([], [(0, 60, 0.8)], False, id="somebody appears"),
        pytest.param([(0, 60, 0.8)], [], False, id="somebody goes"),
        pytest.param([(0, 60, 0.8), (200, 60, 0.8)], [(0, 60, 0.8)], False, id="one of two goes"),
        pytest.param([(0, 60, 0.8)], [(0, 60, 0.4)], True, id="a face becomes weak"),
        pytest.param([(0, 60, 0.8)], [(0, 60, 0.2)], False, id="a face all but vanishes"),
        pytest.param([(0, 60, 0.4)], [], True, id="something weak goes"),
        pytest.param([(0, 60, 0.4)], [(0, 60, 0.45)], True, id="something weak stays"),
        pytest.param(
            [(0, 60, 0.8)], [(0, 60, 0.8), (5, 60, 0.4)], False, id="one face, two candidates"
        ),
        pytest.param(
            [(0, 60, 0.8), (8, 60, 0.4)], [(4, 60, 0.8)], False, id="two candidates, one face"
        ),
        pytest.param(
            [(0, 60, 0.8), (300, 60, 0.3)], [(0, 60, 0.8)], True, id="something weak far away"
        ),
    ],
)
def test_what_is_clear(before: Sequence[Face], after: Sequence[Face], clear: bool) -> None:
    assert is_clear(boxes(*before), boxes(*after), STRONG) is clear
    assert is_clear(boxes(*after), boxes(*before), STRONG) is clear


faces = st.lists(st.tuples(st.floats(0, 300), st.floats(10, 90), st.floats(0.1, 1)), max_size=4)


@given(faces, faces, st.randoms())
def test_neither_order_nor_direction_of_time_matters(
    before: list[Face], after: list[Face], random: object
) -> None:
    first = is_clear(boxes(*before), boxes(*after), STRONG)

    assert is_clear(boxes(*after), boxes(*before), STRONG) is first
    assert is_clear(boxes(*before[::-1]), boxes(*after[::-1]), STRONG) is first


@given(faces)
def test_faces_apart_that_do_not_move_are_clear(seen: list[Face]) -> None:
    apart = [(1000.0 * i + x, side, confidence) for i, (x, side, confidence) in enumerate(seen)]

    assert is_clear(boxes(*apart), boxes(*apart), STRONG)


def test_a_closer_look_goes_half_a_face_further_than_all_faces() -> None:
    place = where_between(boxes((100, 60, 0.8)), boxes((300, 40, 0.8), (200, 20, 0.4)), STRONG)

    assert place.tolist() == [70, -30, 360, 90]


def test_what_is_too_weak_to_be_anybody_makes_a_closer_look_no_larger() -> None:
    place = where_between(boxes((100, 60, 0.8), (900, 60, 0.2)), boxes(), STRONG)

    assert place.tolist() == [70, -30, 190, 90]
