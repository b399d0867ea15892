"""What people said of each track: the fold of the decisions, whatever the machine grouped.

Two things are said: with whom a track belongs (`Place`), and what the person is called
(`Name`). A later decision says it over an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from screenalytics_core.decisions.records import Verb
from screenalytics_core.decisions.standing import FoundDecision

_What = TypeVar("_What")


@dataclass(eq=False, slots=True)
class Decided:
    """Somebody whom decisions are about.

    Attributes:
        since: Sequence of the decision that first spoke of them.
        decision: Sequence of the one that last did.
        is_one: All that shows them is one person, whatever the machine found.
        is_locked: They are exactly the tracks that were named.
        split_from: Whose part they were.
    """

    since: int
    decision: int
    is_one: bool = False
    is_locked: bool = False
    split_from: Decided | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """With whom a track belongs.

    Attributes:
        who: None = with nobody.
        speaks: It stands for the identity that it is in; a track that was moved stands for
            itself alone.
    """

    who: Decided | None
    speaks: bool
    decision: int


@dataclass(frozen=True, slots=True)
class Name:
    """What somebody is called; a `cast_id` of None = nobody that has a name."""

    cast_id: str | None
    label: str | None
    speaks: bool
    decision: int


@dataclass(slots=True)
class Sayings:
    """What was said of tracks, by track_id; of the others nothing was."""

    places: dict[int, Place] = field(default_factory=dict)
    names: dict[int, Name] = field(default_factory=dict)


def fold(found: Sequence[FoundDecision], seconds: Mapping[int, float]) -> Sayings:
    """Return what all decisions say together.

    Args:
        found: In their order; those that are lost say nothing.
        seconds: track_id -> how long it is.
    """
    folding = _Fold(seconds)
    says = {
        Verb.LABEL: folding.label,
        Verb.MERGE: folding.merge,
        Verb.SPLIT: folding.split,
        Verb.MOVE_TRACK: folding.move,
        Verb.LOCK: folding.lock,
    }
    for one in found:
        if not one.is_lost:
            says[one.decision.verb](one)
    return folding.said


class _Fold:
    """The sayings so far, and how each verb changes them."""

    def __init__(self, seconds: Mapping[int, float]) -> None:
        self.said = Sayings()
        self._seconds = seconds

    def label(self, one: FoundDecision) -> None:
        """Name the tracks; who was nobody is somebody again."""
        decision = one.decision
        for track_id in one.tracks:
            place = self.said.places.get(track_id)
            if place is not None and place.who is None:
                del self.said.places[track_id]
            before = self.said.names.get(track_id)
            self.said.names[track_id] = Name(
                decision.cast_id,
                decision.label,
                # One that was moved to a cast member alone says nothing of whom it was among.
                speaks=before is None or before.speaks,
                decision=decision.sequence,
            )

    def merge(self, one: FoundDecision) -> None:
        """Make one person of two; they are called as the first one, else as the other one."""
        sequence = one.decision.sequence
        first, other = self._who(one.tracks), self._who(one.others)
        name = self._name(one.tracks) or self._name(one.others)
        merged = first or other or Decided(sequence, sequence)
        merged.decision, merged.is_one = sequence, True
        old = {who for who in (first, other) if who is not None}
        held = {t for t, place in self.said.places.items() if place.who in old}
        for track_id in held | one.tracks | one.others:
            place = self.said.places.get(track_id)
            speaks = place is None or place.who not in old or place.speaks
            self.said.places[track_id] = Place(merged, speaks, sequence)
            if name is not None:
                self.said.names[track_id] = name
        for place in self.said.places.values():
            if place.who is not None and place.who.split_from in old and place.who is not merged:
                place.who.split_from = merged

    def split(self, one: FoundDecision) -> None:
        """Make a new, unnamed person of the tracks; who stays is called as before."""
        sequence = one.decision.sequence
        rest = self._settled(one.others, sequence)
        name = self._name(one.tracks | one.others)
        if name is not None and name.speaks:
            # The name may have been said of the tracks that leave alone.
            for track_id in one.others:
                self.said.names.setdefault(track_id, name)
        part = Decided(sequence, sequence, is_one=True, split_from=rest)
        for track_id in one.tracks:
            self.said.places[track_id] = Place(part, True, sequence)
            self.said.names.pop(track_id, None)

    def move(self, one: FoundDecision) -> None:
        """Put tracks to somebody, to a cast member or to nobody; they speak for themselves."""
        decision = one.decision
        sequence = decision.sequence
        who = self._settled(one.others, sequence) if one.others else None
        for track_id in one.tracks:
            self.said.names.pop(track_id, None)
            self.said.places[track_id] = Place(who, False, sequence)
            if who is None and decision.cast_id is not None:
                del self.said.places[track_id]
                self.said.names[track_id] = Name(
                    decision.cast_id, decision.label, speaks=False, decision=sequence
                )

    def lock(self, one: FoundDecision) -> None:
        """Make the person exactly these tracks."""
        sequence = one.decision.sequence
        before = self._who(one.tracks)
        locked = Decided(sequence, sequence, is_one=True, is_locked=True)
        locked.split_from = before.split_from if before else None
        for track_id in one.tracks:
            place = self.said.places.get(track_id)
            speaks = place is None or place.speaks
            self.said.places[track_id] = Place(locked, speaks, sequence)
        for place in self.said.places.values():
            if place.who is not None and before and place.who.split_from is before:
                place.who.split_from = locked

    def _settled(self, tracks: Iterable[int], sequence: int) -> Decided:
        """Return whom tracks belong with; of whom nothing was said is somebody from now on."""
        who = self._who(tracks) or Decided(sequence, sequence)
        for track_id in tracks:
            self.said.places.setdefault(track_id, Place(who, True, sequence))
        return who

    def _who(self, tracks: Iterable[int]) -> Decided | None:
        """Return with whom most of the tracks' time was put, of the time that was."""
        places = [(t, self.said.places[t].who) for t in sorted(tracks) if t in self.said.places]
        return self._most([(t, who) for t, who in places if who is not None])

    def _name(self, tracks: Iterable[int]) -> Name | None:
        """Return what most of the tracks' time was called, of the time that was called."""
        names = self.said.names
        return self._most([(t, names[t]) for t in sorted(tracks) if t in names])

    def _most(self, told: Sequence[tuple[int, _What]]) -> _What | None:
        weights: dict[_What, float] = {}
        for track_id, what in told:
            weights[what] = weights.get(what, 0.0) + self._seconds[track_id]
        return max(weights, key=lambda what: round(weights[what], 6), default=None)
