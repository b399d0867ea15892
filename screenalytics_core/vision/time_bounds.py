"""How much of a person's time is sure, and how much more may be theirs.

Sure are the face tracks whose identity has a confidence of at least `SURE`, each from its first
to its last detection less a margin (`spans`), but for the part that is a matter of opinion. A
body without a face is a conclusion, never sure. Possible is all that counts as the person's, its
ends stretched to the neighbouring looks and a margin, and with it whatever may be theirs: tracks
in doubt that resemble this person next, all of an identity that may be the same person, and the
bodies that such faces were seen in. Who was seen by no detector is in nobody's bounds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from screenalytics_core.vision.owners import Owner, Owners, PersonKey
from screenalytics_core.vision.spans import BodySpan

SURE: Final = 0.8
"""Confidence from which a track is sure to show its identity: one clear face, or twice the
similarity that joins. Between 0.7 and 0.85 the bounds hold the truth as often."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What the identities step is not sure of.

    Attributes:
        memberships: Rows `memberships` of `artifacts.IDENTITIES`.
        alike: Rows `alike` of it.
        cluster_thresh: What the identities were joined with.
    """

    memberships: Sequence[Mapping[str, Any]]
    alike: Sequence[Mapping[str, Any]]
    cluster_thresh: float


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose a track or body is, and how far that can be trusted.

    Attributes:
        owner: Whom it counts for; None = nobody.
        confidence: 0..1.
        is_sure: It is part of the owner's low bound.
        rivals: Who else it may show: part of their high bounds.
    """

    owner: Owner | None
    confidence: float
    is_sure: bool
    rivals: frozenset[PersonKey] = field(default_factory=frozenset)

    @property
    def key(self) -> PersonKey | None:
        """The owner's key."""
        return self.owner.key if self.owner else None


_NOBODYS: Final = Claim(None, 0.0, False)


def track_claims(track_ids: Iterable[int], owners: Owners, doubt: Doubt) -> dict[int, Claim]:
    """Return track_id -> claim of all face tracks.

    A rival is who a track in doubt resembles as much as joins, and everybody whose identity
    may be the same person as the track's. Doubt between two identities that are one person is
    no doubt, and a track that a person moved has no rival.
    """
    known = {row["track_id"]: row for row in doubt.memberships}
    twins = _twins(owners, doubt.alike)
    claims = {}
    for track_id in track_ids:
        owner, row = owners.of_tracks.get(track_id), known.get(track_id)
        if track_id in owners.moved:
            confidence = owners.moved[track_id] if owner else 0.0
            claims[track_id] = Claim(owner, confidence, confidence >= SURE)
            continue
        if row is None:
            claims[track_id] = Claim(owner, 0.0, False)
            continue
        rivals = set(twins[row["identity_id"]])
        rival = owners.of_identities.get(row["rival_id"]) if row["rival_id"] else None
        is_own = owner is not None and rival is not None and rival.key == owner.key
        is_sure = owner is not None and (row["confidence"] >= SURE or is_own)
        if rival and not is_sure and row["rival_similarity"] >= doubt.cluster_thresh:
            rivals.add(rival.key)
        if owner is not None:
            rivals.discard(owner.key)
        claims[track_id] = Claim(owner, row["confidence"], is_sure, frozenset(rivals))
    return claims


def _twins(
    owners: Owners, alike: Iterable[Mapping[str, Any]]
) -> defaultdict[str | None, set[PersonKey]]:
    """Return identity_id -> the people that it may be too."""
    twins: defaultdict[str | None, set[PersonKey]] = defaultdict(set)
    for row in alike:
        one, other = row["identity_id"], row["other_id"]
        for this, that in ((one, other), (other, one)):
            if that in owners.of_identities:
                twins[this].add(owners.of_identities[that].key)
    return twins


def body_claim(body: BodySpan, owners: Owners, tracks: Mapping[int, Claim]) -> Claim:
    """Return whose a body is; it may be the rivals' of the faces in it."""
    owner = owners.of_body(body.identity_id, body.track_ids)
    voters = [tracks[track_id] for track_id in body.track_ids if track_id in tracks]
    if owner is None and not voters:
        return _NOBODYS
    rivals = {rival for voter in voters for rival in voter.rivals}
    if owner is not None:
        rivals.discard(owner.key)
    return Claim(owner, body.confidence, False, frozenset(rivals))
