"""Are the faces found: recall and precision on clear faces, and recall by height.

Source of the definitions: Everingham et al., "The PASCAL Visual Object Classes Challenge",
IJCV 2010 (one prediction per object, further ones are false), at IoU 0.4 instead of 0.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from screenalytics_core.evaluation.ratios import ratio
from screenalytics_core.evaluation.scene import LEAST_IOU, LabelledFrame

# Doubling from the height below which labelling calls a face small.
HEIGHT_BANDS_PX: Final = (0, 20, 40, 80, 160, None)
_EXAMPLES: Final = 10


@dataclass(frozen=True, slots=True)
class HeightBand:
    """Recall of faces from `from_px` (included) to `to_px` (excluded; None = any) high."""

    from_px: int
    to_px: int | None
    faces: int
    found: int
    recall: float | None


@dataclass(frozen=True, slots=True)
class FaceScores:
    """Faces found on the labelled frames.

    Attributes:
        iou: What a match needs.
        tp: Clear faces found. fn: Missed. fp: Boxes on nothing, or second ones on a face.
        ignored_predictions: Boxes that count for nothing.
        hard_or_small_faces: Labelled faces that nobody must find.
        false_positive_examples: (frame, track_id) of the first few.
        by_height: Small faces count here too; hard and averted ones do not.
    """

    iou: float
    clear_faces: int
    tp: int
    fn: int
    fp: int
    ignored_predictions: int
    recall: float | None
    precision: float | None
    hard_or_small_faces: int
    hard_or_small_found: int
    false_positive_examples: tuple[tuple[int, int], ...]
    by_height: tuple[HeightBand, ...]


def face_scores(frames: Sequence[LabelledFrame], least_iou: float = LEAST_IOU) -> FaceScores:
    """Return how many faces were found, and what was found that is none."""
    faces = [(face, row in f.track_of) for f in frames for row, face in enumerate(f.faces)]
    clear = [found for face, found in faces if face.is_clear]
    doubtful = [found for face, found in faces if not face.is_clear]
    wrong = [example for f in frames for example in _false_positives(f)]
    tp = sum(clear)
    return FaceScores(
        iou=least_iou,
        clear_faces=len(clear),
        tp=tp,
        fn=len(clear) - tp,
        fp=len(wrong),
        ignored_predictions=sum(int(f.is_ignored.sum()) for f in frames),
        recall=ratio(tp, len(clear)),
        precision=ratio(tp, tp + len(wrong)),
        hard_or_small_faces=len(doubtful),
        hard_or_small_found=sum(doubtful),
        false_positive_examples=tuple(wrong[:_EXAMPLES]),
        by_height=_by_height(
            [
                (face.bbox_xyxy[3] - face.bbox_xyxy[1], found)
                for face, found in faces
                if not (face.is_hard or face.is_away)
            ]
        ),
    )


def _false_positives(frame: LabelledFrame) -> list[tuple[int, int]]:
    matched = set(frame.track_of.values())
    return [
        (frame.frame_idx, track_id)
        for column, track_id in enumerate(frame.track_ids.tolist())
        if column not in matched and not frame.is_ignored[column]
    ]


def _by_height(faces: Sequence[tuple[float, bool]]) -> tuple[HeightBand, ...]:
    bands = []
    for low, high in pairwise(HEIGHT_BANDS_PX):
        least = low or 0
        inside = [is_found for px, is_found in faces if least <= px < (high or float("inf"))]
        found = sum(inside)
        bands.append(HeightBand(least, high, len(inside), found, ratio(found, len(inside))))
    return tuple(bands)
