"""A person pack of insightface's with tiny networks that fulfil its contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from screenalytics_core.vision.models.onnx_session import sha256_of
from tests.unit.vision.models.tiny_models import GAIN, THRESHOLD, model, tensor, value

INPUT_HW = (128, 192)
CELL_PX = 32


def detector(*, outputs: tuple[str, str] = ("nms_pre_boxes", "nms_pre_scores")) -> onnx.ModelProto:
    """Scores each bright cell of 32 px; its box is the cell, in pixels of the picture given."""
    rows, columns = (side // CELL_PX for side in INPUT_HW)
    grid = [
        [x * CELL_PX, y * CELL_PX, (x + 1) * CELL_PX, (y + 1) * CELL_PX]
        for y in range(rows)
        for x in range(columns)
    ]
    kernel = np.full((1, 3, CELL_PX, CELL_PX), GAIN / (3 * CELL_PX**2), np.float32)
    boxes, scores = outputs
    nodes = [
        helper.make_node(
            "Conv", ["image", "kernel", "bias"], ["logits"], strides=[CELL_PX, CELL_PX]
        ),
        helper.make_node("Sigmoid", ["logits"], ["probabilities"]),
        helper.make_node("Reshape", ["probabilities", "flat"], [scores]),
        # scale_factor is (y, x); boxes are (x, y, x, y).
        helper.make_node("Gather", ["scale_factor", "xyxy"], ["scales"], axis=1),
        helper.make_node("Div", ["grid", "scales"], [boxes]),
    ]
    weights = [
        tensor("kernel", kernel),
        tensor("bias", np.array([-GAIN * THRESHOLD], np.float32)),
        tensor("flat", np.array([1, 1, -1], np.int64)),
        tensor("xyxy", np.array([1, 0, 1, 0], np.int64)),
        tensor("grid", np.array([grid], np.float32)),
    ]
    inputs = [value("image", [1, 3, *INPUT_HW]), value("scale_factor", [1, 2])]
    given = [value(boxes, [1, len(grid), 4]), value(scores, [1, 1, len(grid)])]
    return model(helper.make_graph(nodes, "persons", inputs, given, weights))


def reid() -> onnx.ModelProto:
    """Projects a pooled body to 256 numbers; of a black one they are all zero."""
    projection = np.random.default_rng(0).normal(size=(3 * 4 * 4, 256)).astype(np.float32)
    nodes = [
        helper.make_node(
            "AveragePool", ["data"], ["pooled"], kernel_shape=[64, 32], strides=[64, 32]
        ),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "projection"], ["reid_embedding"]),
    ]
    return model(
        helper.make_graph(
            nodes,
            "reid",
            [value("data", [1, 3, 256, 128])],
            [helper.make_tensor_value_info("reid_embedding", TensorProto.FLOAT, [1, 256])],
            [tensor("projection", projection)],
        )
    )


def put_person_pack(
    folder: Path, *, persons: onnx.ModelProto | None = None, **changes: Any
) -> Path:
    """Write a whole pack; `changes` replace fields of its manifest."""
    folder.mkdir(parents=True)
    graphs = {
        "persons.onnx": (persons or detector()).SerializeToString(),
        "reid.onnx": reid().SerializeToString(),
        # Face models that this project never opens.
        "faces.onnx": b"a face detector",
        "recognition.onnx": b"a face embedder",
    }
    for name, data in graphs.items():
        (folder / name).write_bytes(data)
    (folder / "MODEL.LICENSE").write_text("for research")
    scaled = {"mean": 0, "std": 1, "scale": 1 / 255}

    def task(name: str, **more: Any) -> dict[str, Any]:
        return {"file": name, "sha256": sha256_of(graphs[name]), **more}

    manifest = {
        "manifest_version": 2,
        "model_id": folder.name,
        "license": "MODEL.LICENSE",
        "tasks": {
            "person_detection": task(
                "persons.onnx", input_size=list(INPUT_HW), preprocessing=scaled
            ),
            "person_reid": task("reid.onnx", preprocessing=scaled),
            "detection": task("faces.onnx"),
            "recognition": task("recognition.onnx"),
        },
        **changes,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
