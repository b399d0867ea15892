"""How sure it is that a track shows the person it was given to, and whom else it may show.

Scale for all of it is the similarity that joins (`cluster_thresh`), which is calibrated for
the embedder. A confidence is the measured part of such tracks that show who they were said to be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.identities import TrackVectors, centre

# Fitted to 2,248 tracks of groups: labelled clips, their re-edits and composed episodes, each a
# third of the weight, at 0.9, 1 and 1.1 of the threshold; see docs/evaluation.md for the table.
_HALF_SURE: Final = 1.19
_STEEPNESS: Final = 1.77
_LEAST_SCALE: Final = 0.05
_NOBODY: Final = -1


@dataclass(frozen=True, slots=True)
class Membership:
    """What is known of one track's identity; groups are named by their place.

    Attributes:
        group: The group that it was put in; None = none.
        similarity: To that group's centre, itself included; None without a group.
        rival: The other group that it is most like, of those it may belong to.
        rival_similarity: To the rival's centre.
        confidence: 0..1, see `memberships_of`; 0 without a group.
    """

    track_id: int
    group: int | None
    similarity: float | None
    rival: int | None
    rival_similarity: float | None
    confidence: float


def memberships_of(
    groups: Sequence[Sequence[int]],
    vectors: TrackVectors,
    cannot_link: NDArray[np.int64],
    cluster_thresh: float,
) -> list[Membership]:
    """Compare each track with its own group and with the likeliest other one.

    A group that holds a track which was seen at the same time in another place is no rival.
    `confidence`, 0..1:

    - of the track of a group that was seen best, which stands for the person: how sure it is
      that it shows a face at all, `1 - 1 / (n + 1)^2`, where n is its evidence (0.90 of those
      with one were right, 0.82 of two, 0.97 of three, all 471 of more);
    - of every other: `1 / (1 + exp(-1.77 (own / cluster_thresh - 1.19)))`, where `own` is the
      similarity to the centre of the group's other tracks (its own vector would speak for
      itself): 0.4 at the threshold, 0.8 at twice of it.

    Args:
        groups: Track ids of each identity; those in none have no identity.
        cannot_link: (P, 2) pairs of track ids, see `cannot_link.cannot_link_pairs`.

    Returns:
        One per track of `vectors`, in its order.
    """
    owners = _owners(groups, vectors)
    rows = [vectors.rows(group) for group in groups]
    centres = [centre(vectors.embeddings[r]) for r in rows]
    width = vectors.embeddings.shape[1]
    alike = np.asarray(
        vectors.embeddings @ np.array(centres, np.float32).reshape(-1, width).T, np.float64
    )
    rivals = _rivals(alike, _allowed(owners, len(groups), vectors, cannot_link))
    confidences = _confidences(rows, vectors, cluster_thresh)
    found = []
    for row, track_id in enumerate(vectors.track_ids.tolist()):
        group = int(owners[row])
        rival = int(rivals[row])
        rival_similarity = None if rival == _NOBODY else _cosine(alike[row, rival])
        is_known = group != _NOBODY
        found.append(
            Membership(
                track_id=track_id,
                group=group if is_known else None,
                similarity=_cosine(alike[row, group]) if is_known else None,
                rival=None if rival == _NOBODY else rival,
                rival_similarity=rival_similarity,
                confidence=confidences.get(row, 0.0),
            )
        )
    return found


def with_other(membership: Membership, shown: tuple[int, float] | None) -> Membership:
    """Return the membership of a track of which some faces show another group, and how alike.

    That group is its rival, however sure the track is: see `mixed_tracks`. `shown` is None for
    all others, which stay as they are.
    """
    if shown is None or membership.group is None:
        return membership
    rival, similarity = shown
    return replace(membership, rival=rival, rival_similarity=similarity)


def _owners(groups: Sequence[Sequence[int]], vectors: TrackVectors) -> NDArray[np.int64]:
    owners = np.full(len(vectors.track_ids), _NOBODY, np.int64)
    for place, group in enumerate(groups):
        owners[vectors.rows(group)] = place
    return owners


def _allowed(
    owners: NDArray[np.int64],
    group_count: int,
    vectors: TrackVectors,
    cannot_link: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Return (N, G): which groups a track may belong to, but for its own."""
    allowed = np.ones((len(owners), group_count), np.bool_)
    members = np.flatnonzero(owners != _NOBODY)
    allowed[members, owners[members]] = False
    pairs = cannot_link[np.isin(cannot_link, vectors.track_ids).all(axis=1)]
    places = np.searchsorted(vectors.track_ids, np.concatenate([pairs, pairs[:, ::-1]]))
    places = places[owners[places[:, 1]] != _NOBODY]
    allowed[places[:, 0], owners[places[:, 1]]] = False
    return allowed


def _rivals(alike: NDArray[np.float64], allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the place of each track's rival; of equal ones the first."""
    if alike.shape[1] == 0:
        return np.full(len(alike), _NOBODY, np.int64)
    best = np.where(allowed, alike, -np.inf).argmax(axis=1)
    return np.where(allowed.any(axis=1), best, _NOBODY)


def _own_similarities(rows: Sequence[NDArray[np.int64]], vectors: TrackVectors) -> dict[int, float]:
    """Return row -> similarity to the centre of its group's other tracks; none if alone."""
    own: dict[int, float] = {}
    for members in rows:
        if len(members) < 2:
            continue
        vectors_of = vectors.embeddings[members].astype(np.float64)
        others = vectors_of.sum(axis=0) - vectors_of
        lengths = np.linalg.norm(others, axis=1)
        dots = np.einsum("nd,nd->n", vectors_of, others)
        cosines = np.divide(dots, lengths, out=np.zeros_like(dots), where=lengths > 0)
        own.update(zip(members.tolist(), cosines.tolist(), strict=True))
    return own


def _confidences(
    rows: Sequence[NDArray[np.int64]], vectors: TrackVectors, cluster_thresh: float
) -> dict[int, float]:
    """Return row -> confidence of all that are in a group."""
    scale = max(cluster_thresh, _LEAST_SCALE)
    confidences = {
        row: 1 / (1 + math.exp(-_STEEPNESS * (own / scale - _HALF_SURE)))
        for row, own in _own_similarities(rows, vectors).items()
    }
    for members in rows:
        best = int(members[np.argmax(vectors.evidence[members])])
        seen = float(vectors.evidence[best])
        confidences[best] = 1 - 1 / (seen + 1) ** 2
    return confidences


def _cosine(value: np.float64) -> float:
    return max(-1.0, min(1.0, float(value)))
