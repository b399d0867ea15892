"""The converter, on a graph model made here with each operator that it knows."""

from __future__ import annotations

import base64
import json
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from screenalytics_core.errors import ModelInstallError
from screenalytics_core.vision.models.onnx_session import open_session
from screenalytics_core.vision.models.tfjs_to_onnx import convert_graph_model

KERNEL = np.random.default_rng(3).normal(size=(3, 3, 2, 4)).astype(np.float16)


def text(value: str) -> dict[str, str]:
    return {"s": base64.b64encode(value.encode()).decode()}


def ints(*values: int) -> dict[str, Any]:
    return {"list": {"i": [str(v) for v in values]}}


def node(name: str, op: str, *inputs: str, **attr: Any) -> dict[str, Any]:
    return {"name": name, "op": op, "input": list(inputs), "attr": attr}


class GraphModel:
    """A TensorFlow.js graph model under construction."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.weights: list[dict[str, Any]] = []
        self.data = b""
        self.outputs: dict[str, list[int]] = {}

    def const(self, name: str, values: Any, dtype: str = "int32") -> None:
        array: NDArray[Any] = np.asarray(values)
        entry: dict[str, Any] = {"name": name, "shape": list(array.shape), "dtype": dtype}
        if dtype == "float32" and array.dtype == np.float16:
            entry["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
        else:
            array = array.astype(dtype)
        self.weights.append(entry)
        self.data += array.tobytes()
        self.nodes.append(node(name, "Const"))

    def topology(self) -> dict[str, Any]:
        outputs = {
            f"{name}:0": {
                "name": f"{name}:0",
                "tensorShape": {"dim": [{"size": str(size)} for size in shape]},
            }
            for name, shape in self.outputs.items()
        }
        return {
            "modelTopology": {"node": self.nodes},
            "signature": {"outputs": outputs},
            "weightsManifest": [{"paths": ["w.bin"], "weights": self.weights}],
        }

    def convert(self) -> bytes:
        return convert_graph_model(json.dumps(self.topology()).encode(), self.data, "m.json")


def every_operator() -> GraphModel:
    made = GraphModel()
    shape = {"dim": [{"size": s} for s in ("1", "8", "8", "2")]}
    made.const("kernel", KERNEL, "float32")
    made.const("bias", np.arange(4), "float32")
    made.const("pads", [[0, 0], [1, 1], [1, 1], [0, 0]])
    made.const("low", -10.0, "float32")
    made.const("hw", [8, 8])
    made.const("axis", 3)
    made.const("lengths", [1, 7])
    made.const("perm", [0, 2, 1])
    made.const("none", np.zeros((0, 1)))
    made.const("three", [3])
    made.const("empty", np.zeros(0))
    made.const("zero", 0)
    made.const("flat", [1, 64, 7])
    conv = {"padding": text("VALID"), "data_format": text("NHWC")}
    # The file's order is not the graph's: users stand before what they use.
    made.nodes += [
        node("out", "Identity", "swapped"),
        node("gate", "Sigmoid", "split"),
        node("swapped", "Transpose", "rows", "perm"),
        node("rows", "Reshape", "split:1", "shape"),
        node("shape", "AddV2", "flat", "nothing"),
        node("nothing", "SparseToDense", "none", "three", "empty", "zero"),
        node("split", "SplitV", "joined", "lengths", "axis"),
        node("joined", "ConcatV2", "large", "relu", "axis"),
        node("large", "ResizeBilinear", "pooled", "hw",
             half_pixel_centers={"b": True}, align_corners={"b": False}),
        node("pooled", "MaxPool", "deep", ksize=ints(1, 3, 3, 1), strides=ints(1, 2, 2, 1), **conv),
        node("deep", "PadV2", "relu", "pads", "low"),
        node("relu", "LeakyRelu", "biased", alpha={"f": 0.1}),
        node("biased", "Add", "conv", "bias"),
        node("conv", "Conv2D", "padded", "kernel",
             strides=ints(1, 1, 1, 1), dilations=ints(1, 1, 1, 1), **conv),
        node("padded", "Pad", "x", "pads"),
        node("x", "Placeholder", shape={"shape": shape}),
    ]  # fmt: skip
    made.outputs = {"out": [1, 7, 64], "gate": [1, 8, 8, 1]}
    return made


def expected(x: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
    padded = np.pad(x[0], ((1, 1), (1, 1), (0, 0)))
    kernel = KERNEL.astype(np.float32)
    conv = np.array(
        [
            [np.einsum("ijc,ijco->o", padded[r : r + 3, c : c + 3], kernel) for c in range(8)]
            for r in range(8)
        ]
    )
    biased = conv + np.arange(4)
    relu = np.where(biased > 0, biased, 0.1 * biased).astype(np.float32)
    deep = np.pad(relu, ((1, 1), (1, 1), (0, 0)), constant_values=-10)
    pooled = np.array(
        [
            [deep[r : r + 3, c : c + 3].max(axis=(0, 1)) for c in range(0, 8, 2)]
            for r in range(0, 8, 2)
        ]
    )
    large = cv2.resize(pooled, (8, 8), interpolation=cv2.INTER_LINEAR)
    joined = np.concatenate([large, relu], axis=2)
    return joined[:, :, 1:].reshape(1, 64, 7).transpose(0, 2, 1), 1 / (1 + np.exp(-joined[..., :1]))


def test_every_operator_gives_what_it_means() -> None:
    x = np.random.default_rng(5).normal(size=(1, 8, 8, 2)).astype(np.float32)
    session = open_session(every_operator().convert(), device="cpu", thing="x")

    found = dict(zip(session.output_names, session.run(x), strict=True))

    out, gate = expected(x)
    np.testing.assert_allclose(found["out"], out, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found["gate"][0], gate, rtol=1e-4, atol=1e-4)


def test_the_same_model_gives_the_same_bytes_and_they_are_valid() -> None:
    data = every_operator().convert()

    assert data == every_operator().convert()
    onnx.checker.check_model(onnx.load_model_from_string(data))


def test_an_operator_without_a_rule_is_named() -> None:
    made = every_operator()
    made.nodes[-1]["op"] = "FancyOp"

    with pytest.raises(ModelInstallError, match=r"m\.json: uses the operator FancyOp"):
        made.convert()


def test_weights_that_end_early_are_refused() -> None:
    made = every_operator()
    made.data = made.data[:-1]

    with pytest.raises(ModelInstallError, match="its weights end before 'flat'"):
        made.convert()


@pytest.mark.parametrize("topology", [b"<html>", b"{}", b"[]"])
def test_what_is_no_graph_model_is_refused(topology: bytes) -> None:
    with pytest.raises(ModelInstallError, match=r"is not a TensorFlow\.js graph model"):
        convert_graph_model(topology, b"", "m.json")


@pytest.mark.parametrize(
    ("name", "attribute", "value", "reason"),
    [
        ("conv", "padding", text("SAME"), "b'SAME' padding"),
        ("pooled", "data_format", text("NCHW"), "b'NCHW'"),
        ("large", "half_pixel_centers", {"b": False}, "half-pixel centres"),
    ],
)
def test_a_variant_without_a_rule_is_refused(
    name: str, attribute: str, value: dict[str, Any], reason: str
) -> None:
    made = every_operator()
    next(n for n in made.nodes if n["name"] == name)["attr"][attribute] = value

    with pytest.raises(ModelInstallError, match=reason):
        made.convert()


def test_a_shape_computed_at_run_time_is_refused() -> None:
    made = every_operator()
    next(n for n in made.nodes if n["name"] == "rows")["input"][1] = "gate"

    with pytest.raises(ModelInstallError, match="computes 'gate' at run time"):
        made.convert()
