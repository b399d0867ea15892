"""How much of a person's time is sure, and how much more may be theirs.

Sure are the face tracks whose identity has a confidence of at least `SURE`, and the bodies
that such a face was seen in, each from its first to its last detection. Possible is all that
counts as the person's, its ends stretched to the neighbouring looks, and with it the tracks
and bodies of others or of nobody that are in doubt and resemble this person next. Who
resembles nobody, was tied to nobody or was seen by no detector is in nobody's bounds, which
are therefore no statement about the detector.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from screenalytics_core.vision.evidence import Evidence
from screenalytics_core.vision.memberships import stranger_similarity
from screenalytics_core.vision.owners import Owner, Owners, PersonKey
from screenalytics_core.vision.spans import BodySpan

SURE: Final = 0.4
"""Confidence from which an identity, or the tie of a body, is sure: what `memberships_of` gives
a track of four clear faces that is just alike enough to join its group, and like nobody else.
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose a track or body is, and how far that can be trusted.

    Attributes:
        owner: Whom it counts for; None = nobody.
        confidence: 0..1.
        is_sure: It is part of the owner's low bound.
        rival: Who else it may show, if it is not sure: part of their high bound.
    """

    owner: Owner | None
    confidence: float
    is_sure: bool
    rival: PersonKey | None

    @property
    def key(self) -> PersonKey | None:
        """The owner's key."""
        return self.owner.key if self.owner else None


_NOBODYS: Final = Claim(None, 0.0, False, None)


def track_claims(
    track_ids: Iterable[int],
    owners: Owners,
    memberships: Iterable[Mapping[str, Any]],
    cluster_thresh: float,
) -> dict[int, Claim]:
    """Return track_id -> claim of all face tracks.

    A rival of less than `stranger_similarity` is none. Doubt between two identities that are
    one person is no doubt, and a track that a person moved has no rival.

    Args:
        memberships: Rows of `artifacts.IDENTITIES`.
        cluster_thresh: What they were joined with.
    """
    known = {row["track_id"]: row for row in memberships}
    least = stranger_similarity(cluster_thresh)
    claims = {}
    for track_id in track_ids:
        owner, row = owners.of_tracks.get(track_id), known.get(track_id)
        if track_id in owners.moved:
            confidence = owners.moved[track_id] if owner else 0.0
            claims[track_id] = Claim(owner, confidence, confidence >= SURE, None)
            continue
        if row is None:
            claims[track_id] = Claim(owner, 0.0, False, None)
            continue
        rival = owners.of_identities.get(row["rival_id"]) if row["rival_id"] else None
        is_own = owner is not None and rival is not None and rival.key == owner.key
        is_sure = owner is not None and (row["confidence"] >= SURE or is_own)
        is_alike = row["rival_similarity"] is not None and row["rival_similarity"] >= least
        is_rival = rival is not None and is_alike and not is_sure
        claims[track_id] = Claim(
            owner, row["confidence"], is_sure, rival.key if rival and is_rival else None
        )
    return claims


def body_claim(body: BodySpan, owners: Owners, tracks: Mapping[int, Claim]) -> Claim:
    """Return whose a body is; one that is not sure may be the rival of all faces in it."""
    owner = owners.of_body(body.identity_id, body.track_ids)
    voters = [tracks[track_id] for track_id in body.track_ids if track_id in tracks]
    if owner is None and not voters:
        return _NOBODYS
    is_sure = (
        owner is not None
        and body.evidence == Evidence.FACE_IN_BODY
        and body.confidence >= SURE
        and any(voter.is_sure and voter.key == owner.key for voter in voters)
    )
    rivals = {voter.rival for voter in voters}
    rival = rivals.pop() if len(rivals) == 1 and not is_sure else None
    own_key = owner.key if owner else None
    return Claim(owner, body.confidence, is_sure, None if rival == own_key else rival)
