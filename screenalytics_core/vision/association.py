"""Which detection belongs to which track in one frame, and which show one thing twice."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from screenalytics_core.vision.assignment import greatest_gain
from screenalytics_core.vision.boxes import Float64Array, IntArray, iou_matrix, lexicographic


class Matches(NamedTuple):
    """Pairs of rows and columns, and what is left over; all ascending by row or column."""

    rows: IntArray
    columns: IntArray
    free_rows: IntArray
    free_columns: IntArray


def best_matches(gains: Float64Array, least: float) -> Matches:
    """Pair rows with columns so that the sum of gains is greatest (Hungarian method).

    Args:
        gains: (N, M), at least 0.
        least: Pairs below are not made; above 0.
    """
    if 0 in gains.shape:
        nothing = np.empty(0, np.int64)
        return Matches(nothing, nothing, np.arange(len(gains)), np.arange(gains.shape[1]))
    # A pair that may not be made must not push aside one that may.
    allowed = np.where(gains >= least, gains, 0.0)
    rows, columns = greatest_gain(allowed)
    made = allowed[rows, columns] > 0
    rows, columns = rows[made].astype(np.int64), columns[made].astype(np.int64)
    return Matches(
        rows,
        columns,
        np.setdiff1d(np.arange(len(gains)), rows),
        np.setdiff1d(np.arange(gains.shape[1]), columns),
    )


def without_duplicates(
    bboxes_xyxy: Float64Array, confidences: Float64Array, duplicate_iou: float
) -> IntArray:
    """Return the rows to keep of one frame's boxes, most confident first.

    Detectors suppress duplicates themselves, but some let a face pass twice: a box goes when
    it overlaps a more confident one by `duplicate_iou` or more. Equal confidences are settled
    by the boxes, so the order of the input does not matter.
    """
    order = lexicographic(bboxes_xyxy, -confidences)
    if len(order) < 2:
        return order
    overlaps = iou_matrix(bboxes_xyxy[order], bboxes_xyxy[order]) >= duplicate_iou
    kept: list[int] = []
    for row in range(len(order)):
        if not overlaps[row, kept].any():
            kept.append(row)
    return order[kept]
