"""Average linkage on similarity with pairs that must never be joined.

Best first: the two clusters with the highest mean similarity between their members are
joined, until none reaches the threshold. A pair that must not be joined keeps its whole
clusters apart for ever, also those that they grow into.

Each cluster remembers its best partner (Müllner 2011, "generic" algorithm). A joined
cluster's similarity to a third one is never above the better of its two parts', forbidden
pairs included, so only partners of the two joined clusters are looked for again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.models.protocols import FloatArray

_NEVER: Final = np.float32(-np.inf)
# Rows of a matrix that are worked on at a time: a few MB of an hour's.
_ROWS: Final = 256
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

    Takes 4 n^2 bytes and about O(n^2) time: 64 MB and 1 s for the 4,000 tracks of an hour that
    is cut quickly. Equal similarities go to the pair with the lowest track ids, and the order
    of the input does not matter.

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
    pairs = _positions(ids, cannot_link)
    similarity[pairs[:, 0], pairs[:, 1]] = _NEVER
    similarity[pairs[:, 1], pairs[:, 0]] = _NEVER
    raise_by = np.float32(_CONTINUES * max(0.0, min_similarity))
    likely = _Likely(_positions(ids, continuations), len(ids), raise_by)
    owner = _join(similarity, likely, np.float32(min_similarity))
    groups: dict[int, list[int]] = {}
    for position, root in enumerate(owner.tolist()):
        groups.setdefault(root, []).append(int(ids[position]))
    return list(groups.values())


class _Likely:
    """Which clusters may go on with one another: few pairs, so no second matrix."""

    def __init__(self, pairs: NDArray[np.int64], count: int, raise_by: np.float32) -> None:
        self._of: list[set[int]] = [set() for _ in range(count)]
        self._raise_by = raise_by
        for one, other in pairs[pairs[:, 0] != pairs[:, 1]].tolist():
            self._of[one].add(other)
            self._of[other].add(one)

    def raised(self, similarity: FloatArray, cluster: int) -> FloatArray:
        """Return a cluster's (N,) similarities, raised where it has such a pair."""
        row = similarity.copy()
        row[list(self._of[cluster])] += self._raise_by
        return row

    def join(self, kept: int, gone: int) -> None:
        """Give the pairs of one cluster to another."""
        self._of[kept] |= self._of[gone]
        for other in self._of[gone]:
            self._of[other].discard(gone)
            self._of[other].add(kept)
        self._of[gone] = set()
        self._of[kept].discard(kept)


def _similarities(embeddings: FloatArray) -> FloatArray:
    similarity = np.asarray(embeddings @ embeddings.T, np.float32)
    # Matrix products need not be symmetric to the last bit.
    for start in range(0, len(similarity), _ROWS):
        rows = slice(start, start + _ROWS)
        both = np.maximum(similarity[rows, start:], similarity[start:, rows].T)
        similarity[rows, start:] = both
        similarity[start:, rows] = both.T
    np.fill_diagonal(similarity, _NEVER)
    return similarity


def _positions(ids: NDArray[np.int64], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return pairs of ids as pairs of positions in the ascending `ids`."""
    known = pairs[np.isin(pairs, ids).all(axis=1)] if len(pairs) else pairs.reshape(0, 2)
    return np.searchsorted(ids, known)


def _join(similarity: FloatArray, likely: _Likely, min_similarity: np.float32) -> NDArray[np.int64]:
    """Join until nothing reaches the threshold; `similarity` and `likely` are used up.

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
    partner, best = np.zeros(n, np.int64), np.zeros(n, np.float32)

    def look_for_partners(clusters: Iterable[int]) -> None:
        for cluster in clusters:
            open_ = likely.raised(similarity[cluster], cluster)
            partner[cluster] = open_.argmax()
            best[cluster] = open_[partner[cluster]]

    look_for_partners(range(n))
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
        likely.join(a, b)
        best[b] = _NEVER
        # What one part has of the mean and the other of the raise can be more than either had.
        together = likely.raised(joined, a)
        better = together > best
        partner[better], best[better] = a, together[better]
        lost = np.flatnonzero(((partner == a) | (partner == b)) & (best > _NEVER) & ~better)
        look_for_partners(np.union1d(lost, [a]).tolist())
