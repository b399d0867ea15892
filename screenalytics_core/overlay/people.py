"""Under which name and in which colour a person is drawn; whose a track is, `owners` knows."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from screenalytics_core.vision.owners import Owner, find_owners
from screenalytics_core.vision.spans import BodySpan

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
        identity_id: None where the track is a cast member's without one.
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
        self._owners = find_owners(identities, list(cast))
        everybody = (*self._owners.of_identities.values(), *self._owners.of_tracks.values())
        keys = sorted({owner.key for owner in everybody})
        self._colours = {key: colour_of(rank) for rank, key in enumerate(keys)}

    def of_track(self, track_id: int) -> Who | None:
        """Return whose a face track is, None if nobody's."""
        return self._who(self._owners.of_tracks.get(track_id))

    def of_body(self, body: BodySpan) -> Who | None:
        """Return whose a body is, None if nobody's."""
        return self._who(self._owners.of_body(body.identity_id, body.track_ids))

    def _who(self, owner: Owner | None) -> Who | None:
        if owner is None:
            return None
        name = owner.label or owner.cast_id or owner.identity_id or ""
        return Who(name, owner.identity_id, self._colours[owner.key])


def colour_of(rank: int) -> Colour:
    """Return the colour of the person at a place, 0 and up; bright, and never grey."""
    saturation = _SATURATIONS[rank // _PEOPLE_PER_TURN % len(_SATURATIONS)]
    red, green, blue = colorsys.hsv_to_rgb(rank * _HUE_STEP % 1.0, saturation, 1.0)
    return round(255 * blue), round(255 * green), round(255 * red)
