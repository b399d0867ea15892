"""Tracks of which some faces are somebody else: behind a cut that nobody saw, or a swap.

Faces that differ from the rest of their track are left out of its vector (`pooling.inliers`).
Blurred and averted ones differ too, but they resemble nobody; those that resemble another group
of tracks, and not their own track, show that the track is of two people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.identities import TrackVectors, centre
from screenalytics_core.vision.models.protocols import FloatArray
from screenalytics_core.vision.pooling import normalised

# In parts of the similarity that joins tracks (docs/evaluation.md).
_LIKE_OTHERS: Final = 2.0
_UNLIKE_OWN: Final = 1.2


def mixed_tracks(
    left_out: Mapping[int, FloatArray],
    groups: Sequence[Sequence[int]],
    vectors: TrackVectors,
    cluster_thresh: float,
) -> dict[int, tuple[int, float]]:
    """Return track_id -> the other group that its left-out faces show, and how alike they are.

    Args:
        left_out: track_id -> (D,) what its good faces show that were not pooled, L2-normalised.
        groups: Track ids of each identity.
        vectors: Of all tracks.
        cluster_thresh: Similarity that joins tracks, the scale of all of it.
    """
    if not groups:
        return {}
    centres = np.array([centre(vectors.embeddings[vectors.rows(g)]) for g in groups], np.float64)
    owner = {track_id: place for place, group in enumerate(groups) for track_id in group}
    found = {}
    for track_id, shown in sorted(left_out.items()):
        alike: NDArray[np.float64] = centres @ shown.astype(np.float64)
        if track_id in owner:
            alike[owner[track_id]] = -np.inf
        other = int(alike.argmax())
        own = normalised(vectors.embeddings[vectors.rows([track_id])])[0]
        is_other = alike[other] >= _LIKE_OTHERS * cluster_thresh
        if is_other and float(own.astype(np.float64) @ shown) < _UNLIKE_OWN * cluster_thresh:
            found[track_id] = other, min(1.0, float(alike[other]))
    return found
