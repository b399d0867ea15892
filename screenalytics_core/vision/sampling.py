"""Whether two looks of a detector explain each other, or it must look between them.

A fixed stride is too coarse for fast heads and too fine for people who sit and talk. So a
detector looks at regular frames first, and between two of them only if it is not clear who
became whom: half-way, and again in each half. Overlap is relative to a box's size, so small and
fast things get more looks than large and slow ones, and what appears or goes gets its moment
found. Whether a stretch is clear depends on the looks at its two ends alone, not on where a
part of the video starts.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from screenalytics_core.vision.box_rows import Boxes
from screenalytics_core.vision.boxes import grow_boxes, iou_matrix
from screenalytics_core.vision.models.protocols import FloatArray

# Two boxes of one thing. 0.5 is as good and looks a fifth more often; with 0.3 faces that pass
# behind one another are taken for each other in re-edited clips (docs/evaluation.md).
_SAME_IOU: Final = 0.4
_WEAK_PART: Final = 0.6
# Of a face's size, on each side: as far as the tracker reaches (`TrackerSettings.reach`). With
# twice as much the same faces are found.
_MARGIN: Final = 0.5


def is_clear(before: Boxes, after: Boxes, strong_confidence: float) -> bool:
    """Tell whether it is clear who became whom between two looks at one shot.

    Each strong box has exactly one partner in the other look, which has no other partner:
    boxes are partners from an IoU of 0.4. A partner may be weaker (down to 0.6 of strong), so that
    a face at the edge of what the detector is sure of does not come and go.

    Args:
        strong_confidence: From here up a box must be explained, 0..1.
    """
    weak = _WEAK_PART * strong_confidence
    first, second = before.confidences >= weak, after.confidences >= weak
    first_strong = before.confidences[first] >= strong_confidence
    second_strong = after.confidences[second] >= strong_confidence
    if not first_strong.any() and not second_strong.any():
        return True
    partners = (
        iou_matrix(
            before.bboxes_xyxy[first].astype(np.float64),
            after.bboxes_xyxy[second].astype(np.float64),
        )
        >= _SAME_IOU
    )
    of_first, of_second = partners.sum(axis=1), partners.sum(axis=0)
    if (of_first[first_strong] != 1).any() or (of_second[second_strong] != 1).any():
        return False
    return bool(
        (of_second[partners[first_strong].any(axis=0)] == 1).all()
        and (of_first[partners[:, second_strong].any(axis=1)] == 1).all()
    )


def where_between(before: Boxes, after: Boxes, strong_confidence: float) -> FloatArray:
    """Return where to look between two looks that are not clear: around all that they show.

    Nobody else is in doubt: who comes and goes between the two, far from everybody, would not
    have been looked for without the doubt either.

    Returns:
        (4,) px; it may reach past the picture's edges.
    """
    weak = _WEAK_PART * strong_confidence
    boxes = np.concatenate([b.bboxes_xyxy[b.confidences >= weak] for b in (before, after)])
    grown = grow_boxes(boxes.astype(np.float64), _MARGIN)
    corners = [grown[:, :2].min(axis=0), grown[:, 2:].max(axis=0)]
    return np.concatenate(corners).astype(np.float32)
