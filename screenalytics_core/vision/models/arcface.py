"""ArcFace-style embedders: an aligned 112x112 face in, a vector of 512 numbers out."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import onnx

from screenalytics_core.errors import ModelError
from screenalytics_core.vision.models.dead_channels import drop_dead_channels
from screenalytics_core.vision.models.onnx_session import (
    OnnxSession,
    dims_of,
    free_dims,
    open_session,
    real_inputs,
)
from screenalytics_core.vision.models.prelu import make_prelu_fast
from screenalytics_core.vision.models.protocols import FloatArray, Image

CROP_PX: Final = 112
EMBEDDING_SIZE: Final = 512
_NORMALISING_NODES: Final = 8


class ArcFaceEmbedder:
    """`FaceEmbedder` over an ArcFace network; keeps no state between calls."""

    def __init__(self, session: OnnxSession, *, mean: float, std: float) -> None:
        self._session = session
        self._mean = mean
        self._std = std

    def embed(self, crops_bgr: Image) -> FloatArray:
        """Map (N, 112, 112, 3) crops to (N, 512) vectors; N may be 0."""
        if len(crops_bgr) == 0:
            return np.zeros((0, EMBEDDING_SIZE), np.float32)
        mean = (self._mean, self._mean, self._mean)
        blob = cv2.dnn.blobFromImages(list(crops_bgr), 1.0 / self._std, mean=mean, swapRB=True)
        return np.asarray(self._session.run(blob)[0], np.float32)


def open_arcface(model: onnx.ModelProto, *, device: str, thing: str) -> ArcFaceEmbedder:
    """Open an ArcFace graph for batches of any size; `model` is changed.

    Raises:
        ModelError: The graph does not map such crops to vectors of 512 numbers.
    """
    mean, std = (0.0, 1.0) if normalises_itself(model) else (127.5, 127.5)
    model = drop_dead_channels(free_dims(model, (0,)))
    model = make_prelu_fast(model, device=device)
    session = open_session(model, device=device, thing=thing)
    embedder = ArcFaceEmbedder(session, mean=mean, std=std)
    shape = embedder.embed(np.zeros((2, CROP_PX, CROP_PX, 3), np.uint8)).shape
    if shape != (2, EMBEDDING_SIZE):
        raise ModelError(
            thing=thing,
            reason=f"gives {shape} for two face crops, not (2, {EMBEDDING_SIZE})",
            way_out="Use an ArcFace file whose batch dimension is free.",
        )
    return embedder


def is_arcface(model: onnx.ModelProto) -> bool:
    """Tell whether a graph maps 112x112 pictures to 512 numbers."""
    inputs, outputs = real_inputs(model), model.graph.output
    return (
        len(inputs) == len(outputs) == 1
        and dims_of(inputs[0])[1:] == [3, CROP_PX, CROP_PX]
        and dims_of(outputs[0])[-1:] == [EMBEDDING_SIZE]
    )


def normalises_itself(model: onnx.ModelProto) -> bool:
    """Tell whether the graph starts with its own subtraction and scaling of pixel values.

    Graphs from MXNet do; PyTorch exports expect (x - 127.5) / 127.5. The sign is the same
    that insightface looks for: both nodes among the first eight.
    """
    names = [node.name for node in model.graph.node[:_NORMALISING_NODES]]
    return any(n.startswith(("Sub", "_minus")) for n in names) and any(
        n.startswith(("Mul", "_mul")) for n in names
    )
