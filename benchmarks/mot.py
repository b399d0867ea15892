"""Files of MOTChallenge and the published scores of what was made of them.

Source of the format: Milan et al., "MOT16: A Benchmark for Multi-Object Tracking" (2016).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.processes import BenchError
from screenalytics_core.evaluation.tracking import tracking_scores
from screenalytics_core.evaluation.tracking_frame import TrackingFrame
from screenalytics_core.vision.boxes import interpolate_boxes, iou_matrix

# MOTChallenge's.
_LEAST_IOU: Final = 0.5


class Boxes(NamedTuple):
    """One row per box, ascending by frame.

    Attributes:
        frames: (N,) from 0.
        ids: (N,) whose box it is; -1 in files of detections.
        bboxes_xyxy: (N, 4) px.
        confidences: (N,) 0 to 1.
    """

    frames: NDArray[np.int64]
    ids: NDArray[np.int64]
    bboxes_xyxy: NDArray[np.float64]
    confidences: NDArray[np.float64]

    def where(self, mask: NDArray[np.bool_]) -> Boxes:
        """Return the rows that `mask` picks."""
        return Boxes(
            self.frames[mask], self.ids[mask], self.bboxes_xyxy[mask], self.confidences[mask]
        )


def read_mot(path: Path) -> Boxes:
    """Read rows of frame from 1, id, left, top, width, height, confidence and more."""
    rows = np.loadtxt(path, delimiter=",", ndmin=2)
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    bboxes = rows[:, 2:6].copy()
    bboxes[:, 2:] += bboxes[:, :2]
    return Boxes(rows[:, 0].astype(np.int64) - 1, rows[:, 1].astype(np.int64), bboxes, rows[:, 6])


def filled(paths: Mapping[int, Boxes], max_gap: int) -> Boxes:
    """Return a box on every frame between two of a path that are at most `max_gap` apart.

    Args:
        paths: id -> its boxes; the boxes between lie on the straight line.
        max_gap: Frames from one box to the next; a longer gap stays empty.
    """
    return joined([_filled(number, path, max_gap) for number, path in paths.items()])


def _filled(number: int, path: Boxes, max_gap: int) -> Boxes:
    frames = np.arange(path.frames[0], path.frames[-1] + 1)
    after = np.searchsorted(path.frames, frames)
    before = np.maximum(after - (path.frames[after] != frames), 0)
    kept = frames[path.frames[after] - path.frames[before] <= max_gap]
    boxes = interpolate_boxes(
        kept.astype(np.float64), path.frames.astype(np.float64), path.bboxes_xyxy
    )
    return Boxes(kept, np.full(len(kept), number), boxes, np.ones(len(kept)))


def joined(parts: Sequence[Boxes]) -> Boxes:
    """Return all rows of `parts`, ascending by frame."""
    if not parts:
        return Boxes(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 4)), np.empty(0))
    frames = np.concatenate([part.frames for part in parts])
    order = np.argsort(frames, kind="stable")
    return Boxes(
        frames[order],
        np.concatenate([part.ids for part in parts])[order],
        np.concatenate([part.bboxes_xyxy for part in parts])[order],
        np.concatenate([part.confidences for part in parts])[order],
    )


def score_mot(truth: Boxes, made: Boxes) -> dict[str, Any]:
    """Return `mota`, `idf1`, `hota` (0 to 1) and `switches`; overlaps from 0.5 up are matches.

    Raises:
        BenchError: The evaluation and the published scorers disagree.
    """
    data = _as_trackeval(truth, made)
    columns = (data["gt_ids"], data["tracker_ids"], data["similarity_scores"])
    frames = [TrackingFrame(*frame) for frame in zip(*columns, strict=True)]
    found = tracking_scores(frames, _LEAST_IOU)
    scores = {
        "mota": found.mota,
        "idf1": found.idf1,
        "hota": found.hota,
        "switches": found.id_switches,
    }
    published = {**_by_motmetrics(frames), **_by_trackeval(data)}
    if any(abs((scores[name] or 0.0) - published[name]) > 1e-9 for name in scores):
        raise BenchError(f"{scores} by the evaluation, {published} by the published scorers")
    return scores


def _by_trackeval(data: dict[str, Any]) -> dict[str, Any]:
    """Return what TrackEval says.

    Not its MOTA: it forgets who was matched with whom after a single frame, other than the
    metric's source and motmetrics.
    """
    from trackeval.metrics import HOTA, Identity

    identity = Identity({"PRINT_CONFIG": False, "THRESHOLD": _LEAST_IOU})
    return {
        "idf1": float(identity.eval_sequence(data)["IDF1"]),
        "hota": float(np.mean(HOTA().eval_sequence(data)["HOTA"])),
    }


def _by_motmetrics(frames: Sequence[TrackingFrame]) -> dict[str, Any]:
    import motmetrics

    seen = motmetrics.MOTAccumulator(auto_id=True)
    for frame in frames:
        distances = np.where(frame.similarity >= _LEAST_IOU, 1 - frame.similarity, np.nan)
        seen.update(frame.truth_ids, frame.predicted_ids, distances)
    told = motmetrics.metrics.create().compute(seen, metrics=["mota", "num_switches"])
    return {"mota": float(told["mota"].iloc[0]), "switches": int(told["num_switches"].iloc[0])}


def _as_trackeval(truth: Boxes, made: Boxes) -> dict[str, Any]:
    """Return what TrackEval's metrics take: ids from 0 and overlaps, frame by frame."""
    frame_count = int(truth.frames.max()) + 1
    true_names, true_ids = np.unique(truth.ids, return_inverse=True)
    made_names, made_ids = np.unique(made.ids, return_inverse=True)
    real = [np.flatnonzero(truth.frames == frame) for frame in range(frame_count)]
    own = [np.flatnonzero(made.frames == frame) for frame in range(frame_count)]
    return {
        "num_timesteps": frame_count,
        "num_gt_dets": len(truth.frames),
        "num_tracker_dets": len(made.frames),
        "num_gt_ids": len(true_names),
        "num_tracker_ids": len(made_names),
        "gt_ids": [true_ids[rows] for rows in real],
        "tracker_ids": [made_ids[rows] for rows in own],
        "similarity_scores": [
            iou_matrix(truth.bboxes_xyxy[r], made.bboxes_xyxy[o])
            for r, o in zip(real, own, strict=True)
        ],
    }
