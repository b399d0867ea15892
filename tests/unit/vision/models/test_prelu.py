"""PReLU in faster operators: the same function, and only where it is the faster one."""

from __future__ import annotations

import copy
import platform
from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

from screenalytics_core.vision.models.arcface import open_arcface
from screenalytics_core.vision.models.mtcnn_file import merge_stages, open_mtcnn
from screenalytics_core.vision.models.onnx_session import open_session
from screenalytics_core.vision.models.prelu import make_prelu_fast, split_prelu
from tests.unit.vision.models import tiny_models

SLOPES = np.array([-0.8, 0, 0.25, 1, 1.5, -2, 0.5, 0.1, 0.9, -0.1], np.float32)
"""Below zero, zero, one, above one; ten channels fill no block of eight or sixteen."""

PICTURES = np.random.default_rng(3).normal(size=(2, 3, 12, 9)).astype(np.float32)


def network(
    shape: Sequence[int] = (10, 1, 1), *, between: Sequence[str] = (), slopes: int = 10
) -> onnx.ModelProto:
    """A convolution to ten channels, nodes `between`, a PReLU, a convolution to one number."""
    rng = np.random.default_rng(5)
    nodes = [helper.make_node("Conv", ["in", "w"], ["x0"], name="conv")]
    for n, op in enumerate(between):
        norms = ["ones", "zeros", "zeros", "ones"] if op == "BatchNormalization" else []
        nodes.append(helper.make_node(op, [f"x{n}", *norms], [f"x{n + 1}"], name=op))
    nodes += [
        helper.make_node("PRelu", [f"x{len(between)}", "slopes"], ["y"], name="prelu"),
        helper.make_node("Conv", ["y", "v"], ["out"], name="last"),
    ]
    weights = [
        tiny_models.tensor("w", rng.normal(size=(10, 3, 3, 3)).astype(np.float32)),
        tiny_models.tensor("v", rng.normal(size=(1, 10, 1, 1)).astype(np.float32)),
        tiny_models.tensor("slopes", SLOPES[:slopes].reshape(shape)),
        tiny_models.tensor("ones", np.ones(10, np.float32)),
        tiny_models.tensor("zeros", np.zeros(10, np.float32)),
    ]
    inputs = [tiny_models.value("in", ["n", 3, "h", "w_"])]
    outputs = [tiny_models.value("out", ["n", 1, "a", "b"])]
    return tiny_models.model(helper.make_graph(nodes, "net", inputs, outputs, weights))


def ops(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


@pytest.mark.parametrize("shape", [(10, 1, 1), (1, 10, 1, 1)])
@pytest.mark.parametrize("between", [(), ("BatchNormalization",)])
def test_every_slope_gives_the_values_that_prelu_gives(
    shape: tuple[int, ...], between: tuple[str, ...]
) -> None:
    model = network(shape, between=between)
    split = split_prelu(copy.deepcopy(model))

    onnx.checker.check_model(split)
    expected, got = (
        open_session(m, device="cpu", thing="x").run(PICTURES)[0] for m in (model, split)
    )

    assert "PRelu" not in ops(split)
    np.testing.assert_allclose(got, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        pytest.param(network((1, 1, 1), slopes=1), "one slope for all", id="shared slope"),
        pytest.param(network((10, 1), slopes=10), "a slope per row", id="per row"),
        pytest.param(network(between=("Identity",)), "no convolution before it", id="not a conv"),
    ],
)
def test_other_prelus_stay_as_they_are(model: onnx.ModelProto, why: str) -> None:
    before = model.SerializeToString(deterministic=True)

    assert split_prelu(model).SerializeToString(deterministic=True) == before, why


def test_slopes_that_are_computed_stay_as_they_are() -> None:
    model = network()
    model.graph.node.insert(0, helper.make_node("Identity", ["slopes"], ["same"], name="same"))
    model.graph.node[2].input[1] = "same"

    assert "PRelu" in ops(split_prelu(model))


def test_the_same_model_gives_the_same_bytes() -> None:
    once, twice = (split_prelu(network()).SerializeToString(deterministic=True) for _ in "ab")

    assert once == twice


@pytest.mark.parametrize(
    ("machine", "providers", "device", "replaced"),
    [
        ("x86_64", ["CPUExecutionProvider"], "cpu", True),
        ("AMD64", ["CPUExecutionProvider"], "auto", True),
        ("arm64", ["CPUExecutionProvider"], "cpu", False),
        ("x86_64", ["CUDAExecutionProvider", "CPUExecutionProvider"], "auto", False),
        ("x86_64", ["CUDAExecutionProvider", "CPUExecutionProvider"], "cpu", True),
    ],
)
def test_prelus_are_replaced_only_where_the_blocked_layout_is(
    monkeypatch: pytest.MonkeyPatch,
    machine: str,
    providers: list[str],
    device: str,
    replaced: bool,
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: providers)

    assert ("PRelu" not in ops(make_prelu_fast(network(), device=device))) is replaced


def test_an_embedder_and_the_stages_of_mtcnn_are_opened_without_prelus(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[onnx.ModelProto] = []
    session = onnxruntime.InferenceSession

    def recording(data: bytes, *rest: object, **more: object) -> onnxruntime.InferenceSession:
        opened.append(onnx.load_model_from_string(data))
        return session(data, *rest, **more)

    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(onnxruntime, "InferenceSession", recording)

    open_arcface(tiny_models.with_prelu(tiny_models.arcface(), "pooled"), device="cpu", thing="x")
    stages = tiny_models.mtcnn_stages()
    stages["pnet"] = tiny_models.with_prelu(stages["pnet"], "nchw")
    open_mtcnn(onnx.load_model_from_string(merge_stages(stages)), device="cpu", thing="x")

    assert len(opened) == 4
    assert not any("PRelu" in ops(model) for model in opened)
