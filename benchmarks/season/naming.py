"""What an analyst who knows the people would say of a run, and how its names stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any, Final

from benchmarks.season.sightings import Sighting

_DECIMALS: Final = 3


@dataclass(frozen=True, slots=True)
class Names:
    """How the names of an episode stand; seconds of face tracks.

    Attributes:
        right_s: Tracks of the cast under their own name.
        wrong_s: Tracks of the cast under another's.
        unnamed_s: Tracks of the cast without a name.
        strangers_named_s: Tracks of others, or of no face, under a name of the cast.
    """

    right_s: float
    wrong_s: float
    unnamed_s: float
    strangers_named_s: float


@dataclass(frozen=True, slots=True)
class Kept:
    """Names before and after something; seconds of face tracks.

    Attributes:
        names: People who had a name before.
        names_kept: Those most of whose seconds have the same one now.
        named_s: Tracks that had a name before.
        kept_s: Those that have the same one now.
        lost: (name before, name now or None) -> seconds.
    """

    names: int
    names_kept: int
    named_s: float
    kept_s: float
    lost: Mapping[tuple[str, str | None], float]


def names_to_give(tracks: Sequence[Sighting], wanted: Collection[str]) -> dict[str, str]:
    """Return identity_id -> name for those of `wanted` who are in this run.

    Named is the identity with most seconds of the person, unless it has more of another: then
    an analyst would see that other one.
    """
    of_identity: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for track in tracks:
        if track.identity_id is not None and track.person is not None:
            of_identity[track.identity_id][track.person] += track.seconds
    given = {}
    for person in sorted(wanted):
        found = [i for i in of_identity if of_identity[i][person] > 0]
        best = min(found, key=lambda i: (-of_identity[i][person], i), default=None)
        if best is not None and of_identity[best][person] == max(of_identity[best].values()):
            given[best] = person
    return given


def names_to_confirm(
    listed: Sequence[Mapping[str, Any]], people: Mapping[str, str]
) -> dict[str, str]:
    """Return identity_id -> name, of the names that a run only suggests, those that are right.

    Args:
        listed: `people` of `identities list --json`.
        people: identity_id -> whom most of its seconds show: what one sees who looks at it.
    """
    given = {}
    for row in listed:
        suggested = {suggestion["label"] for suggestion in row["suggestions"]}
        if row["label"] is not None or len(row["identity_ids"]) != 1:
            continue
        (identity_id,) = row["identity_ids"]
        if people.get(identity_id) in suggested:
            given[identity_id] = people[identity_id]
    return given


def tracks_to_move(
    reviewed: Sequence[Mapping[str, Any]], tracks: Sequence[Sighting], cast: Collection[str]
) -> dict[int, str | None]:
    """Return track_id -> whom it shows, of the doubtful tracks that have somebody else's name.

    Args:
        reviewed: `tracks` of `identities review --json`.
        cast: Who has a name; None is said of everybody else.
    """
    shows = {track.track_id: track.person for track in tracks}
    moved: dict[int, str | None] = {}
    for row in reviewed:
        person = shows.get(row["track_id"])
        if row["given"] in cast and row["given"] != person:
            moved[row["track_id"]] = person if person in cast else None
    return moved


def names_left_out(
    listed: Sequence[Mapping[str, Any]],
    people: Mapping[str, str],
    cast: Collection[str],
    at_least_s: float,
) -> dict[str, str]:
    """Return identity_id -> name, of the cast among those whom a run leaves unnamed for long.

    Args:
        listed: `people` of `identities list --json`.
        people: identity_id -> whom most of its seconds show.
        at_least_s: An analyst does not look at everybody who passes by.
    """
    long = (row for row in listed if row["label"] is None and row["face_s"] >= at_least_s)
    found = ((i, people.get(i)) for row in long for i in row["identity_ids"])
    return {i: person for i, person in found if person is not None and person in cast}


def names_of(tracks: Sequence[Sighting], cast: Collection[str]) -> Names:
    """Return how the names of a run stand."""
    of_cast = [t for t in tracks if t.person in cast]
    return Names(
        right_s=_seconds(t for t in of_cast if t.label == t.person),
        wrong_s=_seconds(t for t in of_cast if t.label not in (None, t.person)),
        unnamed_s=_seconds(t for t in of_cast if t.label is None),
        strangers_named_s=_seconds(t for t in tracks if t.person not in cast and t.label in cast),
    )


def names_kept(before: Sequence[Sighting], after: Sequence[Sighting]) -> Kept:
    """Compare the names of the same tracks in two runs, or before and after a run."""
    now = {track.track_id: track.label for track in after}
    named = [track for track in before if track.label is not None]
    lost: defaultdict[tuple[str, str | None], list[float]] = defaultdict(list)
    for track in named:
        if now.get(track.track_id) != track.label:
            lost[track.label or "", now.get(track.track_id)].append(track.seconds)
    kept_s: defaultdict[str, float] = defaultdict(float)
    for track in named:
        is_kept = now.get(track.track_id) == track.label
        kept_s[track.label or ""] += track.seconds if is_kept else -track.seconds
    return Kept(
        names=len(kept_s),
        names_kept=sum(seconds > 0 for seconds in kept_s.values()),
        named_s=_seconds(named),
        kept_s=_seconds(t for t in named if now.get(t.track_id) == t.label),
        lost={names: round(fsum(seconds), _DECIMALS) for names, seconds in lost.items()},
    )


def _seconds(tracks: Iterable[Sighting]) -> float:
    return round(fsum(t.seconds for t in tracks), _DECIMALS)
