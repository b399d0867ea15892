"""Who is who: the machine's identities, people's decisions, and the gallery's names, as rows.

A decision always stands before the gallery, and what was decided to be nobody with a name
stays so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Protocol

from screenalytics_core.decisions.naming import Named, name_people
from screenalytics_core.decisions.people import find_people
from screenalytics_core.decisions.sayings import Name, fold
from screenalytics_core.decisions.standing import FoundDecision

_CERTAIN: Final = 1.0
# The part of the time of tracks that left as nobody known that does not show whom they left.
_NOT_THEM: Final = 0.92
_Row = dict[str, Any]


class GalleryName(Protocol):
    """A person's name by the gallery; `gallery.matching.Match` is one."""

    @property
    def cast_id(self) -> str:
        """The cast member."""
        ...

    @property
    def label(self) -> str:
        """Their display name."""
        ...

    @property
    def confidence(self) -> float:
        """How likely it is right, 0 to 1."""
        ...


def decide(
    identities: Mapping[str, Iterable[int]],
    found: Sequence[FoundDecision],
    seconds: Mapping[int, float],
) -> Named:
    """Put decisions over identities.

    Args:
        identities: identity_id -> its tracks, in order.
        found: The decisions that hold, see `standing.find_all`.
        seconds: track_id -> how long it is, of all tracks of the run.
    """
    said = fold(found, seconds)
    return name_people(find_people(identities, said, seconds), said.names, seconds)


def people_rows(
    identities: Iterable[Mapping[str, Any]],
    named: Named,
    matched: Mapping[str, GalleryName],
    labels: Mapping[str, str],
    part_of: Mapping[int, str] = MappingProxyType({}),
) -> list[_Row]:
    """Return the rows `people` of `artifacts.CAST`: identities in their order, then tracks.

    Args:
        identities: Rows `identities` of `artifacts.IDENTITIES`.
        named: What was decided about them.
        matched: By person, whom the gallery names; decided names stand before it.
        labels: What the gallery calls its cast members, over what they were called.
        part_of: Tracks that the gallery took out of their identity -> the part that they are.
    """
    rows = _Rows(named, matched, labels, part_of)
    by_identity = [rows.of_identity(row["identity_id"], row["confidence"]) for row in identities]
    single = sorted({*named.people.moved, *named.of_tracks, *part_of})
    return [*by_identity, *(rows.of_track(track_id) for track_id in single)]


class _Rows:
    """Makes rows of people who are known."""

    def __init__(
        self,
        named: Named,
        matched: Mapping[str, GalleryName],
        labels: Mapping[str, str],
        part_of: Mapping[int, str],
    ) -> None:
        self._named = named
        self._matched = matched
        self._labels = labels
        self._part_of = part_of
        self._merged = named.people.merged
        self._person_of = {t: p.person_id for p in named.people.persons.values() for t in p.tracks}
        self._identities: set[str] = set()

    def of_identity(self, identity_id: str, confidence: float) -> _Row:
        """Return the row of an identity that the machine is so sure of."""
        self._identities.add(identity_id)
        into, decision = self._merged.get(identity_id, (None, None))
        name = self._name_of(into or identity_id, confidence)
        if into is None:
            return {"identity_id": identity_id, **name}
        return {
            **name,
            "identity_id": identity_id,
            "merged_into": into,
            "source": "decision",
            "decision": decision,
            "confidence": _CERTAIN,
        }

    def of_track(self, track_id: int) -> _Row:
        """Return the row of a track that is not of whom the machine put it with."""
        if track_id in self._named.of_tracks:
            own = self._decided(self._named.of_tracks[track_id])
            return {"identity_id": None, "track_id": track_id, **own}
        row: _Row = {"identity_id": self._person_of.get(track_id), "track_id": track_id}
        if track_id not in self._named.people.moved:
            return self._parted(row)
        moved = self._named.people.moved[track_id]
        if row["identity_id"] is None:
            return {**row, **_by_decision(moved)}
        name = self._name_of(row["identity_id"], _CERTAIN)
        if row["identity_id"] not in self._identities and name["source"] != "machine":
            # No other row says what a part is called, and who says so.
            return {**row, **name, "decision": max(moved, name.get("decision") or 0)}
        return {**name, **row, **_by_decision(moved)}

    def _parted(self, row: _Row) -> _Row:
        """Return the row of a track that the gallery took out of its identity."""
        part = self._part_of[row["track_id"]]
        name = self._name_of(row["identity_id"], _NOT_THEM)
        if part in self._merged:
            return {**name, **row, **_by_decision(self._merged[part][1])}
        if name["source"] == "machine":
            name["source"] = "gallery"
        return {**row, **name}

    def _name_of(self, person_id: str, confidence: float) -> _Row:
        decided = self._named.of_persons.get(person_id)
        if decided is not None:
            return self._decided(decided)
        match = self._matched.get(person_id)
        if match is None:
            return {"source": "machine", "confidence": confidence}
        return {
            "cast_id": match.cast_id,
            "label": match.label,
            "source": "gallery",
            "confidence": match.confidence,
        }

    def _decided(self, name: Name) -> _Row:
        if name.cast_id is None:
            return _by_decision(name.decision)
        label = self._labels.get(name.cast_id, name.label or name.cast_id)
        return {"cast_id": name.cast_id, "label": label, **_by_decision(name.decision)}


def _by_decision(decision: int) -> _Row:
    return {"source": "decision", "decision": decision, "confidence": _CERTAIN}
