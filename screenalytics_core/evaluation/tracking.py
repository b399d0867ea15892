"""How well tracks follow what they follow: CLEAR MOT, IDF1 and HOTA over one set of frames."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.evaluation.clear_mot import clear_mot
from screenalytics_core.evaluation.hota import hota
from screenalytics_core.evaluation.id_measures import id_measures
from screenalytics_core.evaluation.scene import LEAST_IOU, LabelledFrame
from screenalytics_core.evaluation.tracking_frame import TrackingFrame
from screenalytics_core.vision.boxes import IntArray


@dataclass(frozen=True, slots=True)
class TrackingScores:
    """The published figures of tracking; None where nothing is labelled.

    Attributes:
        truth_boxes: Labelled boxes. predicted_boxes: Those of the tracker.
        mota: At most 1; below 0 where there are more mistakes than boxes.
        idp: Precision of IDF1. idr: Its recall.
        hota: Mean over IoU 0.05 to 0.95, and so `deta` (are things found) and `assa` (do
            tracks hold together).
    """

    truth_boxes: int
    predicted_boxes: int
    truth_ids: int
    predicted_ids: int
    misses: int
    false_positives: int
    id_switches: int
    mota: float | None
    idp: float | None
    idr: float | None
    idf1: float | None
    hota: float | None
    deta: float | None
    assa: float | None


def tracking_scores(
    frames: Sequence[TrackingFrame], least_iou: float = LEAST_IOU
) -> TrackingScores:
    """Score tracks.

    Args:
        frames: In order of time.
        least_iou: What a match needs for MOTA and IDF1; HOTA has its own range.
    """
    clear, ids, higher = clear_mot(frames, least_iou), id_measures(frames, least_iou), hota(frames)
    return TrackingScores(
        truth_boxes=clear.truth_boxes,
        predicted_boxes=clear.predicted_boxes,
        truth_ids=len({i for f in frames for i in f.truth_ids.tolist()}),
        predicted_ids=len({i for f in frames for i in f.predicted_ids.tolist()}),
        misses=clear.misses,
        false_positives=clear.false_positives,
        id_switches=clear.id_switches,
        mota=clear.mota,
        idp=ids.precision,
        idr=ids.recall,
        idf1=ids.f1,
        hota=None if higher is None else higher.hota,
        deta=None if higher is None else higher.deta,
        assa=None if higher is None else higher.assa,
    )


def face_tracking_frames(
    frames: Sequence[LabelledFrame], cuts: Sequence[int]
) -> tuple[TrackingFrame, ...]:
    """Return what tracks of faces are scored on.

    A track ends at a cut, so a person counts anew in every shot. Faces that nobody must find,
    and boxes that count for nothing, are left out.

    Args:
        cuts: First frame of every shot but the first, ascending.
    """
    numbers = _Numbers()
    return tuple(_without_doubt(frame, cuts, numbers) for frame in frames)


@dataclass(slots=True)
class _Numbers:
    """Numbers things in the order in which they come up."""

    known: dict[Hashable, int]

    def __init__(self) -> None:
        self.known = {}

    def of(self, thing: Hashable) -> int:
        return self.known.setdefault(thing, len(self.known))


def _without_doubt(frame: LabelledFrame, cuts: Sequence[int], numbers: _Numbers) -> TrackingFrame:
    shot = bisect_right(cuts, frame.frame_idx)
    is_clear = np.array([face.is_clear for face in frame.faces], bool)
    ids = [numbers.of((face.person, shot)) for face in frame.faces if face.is_clear]
    kept: NDArray[np.bool_] = ~frame.is_ignored
    truth_ids: IntArray = np.asarray(ids, np.int64)
    return TrackingFrame(truth_ids, frame.track_ids[kept], frame.overlaps[np.ix_(is_clear, kept)])
