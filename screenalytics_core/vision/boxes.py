"""Geometry of boxes: (left, top, right, bottom) in px of the source frame.

Everything takes and gives float64 arrays of shape (N, 4), so that a result does not hang
on the order of a sum; tables hold float32.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64Array = NDArray[np.float64]
IntArray = NDArray[np.int64]


def as_boxes(bboxes_xyxy: ArrayLike) -> Float64Array:
    """Return boxes as (N, 4) float64; nothing becomes (0, 4)."""
    return np.asarray(bboxes_xyxy, np.float64).reshape(-1, 4)


def areas_px(bboxes_xyxy: Float64Array) -> Float64Array:
    """Return the (N,) areas in px²; a box turned inside out has none."""
    sides = np.maximum(bboxes_xyxy[:, 2:] - bboxes_xyxy[:, :2], 0.0)
    return sides[:, 0] * sides[:, 1]


def iou_matrix(first: Float64Array, second: Float64Array) -> Float64Array:
    """Return the (N, M) intersections over unions of N with M boxes, 0 to 1.

    Boxes without area have an IoU of 0 with everything.

    Example:
        >>> iou_matrix(as_boxes([[0, 0, 10, 10]]), as_boxes([[5, 0, 15, 10]])).round(3).tolist()
        [[0.333]]
    """
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides = np.maximum(high - low, 0.0)
    shared = sides[..., 0] * sides[..., 1]
    union = areas_px(first)[:, None] + areas_px(second)[None, :] - shared
    return _ratio(shared, union)


def _ratio(shared: Float64Array, union: Float64Array) -> Float64Array:
    ratio: Float64Array = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return ratio


def iou_pairs(first: Float64Array, second: Float64Array) -> Float64Array:
    """Return the (N,) IoU of each box of `first` with the same row of `second`."""
    low = np.maximum(first[:, :2], second[:, :2])
    high = np.minimum(first[:, 2:], second[:, 2:])
    sides = np.maximum(high - low, 0.0)
    shared = sides[:, 0] * sides[:, 1]
    union = areas_px(first) + areas_px(second) - shared
    return _ratio(shared, union)


def grow_boxes(bboxes_xyxy: Float64Array, part: float) -> Float64Array:
    """Return boxes larger by `part` of their width and height on each side."""
    margin = part * (bboxes_xyxy[:, 2:] - bboxes_xyxy[:, :2])
    return np.concatenate([bboxes_xyxy[:, :2] - margin, bboxes_xyxy[:, 2:] + margin], axis=1)


def interpolate_boxes(
    at_s: Float64Array, known_s: Float64Array, bboxes_xyxy: Float64Array
) -> Float64Array:
    """Return the boxes at times `at_s`: linear between known ones, held before and after.

    A box between two boxes of the picture lies in the picture, so nothing need be clipped.

    Args:
        at_s: (M,) seconds.
        known_s: (N,) seconds, ascending, N at least 1.
        bboxes_xyxy: (N, 4).
    """
    return np.column_stack([np.interp(at_s, known_s, side) for side in bboxes_xyxy.T])


def lexicographic(bboxes_xyxy: Float64Array, *before: Float64Array) -> IntArray:
    """Return the order of boxes by the keys `before`, then left, top, right, bottom.

    It depends on the boxes alone, not on how a model happened to list them.
    """
    return np.lexsort((*bboxes_xyxy.T[::-1], *before[::-1])).astype(np.int64)
