"""Faces of one picture that are still, or already, seen through another one in a dissolve.

A cut lies in the middle of a dissolve, so for some frames beyond it a face of the other shot
goes on in its place and then is gone. It is there beside the faces of a picture that it does not
belong to: that both are seen at once says nothing of who they are.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from screenalytics_core.vision.boxes import IntArray, iou_pairs
from screenalytics_core.vision.continuity import TrackEnds

# Half of the longest dissolve that is found as a whole (`cut_evidence`).
_MOST_FRAMES: Final = 8
# Boxes that overlap so are one thing to the tracker (`TrackerSettings.duplicate_iou`); others of
# the same place are most often somebody else, whom the next shot shows there.
_SAME_PLACE_IOU: Final = 0.6


def ghost_tracks(tracks: pa.Table) -> NDArray[np.int64]:
    """Return the ids of tracks that are what is left of a neighbouring shot, ascending.

    Such a track begins with its shot, where a face of the shot before was last, and lasts at
    most 8 frames while that shot has others that go on; or the same backwards.

    Args:
        tracks: Of `artifacts.TRACKS`.
    """
    ends = TrackEnds.of(tracks)
    first, last = (tracks.column(f"{end}_frame_idx").to_numpy() for end in ("first", "last"))
    shot_first, shot_last = _seen_of_shot(ends.shot_ids, first, last)
    earlier, later = _over_cuts(ends, first, last)
    is_short = last - first < _MOST_FRAMES
    early = earlier[is_short[earlier] & (first > shot_first)[earlier]]
    left = later[is_short[later] & (last < shot_last)[later]]
    return np.unique(ends.track_ids[np.concatenate([early, left])])


def _seen_of_shot(shot_ids: IntArray, first: IntArray, last: IntArray) -> tuple[IntArray, IntArray]:
    """Return per track the first and the last frame of any track of its shot."""
    _, row = np.unique(shot_ids, return_inverse=True)
    earliest = np.full(len(first), np.iinfo(np.int64).max)
    latest = np.full(len(last), -1)
    np.minimum.at(earliest, row, first)
    np.maximum.at(latest, row, last)
    return earliest[row], latest[row]


def _over_cuts(ends: TrackEnds, first: IntArray, last: IntArray) -> tuple[IntArray, IntArray]:
    """Return rows of tracks that end with a shot, and of those that go on in their place."""
    begins: defaultdict[int, list[int]] = defaultdict(list)
    for row, frame in enumerate(first.tolist()):
        begins[frame].append(row)
    pairs = [
        (row, other)
        for row, frame in enumerate(last.tolist())
        for other in begins.get(frame + 1, ())
        if ends.shot_ids[other] > ends.shot_ids[row]
    ]
    earlier, later = np.array(pairs, np.int64).reshape(-1, 2).T
    stay = iou_pairs(ends.last_xyxy[earlier], ends.first_xyxy[later]) >= _SAME_PLACE_IOU
    return earlier[stay], later[stay]
