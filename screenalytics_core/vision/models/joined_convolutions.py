"""Convolutions of one picture by kernels of one size, done as one.

A detector's head ends in a few channels for scores, a few for boxes and a few for landmarks, all
made from the same features. onnxruntime holds channels in blocks of 8 and reads the features
anew for each convolution: SCRFD's 2 + 8 + 20 channels cost more than 32 at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

_BLOCK: Final = 8
# Before it every weight had to be listed as an input.
_FREE_WEIGHTS: Final = 4
# From this version of the operators on, Split takes its sizes as an input.
_SIZES_AS_INPUT: Final = 13

_Weights = dict[str, NDArray[np.float32]]


def join_convolutions(model: onnx.ModelProto) -> onnx.ModelProto:
    """Join convolutions that differ in their weights alone, in place; returns `model`.

    Only where some of them do not fill their last block of channels. The results differ by
    rounding only.
    """
    if model.ir_version < _FREE_WEIGHTS:
        return model
    weights = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    alike: dict[tuple[object, ...], list[onnx.NodeProto]] = defaultdict(list)
    for node in model.graph.node:
        if _is_plain(node, weights):
            what = sorted(a.SerializeToString(deterministic=True) for a in node.attribute)
            alike[node.input[0], weights[node.input[1]].shape[1:], *what].append(node)
    nodes = list(model.graph.node)
    for group in alike.values():
        if len(group) > 1 and any(len(weights[n.input[1]]) % _BLOCK for n in group):
            at = nodes.index(group[0])
            nodes = [node for node in nodes if node not in group]
            nodes[at:at] = _joined(model, group, weights)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def _is_plain(node: onnx.NodeProto, weights: _Weights) -> bool:
    """Whether it is a convolution of all channels with known float weights and a bias."""
    return (
        node.op_type == "Conv"
        and len(node.input) == 3
        and all(name in weights and weights[name].dtype == np.float32 for name in node.input[1:])
        and all(a.i == 1 for a in node.attribute if a.name == "group")
    )


def _joined(
    model: onnx.ModelProto, group: Sequence[onnx.NodeProto], weights: _Weights
) -> list[onnx.NodeProto]:
    """Return the convolution and the split that give what those of the group gave."""
    name = f"{group[0].output[0]}/joined"
    sizes = [len(weights[node.input[1]]) for node in group]
    for part, place in (("weights", 1), ("bias", 2)):
        values = np.concatenate([weights[node.input[place]] for node in group])
        model.graph.initializer.append(numpy_helper.from_array(values, f"{name}/{part}"))
    conv = onnx.NodeProto()
    conv.CopyFrom(group[0])
    conv.name = name
    conv.input[1:] = [f"{name}/weights", f"{name}/bias"]
    conv.output[:] = [name]
    split = helper.make_node("Split", [name], [node.output[0] for node in group], axis=1)
    if _version(model) < _SIZES_AS_INPUT:
        split.attribute.append(helper.make_attribute("split", sizes))
    else:
        tensor = numpy_helper.from_array(np.array(sizes, np.int64), f"{name}/sizes")
        model.graph.initializer.append(tensor)
        split.input.append(tensor.name)
    return [conv, split]


def _version(model: onnx.ModelProto) -> int:
    return max(int(o.version) for o in model.opset_import if o.domain in ("", "ai.onnx"))
