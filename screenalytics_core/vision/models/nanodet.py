"""NanoDet: a small one-stage detector of the 80 COCO classes, of which persons are kept.

Decoding after RangiLyu's NanoDet: every side's distance is a distribution over 11 bins
("Generalized Focal Loss", Li et al. 2020), whose mean times the stride is the distance.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import onnx

from screenalytics_core.errors import ModelError
from screenalytics_core.vision.models.boxes import fit_image, nms
from screenalytics_core.vision.models.onnx_session import OnnxSession, dims_of, open_session
from screenalytics_core.vision.models.protocols import FloatArray, Image, PersonBoxes

INPUT_PX: Final = 416
_STRIDES_PX: Final = (8, 16, 32)
_CLASSES: Final = 80
_BINS: Final = 11
_PERSON: Final = 0
_NMS_MAX_IOU: Final = 0.6
_MEAN_BGR: Final = np.array([103.53, 116.28, 123.675], np.float32)
_STD_BGR: Final = np.array([57.375, 57.12, 58.395], np.float32)


class NanodetDetector:
    """`PersonDetector` over a NanoDet network; keeps no state between calls."""

    def __init__(self, session: OnnxSession, *, min_confidence: float) -> None:
        self._session = session
        self._min_confidence = min_confidence

    def detect(self, image_bgr: Image) -> PersonBoxes:
        """Return the persons of an (H, W, 3) image."""
        fitted = fit_image(image_bgr, (INPUT_PX, INPUT_PX))
        outputs = self._session.run(_blob(fitted.pixels))
        boxes, confidences = decode(outputs, self._min_confidence)
        kept = nms(boxes, confidences, _NMS_MAX_IOU)
        return PersonBoxes(boxes[kept] * np.float32(1 / fitted.scale), confidences[kept])


def decode(outputs: list[FloatArray], min_confidence: float) -> tuple[FloatArray, FloatArray]:
    """Turn raw outputs into boxes (N, 4) in input pixels and confidences (N,), before NMS.

    Args:
        outputs: Class scores (1, cells, 80) and distances (1, cells, 44) per stride, in any
            order; the number of cells tells the stride.
    """
    by_shape = {(o.shape[1], o.shape[2]): o[0] for o in outputs}
    boxes, confidences = [], []
    for stride in _STRIDES_PX:
        columns = INPUT_PX // stride
        scores = by_shape[columns**2, _CLASSES][:, _PERSON]
        chosen = np.flatnonzero(scores >= min_confidence)
        logits = by_shape[columns**2, 4 * _BINS][chosen].reshape(-1, 4, _BINS)
        weights = np.exp(logits - logits.max(axis=2, keepdims=True))
        bins = np.arange(_BINS, dtype=np.float32)
        distances = (weights @ bins) / weights.sum(axis=2) * stride
        cells = np.stack([chosen % columns, chosen // columns], axis=1)
        centres = (cells.astype(np.float32) + 0.5) * stride
        boxes.append(np.hstack([centres - distances[:, :2], centres + distances[:, 2:]]))
        confidences.append(scores[chosen])
    return (
        np.concatenate(boxes).astype(np.float32),
        np.concatenate(confidences).astype(np.float32),
    )


def is_nanodet(model: onnx.ModelProto) -> bool:
    """Tell whether a graph has NanoDet's outputs: per stride 80 classes and 4 x 11 bins."""
    found = sorted(tuple(dims_of(output)[1:]) for output in model.graph.output)
    cells = [(INPUT_PX // stride) ** 2 for stride in _STRIDES_PX]
    return found == sorted((n, width) for n in cells for width in (_CLASSES, 4 * _BINS))


def open_nanodet(
    model: onnx.ModelProto, *, device: str, thing: str, min_confidence: float
) -> NanodetDetector:
    """Open a NanoDet graph.

    Raises:
        ModelError: The graph is not the one that the lite pack derives.
    """
    if not is_nanodet(model):
        raise ModelError(
            thing=thing,
            reason="is not the NanoDet person detector (its outputs have other shapes)",
            way_out="Install the pack again: `screenalytics models install lite`.",
        )
    session = open_session(model, device=device, thing=thing)
    return NanodetDetector(session, min_confidence=min_confidence)


def _blob(pixels: Image) -> FloatArray:
    normalised = (pixels.astype(np.float32) - _MEAN_BGR) / _STD_BGR
    return np.ascontiguousarray(normalised.transpose(2, 0, 1)[None], np.float32)
