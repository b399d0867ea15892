"""One appearance vector per body track, out of the vectors of its detections.

Where people stand before one another, a box shows somebody else as well: such detections
are left out as long as the track has others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.boxes import Float64Array, areas_px, as_boxes
from screenalytics_core.vision.models.protocols import FloatArray
from screenalytics_core.vision.track_shaping import NOT_SEEN, Track
from screenalytics_core.vision.tracking import Detections

# Of a box's area: neighbours whose elbows touch stay below it.
MAX_COVERED: Final = 0.3
NO_VECTOR: Final = -1
_NOWHERE: Final = np.empty(0, np.int64)


class TrackAppearances(NamedTuple):
    """What tracks look like.

    Attributes:
        rows: (tracks,) row of each track in `vectors`; `NO_VECTOR` = it has none.
        vectors: (V, D) L2-normalised.
    """

    rows: NDArray[np.int64]
    vectors: FloatArray


def appearances_of_tracks(
    tracks: Sequence[Track], detections: Detections, vectors: NDArray[np.floating]
) -> TrackAppearances:
    """Return the L2-normalised mean vector of each track's detections.

    Detections of which another track's detection covers more than 30 % are left out if others
    remain, and vectors that are zero or not finite always. Detections of no track cover
    nothing: they are mostly second boxes of the same body.

    Args:
        detections: Those of the tracks, and others.
        vectors: (detections, D), in the order of `detections`; (0, 0) = there are none.
    """
    places = _places(detections, tracks)
    is_covered = covered_parts(detections, np.concatenate([_NOWHERE, *places])) > MAX_COVERED
    is_usable = _usable(vectors, len(is_covered))
    rows = np.full(len(tracks), NO_VECTOR, np.int64)
    means: list[FloatArray] = []
    for track, at in enumerate(places):
        mean = _mean(vectors, at[is_usable[at]], is_covered)
        if mean is not None:
            rows[track] = len(means)
            means.append(mean)
    return TrackAppearances(
        rows, np.stack(means) if means else np.empty((0, vectors.shape[1]), np.float32)
    )


def _places(detections: Detections, tracks: Sequence[Track]) -> list[NDArray[np.int64]]:
    """Return the rows of each track's detections."""
    order = np.argsort(detections.detection_ids)
    ids = detections.detection_ids[order]
    seen = [track.detection_ids[track.detection_ids != NOT_SEEN] for track in tracks]
    return [order[np.searchsorted(ids, of_track)] for of_track in seen]


def covered_parts(detections: Detections, among: NDArray[np.int64]) -> Float64Array:
    """Return, for all detections, the part of the box inside another one of its frame.

    Boxes have an area: the scan drops others.

    Args:
        among: Rows of `detections` that cover and may be covered; others are 0.

    Returns:
        (detections,) 0 to 1; where several cover a box, of the one that covers most.
    """
    parts = np.zeros(len(detections.frame_idxs))
    rows = np.sort(among)
    if len(rows) == 0:
        return parts
    starts = np.unique(detections.frame_idxs[rows], return_index=True)[1]
    for in_frame in np.split(rows, starts[1:]):
        boxes = as_boxes(detections.bboxes_xyxy[in_frame])
        low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
        high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
        shared = np.maximum(high - low, 0.0).prod(axis=2)
        np.fill_diagonal(shared, 0.0)
        parts[in_frame] = shared.max(axis=1) / areas_px(boxes)
    return parts


def _usable(vectors: NDArray[np.floating], count: int) -> NDArray[np.bool_]:
    """Tell which detections have a vector that says something."""
    if len(vectors) == 0:
        return np.zeros(count, np.bool_)
    return np.asarray(np.isfinite(vectors).all(axis=1) & vectors.any(axis=1), np.bool_)


def _mean(
    vectors: NDArray[np.floating], rows: NDArray[np.int64], is_covered: NDArray[np.bool_]
) -> FloatArray | None:
    free = rows[~is_covered[rows]]
    chosen = free if len(free) else rows
    if len(chosen) == 0:
        return None
    # Half precision neither sums nor normalises well.
    mean = vectors[chosen].astype(np.float64).mean(axis=0)
    length = float(np.linalg.norm(mean))
    return np.asarray(mean / length, np.float32) if length > 0 else None
