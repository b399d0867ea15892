"""Identities that may be one person: alike, and never seen at one time in two places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.identities import TrackVectors, centre


@dataclass(frozen=True, slots=True)
class Alike:
    """Two groups, by their place, the lower one first.

    Attributes:
        similarity: The greater of the mean similarities of either's tracks to the other's
            centre.
    """

    first: int
    second: int
    similarity: float


def alike_groups(
    groups: Sequence[Sequence[int]],
    vectors: TrackVectors,
    cannot_link: NDArray[np.int64],
    least: float,
) -> list[Alike]:
    """Return the pairs of groups that reach a similarity of `least`, ascending.

    Args:
        groups: Track ids of each identity.
        cannot_link: (P, 2) pairs of track ids; whose tracks are in one are two people.
    """
    if len(groups) < 2:
        return []
    members = [vectors.embeddings[vectors.rows(group)] for group in groups]
    means = np.array([rows.mean(axis=0, dtype=np.float64) for rows in members])
    to_centres = means @ np.array([centre(rows) for rows in members], np.float64).T
    similarities = np.maximum(to_centres, to_centres.T)
    owner = {track_id: place for place, group in enumerate(groups) for track_id in group}
    for one, other in cannot_link.tolist():
        if one in owner and other in owner:
            similarities[owner[one], owner[other]] = similarities[owner[other], owner[one]] = -1
    return [
        Alike(int(first), int(second), min(1.0, float(similarities[first, second])))
        for first, second in np.argwhere(np.triu(similarities >= least, k=1))
    ]
