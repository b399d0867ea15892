"""Converts a TensorFlow.js graph model to ONNX with `onnx` alone.

Only the operators of the person detector are known; any other one is refused by name.
Tensors keep TensorFlow's layout (NHWC): each convolution is wrapped in transpositions,
which onnxruntime cancels against each other when it opens the model.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from screenalytics_core.errors import ModelInstallError

_OPSET: Final = 13
_IR_VERSION: Final = 8
_DTYPES: Final = {"float32": np.float32, "int32": np.int32}
_TO_NCHW: Final = [0, 3, 1, 2]
_TO_NHWC: Final = [0, 2, 3, 1]

Node = Mapping[str, Any]
Constant = NDArray[Any]


def convert_graph_model(topology: bytes, weights: bytes, thing: str) -> bytes:
    """Return ONNX bytes of a graph model; the same input gives the same bytes.

    Args:
        topology: The model's JSON.
        weights: The concatenated weight files that the JSON's manifest lists.
        thing: What the model is called in errors.

    Raises:
        ModelInstallError: The JSON is none, an operator is unknown, or the weights are short.
    """
    try:
        document = json.loads(topology)
        nodes: list[Node] = document["modelTopology"]["node"]
        manifest = [w for group in document["weightsManifest"] for w in group["weights"]]
    except (ValueError, KeyError, TypeError) as error:
        raise _refused(thing, f"is not a TensorFlow.js graph model ({error})") from error
    converter = _Converter(_read_weights(manifest, weights, thing), thing)
    for node in _in_order(nodes):
        converter.add(node)
    return converter.finish(_outputs(document["signature"]))


def _refused(thing: str, reason: str) -> ModelInstallError:
    return ModelInstallError(
        thing=thing, reason=reason, way_out="Fetch the pinned version of the package again."
    )


def _read_weights(
    manifest: list[dict[str, Any]], weights: bytes, thing: str
) -> dict[str, Constant]:
    constants: dict[str, Constant] = {}
    offset = 0
    for entry in manifest:
        stored = np.dtype(entry.get("quantization", {}).get("dtype", entry["dtype"]))
        count = int(np.prod(entry["shape"], dtype=np.int64))
        if offset + count * stored.itemsize > len(weights):
            raise _refused(thing, f"its weights end before {entry['name']!r}")
        values = np.frombuffer(weights, stored, count, offset).reshape(entry["shape"])
        constants[entry["name"]] = values.astype(_DTYPES[entry["dtype"]])
        offset += count * stored.itemsize
    return constants


def _in_order(nodes: list[Node]) -> list[Node]:
    """Return the nodes so that each comes after its inputs; ties keep the file's order."""
    by_name = {node["name"]: node for node in nodes}
    ordered: dict[str, Node] = {}
    for start in nodes:
        pending = [start]
        while pending:
            node = pending[-1]
            missing = [
                by_name[name]
                for name in map(_node_name, node.get("input", ()))
                if name not in ordered and name in by_name
            ]
            pending.extend(reversed(missing))
            if not missing:
                pending.pop()
                ordered.setdefault(node["name"], node)
    return list(ordered.values())


def _node_name(tensor: str) -> str:
    return tensor.lstrip("^").split(":")[0]


def _outputs(signature: Mapping[str, Any]) -> dict[str, list[int]]:
    """Return output name -> shape, in the names' order."""
    found = {}
    for key in sorted(signature["outputs"]):
        dims = signature["outputs"][key]["tensorShape"]["dim"]
        found[_node_name(signature["outputs"][key]["name"])] = [int(d["size"]) for d in dims]
    return found


