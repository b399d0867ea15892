"""Channels that are the same for every picture are left out, and nothing else changes."""

from __future__ import annotations

import copy

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper

from screenalytics_core.vision.models.dead_channels import drop_dead_channels
from screenalytics_core.vision.models.onnx_session import open_session
from tests.unit.vision.models import tiny_models

CHANNELS = 32
PICTURES = np.random.default_rng(3).normal(size=(2, 3, 12, 9)).astype(np.float32)


def network(
    dead: int = 19, *, biases: bool = True, last_side: int = 1, last_pad: int = 0, blocks: int = 2
) -> onnx.ModelProto:
    """Blocks of 1x1 convolution, PReLU, depthwise 3x3, PReLU, 1x1; `dead` kernels are zero."""
    rng = np.random.default_rng(5)
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []

    def weight(name: str, values: NDArray[np.float64]) -> str:
        weights.append(tiny_models.tensor(name, values.astype(np.float32)))
        return name

    def conv(
        source: str, target: str, kernel: NDArray[np.float64], group: int = 1, pad: int = 0
    ) -> str:
        names = [weight(f"{target}/w", kernel)]
        if biases:
            names.append(weight(f"{target}/b", rng.normal(size=len(kernel))))
        nodes.append(
            helper.make_node(
                "Conv", [source, *names], [target], target, group=group, pads=[pad] * 4
            )
        )
        return target

    def prelu(source: str, target: str) -> str:
        slopes = weight(f"{target}/s", rng.uniform(-1, 1.5, (CHANNELS, 1, 1)))
        nodes.append(helper.make_node("PRelu", [source, slopes], [target], target))
        return target

    at = "in"
    for n in range(blocks):
        depthwise = rng.normal(size=(CHANNELS, 1, 3, 3))
        depthwise[rng.permutation(CHANNELS)[:dead]] = 0
        at = conv(at, f"first{n}", rng.normal(size=(CHANNELS, 3, 1, 1)))
        at = prelu(at, f"in{n}")
        at = conv(at, f"depthwise{n}", depthwise, CHANNELS, 1)
        at = prelu(at, f"out{n}")
        at = conv(
            at, f"last{n}", rng.normal(size=(3, CHANNELS, last_side, last_side)), pad=last_pad
        )
    inputs = [tiny_models.value("in", ["n", 3, "h", "w_"])]
    outputs = [tiny_models.value(at, ["n", 3, "a", "b"])]
    return tiny_models.model(helper.make_graph(nodes, "net", inputs, outputs, weights))


def outputs_of(model: onnx.ModelProto) -> list[NDArray[np.float32]]:
    return open_session(model, device="cpu", thing="x").run(PICTURES)


def widths(model: onnx.ModelProto) -> list[int]:
    """Channels of the depthwise convolutions."""
    return [
        attribute.i
        for node in model.graph.node
        for attribute in node.attribute
        if node.op_type == "Conv" and attribute.name == "group" and attribute.i > 1
    ]


def bytes_of(model: onnx.ModelProto) -> bytes:
    data: bytes = model.SerializeToString(deterministic=True)
    return data


@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize(
    ("dead", "kept"),
    [
        pytest.param(19, 16, id="13 live ones and 3 that fill the block"),
        pytest.param(24, 8, id="a whole block"),
        pytest.param(32, 8, id="all dead"),
    ],
)
def test_without_dead_channels_the_values_are_the_same(dead: int, kept: int, biases: bool) -> None:
    model = network(dead, biases=biases)

    thinned = drop_dead_channels(copy.deepcopy(model))

    onnx.checker.check_model(thinned)
    assert widths(thinned) == [kept, kept]
    np.testing.assert_allclose(outputs_of(thinned)[0], outputs_of(model)[0], rtol=1e-4, atol=1e-4)


def test_a_convolution_that_ends_one_block_and_starts_the_next_is_thinned_on_both_sides() -> None:
    model = network()
    # The second block takes the first one's depthwise result through one convolution.
    merged = np.random.default_rng(1).normal(size=(CHANNELS, CHANNELS, 1, 1)).astype(np.float32)
    model.graph.initializer.append(tiny_models.tensor("merged", merged))
    nodes = {node.name: node for node in model.graph.node}
    nodes["first1"].input[0], nodes["first1"].input[1] = "out0", "merged"
    model.graph.node.remove(nodes["last0"])

    thinned = drop_dead_channels(copy.deepcopy(model))

    onnx.checker.check_model(thinned)
    assert widths(thinned) == [16, 16]
    np.testing.assert_allclose(outputs_of(thinned)[0], outputs_of(model)[0], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(network(0), id="no channel is dead"),
        pytest.param(network(7), id="less than a block is dead"),
        pytest.param(network(last_side=3), id="the last convolution sees nine pixels"),
        pytest.param(network(last_pad=1), id="the last convolution sees its own border"),
    ],
)
def test_networks_without_such_channels_stay_as_they_are(model: onnx.ModelProto) -> None:
    before = bytes_of(model)

    assert bytes_of(drop_dead_channels(model)) == before


@pytest.mark.parametrize("name", ["first0", "in0", "depthwise0", "out0"])
@pytest.mark.parametrize("how", ["an output of the network", "used twice"])
def test_channels_that_something_else_sees_stay(name: str, how: str) -> None:
    model = network(blocks=1)
    if how == "used twice":
        model.graph.node.append(helper.make_node("Abs", [name], ["seen"], "seen"))
    seen = "seen" if how == "used twice" else name
    model.graph.output.append(tiny_models.value(seen, ["n", CHANNELS, "c", "d"]))

    assert widths(drop_dead_channels(model)) == [CHANNELS]


def test_the_same_model_gives_the_same_bytes() -> None:
    assert bytes_of(drop_dead_channels(network())) == bytes_of(drop_dead_channels(network()))


@pytest.mark.parametrize("ir_version", [3, 4, 8])
def test_weights_that_an_old_file_lists_as_inputs_need_not_be_given(ir_version: int) -> None:
    model = network()
    expected = outputs_of(model)[0]
    model.graph.input.extend(
        tiny_models.value(tensor.name, list(tensor.dims)) for tensor in model.graph.initializer
    )
    model.ir_version = ir_version

    thinned = drop_dead_channels(model)

    assert widths(thinned) == [16, 16]
    np.testing.assert_allclose(outputs_of(thinned)[0], expected, rtol=1e-4, atol=1e-4)
