"""Pairs of tracks that cannot be one person: seen at one time in different places."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from screenalytics_core.vision.boxes import as_boxes, iou_pairs
from screenalytics_core.vision.ghosts import ghost_tracks
from screenalytics_core.vision.models.protocols import FloatArray
from screenalytics_core.vision.observed import observed_boxes

# Boxes that overlap more may be two detections of one face.
MAX_IOU: Final = 0.3


def cannot_link_of(tracks: pa.Table) -> NDArray[np.int64]:
    """Return the pairs of `cannot_link_pairs` of a table of `artifacts.TRACKS`.

    What is left of another shot's picture in a dissolve is beside everybody (`ghosts`), and
    keeps nobody apart.
    """
    observed = observed_boxes(tracks)
    pairs = cannot_link_pairs(observed.track_ids, observed.frame_idxs, observed.bboxes_xyxy)
    return pairs[~np.isin(pairs, ghost_tracks(tracks)).any(axis=1)]


def cannot_link_pairs(
    track_ids: NDArray[np.int64],
    frame_idxs: NDArray[np.int64],
    bboxes_xyxy: FloatArray,
    max_iou: float = MAX_IOU,
) -> NDArray[np.int64]:
    """Return the pairs of tracks with boxes in one frame that overlap by less than `max_iou`.

    Args:
        track_ids: (N,) track of each observed box. Interpolated boxes must be left out: where
            a face was not seen, nothing is known of its place.
        frame_idxs: (N,).
        bboxes_xyxy: (N, 4) px.

    Returns:
        (P, 2) track ids, the lower one first, each pair once, ascending.
    """
    order = np.lexsort((track_ids, frame_idxs))
    tracks, frames = track_ids[order], frame_idxs[order]
    boxes = as_boxes(bboxes_xyxy[order])
    found = [np.zeros((0, 2), np.int64)]
    # The n-th neighbour to the right, for all boxes at once; done when no frame has so many.
    for shift in range(1, len(tracks)):
        first = np.flatnonzero(frames[:-shift] == frames[shift:])
        if len(first) == 0:
            break
        second = first + shift
        apart = iou_pairs(boxes[first], boxes[second]) < max_iou
        apart &= tracks[first] != tracks[second]
        pairs = np.stack([tracks[first[apart]], tracks[second[apart]]], axis=1)
        found.append(np.unique(pairs, axis=0))
    return np.unique(np.concatenate(found), axis=0)