class _Converter:
    """Builds the ONNX graph node by node; constants are folded on the way."""

    def __init__(self, constants: dict[str, Constant], thing: str) -> None:
        self._constants = constants
        self._thing = thing
        self._nodes: list[onnx.NodeProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._rules: dict[str, Callable[[Node, list[str]], None]] = {
            "Placeholder": self._placeholder,
            "Const": lambda _node, _inputs: None,
            "SparseToDense": self._sparse_to_dense,
            "Add": self._add,
            "AddV2": self._add,
            "Pad": self._pad,
            "PadV2": self._pad,
            "Transpose": self._transpose,
            "Conv2D": self._conv,
            "MaxPool": self._max_pool,
            "LeakyRelu": self._leaky_relu,
            "ConcatV2": self._concat,
            "ResizeBilinear": self._resize,
            "SplitV": self._split,
            "Sigmoid": lambda node, inputs: self._emit("Sigmoid", inputs, [node["name"]]),
            "Identity": lambda node, inputs: self._emit("Identity", inputs, [node["name"]]),
            "Reshape": self._reshape,
        }

    def add(self, node: Node) -> None:
        """Convert one node, whose inputs are known."""
        rule = self._rules.get(node["op"])
        if rule is None:
            raise _refused(self._thing, f"uses the operator {node['op']}, which has no rule")
        rule(node, [n.removesuffix(":0") for n in node.get("input", ()) if n[0] != "^"])

    def finish(self, outputs: Mapping[str, list[int]]) -> bytes:
        """Return the model's bytes; only constants that a node reads are kept."""
        used = {name for node in self._nodes for name in node.input}
        graph = helper.make_graph(
            self._nodes,
            "converted",
            self._inputs,
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs.items()],
            [numpy_helper.from_array(v, n) for n, v in self._constants.items() if n in used],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)])
        model.ir_version = _IR_VERSION
        model.producer_name = "screenalytics"
        data: bytes = model.SerializeToString(deterministic=True)
        return data

    def _emit(self, op: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        self._nodes.append(helper.make_node(op, inputs, outputs, name=outputs[0], **attributes))

    def _constant(self, name: str, value: Constant) -> str:
        self._constants[name] = value
        return name

    def _ints(self, name: str) -> list[int]:
        if name not in self._constants:
            raise _refused(self._thing, f"computes {name!r} at run time, which has no rule")
        return [int(v) for v in self._constants[name].ravel()]

    def _placeholder(self, node: Node, _inputs: list[str]) -> None:
        dims = [int(d["size"]) for d in node["attr"]["shape"]["shape"]["dim"]]
        self._inputs.append(helper.make_tensor_value_info(node["name"], TensorProto.FLOAT, dims))

    def _sparse_to_dense(self, node: Node, inputs: list[str]) -> None:
        indices, shape, values, default = (self._constants[name] for name in inputs)
        dense = np.full(shape, default, np.int32)
        dense[tuple(indices.T)] = values
        self._constant(node["name"], dense)

    def _add(self, node: Node, inputs: list[str]) -> None:
        left, right = inputs
        if left in self._constants and right in self._constants:
            self._constant(node["name"], self._constants[left] + self._constants[right])
        else:
            self._emit("Add", inputs, [node["name"]])

    def _pad(self, node: Node, inputs: list[str]) -> None:
        paddings = self._constants[inputs[1]].astype(np.int64).T.ravel()
        pads = self._constant(f"{node['name']}/pads", paddings)
        self._emit("Pad", [inputs[0], pads, *inputs[2:]], [node["name"]])

    def _transpose(self, node: Node, inputs: list[str]) -> None:
        self._emit("Transpose", inputs[:1], [node["name"]], perm=self._ints(inputs[1]))

    def _conv(self, node: Node, inputs: list[str]) -> None:
        name, filters = node["name"], self._constants[inputs[1]]
        weights = np.ascontiguousarray(filters.transpose(3, 2, 0, 1))
        attributes = {
            "strides": _spatial(node, "strides"),
            "dilations": _spatial(node, "dilations"),
            "kernel_shape": list(filters.shape[:2]),
        }
        self._in_nchw(
            node, "Conv", [inputs[0], self._constant(f"{name}/weights", weights)], **attributes
        )

    def _max_pool(self, node: Node, inputs: list[str]) -> None:
        self._in_nchw(
            node,
            "MaxPool",
            inputs,
            strides=_spatial(node, "strides"),
            kernel_shape=_spatial(node, "ksize"),
        )

    def _in_nchw(self, node: Node, op: str, inputs: list[str], **attributes: Any) -> None:
        name, attr = node["name"], node["attr"]
        layout, padding = (base64.b64decode(attr[key]["s"]) for key in ("data_format", "padding"))
        if (layout, padding) != (b"NHWC", b"VALID"):
            raise _refused(self._thing, f"has a {op} in {layout!r} with {padding!r} padding")
        self._emit("Transpose", inputs[:1], [f"{name}/in"], perm=_TO_NCHW)
        self._emit(op, [f"{name}/in", *inputs[1:]], [f"{name}/out"], **attributes)
        self._emit("Transpose", [f"{name}/out"], [name], perm=_TO_NHWC)

    def _leaky_relu(self, node: Node, inputs: list[str]) -> None:
        alpha = node["attr"].get("alpha", {}).get("f", 0.2)
        self._emit("LeakyRelu", inputs, [node["name"]], alpha=alpha)

    def _concat(self, node: Node, inputs: list[str]) -> None:
        self._emit("Concat", inputs[:-1], [node["name"]], axis=self._ints(inputs[-1])[0])

    def _resize(self, node: Node, inputs: list[str]) -> None:
        name, attr = node["name"], node["attr"]
        if not attr["half_pixel_centers"]["b"] or attr["align_corners"]["b"]:
            raise _refused(self._thing, "resizes without half-pixel centres, which has no rule")
        # NCHW, where onnxruntime has a fast path for linear interpolation.
        height, width = self._ints(inputs[1])
        scales = self._constant(f"{name}/none", np.zeros(0, np.float32))
        sizes = self._constant(f"{name}/hw", np.array([height, width], np.int64))
        self._emit("Transpose", inputs[:1], [f"{name}/in"], perm=_TO_NCHW)
        self._emit("Shape", [f"{name}/in"], [f"{name}/shape"])
        start = self._constant(f"{name}/start", np.array([0], np.int64))
        end = self._constant(f"{name}/end", np.array([2], np.int64))
        self._emit("Slice", [f"{name}/shape", start, end], [f"{name}/nc"])
        self._emit("Concat", [f"{name}/nc", sizes], [f"{name}/sizes"], axis=0)
        self._emit(
            "Resize",
            [f"{name}/in", "", scales, f"{name}/sizes"],
            [f"{name}/out"],
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        )
        self._emit("Transpose", [f"{name}/out"], [name], perm=_TO_NHWC)

    def _split(self, node: Node, inputs: list[str]) -> None:
        parts = self._constants[inputs[1]].astype(np.int64)
        lengths = self._constant(f"{node['name']}/lengths", parts)
        names = [node["name"], *(f"{node['name']}:{i}" for i in range(1, len(parts)))]
        self._emit("Split", [inputs[0], lengths], names, axis=self._ints(inputs[2])[0])

    def _reshape(self, node: Node, inputs: list[str]) -> None:
        shape = self._constant(f"{node['name']}/shape", np.array(self._ints(inputs[1]), np.int64))
        self._emit("Reshape", [inputs[0], shape], [node["name"]])


def _spatial(node: Node, key: str) -> list[int]:
    return [int(v) for v in node["attr"][key]["list"]["i"][1:3]]
