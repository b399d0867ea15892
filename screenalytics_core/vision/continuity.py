"""Tracks of one shot that may be one face which was lost and found again.

The tracker does not follow a lost face to a place where somebody else may be meant
(`TrackerSettings.lone_returns`). Where and when a track begins still says something of who it
is: a face that appears where another went a moment ago is often the same. That is weak evidence,
to be added to what the faces look like.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from screenalytics_core.vision.boxes import Float64Array
from screenalytics_core.vision.observed import fixed_vectors

# Measured over ten ways to choose the frames that are looked at (docs/evaluation.md): 1, 2 and
# 5 s are equal; half of the distance joins less, and nothing more was lost with 2 sizes.
MAX_GAP_S: Final = 2.0
MAX_DISTANCE: Final = 2.0


@dataclass(frozen=True, slots=True)
class TrackEnds:
    """Where N tracks begin and end.

    Attributes:
        track_ids: (N,).
        shot_ids: (N,).
        start_s: (N,) and `end_s`: half-open.
        first_xyxy: (N, 4) px, the first box of each, and `last_xyxy`: its last one.
    """

    track_ids: NDArray[np.int64]
    shot_ids: NDArray[np.int64]
    start_s: Float64Array
    end_s: Float64Array
    first_xyxy: Float64Array
    last_xyxy: Float64Array

    @classmethod
    def of(cls, tracks: pa.Table) -> TrackEnds:
        """Collect them from a table of `artifacts.TRACKS`."""
        lists = tracks.column("bboxes_xyxy").combine_chunks()
        counts = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
        ends = np.cumsum(counts)
        boxes = fixed_vectors(pc.list_flatten(lists), 4)
        return cls(
            tracks.column("track_id").to_numpy(),
            tracks.column("shot_id").to_numpy(),
            tracks.column("start_s").to_numpy(),
            tracks.column("end_s").to_numpy(),
            boxes[ends - counts].astype(np.float64),
            boxes[ends - 1].astype(np.float64),
        )


def continuations(ends: TrackEnds) -> NDArray[np.int64]:
    """Return the pairs of tracks of which the second may go on with the first.

    It begins in the same shot, at most `MAX_GAP_S` after the first ended, and at most
    `MAX_DISTANCE` away, in sizes of the two boxes (geometric mean of their four sides).

    Returns:
        (P, 2) track ids, earlier and later, ascending.
    """
    found = [np.zeros((2, 0), np.int64)]
    order = np.argsort(ends.shot_ids, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(ends.shot_ids[order])) + 1):
        gap_s = ends.start_s[rows][None, :] - ends.end_s[rows][:, None]
        # Sums of time stamps end in noise: tracks that meet have no gap.
        earlier, later = np.nonzero((gap_s > -1e-6) & (gap_s <= MAX_GAP_S))
        found.append(np.stack([rows[earlier], rows[later]]))
    first, second = np.concatenate(found, axis=1)
    centres, sizes = _centres_and_sizes(ends.last_xyxy[first])
    next_centres, next_sizes = _centres_and_sizes(ends.first_xyxy[second])
    distances = np.linalg.norm(next_centres - centres, axis=1)
    near = distances <= MAX_DISTANCE * np.sqrt(sizes * next_sizes)
    pairs = np.stack([ends.track_ids[first[near]], ends.track_ids[second[near]]], axis=1)
    return np.unique(pairs, axis=0).astype(np.int64)


def _centres_and_sizes(bboxes_xyxy: Float64Array) -> tuple[Float64Array, Float64Array]:
    sides = bboxes_xyxy[:, 2:] - bboxes_xyxy[:, :2]
    return (bboxes_xyxy[:, :2] + bboxes_xyxy[:, 2:]) / 2, np.sqrt(sides.prod(axis=1))
