"""The people of a run as a decision may name them: by id, by cast member, by display name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from screenalytics_core.errors import DecisionError
from screenalytics_core.gallery.names import folded
from screenalytics_core.vision.intervals import intersection, total_s
from screenalytics_core.vision.owners import find_owners


@dataclass(frozen=True, slots=True)
class Somebody:
    """One person of a run.

    Attributes:
        person_id: identity_id, or that of a part; the cast_id of who has neither.
        identity_ids: That identity, and those that are merged into it.
        source: Who says what they are called: machine, gallery or decision.
        decision: Sequence of the decision that does.
        tracks: Ascending.
        face_s: How long they show a face.
    """

    person_id: str
    identity_ids: tuple[str, ...]
    cast_id: str | None
    label: str | None
    source: str
    decision: int | None
    tracks: tuple[int, ...]
    face_s: float

    @property
    def name(self) -> str:
        """What people call them."""
        return self.label or self.cast_id or self.person_id


class Roster:
    """Everybody of a run."""

    def __init__(
        self,
        identities: Mapping[str, Any],
        cast: Mapping[str, Any],
        spans_s: Mapping[int, tuple[float, float]],
    ) -> None:
        """Take the documents of `artifacts.IDENTITIES` and `CAST`, and track_id -> time in s."""
        self._spans_s = spans_s
        self._rows: list[Mapping[str, Any]] = cast["people"]
        self._owners = find_owners(identities["identities"], self._rows)
        self.unassigned = tuple(sorted(set(spans_s) - set(self._owners.of_tracks)))
        groups = self._groups(identities["identities"])
        self.people = tuple(self._somebody(key, tracks) for key, tracks in groups.items())

    def find(self, text: str) -> tuple[Somebody, ...]:
        """Return who is meant: one person, or all that are one cast member.

        Raises:
            DecisionError: Nobody is called so; the nearest is named.
        """
        by_id = [p for p in self.people if text in (p.person_id, *p.identity_ids)]
        wanted = folded(text)
        by_name = [p for p in self.people if wanted in (p.cast_id, folded(p.label or ""))]
        found = by_id or by_name
        if not found:
            raise DecisionError(
                thing=f"person {text!r}", reason="is not in this run", way_out=self._nearest(text)
            )
        return tuple(found)

    def tracks_of(self, text: str) -> frozenset[int]:
        """Return all tracks of who is meant; raises DecisionError."""
        return frozenset(t for person in self.find(text) for t in person.tracks)

    def called(self, cast_id: str) -> frozenset[int]:
        """Return all tracks of a cast member."""
        return frozenset(t for p in self.people if p.cast_id == cast_id for t in p.tracks)

    def check_tracks(self, track_ids: Iterable[int], among: Iterable[int] | None = None) -> None:
        """Refuse tracks that the run, or `among`, does not have.

        Raises:
            DecisionError: As said.
        """
        known = set(self._spans_s if among is None else among)
        unknown = sorted(set(track_ids) - known)
        if unknown:
            nearest = min(known, key=lambda t: (abs(t - unknown[0]), t), default=None)
            raise DecisionError(
                thing=f"track {unknown[0]}",
                reason="is not in this run" if among is None else "is not one of that person",
                way_out="There is none." if nearest is None else f"The nearest is {nearest}.",
            )

    def span_s(self, track_id: int) -> tuple[float, float]:
        """Return when a track begins and ends."""
        return self._spans_s[track_id]

    def at_once_s(self, tracks: Iterable[int], others: Iterable[int]) -> float:
        """Return how long some tracks and others show a face at the same time."""
        spans = [[self._spans_s[t] for t in some] for some in (tracks, others)]
        return total_s(intersection(*spans))

    def _groups(self, identities: Iterable[Mapping[str, Any]]) -> dict[str, list[int]]:
        """Return the tracks of each person, identities first; who has no track is not listed."""
        single = {r["track_id"]: r for r in self._rows if r["track_id"] is not None}
        into = {r["identity_id"]: r["merged_into"] for r in self._rows if r["merged_into"]}
        groups: dict[str, list[int]] = {}
        for identity in identities:
            home = into.get(identity["identity_id"]) or identity["identity_id"]
            kept = [t for t in identity["track_ids"] if t not in single]
            groups.setdefault(home, []).extend(kept)
        for track_id, row in single.items():
            person_id = row["identity_id"] or row["cast_id"]
            if person_id is not None:
                groups.setdefault(person_id, []).append(track_id)
        return {person_id: sorted(tracks) for person_id, tracks in groups.items() if tracks}

    def _somebody(self, person_id: str, tracks: list[int]) -> Somebody:
        owner = self._owners.of_tracks[tracks[0]]
        row = self._row_of(person_id, tracks[0])
        merged = [r["identity_id"] for r in self._rows if r["merged_into"] == person_id]
        return Somebody(
            person_id,
            (person_id, *merged) if row["identity_id"] is not None else (),
            owner.cast_id,
            owner.label,
            row["source"],
            row["decision"],
            tuple(tracks),
            total_s(self._spans_s[t] for t in tracks),
        )

    def _row_of(self, person_id: str, track_id: int) -> Mapping[str, Any]:
        """Return the row that says what a person is called."""
        whole = [r for r in self._rows if r["identity_id"] == person_id and r["track_id"] is None]
        single = [r for r in self._rows if r["track_id"] == track_id]
        return (whole or single)[0]

    def _nearest(self, text: str) -> str:
        names = {n: None for p in self.people for n in (p.label, p.cast_id, *p.identity_ids) if n}
        close = difflib.get_close_matches(text, names, n=1, cutoff=0.5)
        if close:
            return f"Did you mean {close[0]!r}?"
        return f"It has {', '.join(p.name for p in self.people)}." if names else "It has nobody."
