"""Which identities are which cast members: named where it is sure, suggested where it is not.

An identity is named when it is alike enough to one member and clearly less so to every other
one. A member is never two people who were seen at once: of those who claim one, the most alike
is named; of those about as alike, whoever was seen most. Everybody else who may be a member is
a suggestion, with the reason in words. What people decided stands before all of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from screenalytics_core.gallery.likeness import confidence, similarities
from screenalytics_core.gallery.model import Gallery, GalleryMember
from screenalytics_core.vision.models.protocols import FloatArray

# Of first choices from this part of `match_thresh` up to it, a third are right; of those below,
# one in fifty.
_WORTH_A_LOOK: Final = 0.75


@dataclass(frozen=True, slots=True)
class Looks:
    """What an identity looks like: the vectors of its tracks, as `track_reps` has them.

    Attributes:
        embeddings: (T, 512) L2-normalised; T may be 0, then it resembles nobody.
        clarities: (T,) 0 to 1.
    """

    embeddings: FloatArray
    clarities: FloatArray


@dataclass(frozen=True, slots=True)
class Match:
    """An identity that is a cast member.

    Attributes:
        similarity: See `likeness.similarities`.
        margin: Lead over the next likely member, over 0 where there is none.
        confidence: 0 to 1, how likely the name is right.
    """

    identity_id: str
    cast_id: str
    label: str
    similarity: float
    margin: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An identity that may be a cast member; a row of `cast.suggestions`.

    Attributes:
        margin: Lead over the likeliest other member; negative = behind it.
        reason: Why it is only a suggestion, for people.
    """

    identity_id: str
    cast_id: str
    label: str
    similarity: float
    margin: float
    reason: str


@dataclass(frozen=True, slots=True)
class Matches:
    """What a gallery says of an episode's identities.

    Attributes:
        named: By identity_id, in the order in which the identities were given.
        suggestions: In the identities' order, the likeliest first.
    """

    named: Mapping[str, Match]
    suggestions: tuple[Suggestion, ...]


def match(
    identities: Mapping[str, Looks],
    apart: Collection[tuple[str, str]],
    gallery: Gallery,
    *,
    match_thresh: float,
    match_margin: float,
    fixed: Mapping[str, str | None],
) -> Matches:
    """Name and suggest.

    Args:
        identities: Those that a decision names may be among them; they are not matched.
        apart: Pairs of identity ids, in any order, that were seen at one time in different
            places, see `apart_identities`.
        match_thresh: Least similarity of a name.
        match_margin: Least lead of a name over every other member.
        fixed: identity_id -> cast_id, what people decided; None = nobody that has a name.
    """
    members = [m for m in gallery.members if len(m.prototype_ids)]
    candidates = [
        _candidate(identity_id, looks, members)
        for identity_id, looks in identities.items()
        if identity_id not in fixed and looks.clarities.any()
    ]
    asked = _Asked(match_thresh, match_margin)
    taken = _Taken(apart, fixed)
    claims = [c for c in candidates if asked.is_sure(c)]
    for cast_id in sorted({c.ranked[0].cast_id for c in claims}):
        _settle([c for c in claims if c.ranked[0].cast_id == cast_id], taken, asked)
    return Matches(
        {
            c.identity_id: c.as_match(match_thresh)
            for c in candidates
            if c.identity_id in taken.named
        },
        tuple(
            suggestion
            for c in candidates
            if c.identity_id not in taken.named
            for suggestion in _suggestions(c, taken, asked)
        ),
    )


def apart_identities(
    track_pairs: Collection[tuple[int, int]], owner_of: Mapping[int, str]
) -> frozenset[tuple[str, str]]:
    """Return the pairs of identities that `cannot_link_pairs` of tracks keep apart.

    Args:
        owner_of: track_id -> identity_id; tracks that nobody owns are left out.
    """
    found = set()
    for track_id, other_id in track_pairs:
        owner, other = owner_of.get(track_id), owner_of.get(other_id)
        if owner is not None and other is not None and owner != other:
            found.add((min(owner, other), max(owner, other)))
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class _Likely:
    """A member that an identity may be."""

    cast_id: str
    label: str
    similarity: float


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An identity and the members, the likeliest first; `seen` says how much of it is known."""

    identity_id: str
    seen: float
    ranked: tuple[_Likely, ...]

    def lead(self, place: int) -> float:
        """Return how far a member is before all others, who are at least as likely as nobody."""
        others = [one.similarity for n, one in enumerate(self.ranked) if n != place]
        return self.ranked[place].similarity - max((0.0, *others))

    def as_match(self, thresh: float) -> Match:
        """Return the identity as its likeliest member."""
        best, lead = self.ranked[0], self.lead(0)
        sure = confidence(best.similarity, thresh)
        return Match(self.identity_id, best.cast_id, best.label, best.similarity, lead, sure)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a name asks for."""

    thresh: float
    margin: float

    def is_sure(self, candidate: _Candidate) -> bool:
        """Tell whether an identity may be named, as far as it alone is concerned."""
        return bool(candidate.ranked) and (
            candidate.ranked[0].similarity >= self.thresh and candidate.lead(0) >= self.margin
        )


