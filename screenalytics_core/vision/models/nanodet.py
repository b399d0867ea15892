"""NanoDet: a small one-stage detector of the 80 COCO classes, of which persons are kept.

Decoding after RangiLyu's NanoDet: every side's distance is a distribution over 11 bins
("Generalized Focal Loss", Li et al. 2020), whose mean times the stride is the distance.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import onnx
from onnx import numpy_helper

from screenalytics_core.errors import ModelError
from screenalytics_core.vision.models.boxes import fit_image, input_size, nms
from screenalytics_core.vision.models.onnx_session import (
    OnnxSession,
    dims_of,
    free_dims,
    open_session,
)
from screenalytics_core.vision.models.protocols import FloatArray, Image, PersonBoxes

INPUT_PX: Final = 416
"""Longer side of the input; the other one follows the picture."""

_STRIDES_PX: Final = (8, 16, 32)
_CLASSES: Final = 80
_BINS: Final = 11
_PERSON: Final = 0
_NMS_MAX_IOU: Final = 0.6
_PROBE_SIZE_PX: Final = (64, 96)
_MEAN_BGR: Final = np.array([103.53, 116.28, 123.675], np.float32)
_STD_BGR: Final = np.array([57.375, 57.12, 58.395], np.float32)


class NanodetDetector:
    """`PersonDetector` over a NanoDet network; keeps no state between calls."""

    def __init__(self, session: OnnxSession, *, min_confidence: float) -> None:
        self._session = session
        self._min_confidence = min_confidence

    def detect(self, image_bgr: Image) -> PersonBoxes:
        """Return the persons of an (H, W, 3) image."""
        # Confidences fall quickly when the picture is shrunk, so never below the square's scale.
        size = input_size(image_bgr.shape, INPUT_PX, max_shrinking=0.0)
        fitted = fit_image(image_bgr, size)
        outputs = self._session.run(_blob(fitted.pixels))
        boxes, confidences = decode(outputs, size, self._min_confidence)
        kept = nms(boxes, confidences, _NMS_MAX_IOU)
        return PersonBoxes(boxes[kept] * np.float32(1 / fitted.scale), confidences[kept])


def decode(
    outputs: list[FloatArray], size: tuple[int, int], min_confidence: float
) -> tuple[FloatArray, FloatArray]:
    """Turn raw outputs into boxes (N, 4) in input pixels and confidences (N,), before NMS.

    Args:
        outputs: Class scores (1, cells, 80) and distances (1, cells, 44) per stride, in any
            order; the number of cells tells the stride.
        size: (height, width) of the input, px, multiples of 32.
    """
    by_shape = {(o.shape[1], o.shape[2]): o[0] for o in outputs}
    boxes, confidences = [], []
    for stride in _STRIDES_PX:
        columns = size[1] // stride
        cells = _cells(size, stride)
        scores = by_shape[cells, _CLASSES][:, _PERSON]
        chosen = np.flatnonzero(scores >= min_confidence)
        logits = by_shape[cells, 4 * _BINS][chosen].reshape(-1, 4, _BINS)
        weights = np.exp(logits - logits.max(axis=2, keepdims=True))
        bins = np.arange(_BINS, dtype=np.float32)
        distances = (weights @ bins) / weights.sum(axis=2) * stride
        places = np.stack([chosen % columns, chosen // columns], axis=1)
        centres = (places.astype(np.float32) + 0.5) * stride
        boxes.append(np.hstack([centres - distances[:, :2], centres + distances[:, 2:]]))
        confidences.append(scores[chosen])
    return (
        np.concatenate(boxes).astype(np.float32),
        np.concatenate(confidences).astype(np.float32),
    )


def _cells(size: tuple[int, int], stride: int) -> int:
    return (size[0] // stride) * (size[1] // stride)


def _shapes(size: tuple[int, int]) -> list[tuple[int, ...]]:
    """Return (cells, width) of every output, ascending."""
    cells = [_cells(size, stride) for stride in _STRIDES_PX]
    return sorted((n, width) for n in cells for width in (_CLASSES, 4 * _BINS))


def is_nanodet(model: onnx.ModelProto) -> bool:
    """Tell whether a graph has NanoDet's outputs: per stride 80 classes and 4 x 11 bins."""
    found = sorted(tuple(dims_of(output)[1:]) for output in model.graph.output)
    return found == _shapes((INPUT_PX, INPUT_PX))


def open_nanodet(
    model: onnx.ModelProto, *, device: str, thing: str, min_confidence: float
) -> NanodetDetector:
    """Open a NanoDet graph for inputs of any size; `model` is changed.

    Raises:
        ModelError: The graph is not the one that the lite pack derives.
    """
    if not is_nanodet(model):
        raise _not_nanodet(thing, "its outputs have other shapes")
    session = open_session(free_size(model), device=device, thing=thing)
    outputs = session.run(np.zeros((1, 3, *_PROBE_SIZE_PX), np.float32))
    if sorted(o.shape[1:] for o in outputs) != _shapes(_PROBE_SIZE_PX):
        raise _not_nanodet(thing, f"its output shapes are {[o.shape for o in outputs]}")
    return NanodetDetector(session, min_confidence=min_confidence)


def free_size(model: onnx.ModelProto) -> onnx.ModelProto:
    """Let a graph made for one square input take any whose sides are multiples of 32.

    Its pyramid's levels are resized to the sizes that they have at 416x416; they become
    factors. A wide picture then needs no square, nearly half of which would be black.
    """
    shapes = {
        value.name: dims_of(value)
        for value in onnx.shape_inference.infer_shapes(model, data_prop=True).graph.value_info
    }
    for node in model.graph.node:
        before, after = shapes.get(node.input[0]), shapes.get(node.output[0])
        if node.op_type != "Resize" or not before or not after:
            continue
        name = f"{node.name}/factors"
        factors = np.array(after, np.float32) / np.array(before, np.float32)
        model.graph.initializer.append(numpy_helper.from_array(factors, name))
        node.input[:] = [node.input[0], "", name]
    return free_dims(model, (2, 3))


def _not_nanodet(thing: str, detail: str) -> ModelError:
    return ModelError(
        thing=thing,
        reason=f"is not the NanoDet person detector ({detail})",
        way_out="Install the pack again: `screenalytics models install lite`.",
    )


def _blob(pixels: Image) -> FloatArray:
    """Normalise; channel by channel, which is ten times faster than on the whole picture."""
    blob = np.empty((1, 3, *pixels.shape[:2]), np.float32)
    for channel in range(3):
        plane = blob[0, channel]
        np.subtract(pixels[:, :, channel], _MEAN_BGR[channel], out=plane)
        np.divide(plane, _STD_BGR[channel], out=plane)
    return blob
