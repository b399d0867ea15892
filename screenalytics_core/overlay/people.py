"""Whose a track is, under which name and in which colour."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Colour = tuple[int, int, int]
"""Blue, green, red, 0 to 255."""

UNKNOWN_COLOUR: Final[Colour] = (190, 190, 190)
# Steps of the golden angle never come back to a hue, and put neighbours far apart.
_HUE_STEP: Final = 0.381966
_SATURATIONS: Final = (0.85, 0.5)
_PEOPLE_PER_TURN: Final = 13


@dataclass(frozen=True, slots=True)
class Who:
    """One person as drawn.

    Attributes:
        name: Label, else cast_id, else identity_id.
        identity_id: None where a person joins several and the track tells none.
    """

    name: str
    identity_id: str | None
    colour: Colour


class People:
    """The people of a run, each with one colour.

    A colour follows from the person's place among the sorted ids, so it is the same in every
    part of an episode and each time it is drawn.
    """

    def __init__(
        self, identities: Iterable[Mapping[str, Any]], cast: Iterable[Mapping[str, Any]]
    ) -> None:
        """Take rows `identities` of `artifacts.IDENTITIES` and `people` of `artifacts.CAST`."""
        rows = list(identities)
        named = {r["identity_id"]: r for r in cast if r.get("identity_id") and not _is_single(r)}
        self._of_identity = {r["identity_id"]: named.get(r["identity_id"], r) for r in rows}
        self._of_track: dict[int, Mapping[str, Any] | None] = {
            track_id: self._of_identity[r["identity_id"]]
            for r in rows
            for track_id in r["track_ids"]
        }
        for row in filter(_is_single, cast):
            self._of_track[row["track_id"]] = self._single(row)
        known = [r for r in (*self._of_identity.values(), *self._of_track.values()) if r]
        ids = sorted({_person_id(row) for row in known})
        self._colours = {person_id: colour_of(rank) for rank, person_id in enumerate(ids)}

    def _single(self, row: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return whose a single track is, over what its identity says."""
        if row.get("cast_id") is not None:
            return row
        identity_id = row.get("identity_id")
        return None if identity_id is None else self._of_identity.get(identity_id, row)

    def of_track(self, track_id: int) -> Who | None:
        """Return whose a face track is, None if nobody's."""
        return self._who(self._of_track.get(track_id))

    def of_identity(self, identity_id: str | None) -> Who | None:
        """Return who an identity is, None if nobody."""
        return self._who(self._of_identity.get(identity_id or ""))

    def _who(self, row: Mapping[str, Any] | None) -> Who | None:
        if row is None:
            return None
        person_id = _person_id(row)
        return Who(row.get("label") or person_id, row.get("identity_id"), self._colours[person_id])


def _is_single(row: Mapping[str, Any]) -> bool:
    return row.get("track_id") is not None


def _person_id(row: Mapping[str, Any]) -> str:
    return str(row.get("cast_id") or row["identity_id"])


def colour_of(rank: int) -> Colour:
    """Return the colour of the person at a place, 0 and up; bright, and never grey."""
    saturation = _SATURATIONS[rank // _PEOPLE_PER_TURN % len(_SATURATIONS)]
    red, green, blue = colorsys.hsv_to_rgb(rank * _HUE_STEP % 1.0, saturation, 1.0)
    return round(255 * blue), round(255 * green), round(255 * red)
