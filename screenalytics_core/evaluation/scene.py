"""The labelled frames, each with its labelled and its predicted boxes, matched once for all.

Every figure about faces, tracks and identities starts from these matches: in each frame those
pairs of IoU at least `LEAST_IOU` whose 1 + IoU add up to most (Kuhn 1955). A prediction on a
face that nobody must find, or in a region that is not labelled in full, is neither right nor
wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.evaluation.prediction import Prediction, TrackBoxes
from screenalytics_core.evaluation.truth import IgnoreRegion, Truth, TruthFace
from screenalytics_core.vision.association import best_matches
from screenalytics_core.vision.boxes import Float64Array, IntArray, areas_px, as_boxes, iou_matrix

# Loose, since boxes of different detectors cut faces differently: the labels' own rule.
LEAST_IOU: Final = 0.4
# Over a longer hole in a track nobody knows where the face was.
MAX_HOLE_FRAMES: Final = 30
# So much of the smaller box must lie in the other one to be the same thing.
_SAME_PLACE: Final = 0.5


@dataclass(frozen=True, slots=True)
class LabelledFrame:
    """One labelled frame.

    Attributes:
        faces: The N labelled ones.
        track_ids: (M,) the track of each predicted box.
        overlaps: (N, M) IoU.
        track_of: Row of `faces` -> the column that it is matched with.
        is_ignored: (M,) predicted boxes that count for nothing: matched with a face that is
            not clear, lying on one, or in an ignore region.
    """

    frame_idx: int
    faces: tuple[TruthFace, ...]
    track_ids: IntArray
    overlaps: Float64Array
    track_of: dict[int, int]
    is_ignored: NDArray[np.bool_]

    def found_by(self, row: int) -> int | None:
        """Return the track_id that a face is matched with."""
        column = self.track_of.get(row)
        return None if column is None else int(self.track_ids[column])


def labelled_frames(
    truth: Truth, prediction: Prediction, least_iou: float = LEAST_IOU
) -> tuple[LabelledFrame, ...]:
    """Match what a run found with what was labelled, frame by frame."""
    faces: dict[int, list[TruthFace]] = defaultdict(list)
    for face in truth.faces:
        faces[face.frame_idx].append(face)
    size_px = truth.width_px, truth.height_px
    boxes = _boxes_by_frame(prediction.tracks, truth.labelled_frames, size_px)
    return tuple(
        _frame(frame, tuple(faces[frame]), boxes[frame], truth.ignore_regions, least_iou)
        for frame in truth.labelled_frames
    )


def boxes_at(track: TrackBoxes, frames: IntArray) -> tuple[IntArray, Float64Array]:
    """Return those of `frames` at which the track is, and its boxes there.

    Between two of its frames the box moves in a straight line, unless they are more than
    `MAX_HOLE_FRAMES` apart; outside of them the track is not.
    """
    first, last = track.frames
    inside = frames[(frames >= first) & (frames <= last)]
    after = np.searchsorted(track.frame_idxs, inside)
    is_exact = track.frame_idxs[after] == inside
    hole = track.frame_idxs[after] - track.frame_idxs[np.maximum(after - 1, 0)]
    inside = inside[is_exact | (hole <= MAX_HOLE_FRAMES)]
    sides = [np.interp(inside, track.frame_idxs, side) for side in track.bboxes_xyxy.T]
    return inside, np.column_stack(sides)


def _boxes_by_frame(
    tracks: Iterable[TrackBoxes], labelled: Sequence[int], size_px: tuple[int, int]
) -> dict[int, list[tuple[int, Float64Array]]]:
    """Return frame -> (track_id, box clipped to the picture), in the tracks' order."""
    frames = np.asarray(labelled, np.int64)
    limits = np.array([*size_px, *size_px], np.float64)
    found: dict[int, list[tuple[int, Float64Array]]] = defaultdict(list)
    for track in tracks:
        at, boxes = boxes_at(track, frames)
        boxes = np.clip(boxes, 0.0, limits)
        for frame, box, area in zip(at.tolist(), boxes, areas_px(boxes), strict=True):
            if area > 0:
                found[frame].append((track.track_id, box))
    return found


def _frame(
    frame_idx: int,
    faces: tuple[TruthFace, ...],
    predicted: Sequence[tuple[int, Float64Array]],
    regions: Sequence[IgnoreRegion],
    least_iou: float,
) -> LabelledFrame:
    truth_boxes = as_boxes([f.bbox_xyxy for f in faces])
    boxes = as_boxes([box for _, box in predicted])
    overlaps = iou_matrix(truth_boxes, boxes)
    # One more per pair: a pair more outweighs nearly every gain in overlap.
    pairs = best_matches(np.where(overlaps >= least_iou, overlaps + 1.0, 0.0), 1.0)
    is_clear = np.array([f.is_clear for f in faces], bool)
    doubtful = truth_boxes[~is_clear]
    is_ignored = (_on_one_of(boxes, doubtful) | _in_regions(boxes, frame_idx, regions)).copy()
    is_ignored[pairs.columns] = ~is_clear[pairs.rows]
    return LabelledFrame(
        frame_idx,
        faces,
        np.array([track_id for track_id, _ in predicted], np.int64),
        overlaps,
        dict(zip(pairs.rows.tolist(), pairs.columns.tolist(), strict=True)),
        is_ignored,
    )


def _on_one_of(boxes: Float64Array, others: Float64Array) -> NDArray[np.bool_]:
    """Tell which boxes share at least half of the smaller box with one of `others`."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    sides = np.maximum(high - low, 0.0)
    smaller = np.minimum(areas_px(boxes)[:, None], areas_px(others)[None, :])
    is_on: NDArray[np.bool_] = (sides[..., 0] * sides[..., 1] >= _SAME_PLACE * smaller).any(axis=1)
    return is_on


def _in_regions(
    boxes: Float64Array, frame_idx: int, regions: Sequence[IgnoreRegion]
) -> NDArray[np.bool_]:
    """Tell which boxes have their centre in a region that is not labelled in full."""
    inside = np.zeros(len(boxes), bool)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    for region in regions:
        if region.frames[0] <= frame_idx <= region.frames[1]:
            low, high = np.array(region.bbox_xyxy[:2]), np.array(region.bbox_xyxy[2:])
            inside |= ((centres >= low) & (centres <= high)).all(axis=1)
    return inside
