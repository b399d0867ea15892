"""The people of an episode: the machine's identities, put right by what was said of tracks.

An identity stands for whom most of its decided time was put with, and takes its undecided
tracks along. Somebody whom decisions made one person is one over all identities that mostly
show them; their tracks elsewhere leave those identities for them. Who was split off never
stands for the identity that they were split from. Who has no identity to stand for them is a
part: `{identity_id}.{n}`, where the identity is the one with most of their time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from screenalytics_core.decisions.sayings import Decided, Place, Sayings

NO_IDENTITY: Final = "id_0000"
"""Whom parts are named after that no identity holds anything of; identities count from 1."""


@dataclass(slots=True)
class Person:
    """Somebody of the episode, before names.

    Attributes:
        person_id: An identity's, or a part's.
        tracks: All that show them.
    """

    person_id: str
    tracks: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class People:
    """Who the tracks show.

    Attributes:
        persons: By id: the identities, in their order, then parts; those merged into another
            one are not among them.
        merged: identity_id -> the identity that it is the same person as, and the decision.
        moved: Tracks that are not where the machine put them -> the decision that says so;
            those that `persons` do not hold were put with nobody.
        split: Pairs of persons that were decided to be two.
    """

    persons: dict[str, Person]
    merged: dict[str, tuple[str, int]]
    moved: dict[int, int]
    split: frozenset[tuple[str, str]]


def part_id(base: str, taken: Iterable[str]) -> str:
    """Return the next free name of a part of an identity, from `{base}.1` on."""
    names = set(taken)
    return next(name for n in range(1, len(names) + 2) if (name := f"{base}.{n}") not in names)


def find_people(
    identities: Mapping[str, Iterable[int]], said: Sayings, seconds: Mapping[int, float]
) -> People:
    """Put decisions over identities.

    Args:
        identities: identity_id -> its tracks, in order; other tracks are nobody's.
        seconds: track_id -> how long it is, of all tracks.
    """
    return _Sorting({i: set(tracks) for i, tracks in identities.items()}, said, seconds).people()


class _Sorting:
    """Who stands for each identity, and where each track goes."""

    def __init__(
        self, identities: dict[str, set[int]], said: Sayings, seconds: Mapping[int, float]
    ) -> None:
        self._identities = identities
        self._seconds = seconds
        self._places = {t: p for t, p in sorted(said.places.items()) if t in seconds}
        self._identity_of = {t: i for i, tracks in identities.items() for t in tracks}
        self._stands = {i: self._standing_for(tracks) for i, tracks in identities.items()}
        self._homes = self._find_homes()
        self._merged = {
            identity_id: self._homes[who]
            for identity_id, who in self._stands.items()
            if who in self._homes
            and self._homes[who] != identity_id
            and self._comes_along(identity_id, who)
        }

    def people(self) -> People:
        """Return everybody, with the tracks where they belong."""
        persons = {i: Person(i) for i in self._identities if i not in self._merged}
        moved: dict[int, int] = {}
        leaving: dict[Decided, set[int]] = defaultdict(set)
        kept_out: dict[tuple[str, Decided], set[int]] = defaultdict(set)
        for track_id in sorted(self._seconds):
            at, place = self._identity_of.get(track_id), self._places.get(track_id)
            if place is not None and self._leaves(place, at):
                moved[track_id] = place.decision
                if place.who is not None:
                    leaving[place.who].add(track_id)
            elif at is not None:
                locked = self._locked_out(place, at)
                if locked is None:
                    persons[self._merged.get(at, at)].tracks.add(track_id)
                else:
                    moved[track_id] = locked.decision
                    kept_out[at, locked].add(track_id)
        self._take_home(persons, leaving)
        parts = [(who.since, tracks) for who, tracks in leaving.items() if tracks]
        parts += [(locked.since, tracks) for (_, locked), tracks in kept_out.items()]
        for _, tracks in sorted(parts, key=lambda part: (part[0], min(part[1]))):
            name = part_id(self._base(tracks), {*persons, *self._identities})
            persons[name] = Person(name, tracks)
        merged = {i: (home, self._decision_on(i)) for i, home in self._merged.items()}
        return People(persons, merged, moved, self._split(persons))

    def _standing_for(self, tracks: Iterable[int]) -> Decided | None:
        """Return with whom most of the decided time of an identity was put."""
        places = {t: self._places[t] for t in sorted(tracks) if t in self._places}
        present = {place.who for place in places.values()}
        weights: dict[Decided, float] = defaultdict(float)
        for track_id, place in places.items():
            if place.who is not None and place.speaks and place.who.split_from not in present:
                weights[place.who] += self._seconds[track_id]
        return max(weights, key=lambda who: (round(weights[who], 6), -who.since), default=None)

    def _find_homes(self) -> dict[Decided | None, str]:
        """Return the identity of each one person: one that mostly is them, or most of them."""
        found: dict[Decided | None, str] = {}
        for who in {place.who: None for place in self._places.values()}:
            if who is None or not who.is_one:
                continue
            total_s = sum(self._seconds[t] for t, p in self._places.items() if p.who is who)
            fit = [
                identity_id
                for identity_id, standing in self._stands.items()
                if standing is who
                and (
                    self._is_mostly(identity_id, who)
                    or self._shared_s(identity_id, who) >= total_s / 2
                )
            ]
            if fit:
                found[who] = max(fit, key=lambda i: round(self._shared_s(i, who), 6))
        return found

    def _comes_along(self, identity_id: str, who: Decided | None) -> bool:
        """Tell whether an identity is somebody, with all that it holds."""
        if who is not None and who.is_locked:
            return all(self._is_of(t, who) for t in self._identities[identity_id])
        return self._is_mostly(identity_id, who)

    def _is_mostly(self, identity_id: str, who: Decided | None) -> bool:
        total_s = sum(self._seconds[t] for t in sorted(self._identities[identity_id]))
        return self._shared_s(identity_id, who) > total_s / 2

    def _is_of(self, track_id: int, who: Decided | None) -> bool:
        return track_id in self._places and self._places[track_id].who is who

    def _shared_s(self, identity_id: str, who: Decided | None) -> float:
        tracks = sorted(self._identities[identity_id])
        return sum(self._seconds[t] for t in tracks if self._is_of(t, who))

    def _leaves(self, place: Place, at: str | None) -> bool:
        """Tell whether a decided track is not of whom the machine put it with."""
        who = place.who
        if who is None:
            return True
        if at is not None and self._stands[at] is who:
            return who.is_one and self._homes.get(who) != at and at not in self._merged
        # That somebody was left as they were says nothing of who else the machine finds in them.
        return who.is_one or not place.speaks

    def _locked_out(self, place: Place | None, at: str) -> Decided | None:
        """Return who is locked and keeps out a track that is not theirs; None if nobody is."""
        who = self._stands[at]
        if who is None or not who.is_locked or (place is not None and place.who is who):
            return None
        return who if self._homes.get(who) == at or at in self._merged else None

    def _take_home(self, persons: dict[str, Person], leaving: dict[Decided, set[int]]) -> None:
        """Move who has a home there; what is left in `leaving` has none."""
        for who, tracks in leaving.items():
            home = self._homes.get(who) if who.is_one else self._most_in(persons, who)
            if home is not None:
                persons[home].tracks |= tracks
                tracks.clear()

    def _most_in(self, persons: Mapping[str, Person], who: Decided) -> str | None:
        """Return which person holds most of the time that was put with somebody."""
        weights = {
            person_id: round(
                sum(self._seconds[t] for t in sorted(person.tracks) if self._is_of(t, who)),
                6,
            )
            for person_id, person in persons.items()
        }
        best = max(weights, key=lambda person_id: weights[person_id], default=None)
        return best if best is not None and weights[best] > 0 else None

    def _base(self, tracks: Iterable[int]) -> str:
        """Return the identity that holds most of the tracks' time."""
        weights: Counter[str] = Counter()
        for track_id in sorted(tracks):
            at = self._identity_of.get(track_id)
            if at is not None:
                weights[at.partition(".")[0]] += round(1e6 * self._seconds[track_id])
        return min(weights, key=lambda i: (-weights[i], i), default=NO_IDENTITY)

    def _decision_on(self, identity_id: str) -> int:
        who = self._stands[identity_id]
        return 0 if who is None else who.decision

    def _split(self, persons: Mapping[str, Person]) -> frozenset[tuple[str, str]]:
        found = set()
        for who in {place.who: None for place in self._places.values()}:
            if who is not None and who.split_from is not None:
                one, other = self._most_in(persons, who), self._most_in(persons, who.split_from)
                if one is not None and other is not None and one != other:
                    found.add((min(one, other), max(one, other)))
        return frozenset(found)