class _Taken:
    """Who is which member so far, and so cannot be seen beside itself."""

    def __init__(self, apart: Collection[tuple[str, str]], fixed: Mapping[str, str | None]) -> None:
        self.named: dict[str, str] = {}
        self._fixed = {identity: cast for identity, cast in fixed.items() if cast is not None}
        self._apart: dict[str, set[str]] = {}
        for one, other in apart:
            self._apart.setdefault(one, set()).add(other)
            self._apart.setdefault(other, set()).add(one)

    def beside(self, identity_id: str, cast_id: str) -> str | None:
        """Return who is that member already and was seen at the same time; None if nobody."""
        owners = {**self._fixed, **self.named}
        beside = self._apart.get(identity_id, ())
        return min((one for one in beside if owners.get(one) == cast_id), default=None)


def _candidate(identity_id: str, looks: Looks, members: Sequence[GalleryMember]) -> _Candidate:
    values = similarities(looks.embeddings, looks.clarities, members).tolist()
    likely = [_Likely(m.cast_id, m.label, value) for m, value in zip(members, values, strict=True)]
    ranked = tuple(sorted(likely, key=lambda one: (-one.similarity, one.cast_id)))
    return _Candidate(identity_id, float(looks.clarities.sum(dtype=np.float64)), ranked)


def _settle(claims: Sequence[_Candidate], taken: _Taken, asked: _Asked) -> None:
    """Give a member to those who claim it, one after the other, as far as they can all be it.

    Next is always the most alike; but a few frames of somebody's double must not keep out who
    is there all the time, so of those about as alike it is whoever was seen most.
    """
    left = list(claims)
    while left:
        best = max(c.ranked[0].similarity for c in left)
        close = [c for c in left if c.ranked[0].similarity >= best - asked.margin]
        winner = max(close, key=lambda c: (c.seen, c.ranked[0].similarity, c.identity_id))
        left.remove(winner)
        cast_id = winner.ranked[0].cast_id
        if taken.beside(winner.identity_id, cast_id) is None:
            taken.named[winner.identity_id] = cast_id


def _suggestions(candidate: _Candidate, taken: _Taken, asked: _Asked) -> list[Suggestion]:
    """Return the likeliest members of an identity that is not named."""
    if not candidate.ranked or candidate.ranked[0].similarity < _WORTH_A_LOOK * asked.thresh:
        return []
    best = candidate.ranked[0].similarity
    return [
        Suggestion(
            candidate.identity_id,
            one.cast_id,
            one.label,
            one.similarity,
            candidate.lead(place),
            _reason(candidate, place, taken, asked),
        )
        for place, one in enumerate(candidate.ranked)
        if place == 0 or one.similarity >= best - asked.margin
    ]


def _reason(candidate: _Candidate, place: int, taken: _Taken, asked: _Asked) -> str:
    one = candidate.ranked[place]
    beside = taken.beside(candidate.identity_id, one.cast_id)
    if beside is not None:
        return f"was seen at the same time as {beside}, who is {one.label}"
    if one.similarity < asked.thresh:
        return f"similarity {one.similarity:.2f}, a name takes {asked.thresh:.2f}"
    if len(candidate.ranked) == 1:
        return f"leads by {candidate.lead(place):.2f}, a name takes {asked.margin:.2f}"
    rival = candidate.ranked[1 if place == 0 else 0]
    word = "leads" if candidate.lead(place) >= 0 else "is behind"
    gap = abs(one.similarity - rival.similarity)
    return f"{word} {rival.label} by {gap:.2f}, a name takes a lead of {asked.margin:.2f}"
