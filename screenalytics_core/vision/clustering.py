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

    The mean similarity of two groups is the product of their sums over the number of pairs, so
    no table of pairs is held: memory is that of the embeddings, however long the episode, and
    time about O(n^2 D). Equal similarities go to the pair with the lowest track ids, and the
    order of the input does not matter.

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
    clusters = _Clusters(
        embeddings[order],
        apart=_positions(ids, cannot_link),
        likely=_positions(ids, continuations),
        raise_by=np.float32(_CONTINUES * max(0.0, min_similarity)),
    )
    owner = _join(clusters, np.float32(min_similarity))
    groups: dict[int, list[int]] = {}
    for position, root in enumerate(owner.tolist()):
        groups.setdefault(root, []).append(int(ids[position]))
    return list(groups.values())


class _Clusters:
    """Clusters as sums of their members, each at the position of its first member.

    Args:
        embeddings: (N, D) one per member; taken over.
        apart: (P, 2) positions that must not be joined.
        likely: (P, 2) positions whose clusters are raised by `raise_by`.
    """

    def __init__(
        self,
        embeddings: FloatArray,
        *,
        apart: NDArray[np.int64],
        likely: NDArray[np.int64],
        raise_by: np.float32,
    ) -> None:
        self._count = len(embeddings)
        # Of the clusters that are left, by ascending position: the fewer, the quicker.
        self._positions = np.arange(len(embeddings))
        self._sums = np.ascontiguousarray(embeddings, np.float32)
        self._sizes = np.ones(len(embeddings), np.float32)
        self._apart = _neighbours(apart, len(embeddings))
        self._likely = _neighbours(likely, len(embeddings))
        self._raise_by = raise_by

    def __len__(self) -> int:
        return self._count

    def similarities(self, cluster: int) -> FloatArray:
        """Return a cluster's (N,) mean similarities to all, raised or ruled out by its pairs."""
        own = self._row(cluster)
        # Not `@`: how BLAS adds up depends on its threads. So both ways give the same bits, too.
        means = np.einsum("ij,j->i", self._sums, self._sums[own])
        means /= self._sizes * self._sizes[own]
        similarity = np.full(self._count, _NEVER, np.float32)
        similarity[self._positions] = means
        similarity[list(self._likely[cluster])] += self._raise_by
        similarity[list(self._apart[cluster])] = _NEVER
        similarity[cluster] = _NEVER
        return similarity

    def join(self, kept: int, gone: int) -> None:
        """Give the members and the pairs of one cluster to another."""
        into, out = self._row(kept), self._row(gone)
        self._sums[into] += self._sums[out]
        self._sizes[into] += self._sizes[out]
        self._positions = np.delete(self._positions, out)
        self._sums = np.delete(self._sums, out, axis=0)
        self._sizes = np.delete(self._sizes, out)
        for of in (self._apart, self._likely):
            of[kept] |= of[gone]
            for other in of[gone]:
                of[other].discard(gone)
                of[other].add(kept)
            of[gone] = set()
            of[kept].discard(kept)

    def _row(self, cluster: int) -> int:
        return int(np.searchsorted(self._positions, cluster))


def _neighbours(pairs: NDArray[np.int64], count: int) -> list[set[int]]:
    of: list[set[int]] = [set() for _ in range(count)]
    for one, other in pairs[pairs[:, 0] != pairs[:, 1]].tolist():
        of[one].add(other)
        of[other].add(one)
    return of


def _positions(ids: NDArray[np.int64], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return pairs of ids as pairs of positions in the ascending `ids`."""
    known = pairs[np.isin(pairs, ids).all(axis=1)] if len(pairs) else pairs.reshape(0, 2)
    return np.searchsorted(ids, known)


def _join(clusters: _Clusters, min_similarity: np.float32) -> NDArray[np.int64]:
    """Join until nothing reaches the threshold; `clusters` are used up.

    A cluster stands at the position of its first member, so that the first of equal maxima
    is the one with the lowest track ids.

    Returns:
        (N,) position of each member's cluster.
    """
    n = len(clusters)
    owner = np.arange(n)
    if n < 2:
        return owner
    partner, best = np.zeros(n, np.int64), np.zeros(n, np.float32)

    def look_for_partners(positions: Iterable[int]) -> None:
        for position in positions:
            similarity = clusters.similarities(position)
            partner[position] = similarity.argmax()
            best[position] = similarity[partner[position]]

    look_for_partners(range(n))
    while True:
        a = int(best.argmax())
        if not best[a] >= min_similarity:
            return owner
        b = int(partner[a])
        clusters.join(a, b)
        owner[owner == b] = a
        best[b] = _NEVER
        # What one part has of the mean and the other of the raise can be more than either had.
        together = clusters.similarities(a)
        better = together > best
        partner[better], best[better] = a, together[better]
        lost = np.flatnonzero(((partner == a) | (partner == b)) & (best > _NEVER) & ~better)
        look_for_partners(np.union1d(lost, [a]).tolist())
