"""Whose each track is by what people decided, whatever the gallery says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from screenalytics_core.decisions.apply import decide
from screenalytics_core.decisions.standing import FoundDecision


def decided_cast_ids(
    identities: Iterable[Mapping[str, Any]],
    found: Sequence[FoundDecision],
    seconds: Mapping[int, float],
) -> dict[int, str | None]:
    """Return track_id -> cast_id, None = nobody that has a name; of others nothing was decided.

    Args:
        identities: Rows `identities` of `artifacts.IDENTITIES`.
        found: The decisions that hold, see `standing.find_all`.
        seconds: track_id -> how long it is, of all tracks of the run.
    """
    tracks_of = {row["identity_id"]: row["track_ids"] for row in identities}
    named = decide(tracks_of, found, seconds)
    of_tracks = {
        track_id: name.cast_id
        for person in named.people.persons.values()
        if (name := named.of_persons.get(person.person_id)) is not None
        for track_id in person.tracks
    }
    return of_tracks | {track_id: name.cast_id for track_id, name in named.of_tracks.items()}
