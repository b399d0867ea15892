"""SCRFD: one network, three or five strides, anchors without sizes.

Decoded here rather than by insightface's class, which keeps a cache of anchors that
several threads would write, and guesses the input size. Decoding after Guo et al. 2021,
"Sample and Computation Redistribution for Efficient Face Detection".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import onnx

from screenalytics_core.errors import ModelError
from screenalytics_core.vision.models.boxes import Window, fit_image, input_size, nms, window_of
from screenalytics_core.vision.models.joined_convolutions import join_convolutions
from screenalytics_core.vision.models.onnx_session import (
    OnnxSession,
    dims_of,
    free_dims,
    open_session,
    real_inputs,
    resolve_device,
)
from screenalytics_core.vision.models.protocols import FaceBoxes, FloatArray, Image

_MEAN: Final = 127.5
_STD: Final = 128.0
_NMS_MAX_IOU: Final = 0.4
_PROBE_PX: Final = 64


@dataclass(frozen=True, slots=True)
class ScrfdLayout:
    """How the outputs are arranged: first all scores, then boxes, then landmarks."""

    strides: tuple[int, ...]
    anchors_per_cell: int
    has_landmarks: bool


LAYOUTS: Final = {
    6: ScrfdLayout((8, 16, 32), 2, False),
    9: ScrfdLayout((8, 16, 32), 2, True),
    10: ScrfdLayout((8, 16, 32, 64, 128), 1, False),
    15: ScrfdLayout((8, 16, 32, 64, 128), 1, True),
}
"""Number of outputs -> layout."""


class ScrfdDetector:
    """`FaceDetector` over an SCRFD network; keeps no state between calls.

    Args:
        looks_at_parts: Give the network only the part of its input that is lit and asked for.
    """

    def __init__(
        self,
        session: OnnxSession,
        layout: ScrfdLayout,
        *,
        max_side_px: int,
        min_confidence: float,
        looks_at_parts: bool = True,
    ) -> None:
        self._session = session
        self._layout = layout
        self._max_side_px = max_side_px
        self._min_confidence = min_confidence
        self._looks_at_parts = looks_at_parts

    def detect(self, image_bgr: Image, within: FloatArray | None = None) -> FaceBoxes:
        """Return the faces of an (H, W, 3) image; see `FaceDetector`."""
        whole = input_size(image_bgr.shape, self._max_side_px)
        fitted = fit_image(image_bgr, whole)
        window = window_of(fitted, within if self._looks_at_parts else None)
        if window is None:
            return self._nobody()
        if not self._looks_at_parts:
            window = Window(0, 0, whole[1], whole[0])
        outputs = self._session.run(_blob(window.cut(fitted.pixels)))
        size = (window.height, window.width)
        boxes, confidences, landmarks = decode(outputs, self._layout, size, self._min_confidence)
        kept = nms(boxes, confidences, _NMS_MAX_IOU)
        inverse = np.float32(1 / fitted.scale)
        corner = np.array([window.left, window.top], np.float32)
        points = None if landmarks is None else landmarks[kept] + np.tile(corner, 5)
        return FaceBoxes(
            bboxes_xyxy=(boxes[kept] + np.tile(corner, 2)) * inverse,
            confidences=confidences[kept],
            landmarks_xy=None if points is None else points * inverse,
        )

    def _nobody(self) -> FaceBoxes:
        return FaceBoxes(
            np.zeros((0, 4), np.float32),
            np.zeros(0, np.float32),
            np.zeros((0, 10), np.float32) if self._layout.has_landmarks else None,
        )


def decode(
    outputs: list[FloatArray],
    layout: ScrfdLayout,
    size: tuple[int, int],
    min_confidence: float,
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    """Turn raw outputs into boxes, confidences and landmarks in input pixels, before NMS.

    Args:
        outputs: Per stride scores (cells*anchors), then distances (.., 4) to the left, top,
            right and bottom side, then offsets (.., 10), in units of the stride.
        size: (height, width) of the input, px.
    """
    levels = len(layout.strides)
    boxes, confidences, landmarks = [], [], []
    for level, stride in enumerate(layout.strides):
        scores = outputs[level].reshape(-1)
        chosen = np.flatnonzero(scores >= min_confidence)
        cells = chosen // layout.anchors_per_cell
        columns = -(-size[1] // stride)
        centres = np.stack([cells % columns, cells // columns], axis=1).astype(np.float32) * stride
        distances = outputs[levels + level].reshape(-1, 4)[chosen] * stride
        boxes.append(np.hstack([centres - distances[:, :2], centres + distances[:, 2:]]))
        confidences.append(scores[chosen])
        if layout.has_landmarks:
            offsets = outputs[2 * levels + level].reshape(-1, 10)[chosen] * stride
            landmarks.append(offsets + np.tile(centres, 5))
    return (
        np.concatenate(boxes).astype(np.float32),
        np.concatenate(confidences).astype(np.float32),
        np.concatenate(landmarks).astype(np.float32) if layout.has_landmarks else None,
    )


def open_scrfd(
    model: onnx.ModelProto, *, device: str, thing: str, max_side_px: int, min_confidence: float
) -> ScrfdDetector:
    """Open an SCRFD graph for inputs of any size; `model` is changed.

    Raises:
        ModelError: The graph is not SCRFD, or takes one input size only.
    """
    layout = LAYOUTS.get(len(model.graph.output))
    if layout is None:
        raise _not_scrfd(thing, f"it has {len(model.graph.output)} outputs")
    model = join_convolutions(free_dims(model, (2, 3)))
    session = open_session(model, device=device, thing=thing)
    outputs = session.run(np.zeros((1, 3, _PROBE_PX, _PROBE_PX), np.float32))
    if [o.size for o in outputs] != _expected_sizes(layout):
        raise _not_scrfd(thing, f"its output shapes are {[o.shape for o in outputs]}")
    return ScrfdDetector(
        session,
        layout,
        max_side_px=max_side_px,
        min_confidence=min_confidence,
        # On a GPU a network is tuned anew to every size of input, which costs more than a part
        # of it saves.
        looks_at_parts=resolve_device(device) == "cpu",
    )


def is_scrfd(model: onnx.ModelProto) -> bool:
    """Tell whether a graph has a picture as input and SCRFD's outputs, as far as declared."""
    inputs, layout = real_inputs(model), LAYOUTS.get(len(model.graph.output))
    if len(inputs) != 1 or layout is None or dims_of(inputs[0])[1:2] != [3]:
        return False
    found = [dims_of(output)[-1:] or [0] for output in model.graph.output]
    expected = [width for width in _widths(layout) for _ in layout.strides]
    return all(dims[-1] in (0, width) for dims, width in zip(found, expected, strict=True))


def _widths(layout: ScrfdLayout) -> tuple[int, ...]:
    return (1, 4, 10) if layout.has_landmarks else (1, 4)


def _expected_sizes(layout: ScrfdLayout) -> list[int]:
    anchors = [(-(-_PROBE_PX // s)) ** 2 * layout.anchors_per_cell for s in layout.strides]
    return [n * width for width in _widths(layout) for n in anchors]


def _not_scrfd(thing: str, detail: str) -> ModelError:
    return ModelError(
        thing=thing,
        reason=f"is not an SCRFD face detector for free input sizes ({detail})",
        way_out="Use an SCRFD file of an insightface pack.",
    )


def _blob(pixels: Image) -> FloatArray:
    blob = cv2.dnn.blobFromImage(pixels, 1.0 / _STD, mean=(_MEAN, _MEAN, _MEAN), swapRB=True)
    return np.asarray(blob, np.float32)
