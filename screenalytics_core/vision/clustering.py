"""Average linkage on similarity with pairs that must never be joined.

Best first: the two clusters with the highest mean similarity between their members are
joined, until none reaches the threshold. A pair that must not be joined keeps its whole
clusters apart for ever, also those that they grow into.

Each cluster remembers its best partner (Müllner 2011, "generic" algorithm). A joined
cluster's similarity to a third one is never above the better of its two parts', forbidden
pairs included, so only partners of the two joined clusters are looked for again.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.models.protocols import FloatArray

_NEVER: Final = np.float32(-np.inf)
_NO_PAIRS: Final = np.zeros((0, 2), np.int64)
# Half of what joins is as much as strangers may look alike. With a quarter fewer tracks of one
# person are joined, with more none besides (docs/evaluation.md).
_CONTINUES: Final = 0.5


def cluster_tracks(
    track_ids: NDArray[np.int64],
    embeddings: FloatArray,
    cannot_link: NDArray[np.int64],
    min_similarity: float,
    continuations: NDArray[np.int64] = _NO_PAIRS,
) -> list[list[int]]:
    """Group tracks by average linkage.

    Takes O(n^2) memory (8 n^2 bytes) and about O(n^2) time. Equal similarities go to the
    pair with the lowest track ids, and the order of the input does not matter.

    Args:
        track_ids: (N,) distinct.
        embeddings: (N, D) of length 0 to 1; their dot product is the similarity.
        cannot_link: (P, 2) pairs of track ids; ids that are not in `track_ids` are left out.
        min_similarity: Lowest mean similarity at which two groups are joined.
        continuations: (P, 2) pairs of track ids of which the second may go on with the first
            (`continuity`): groups with such a pair between them are raised by half of
            `min_similarity`, however large they are.

    Returns:
        Groups of ascending track ids, by their lowest.
    """
    order = np.argsort(track_ids)
    ids = track_ids[order]
    similarity = _similarities(embeddings[order])
    raised = np.zeros_like(similarity)
    likely = _positions(ids, continuations)
    raised[likely[:, 0], likely[:, 1]] = _CONTINUES * max(0.0, min_similarity)
    raised = np.maximum(raised, raised.T)
    pairs = _positions(ids, cannot_link)
    similarity[pairs[:, 0], pairs[:, 1]] = _NEVER
    similarity[pairs[:, 1], pairs[:, 0]] = _NEVER
    owner = _join(similarity, raised, np.float32(min_similarity))
    groups: dict[int, list[int]] = {}
    for position, root in enumerate(owner.tolist()):
        groups.setdefault(root, []).append(int(ids[position]))
    return list(groups.values())


def _similarities(embeddings: FloatArray) -> FloatArray:
    product = embeddings @ embeddings.T
    # Matrix products need not be symmetric to the last bit.
    similarity = np.asarray(np.maximum(product, product.T), np.float32)
    np.fill_diagonal(similarity, _NEVER)
    return similarity


def _positions(ids: NDArray[np.int64], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return pairs of ids as pairs of positions in the ascending `ids`."""
    known = pairs[np.isin(pairs, ids).all(axis=1)] if len(pairs) else pairs.reshape(0, 2)
    return np.searchsorted(ids, known)


def _join(
    similarity: FloatArray, raised: FloatArray, min_similarity: np.float32
) -> NDArray[np.int64]:
    """Join until nothing reaches the threshold; `similarity` and `raised` are used up.

    A cluster stands at the position of its first member, so that the first of equal maxima
    is the one with the lowest track ids.

    Returns:
        (N,) position of each member's cluster.
    """
    n = len(similarity)
    owner = np.arange(n)
    sizes = np.ones(n, np.float32)
    if n < 2:
        return owner
    partner = (similarity + raised).argmax(axis=1)
    best = similarity[owner, partner] + raised[owner, partner]
    while True:
        a = int(best.argmax())
        if not best[a] >= min_similarity:
            return owner
        b = int(partner[a])
        joined = (sizes[a] * similarity[a] + sizes[b] * similarity[b]) / (sizes[a] + sizes[b])
        sizes[a] += sizes[b]
        owner[owner == b] = a
        similarity[a] = similarity[:, a] = joined
        similarity[b] = similarity[:, b] = _NEVER
        raised[a] = raised[:, a] = np.maximum(raised[a], raised[b])
        best[b] = _NEVER
        # What one part has of the mean and the other of the raise can be more than either had.
        together = joined + raised[a]
        better = together > best
        partner[better], best[better] = a, together[better]
        lost = np.flatnonzero(((partner == a) | (partner == b)) & (best > _NEVER) & ~better)
        lost = np.union1d(lost, [a])
        open_ = similarity[lost] + raised[lost]
        partner[lost] = open_.argmax(axis=1)
        best[lost] = open_.max(axis=1)
