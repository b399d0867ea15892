"""Who is on screen with whom."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screenalytics_core.vision.co_appearance import CoAppearance, co_appearance
from screenalytics_core.vision.intervals import intersection, total_s


def test_time_with_two_and_with_three() -> None:
    shared = co_appearance([[(0, 4)], [(1, 3), (5, 6)], [(2, 6)]])

    assert shared == CoAppearance({(0, 1): 2, (0, 2): 2, (1, 2): 2}, 4, 6)


def test_who_comes_when_another_goes_does_not_meet_them() -> None:
    assert co_appearance([[(0, 4)], [(4, 5)]]) == CoAppearance({}, 0, 5)


def test_nobody_meets_nobody() -> None:
    assert co_appearance([]) == co_appearance([[], [(3, 3)]]) == CoAppearance({}, 0, 0)


stretches = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 9)).map(lambda p: (p[0] / 4, (p[0] + p[1]) / 4)),
    max_size=5,
)


@given(st.lists(stretches, max_size=5))
def test_it_agrees_with_the_algebra_of_intervals(people: list[list[tuple[float, float]]]) -> None:
    shared = co_appearance(people)

    meetings = {
        (i, j): intersection(people[i], people[j]) for i, j in combinations(range(len(people)), 2)
    }
    assert shared.together_s == {pair: total_s(both) for pair, both in meetings.items() if both}
    assert shared.overlap_s == pytest.approx(total_s(i for both in meetings.values() for i in both))
    assert shared.covered_s == pytest.approx(total_s(i for one in people for i in one))
