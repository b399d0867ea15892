"""Tiny ONNX models with the interfaces of the real ones: they find bright squares."""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = [helper.make_opsetid("", 13)]
# A patch's mean brightness m (normalised, -1..1) becomes the logit GAIN * (m - THRESHOLD).
GAIN, THRESHOLD = 40.0, 0.8


def model(graph: onnx.GraphProto) -> onnx.ModelProto:
    built = helper.make_model(graph, opset_imports=OPSET)
    built.ir_version = 8
    return built


def tensor(name: str, values: NDArray[np.generic]) -> onnx.TensorProto:
    return numpy_helper.from_array(values, name)


def value(name: str, shape: list[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def scrfd(
    *,
    size: tuple[int | str, int | str] = (640, 640),
    declare_outputs: bool = True,
    landmarks: bool = True,
) -> onnx.ModelProto:
    """Scores bright cells; every box reaches one stride to each side, landmarks to fixed spots."""
    nodes, weights, groups = [], [], []
    widths = [(1, "score"), (4, "box")] + ([(10, "points")] if landmarks else [])
    for width, kind in widths:
        outputs = []
        for stride in (8, 16, 32):
            name = f"{kind}{stride}"
            channels = 2 * width
            kernel = np.zeros((channels, 3, stride, stride), np.float32)
            bias = np.zeros(channels, np.float32)
            if kind == "score":
                kernel[0] = GAIN / (3 * stride * stride)
                bias[:] = [-GAIN * THRESHOLD, -GAIN]
            elif kind == "box":
                bias[:] = 1
            else:
                bias[:] = np.tile(np.arange(10) / 10, 2)
            weights += [tensor(f"{name}/w", kernel), tensor(f"{name}/b", bias)]
            weights.append(tensor(f"{name}/s", np.array([1, -1, width], np.int64)))
            last = f"{name}/raw" if kind == "score" else name
            nodes += [
                helper.make_node(
                    "Conv", ["input", f"{name}/w", f"{name}/b"], [f"{name}/c"],
                    strides=[stride, stride],
                ),
                helper.make_node("Transpose", [f"{name}/c"], [f"{name}/t"], perm=[0, 2, 3, 1]),
                helper.make_node("Reshape", [f"{name}/t", f"{name}/s"], [last]),
            ]  # fmt: skip
            if kind == "score":
                nodes.append(helper.make_node("Sigmoid", [last], [name]))
            rows = 2 * (640 // stride) ** 2
            outputs.append(value(name, [1, rows if declare_outputs else "n", width]))
        groups += outputs
    return model(
        helper.make_graph(nodes, "scrfd", [value("input", [1, 3, *size])], groups, weights)
    )


def arcface(
    *, out: int = 512, batch: int | str = 1, side: int = 112, seed: int = 0
) -> onnx.ModelProto:
    """Projects pooled pixels to `out` numbers."""
    projection = np.random.default_rng(seed).normal(size=(3 * 16, out)).astype(np.float32)
    step = side // 4
    nodes = [
        helper.make_node(
            "AveragePool", ["in"], ["pooled"], kernel_shape=[step, step], strides=[step, step]
        ),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "projection"], ["out"]),
    ]
    return model(
        helper.make_graph(
            nodes,
            "arcface",
            [value("in", [batch, 3, side, side])],
            [value("out", [batch, out])],
            [tensor("projection", projection)],
        )
    )


def with_prelu(built: onnx.ModelProto, picture: str) -> onnx.ModelProto:
    """Pass the three channels of tensor `picture` through a convolution and a PReLU; in place."""
    place = next(i for i, n in enumerate(built.graph.node) if n.output[0] == picture)
    for node in built.graph.node[place + 1 :]:
        node.input[:] = ["bent" if name == picture else name for name in node.input]
    built.graph.node.insert(
        place + 1, helper.make_node("Conv", [picture, "same"], ["kept"], name="keep")
    )
    built.graph.node.insert(
        place + 2, helper.make_node("PRelu", ["kept", "slopes"], ["bent"], name="bend")
    )
    built.graph.initializer.append(tensor("same", np.eye(3, dtype=np.float32)[:, :, None, None]))
    slopes = np.array([0.2, 0.5, 0.7], np.float32)
    built.graph.initializer.append(tensor("slopes", slopes[:, None, None]))
    return built


def mtcnn_stages() -> dict[str, onnx.ModelProto]:
    """Three stages that call a bright patch a face and do not move its box."""
    return {"pnet": _pnet(), "rnet": _head("rnet", 24), "onet": _head("onet", 48, points=True)}


def _pnet() -> onnx.ModelProto:
    kernel = np.zeros((2, 3, 12, 12), np.float32)
    kernel[1] = GAIN / (3 * 144)
    nodes = [
        helper.make_node("Transpose", ["in"], ["nchw"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["nchw", "w", "b"], ["logits"], strides=[2, 2]),
        helper.make_node("Transpose", ["logits"], ["nhwc"], perm=[0, 2, 3, 1]),
        helper.make_node("Softmax", ["nhwc"], ["prob"], axis=-1),
        helper.make_node("Conv", ["nchw", "wz", "bz"], ["zero"], strides=[2, 2]),
        helper.make_node("Transpose", ["zero"], ["shift"], perm=[0, 2, 3, 1]),
    ]
    weights = [
        tensor("w", kernel),
        tensor("b", np.array([0, -GAIN * THRESHOLD], np.float32)),
        tensor("wz", np.zeros((4, 3, 12, 12), np.float32)),
        tensor("bz", np.zeros(4, np.float32)),
    ]
    return model(
        helper.make_graph(
            nodes,
            "pnet",
            [value("in", ["n", "h", "w_", 3])],
            [value("shift", ["n", "a", "b_", 4]), value("prob", ["n", "c", "d", 2])],
            weights,
        )
    )


# x of the five points, then y: fractions of the box, all different.
POINTS = (0.3, 0.7, 0.5, 0.35, 0.65, 0.4, 0.41, 0.6, 0.8, 0.81)


def _head(name: str, side: int, *, points: bool = False) -> onnx.ModelProto:
    pixels = side * side * 3
    score = np.zeros((pixels, 2), np.float32)
    score[:, 1] = GAIN / pixels
    outputs = [("shift", 4, np.zeros(4))]
    if points:
        outputs.append(("points", 10, np.array(POINTS)))
    nodes = [helper.make_node("Flatten", ["in"], ["flat"])]
    weights = [tensor("ws", score), tensor("bs", np.array([0, -GAIN * THRESHOLD], np.float32))]
    for output, width, bias in outputs:
        weights.append(tensor(f"{output}/w", np.zeros((pixels, width), np.float32)))
        weights.append(tensor(f"{output}/b", bias.astype(np.float32)))
        nodes.append(helper.make_node("Gemm", ["flat", f"{output}/w", f"{output}/b"], [output]))
    nodes.append(helper.make_node("Gemm", ["flat", "ws", "bs"], ["logits"]))
    nodes.append(helper.make_node("Softmax", ["logits"], ["prob"], axis=-1))
    return model(
        helper.make_graph(
            nodes,
            name,
            [value("in", ["n", side, side, 3])],
            [
                *(value(output, ["n", width]) for output, width, _ in outputs),
                value("prob", ["n", 2]),
            ],
            weights,
        )
    )


def nanodet() -> onnx.ModelProto:
    """Scores bright cells as persons; every side lies about two strides away.

    As in the converted network, the middle level's scores come from the coarse one by a
    resize to the size that the level has at 416x416.
    """
    nodes, weights, outputs = [], [], []
    for stride in (8, 16, 32):
        for width in (80, 44):
            name = f"o{stride}_{width}"
            step = 32 if (stride, width) == (16, 80) else stride
            kernel = np.zeros((width, 3, step, step), np.float32)
            bias = np.full(width, -GAIN, np.float32)
            if width == 80:
                kernel[0] = GAIN / (3 * step * step)
                bias[0] = -GAIN
            else:
                bias[2::11] = GAIN
            weights += [tensor(f"{name}/w", kernel), tensor(f"{name}/b", bias)]
            weights.append(tensor(f"{name}/s", np.array([1, -1, width], np.int64)))
            nodes.append(
                helper.make_node(
                    "Conv", ["input", f"{name}/w", f"{name}/b"], [f"{name}/c"],
                    strides=[step, step],
                )
            )  # fmt: skip
            cells = f"{name}/c"
            if step != stride:
                cells = _resized(cells, 416 // stride, nodes, weights)
            last = f"{name}/raw" if width == 80 else name
            nodes += [
                helper.make_node("Transpose", [cells], [f"{name}/t"], perm=[0, 2, 3, 1]),
                helper.make_node("Reshape", [f"{name}/t", f"{name}/s"], [last]),
            ]
            if width == 80:
                nodes.append(helper.make_node("Sigmoid", [last], [name]))
            outputs.append(value(name, [1, (416 // stride) ** 2, width]))
    return model(
        helper.make_graph(nodes, "nanodet", [value("input", [1, 3, 416, 416])], outputs, weights)
    )


def _resized(
    cells: str, side: int, nodes: list[onnx.NodeProto], weights: list[onnx.TensorProto]
) -> str:
    """Resize to a size that stands in the graph, as the converter writes it."""
    weights += [
        tensor(f"{cells}/start", np.array([0], np.int64)),
        tensor(f"{cells}/end", np.array([2], np.int64)),
        tensor(f"{cells}/hw", np.array([side, side], np.int64)),
        tensor(f"{cells}/none", np.zeros(0, np.float32)),
    ]
    nodes += [
        helper.make_node("Shape", [cells], [f"{cells}/shape"]),
        helper.make_node(
            "Slice", [f"{cells}/shape", f"{cells}/start", f"{cells}/end"], [f"{cells}/nc"]
        ),
        helper.make_node("Concat", [f"{cells}/nc", f"{cells}/hw"], [f"{cells}/sizes"], axis=0),
        helper.make_node(
            "Resize",
            [cells, "", f"{cells}/none", f"{cells}/sizes"],
            [f"{cells}/resized"],
            name=f"{cells}/resized",
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        ),
    ]
    return f"{cells}/resized"
