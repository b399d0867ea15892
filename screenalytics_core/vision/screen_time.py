"""Who was on screen and when: unions of intervals, in seconds of the video's clock.

Seconds are never counted in frames: two faces of one person at the same time count once, and
a frame that stays longer counts longer. A person's time is that of their face tracks and of
the bodies that were tied to them, where no face was seen. Stretches that are trimmed are taken
out of every interval before anything is added up. How low and high the time may be says
`time_bounds`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from screenalytics_core.vision.co_appearance import co_appearance
from screenalytics_core.vision.intervals import Interval, Intervals, subtraction, total_s, union
from screenalytics_core.vision.owners import Owner, PersonKey, find_owners
from screenalytics_core.vision.segments import BODY, FACE, Piece, Segment, segments_of
from screenalytics_core.vision.spans import BodySpan, Extent, FaceSpan
from screenalytics_core.vision.time_bounds import Claim, Doubt, body_claim, track_claims

# Sums of floating-point timestamps end in noise; no video has ticks as short as this.
_DECIMALS: Final = 6
# From when to when a face that turns, or is half hidden, counts as visible is a matter of opinion:
# labellers called 3.9 in 100 of the labelled main people's visible time hard.
_OPINION: Final = 0.03


@dataclass(frozen=True, slots=True)
class Sources:
    """What was seen and whose it is.

    Attributes:
        faces: Every face track.
        bodies: Every body that was tied to somebody; None = nobody looked for bodies.
        identities: Rows `identities` of `artifacts.IDENTITIES`.
        doubt: What is not sure of them.
        cast: Rows `people` of `artifacts.CAST`.
    """

    faces: Sequence[FaceSpan]
    bodies: Sequence[BodySpan] | None
    identities: Sequence[Mapping[str, Any]]
    doubt: Doubt
    cast: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class PersonTime:
    """One person's time on screen.

    Attributes:
        identity_id: None where a cast member joins several identities, or single tracks.
        face_s: Union of the face tracks' intervals.
        body_only_s: Time of the bodies without the faces'; None = nobody looked for bodies.
        total_s: Union of both: `face_s + body_only_s`.
        low_s: The part of it that is sure.
        high_s: With everything else that may be this person; low <= total <= high.
        segments: Disjoint, ascending; a face's time is never a body's.
        track_count: Face tracks that count.
        body_track_count: Body tracks that count, also beside a face.
    """

    identity_id: str | None
    cast_id: str | None
    label: str | None
    face_s: float
    body_only_s: float | None
    total_s: float
    low_s: float
    high_s: float
    segments: tuple[Segment, ...]
    track_count: int
    body_track_count: int

    @property
    def person_id(self) -> str:
        """cast_id, else identity_id."""
        return self.cast_id or self.identity_id or ""


@dataclass(frozen=True, slots=True)
class Together:
    """Seconds of two people on screen at once; `person_id` is the one with more time."""

    person_id: str
    other_id: str
    together_s: float


@dataclass(frozen=True, slots=True)
class ScreenTime:
    """The people of an episode, most seconds first, and what they share.

    Attributes:
        covered_s: Time with at least one of the people.
        overlap_s: Time with at least two of them.
        unknown_s: Time with at least one face that belongs to nobody of them.
        together: Every pair that meets, most seconds first.
    """

    people: tuple[PersonTime, ...]
    covered_s: float
    overlap_s: float
    unknown_s: float
    together: tuple[Together, ...]


@dataclass(slots=True)
class _Gathered:
    """What belongs to one person, before it is added up."""

    owners: list[Owner] = field(default_factory=list)
    faces: list[Piece] = field(default_factory=list)
    bodies: list[Piece] = field(default_factory=list)
    sure: list[Interval] = field(default_factory=list)
    possible: list[Interval] = field(default_factory=list)


def screen_time(sources: Sources, trims: Iterable[Interval] = ()) -> ScreenTime:
    """Add up who was on screen; the order of the rows does not matter.

    Args:
        trims: Stretches that do not count; somebody only seen there is not listed.
    """
    cut = union(trims)
    owners = find_owners(sources.identities, sources.cast)
    faces = sorted(sources.faces, key=lambda f: f.track_id)
    claims = track_claims([f.track_id for f in faces], owners, sources.doubt)
    gathered: dict[PersonKey, _Gathered] = defaultdict(_Gathered)
    unknown: list[Interval] = []
    for face in faces:
        claim = claims[face.track_id]
        pieces = _pieces(face.track_id, face.extent, claim, cut)
        _gather(gathered, claim, face.extent, pieces, FACE)
        unknown += [piece.interval for piece in pieces if claim.owner is None]
    bodies = sorted(sources.bodies or (), key=lambda b: (b.body_track_id, b.extent.counted))
    for body in bodies:
        claim = body_claim(body, owners, claims)
        pieces = _pieces(body.body_track_id, body.extent, claim, cut)
        _gather(gathered, claim, body.extent, pieces, BODY)
    listed = [g for g in gathered.values() if g.faces or g.bodies]
    people = sorted(
        (_person(g, cut, has_bodies=sources.bodies is not None) for g in listed),
        key=lambda p: (-p.total_s, p.person_id, p.cast_id is None),
    )
    return _shared(people, unknown)


def _pieces(track_id: int, extent: Extent, claim: Claim, cut: Intervals) -> list[Piece]:
    return [
        Piece(track_id, start_s, end_s, claim.confidence)
        for start_s, end_s in subtraction([extent.counted], cut)
    ]


def _gather(
    gathered: dict[PersonKey, _Gathered],
    claim: Claim,
    extent: Extent,
    pieces: list[Piece],
    source: str,
) -> None:
    for rival in claim.rivals:
        gathered[rival].possible.append(extent.possible)
    if claim.owner is None:
        return
    person = gathered[claim.owner.key]
    person.possible.append(extent.possible)
    if not pieces:
        return
    person.owners.append(claim.owner)
    (person.faces if source == FACE else person.bodies).extend(pieces)
    if claim.is_sure:
        person.sure.append(extent.seen)


def _person(found: _Gathered, cut: Intervals, *, has_bodies: bool) -> PersonTime:
    faces = union(piece.interval for piece in found.faces)
    either = union(faces, (piece.interval for piece in found.bodies))
    face_s, seconds = _seconds(faces), _seconds(either)
    seconds = max(face_s, seconds)
    owner = found.owners[0]
    identity_ids = {o.identity_id for o in found.owners}
    return PersonTime(
        identity_id=owner.identity_id if len(identity_ids) == 1 else None,
        cast_id=owner.cast_id,
        label=next((o.label for o in found.owners if o.label is not None), None),
        face_s=face_s,
        body_only_s=round(seconds - face_s, _DECIMALS) if has_bodies else None,
        total_s=seconds,
        low_s=min(
            seconds, round((1 - _OPINION) * total_s(subtraction(found.sure, cut)), _DECIMALS)
        ),
        high_s=max(
            round((1 + _OPINION) * seconds, _DECIMALS),
            _seconds(union(either, subtraction(found.possible, cut))),
        ),
        segments=segments_of(found.faces, found.bodies),
        track_count=len({piece.track_id for piece in found.faces}),
        body_track_count=len({piece.track_id for piece in found.bodies}),
    )


def _shared(people: Sequence[PersonTime], unknown: Iterable[Interval]) -> ScreenTime:
    shared = co_appearance([[(s.start_s, s.end_s) for s in p.segments] for p in people])
    together = [
        Together(people[one].person_id, people[other].person_id, round(seconds, _DECIMALS))
        for (one, other), seconds in shared.together_s.items()
    ]
    return ScreenTime(
        tuple(people),
        round(shared.covered_s, _DECIMALS),
        round(shared.overlap_s, _DECIMALS),
        _seconds(unknown),
        tuple(
            sorted(
                (t for t in together if t.together_s > 0),
                key=lambda t: (-t.together_s, t.person_id, t.other_id),
            )
        ),
    )


def _seconds(intervals: Iterable[Interval]) -> float:
    return round(total_s(intervals), _DECIMALS)
