"""What is joined gives what it gave, in the same outputs; what would gain nothing stays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from screenalytics_core.vision.models.joined_convolutions import join_convolutions


def heads(
    *channels: int, opset: int = 12, ir_version: int = 8, kernels: tuple[int, ...] = (3, 3, 3)
) -> onnx.ModelProto:
    """Return convolutions of one input, each with its own output, then a sigmoid of the first."""
    random = np.random.default_rng(len(channels))
    nodes, weights, outputs = [], [], []
    for at, (count, side) in enumerate(zip(channels, kernels, strict=False)):
        kernel = random.normal(size=(count, 4, side, side)).astype(np.float32)
        bias = random.normal(size=count).astype(np.float32)
        weights += [
            numpy_helper.from_array(kernel, f"w{at}"),
            numpy_helper.from_array(bias, f"b{at}"),
        ]
        sizes = {"kernel_shape": [side, side], "pads": [side // 2] * 4}
        nodes.append(helper.make_node("Conv", ["x", f"w{at}", f"b{at}"], [f"y{at}"], **sizes))
        outputs.append(helper.make_tensor_value_info(f"y{at}", TensorProto.FLOAT, None))
    nodes.append(helper.make_node("Sigmoid", ["y0"], ["z"]))
    outputs.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, None))
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, "h", "w"])]
    graph = helper.make_graph(nodes, "heads", inputs, outputs, weights)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version
    )


def run(model: onnx.ModelProto) -> list[np.ndarray]:
    picture = np.random.default_rng(0).normal(size=(1, 4, 12, 20)).astype(np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    found: list[np.ndarray] = session.run(None, {"x": picture})
    return found


def convolutions(model: onnx.ModelProto) -> int:
    return sum(node.op_type == "Conv" for node in model.graph.node)


@pytest.mark.parametrize("opset", [11, 12, 13, 17])
def test_joined_heads_give_what_they_gave(opset: int) -> None:
    before = run(heads(2, 8, 20, opset=opset))

    joined = join_convolutions(heads(2, 8, 20, opset=opset))

    assert convolutions(joined) == 1
    for found, expected in zip(run(joined), before, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_kernels_of_another_size_stay_by_themselves() -> None:
    before = run(heads(2, 3, 4, kernels=(3, 1, 3)))

    joined = join_convolutions(heads(2, 3, 4, kernels=(3, 1, 3)))

    assert convolutions(joined) == 2
    for found, expected in zip(run(joined), before, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(lambda: heads(8, 16, 24), id="whole blocks"),
        pytest.param(lambda: heads(3), id="one alone"),
        pytest.param(lambda: heads(2, 8, ir_version=3), id="weights as inputs"),
    ],
)
def test_nothing_is_joined_where_nothing_is_gained_or_it_could_not_be_said(
    model: Callable[[], onnx.ModelProto],
) -> None:
    assert join_convolutions(model()) == model()
