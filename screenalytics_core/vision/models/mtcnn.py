"""MTCNN: three small networks, the first over an image pyramid, the others over crops.

After Zhang et al. 2016, "Joint Face Detection and Alignment Using Multitask Cascaded
Convolutional Networks". The networks come as one ONNX file (see `mtcnn_file`). They were
trained on column-major images, so every picture is transposed on its way in.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np

from screenalytics_core.vision.models.boxes import nms, resize
from screenalytics_core.vision.models.mtcnn_file import STAGES
from screenalytics_core.vision.models.onnx_session import OnnxSession
from screenalytics_core.vision.models.protocols import FaceBoxes, FloatArray, Image

MIN_FACE_PX: Final = 24
"""Smallest face that is looked for, in pixels of the scaled picture."""

_CELL_PX: Final = 12
_CELL_STRIDE_PX: Final = 2
_PYRAMID_FACTOR: Final = 0.709  # half the area per level, as published
_PROPOSAL_CONFIDENCE: Final = 0.7
_REFINE_CONFIDENCE: Final = 0.7
_BATCH: Final = 64


class MtcnnDetector:
    """`FaceDetector` over the three networks; keeps no state between calls."""

    def __init__(
        self, stages: dict[str, OnnxSession], *, max_side_px: int, min_confidence: float
    ) -> None:
        self._propose, self._refine, self._output = (stages[name] for name in STAGES)
        self._max_side_px = max_side_px
        self._min_confidence = min_confidence

    def detect(self, image_bgr: Image, within: FloatArray | None = None) -> FaceBoxes:
        """Return the faces of an (H, W, 3) image, all of it: the pyramid is cut from the whole."""
        del within
        height, width = image_bgr.shape[:2]
        scale = self._max_side_px / max(height, width)
        scaled = resize(image_bgr, max(round(height * scale), 1), max(round(width * scale), 1))
        rgb = np.ascontiguousarray(scaled[:, :, ::-1])
        refined = self._refine_stage(rgb, self._proposals(rgb))
        boxes, confidences, landmarks = self._output_stage(rgb, refined)
        inverse = np.float32(1 / scale)
        return FaceBoxes(boxes * inverse, confidences, landmarks * inverse)

    def _proposals(self, rgb: Image) -> FloatArray:
        """Slide the first network over the pyramid; returns square boxes (N, 4)."""
        found = []
        level = rgb
        for scale in pyramid_scales(rgb.shape):
            # From the level above, not from the picture: a fifth of the pixels to average.
            height, width = (math.ceil(side * scale) for side in rgb.shape[:2])
            level = resize(level, height, width)
            found.append(self._proposals_at(level, scale))
        boxes = np.concatenate([b for b, _ in found]) if found else np.zeros((0, 4), np.float32)
        scores = np.concatenate([s for _, s in found]) if found else np.zeros(0, np.float32)
        return square(boxes[nms(boxes, scores, 0.7)])

    def _proposals_at(self, level: Image, scale: float) -> tuple[FloatArray, FloatArray]:
        shifts, scores = self._propose.run(_network_input(level[None]))
        columns, rows = np.nonzero(scores[0, :, :, 1] >= _PROPOSAL_CONFIDENCE)
        corner = np.stack([columns, rows], axis=1).astype(np.float32) * _CELL_STRIDE_PX
        cells = np.hstack([corner, corner + _CELL_PX]) / np.float32(scale)
        confidences = scores[0, columns, rows, 1]
        kept = nms(cells, confidences, 0.5)
        shifted = cells + shifts[0, columns, rows] * np.float32(_CELL_PX / scale)
        return shifted[kept], confidences[kept]

    def _refine_stage(self, rgb: Image, boxes: FloatArray) -> FloatArray:
        if not len(boxes):
            return boxes
        shifts, scores = _run_batched(self._refine, cut_crops(rgb, boxes, 24))
        passed = np.flatnonzero(scores[:, 1] >= _REFINE_CONFIDENCE)
        kept = passed[nms(boxes[passed], scores[passed, 1], 0.7)]
        return square(shift(boxes[kept], shifts[kept]))

    def _output_stage(
        self, rgb: Image, boxes: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        if not len(boxes):
            return boxes, np.zeros(0, np.float32), np.zeros((0, 10), np.float32)
        shifts, points, scores = _run_batched(self._output, cut_crops(rgb, boxes, 48))
        passed = np.flatnonzero(scores[:, 1] >= self._min_confidence)
        boxes, points = boxes[passed], points[passed]
        sides = boxes[:, 2:] - boxes[:, :2]
        landmarks = np.empty((len(boxes), 10), np.float32)
        landmarks[:, 0::2] = boxes[:, :1] + points[:, :5] * sides[:, :1]
        landmarks[:, 1::2] = boxes[:, 1:2] + points[:, 5:] * sides[:, 1:]
        shifted, confidences = shift(boxes, shifts[passed]), scores[passed, 1]
        kept = nms(shifted, confidences, 0.7, over_smaller=True)
        return shifted[kept], confidences[kept], landmarks[kept]


def pyramid_scales(shape: tuple[int, ...]) -> list[float]:
    """Return the scales at which a (height, width) picture is searched, largest first."""
    scale = _CELL_PX / MIN_FACE_PX
    scales = []
    while min(shape[0], shape[1]) * scale >= _CELL_PX:
        scales.append(scale)
        scale *= _PYRAMID_FACTOR
    return scales


def square(boxes: FloatArray) -> FloatArray:
    """Grow boxes (N, 4) around their centres to squares."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    halves = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True, initial=0) / 2
    return np.hstack([centres - halves, centres + halves]).astype(np.float32)


def shift(boxes: FloatArray, shifts: FloatArray) -> FloatArray:
    """Move each side of boxes (N, 4) by a fraction of the box's width or height."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return (boxes + shifts * np.hstack([sides, sides])).astype(np.float32)


def cut_crops(rgb: Image, boxes: FloatArray, side_px: int) -> Image:
    """Cut square boxes as (N, side, side, 3); what lies outside the picture is black."""
    height, width = rgb.shape[:2]
    crops = np.zeros((len(boxes), side_px, side_px, 3), np.uint8)
    for crop, (x1, y1, x2, y2) in zip(crops, np.rint(boxes).astype(int).tolist(), strict=True):
        x2, y2 = max(x2, x1 + 1), max(y2, y1 + 1)
        left, top, right, bottom = max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)
        if right <= left or bottom <= top:
            continue
        part = rgb[top:bottom, left:right]
        if (left, top, right, bottom) != (x1, y1, x2, y2):
            borders = (top - y1, y2 - bottom, left - x1, x2 - right)
            part = np.asarray(cv2.copyMakeBorder(part, *borders, cv2.BORDER_CONSTANT), np.uint8)
        crop[:] = resize(part, side_px, side_px)
    return crops


def _network_input(rgb: Image) -> FloatArray:
    """Normalise and transpose (N, H, W, 3) pictures to (N, W, H, 3)."""
    transposed = np.ascontiguousarray(rgb.transpose(0, 2, 1, 3), np.float32)
    return (transposed - np.float32(127.5)) * np.float32(1 / 128)


def _run_batched(session: OnnxSession, crops: Image) -> list[FloatArray]:
    """Run in bounded batches: a crowd must not make memory grow."""
    parts = [
        session.run(_network_input(crops[start : start + _BATCH]))
        for start in range(0, len(crops), _BATCH)
    ]
    return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]
