"""Algebra of half-open time intervals [start_s, end_s).

A set of intervals is a tuple that ascends and whose members neither overlap nor touch; what
has no length is left out. All functions take intervals in any order and give such a set.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum

Interval = tuple[float, float]
Intervals = tuple[Interval, ...]


def union(*sets: Iterable[Interval]) -> Intervals:
    """Return what lies in any of the sets; intervals that touch become one.

    Example:
        >>> union([(0, 2), (5, 6)], [(1, 3), (3, 4)])
        ((0, 4), (5, 6))
    """
    joined: list[Interval] = []
    for start, end in sorted(i for one in sets for i in one if i[1] > i[0]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)


def intersection(first: Iterable[Interval], second: Iterable[Interval]) -> Intervals:
    """Return what lies in both sets."""
    a, b = union(first), union(second)
    shared: list[Interval] = []
    i = j = 0
    while i < len(a) and j < len(b):
        start, end = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
        if start < end:
            shared.append((start, end))
        if a[i][1] <= b[j][1]:
            i += 1
        else:
            j += 1
    return tuple(shared)


def subtraction(first: Iterable[Interval], second: Iterable[Interval]) -> Intervals:
    """Return what lies in `first` and not in `second`."""
    taken = union(second)
    left: list[Interval] = []
    j = 0
    for start, end in union(first):
        while j < len(taken) and taken[j][1] <= start:
            j += 1
        at = j
        while at < len(taken) and taken[at][0] < end:
            if taken[at][0] > start:
                left.append((start, taken[at][0]))
            start = taken[at][1]
            at += 1
        if start < end:
            left.append((start, end))
    return tuple(left)


def total_s(intervals: Iterable[Interval]) -> float:
    """Return the seconds that the intervals cover; what overlaps counts once."""
    return fsum(end - start for start, end in union(intervals))
