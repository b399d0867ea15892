"""Channels of a network that are the same for every picture, and need not be computed.

Weight decay drives whole channels of depthwise networks to zero: in the lite pack's embedder
more than a third of them, in some layers two thirds. Behind a kernel of zeros stands a bias
alone, the same number at every pixel, so that the next convolution can have it in its bias.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from screenalytics_core.vision.models.onnx_session import real_inputs
from screenalytics_core.vision.models.protocols import FloatArray

# onnxruntime's fast layout holds channels in blocks of 8 or 16: fewer would not be faster, and
# odd numbers would leave it.
_BLOCK: Final = 8


@dataclass(frozen=True, slots=True)
class _Chain:
    """Convolution, PReLU, depthwise convolution, PReLU, convolution of single pixels."""

    first: onnx.NodeProto
    bend_in: onnx.NodeProto
    depthwise: onnx.NodeProto
    bend_out: onnx.NodeProto
    last: onnx.NodeProto


class _Graph:
    """A model's nodes by what they give and take, and its float weights."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.weights = {
            tensor.name: np.asarray(numpy_helper.to_array(tensor), np.float32)
            for tensor in model.graph.initializer
            if tensor.data_type == onnx.TensorProto.FLOAT
        }
        self._giver = {name: node for node in model.graph.node for name in node.output}
        self._taker = {name: node for node in model.graph.node for name in node.input}
        self._uses = Counter(name for node in model.graph.node for name in node.input)
        self._uses.update(output.name for output in model.graph.output)

    def chain_of(self, depthwise: onnx.NodeProto) -> _Chain | None:
        """Return the chain around a depthwise convolution, None if it stands in no such chain."""
        if not self._is_conv(depthwise, depthwise=True):
            return None
        bend_in = self._only_giver(depthwise)
        first = self._only_giver(bend_in)
        bend_out = self._only_taker(depthwise)
        last = self._only_taker(bend_out)
        if first is None or bend_in is None or bend_out is None or last is None:
            return None
        channels = len(self.weights[depthwise.input[1]])
        fits = (
            self._is_conv(first)
            and self._is_prelu(bend_in, channels)
            and self._is_prelu(bend_out, channels)
            and self._is_conv(last)
            and self.weights[last.input[1]].shape[2:] == (1, 1)
            and not any(_attribute(last, "pads"))
        )
        return _Chain(first, bend_in, depthwise, bend_out, last) if fits else None

    def bias(self, conv: onnx.NodeProto) -> FloatArray:
        """Return a convolution's bias (C,), zeros where it has none."""
        if len(conv.input) > 2:
            return self.weights[conv.input[2]]
        return np.zeros(len(self.weights[conv.input[1]]), np.float32)

    def _only_giver(self, node: onnx.NodeProto | None) -> onnx.NodeProto | None:
        """Return the node before, if nothing else takes what it gives."""
        if node is None or not node.input or self._uses[node.input[0]] != 1:
            return None
        return self._giver.get(node.input[0])

    def _only_taker(self, node: onnx.NodeProto | None) -> onnx.NodeProto | None:
        """Return the node behind, if nothing else takes what `node` gives."""
        if node is None or self._uses[node.output[0]] != 1:
            return None
        return self._taker.get(node.output[0])

    def _is_conv(self, node: onnx.NodeProto, *, depthwise: bool = False) -> bool:
        if node.op_type != "Conv" or any(name not in self.weights for name in node.input[1:]):
            return False
        shape = self.weights[node.input[1]].shape
        group = _attribute(node, "group") or [1]
        expected = [shape[0]] if depthwise else [1]
        return len(shape) == 4 and group == expected and (shape[1] == 1 or not depthwise)

    def _is_prelu(self, node: onnx.NodeProto, channels: int) -> bool:
        slopes = self.weights.get(node.input[1]) if node.op_type == "PRelu" else None
        return slopes is not None and slopes.shape in (
            (channels, 1, 1),
            (1, channels, 1, 1),
        )


