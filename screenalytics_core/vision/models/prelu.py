"""PReLU in operators that onnxruntime vectorises on the CPU.

Its own PRelu works number by number in the plain layout, so each one also costs two changes
of layout between convolutions: half of an embedder's time. The same function as two
convolutions of one pixel and one channel keeps to the blocked layout; activation and
addition are fused into them.
"""

from __future__ import annotations

import platform
from typing import Final

import numpy as np
import onnx
from onnx import helper, numpy_helper

from screenalytics_core.vision.models.onnx_session import resolve_device
from screenalytics_core.vision.models.protocols import FloatArray

# Elsewhere onnxruntime has no blocked layout, and such small convolutions are slow.
_BLOCKED_LAYOUT_MACHINES: Final = ("x86_64", "AMD64")


def make_prelu_fast(model: onnx.ModelProto, *, device: str) -> onnx.ModelProto:
    """Replace PReLUs in place where that is faster, and return `model`.

    The results differ by rounding: by about 1e-6 of the largest over a whole embedder.

    Args:
        device: Where the model will run: cpu, cuda, coreml or auto.
    """
    if resolve_device(device) == "cpu" and platform.machine() in _BLOCKED_LAYOUT_MACHINES:
        return split_prelu(model)
    return model


def split_prelu(model: onnx.ModelProto) -> onnx.ModelProto:
    """Write PReLU as y = x + (1 - slope) * relu(-x), in place, and return `model`.

    Only with one slope per channel, and after a convolution over pictures; all others stay.
    """
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes, pictures = list(model.graph.node), set[str]()
    del model.graph.node[:]
    for node in nodes:
        if _gives_pictures(node, weights, pictures):
            pictures.add(node.output[0])
        slopes = _channel_slopes(node, weights)
        if slopes is None or node.input[0] not in pictures:
            model.graph.node.append(node)
        else:
            replacement, tensors = _split(node, slopes)
            model.graph.node.extend(replacement)
            model.graph.initializer.extend(tensors)
    return model


def _gives_pictures(
    node: onnx.NodeProto, weights: dict[str, onnx.TensorProto], pictures: set[str]
) -> bool:
    if node.op_type == "BatchNormalization":
        return node.input[0] in pictures
    return (
        node.op_type == "Conv"
        and node.input[1] in weights
        and len(weights[node.input[1]].dims) == 4
    )


def _channel_slopes(
    node: onnx.NodeProto, weights: dict[str, onnx.TensorProto]
) -> FloatArray | None:
    """Return a PReLU's slopes (C,), or None if it is another node or has other slopes."""
    tensor = weights.get(node.input[1]) if node.op_type == "PRelu" else None
    if tensor is None or tensor.data_type != onnx.TensorProto.FLOAT:
        return None
    *before, channels, height, width = (1, 1, 1, *tensor.dims)[-4:]
    if before != [1] or len(tensor.dims) > 4 or (height, width) != (1, 1) or channels == 1:
        return None
    return np.asarray(numpy_helper.to_array(tensor).reshape(channels), np.float32)


def _split(
    node: onnx.NodeProto, slopes: FloatArray
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    x, y = node.input[0], node.output[0]
    minus, below, rest, factors, scaled = (
        f"{y}/{name}" for name in ("minus", "below", "rest", "factors", "scaled")
    )
    kernel = (len(slopes), 1, 1, 1)
    tensors = [
        numpy_helper.from_array(np.full(kernel, -1, np.float32), minus),
        numpy_helper.from_array((1 - slopes).reshape(kernel), factors),
    ]
    nodes = [
        helper.make_node("Conv", [x, minus], [below], below, group=len(slopes)),
        helper.make_node("Relu", [below], [rest], rest),
        helper.make_node("Conv", [rest, factors], [scaled], scaled, group=len(slopes)),
        helper.make_node("Add", [scaled, x], [y], node.name or y),
    ]
    return nodes, tensors
