"""Who is on screen with whom, from each person's stretches of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import fsum

from screenalytics_core.vision.intervals import Interval, union


@dataclass(frozen=True, slots=True)
class CoAppearance:
    """What several people's times have in common, in s.

    Attributes:
        together_s: (place of one, place of another, the lower one first) -> seconds with both;
            only pairs that meet.
        overlap_s: Time with at least two people.
        covered_s: Time with at least one.
    """

    together_s: Mapping[tuple[int, int], float]
    overlap_s: float
    covered_s: float


def co_appearance(people: Sequence[Sequence[Interval]]) -> CoAppearance:
    """Add up who shares the screen; the order of each person's intervals does not matter.

    Takes time in proportion to the number of intervals and of people on screen at once.
    """
    together: dict[tuple[int, int], list[float]] = defaultdict(list)
    overlap, covered = [], []
    for length_s, present in _moments(people):
        covered.append(length_s)
        if len(present) > 1:
            overlap.append(length_s)
        for pair in combinations(present, 2):
            together[pair].append(length_s)
    return CoAppearance(
        {pair: fsum(lengths) for pair, lengths in sorted(together.items())},
        fsum(overlap),
        fsum(covered),
    )


def _moments(people: Sequence[Sequence[Interval]]) -> Iterator[tuple[float, list[int]]]:
    """Yield stretches in which nobody comes or goes: length in s, and who is there."""
    changes = sorted(
        (at, place, is_coming)
        for place, intervals in enumerate(people)
        for start_s, end_s in union(intervals)
        for at, is_coming in ((start_s, True), (end_s, False))
    )
    present: set[int] = set()
    before_s = 0.0
    for at_s, place, is_coming in changes:
        if present and at_s > before_s:
            yield at_s - before_s, sorted(present)
        before_s = at_s
        if is_coming:
            present.add(place)
        else:
            present.discard(place)