def drop_dead_channels(model: onnx.ModelProto) -> onnx.ModelProto:
    """Leave out channels whose depthwise kernel is exactly zero, in place; returns `model`.

    The results differ by rounding only. Channels are kept in whole blocks.
    """
    graph = _Graph(model)
    _forget_weights_as_inputs(model)
    for node in model.graph.node:
        chain = graph.chain_of(node)
        if chain is not None:
            for name, values in _thinned(graph, chain).items():
                graph.weights[name] = values
                model.graph.initializer.append(numpy_helper.from_array(values, name))
    used = {name for node in model.graph.node for name in node.input}
    kept = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    return model


def _forget_weights_as_inputs(model: onnx.ModelProto) -> None:
    """List as inputs only what a caller gives: older files list their weights there too."""
    inputs = real_inputs(model)
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    # Before version 4 every weight had to be an input.
    model.ir_version = max(model.ir_version, 4)


def _thinned(graph: _Graph, chain: _Chain) -> dict[str, FloatArray]:
    """Point a chain's nodes to weights without its dead channels; returns these by name."""
    kernels = graph.weights[chain.depthwise.input[1]]
    alive = _kept_channels(kernels)
    if len(alive) == len(kernels):
        return {}
    dead = np.setdiff1d(np.arange(len(kernels)), alive)
    constant = graph.bias(chain.depthwise).astype(np.float64)
    slopes = graph.weights[chain.bend_out.input[1]].reshape(-1)
    constant = np.where(constant < 0, constant * slopes, constant)
    weights = graph.weights[chain.last.input[1]]
    bias = graph.bias(chain.last) + weights[:, dead, 0, 0].astype(np.float64) @ constant[dead]
    thinned = {
        **_narrowed(chain.first, graph.weights[chain.first.input[1]][alive], graph, alive),
        **_narrowed(chain.depthwise, kernels[alive], graph, alive),
        **_bent(chain.bend_in, graph, alive),
        **_bent(chain.bend_out, graph, alive),
    }
    _set_attribute(chain.depthwise, "group", len(alive))
    name = f"{chain.last.output[0]}/taken"
    chain.last.input[1:] = [f"{name}/weights", f"{name}/bias"]
    thinned[f"{name}/weights"] = weights[:, alive]
    thinned[f"{name}/bias"] = bias.astype(np.float32)
    return thinned


def _kept_channels(kernels: FloatArray) -> NDArray[np.intp]:
    """Return the channels that live, and as many dead ones as fill the last block."""
    is_dead = ~kernels.any(axis=(1, 2, 3))
    blocks = max(-(-int((~is_dead).sum()) // _BLOCK), 1)
    order = np.argsort(is_dead, kind="stable")
    return np.sort(order[: blocks * _BLOCK])


def _narrowed(
    conv: onnx.NodeProto, weights: FloatArray, graph: _Graph, alive: NDArray[np.intp]
) -> dict[str, FloatArray]:
    name, bias = f"{conv.output[0]}/alive", graph.bias(conv)[alive]
    conv.input[1:] = [f"{name}/weights", f"{name}/bias"]
    return {f"{name}/weights": weights, f"{name}/bias": bias}


def _bent(bend: onnx.NodeProto, graph: _Graph, alive: NDArray[np.intp]) -> dict[str, FloatArray]:
    slopes, name = graph.weights[bend.input[1]], f"{bend.output[0]}/alive"
    bend.input[1] = name
    return {name: slopes.reshape(-1)[alive].reshape(-1, 1, 1)}


def _attribute(node: onnx.NodeProto, name: str) -> list[int]:
    found = [helper.get_attribute_value(a) for a in node.attribute if a.name == name]
    return [v for value in found for v in (value if isinstance(value, list) else [value])]


def _set_attribute(node: onnx.NodeProto, name: str, value: int) -> None:
    for attribute in node.attribute:
        if attribute.name == name:
            attribute.i = value
