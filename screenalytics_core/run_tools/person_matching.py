"""Who in one run is who in another: identities of two runs share no ids. Pure.

Names decide first; then the tracks, when both runs hold the same ones; then the time on
screen. Time alone cannot tell apart two people who are always seen together, so a match
that another one comes close to is marked as ambiguous.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from screenalytics_core.vision.intervals import Intervals, intersection, total_s, union

# Another candidate with this share of the evidence might as well be the one.
_CLOSE: Final = 0.9
# Of the one who has less: below it, two people who merely share a scene would be paired.
_MIN_CONTAINED: Final = 0.5

Person = Mapping[str, Any]
"""A row of screen_time's `people`."""
TracksOf = Mapping[str, AbstractSet[int]]
"""identity_id -> its track ids."""


@dataclass(frozen=True, slots=True)
class PersonMatch:
    """Rows `a` and `b` are the same person.

    Attributes:
        by: cast_id, label, tracks or overlap.
        evidence: Shared tracks, or seconds on screen at the same time; None for a name.
        is_ambiguous: Another pairing has nearly as much evidence.
    """

    a: int
    b: int
    by: str
    evidence: float | None = None
    is_ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class _Candidate:
    """What two people share, and what each has: tracks, or seconds."""

    a: int
    b: int
    evidence: float
    of_a: float
    of_b: float

    @property
    def is_plausible(self) -> bool:
        return self.evidence > 0 and self.evidence >= _MIN_CONTAINED * min(self.of_a, self.of_b)

    @property
    def likeness(self) -> float:
        """Intersection over union."""
        return self.evidence / (self.of_a + self.of_b - self.evidence)


def match_people(
    people_a: Sequence[Person],
    people_b: Sequence[Person],
    *,
    tracks: tuple[TracksOf, TracksOf] | None = None,
    same_time: bool = True,
) -> list[PersonMatch]:
    """Pair the people of two runs, each at most once, in the order of `people_a`.

    Args:
        tracks: Tracks of the identities of each run; only when both hold the same tracks.
        same_time: Both runs are of one episode, so that seconds mean the same.
    """
    free_a, free_b = list(range(len(people_a))), list(range(len(people_b)))
    found: list[PersonMatch] = []

    def take(matches: Iterable[PersonMatch]) -> None:
        for match in matches:
            found.append(match)
            free_a.remove(match.a)
            free_b.remove(match.b)

    for column in ("cast_id", "label"):
        take(_by_name(people_a, people_b, free_a, free_b, column))
    if tracks is not None:
        shared = _track_candidates(people_a, people_b, free_a, free_b, *tracks)
        take(_greedy(shared, "tracks"))
    if same_time:
        shared = _time_candidates(people_a, people_b, free_a, free_b)
        take(_greedy(shared, "overlap"))
    return sorted(found, key=lambda match: match.a)


def may_be_same(a: Person, b: Person) -> bool:
    """Tell whether the names do not contradict each other."""
    for column in ("cast_id", "label"):
        if a.get(column) and b.get(column):
            return bool(a[column] == b[column])
    return True


def segments_of(person: Person) -> Intervals:
    """Return when a person is on screen."""
    return union((s["start_s"], s["end_s"]) for s in person.get("segments", ()))


def _by_name(
    people_a: Sequence[Person],
    people_b: Sequence[Person],
    free_a: Sequence[int],
    free_b: Sequence[int],
    column: str,
) -> list[PersonMatch]:
    matches: list[PersonMatch] = []
    left = list(free_b)
    for a in free_a:
        name = people_a[a].get(column)
        same = (
            b
            for b in left
            if name and people_b[b].get(column) == name and may_be_same(people_a[a], people_b[b])
        )
        b = next(same, None)
        if b is not None:
            left.remove(b)
            matches.append(PersonMatch(a, b, column))
    return matches


def _track_candidates(
    people_a: Sequence[Person],
    people_b: Sequence[Person],
    free_a: Sequence[int],
    free_b: Sequence[int],
    tracks_a: TracksOf,
    tracks_b: TracksOf,
) -> list[_Candidate]:
    def compare(a: int, b: int) -> _Candidate:
        mine = tracks_a.get(str(people_a[a].get("identity_id")), frozenset())
        theirs = tracks_b.get(str(people_b[b].get("identity_id")), frozenset())
        return _Candidate(a, b, len(mine & theirs), len(mine), len(theirs))

    return _candidates(people_a, people_b, free_a, free_b, compare)


def _time_candidates(
    people_a: Sequence[Person],
    people_b: Sequence[Person],
    free_a: Sequence[int],
    free_b: Sequence[int],
) -> list[_Candidate]:
    segments_a = {a: segments_of(people_a[a]) for a in free_a}
    segments_b = {b: segments_of(people_b[b]) for b in free_b}

    def compare(a: int, b: int) -> _Candidate:
        mine, theirs = segments_a[a], segments_b[b]
        shared_s = total_s(intersection(mine, theirs))
        return _Candidate(a, b, shared_s, total_s(mine), total_s(theirs))

    return _candidates(people_a, people_b, free_a, free_b, compare)


def _candidates(
    people_a: Sequence[Person],
    people_b: Sequence[Person],
    free_a: Sequence[int],
    free_b: Sequence[int],
    compare: Callable[[int, int], _Candidate],
) -> list[_Candidate]:
    pairs = [(a, b) for a in free_a for b in free_b if may_be_same(people_a[a], people_b[b])]
    return [c for a, b in pairs if (c := compare(a, b)).is_plausible]


def _greedy(candidates: list[_Candidate], by: str) -> list[PersonMatch]:
    """Take the pair with the most evidence, then the most alike, until nobody is left."""
    ordered = sorted(candidates, key=lambda c: (-c.evidence, -c.likeness, c.a, c.b))
    taken_a: set[int] = set()
    taken_b: set[int] = set()
    matches = []
    for pair in ordered:
        if pair.a in taken_a or pair.b in taken_b:
            continue
        taken_a.add(pair.a)
        taken_b.add(pair.b)
        rivals = [c for c in candidates if (c.a == pair.a) != (c.b == pair.b)]
        is_close = any(c.likeness >= _CLOSE * pair.likeness for c in rivals)
        matches.append(PersonMatch(pair.a, pair.b, by, round(pair.evidence, 6), is_close))
    return matches
