"""Frames from a first to a last one, as people write them, for the algebra of intervals."""

from __future__ import annotations

from collections.abc import Iterable

from screenalytics_core.vision.intervals import Intervals, union


def half_open(*frames: Iterable[tuple[int, int]]) -> Intervals:
    """Return what lies in any of the sets of [first, last], both included, as [first, last + 1).

    Example:
        >>> half_open([(0, 2), (5, 6)], [(3, 3)])
        ((0, 4), (5, 7))
    """
    return union((first, last + 1) for some in frames for first, last in some)
