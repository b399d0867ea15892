"""Interval algebra against the plain meaning: which ticks of a line are in a set."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from screenalytics_core.vision.intervals import (
    Interval,
    Intervals,
    intersection,
    subtraction,
    total_s,
    union,
)

TICKS = 40
some_intervals = st.lists(
    st.tuples(st.integers(0, TICKS), st.integers(0, TICKS)).map(lambda p: (min(p), max(p))),
    max_size=8,
)


def ticks(intervals: list[Interval] | Intervals) -> set[int]:
    """The ticks [n, n + 1) that intervals with whole ends cover."""
    return {n for start, end in intervals for n in range(int(start), int(end))}


def is_canonical(intervals: Intervals) -> bool:
    return all(start < end for start, end in intervals) and all(
        a[1] < b[0] for a, b in pairwise(intervals)
    )


@given(some_intervals, some_intervals)
def test_union_is_what_lies_in_either(a: list[Interval], b: list[Interval]) -> None:
    assert ticks(union(a, b)) == ticks(a) | ticks(b)


@given(some_intervals, some_intervals)
def test_intersection_is_what_lies_in_both(a: list[Interval], b: list[Interval]) -> None:
    assert ticks(intersection(a, b)) == ticks(a) & ticks(b)


@given(some_intervals, some_intervals)
def test_subtraction_is_what_lies_in_the_first_alone(a: list[Interval], b: list[Interval]) -> None:
    assert ticks(subtraction(a, b)) == ticks(a) - ticks(b)


@given(some_intervals, some_intervals)
def test_every_result_ascends_and_neither_overlaps_nor_touches(
    a: list[Interval], b: list[Interval]
) -> None:
    for made in (union(a, b), intersection(a, b), subtraction(a, b)):
        assert is_canonical(made)
        assert union(made) == made


@given(some_intervals, some_intervals)
def test_totals_add_up(a: list[Interval], b: list[Interval]) -> None:
    assert total_s(a) == len(ticks(a))
    assert total_s([*a, *b]) + total_s(intersection(a, b)) == total_s(a) + total_s(b)
    assert total_s(a) == total_s(intersection(a, b)) + total_s(subtraction(a, b))


@given(some_intervals, st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(a: list[Interval], random: object) -> None:
    shuffled = a.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert union(shuffled) == union(a)


def test_intervals_are_half_open() -> None:
    assert union([(0, 1)], [(1, 2)]) == ((0, 2),)
    assert intersection([(0, 1)], [(1, 2)]) == ()
    assert subtraction([(0, 2)], [(1, 2)]) == ((0, 1),)


def test_nothing_is_a_set_too() -> None:
    assert union() == intersection([], [(0, 1)]) == subtraction([], [(0, 1)]) == ()
    assert union([(3, 3)]) == ()
    assert total_s([]) == 0.0
