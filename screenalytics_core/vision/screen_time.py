"""Who was on screen and when: unions of track intervals, in seconds of the video's clock.

Seconds are never counted in frames: two faces of one person at the same time count once,
and a frame that stays longer counts longer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from screenalytics_core.vision.intervals import Interval, Intervals, total_s, union

# Sums of floating-point timestamps end in noise; no video has ticks as short as this.
_DECIMALS: Final = 6


@dataclass(frozen=True, slots=True)
class TrackSpan:
    """When a face track is on screen: [start_s, end_s)."""

    track_id: int
    start_s: float
    end_s: float

    @property
    def interval(self) -> Interval:
        """The seconds, half-open."""
        return self.start_s, self.end_s


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of time with one person's face, and the tracks that show it, ascending."""

    start_s: float
    end_s: float
    track_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PersonTime:
    """One person's time on screen.

    Attributes:
        identity_id: None where a cast member joins several identities, or single tracks.
        face_s: Union of the tracks' intervals.
        segments: Disjoint, ascending.
    """

    identity_id: str | None
    cast_id: str | None
    label: str | None
    face_s: float
    segments: tuple[Segment, ...]
    track_count: int


@dataclass(frozen=True, slots=True)
class ScreenTime:
    """The people of an episode, most seconds first, and the seconds of faces without a name.

    Attributes:
        covered_s: Time with at least one of the people.
        unknown_s: Time with at least one face that belongs to nobody of them.
    """

    people: tuple[PersonTime, ...]
    covered_s: float
    unknown_s: float


@dataclass(frozen=True, slots=True)
class _Owner:
    """Who a track belongs to; tracks with the same `key` are one person's."""

    identity_id: str | None
    cast_id: str | None
    label: str | None

    @property
    def key(self) -> tuple[bool, str]:
        return self.cast_id is not None, self.cast_id or self.identity_id or ""


def screen_time(
    tracks: Iterable[TrackSpan],
    identities: Iterable[Mapping[str, Any]],
    cast: Iterable[Mapping[str, Any]],
) -> ScreenTime:
    """Add up who was on screen.

    Args:
        tracks: Every face track.
        identities: Rows `identities` of `artifacts.IDENTITIES`.
        cast: Rows `people` of `artifacts.CAST`. A row with a track_id says whose this one
            track is, over what its identity says: a cast member's, else the row's
            identity's, else nobody's.
    """
    owners = _owners(identities, list(cast))
    by_person: dict[tuple[bool, str], list[tuple[_Owner, TrackSpan]]] = defaultdict(list)
    unknown: list[Interval] = []
    for track in sorted(tracks, key=lambda t: (t.start_s, t.track_id)):
        owner = owners.get(track.track_id)
        if owner is None:
            unknown.append(track.interval)
        else:
            by_person[owner.key].append((owner, track))
    people = [_person(owned) for owned in by_person.values()]
    return ScreenTime(
        tuple(sorted(people, key=lambda p: (-p.face_s, p.cast_id or p.identity_id or ""))),
        round(total_s((s.start_s, s.end_s) for p in people for s in p.segments), _DECIMALS),
        round(total_s(unknown), _DECIMALS),
    )


def _owners(
    identities: Iterable[Mapping[str, Any]], cast: Sequence[Mapping[str, Any]]
) -> dict[int, _Owner]:
    """Return track_id -> owner; tracks of nobody are left out."""
    names = {
        row["identity_id"]: _Owner(row["identity_id"], row.get("cast_id"), row.get("label"))
        for row in cast
        if row.get("track_id") is None and row.get("identity_id") is not None
    }
    owners: dict[int, _Owner] = {}
    for identity in identities:
        identity_id = identity["identity_id"]
        owner = names.get(identity_id, _Owner(identity_id, None, identity.get("label")))
        owners.update(dict.fromkeys(identity["track_ids"], owner))
    for row in cast:
        track_id, identity_id = row.get("track_id"), row.get("identity_id")
        if track_id is None:
            continue
        if row.get("cast_id") is not None:
            owners[track_id] = _Owner(None, row["cast_id"], row.get("label"))
        elif identity_id is not None:
            owners[track_id] = names.get(identity_id, _Owner(identity_id, None, row.get("label")))
        else:
            owners.pop(track_id, None)
    return owners


def _person(owned: Sequence[tuple[_Owner, TrackSpan]]) -> PersonTime:
    identity_ids = {owner.identity_id for owner, _ in owned}
    owner = owned[0][0]
    spans = [span for _, span in owned]
    stretches = union(span.interval for span in spans)
    return PersonTime(
        owner.identity_id if len(identity_ids) == 1 else None,
        owner.cast_id,
        next((o.label for o, _ in owned if o.label is not None), None),
        round(total_s(stretches), _DECIMALS),
        _segments(stretches, spans),
        len(spans),
    )


def _segments(stretches: Intervals, spans: Iterable[TrackSpan]) -> tuple[Segment, ...]:
    tracks: list[list[int]] = [[] for _ in stretches]
    at = 0
    for span in sorted(spans, key=lambda s: s.start_s):
        while stretches[at][1] < span.end_s:
            at += 1
        tracks[at].append(span.track_id)
    return tuple(
        Segment(start, end, tuple(sorted(ids)))
        for (start, end), ids in zip(stretches, tracks, strict=True)
    )
