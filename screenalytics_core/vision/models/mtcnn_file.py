"""The three networks of MTCNN in one ONNX file, so that the pack names one hash per role.

Names of each network carry its stage as a prefix; `open_mtcnn` takes the file apart again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import onnx
from onnx import helper

from screenalytics_core.errors import ModelError
from screenalytics_core.vision.models.onnx_session import (
    OnnxSession,
    dims_of,
    open_session,
    real_inputs,
)
from screenalytics_core.vision.models.prelu import make_prelu_fast

STAGES: Final = ("pnet", "rnet", "onet")
_OUTPUT_WIDTHS: Final = {"pnet": (4, 2), "rnet": (4, 2), "onet": (4, 10, 2)}
_INPUT_SIDES: Final = {"pnet": None, "rnet": 24, "onet": 48}


def merge_stages(models: Mapping[str, onnx.ModelProto]) -> bytes:
    """Put the stages side by side into one model; the same input gives the same bytes."""
    graph = onnx.GraphProto(name="mtcnn")
    for stage in STAGES:
        part = models[stage].graph
        for node in part.node:
            renamed = graph.node.add()
            renamed.CopyFrom(node)
            renamed.name = f"{stage}/{node.name or node.output[0]}"
            renamed.input[:] = [f"{stage}/{name}" if name else "" for name in node.input]
            renamed.output[:] = [f"{stage}/{name}" if name else "" for name in node.output]
        for source, target in (
            (part.initializer, graph.initializer),
            (real_inputs(models[stage]), graph.input),
            (part.output, graph.output),
        ):
            for item in source:
                renamed_item = target.add()
                renamed_item.CopyFrom(item)
                renamed_item.name = f"{stage}/{item.name}"
    first = models[STAGES[0]]
    merged = helper.make_model(graph, opset_imports=first.opset_import)
    merged.ir_version = first.ir_version
    merged.producer_name = "screenalytics"
    data: bytes = merged.SerializeToString(deterministic=True)
    return data


def is_mtcnn(model: onnx.ModelProto) -> bool:
    """Tell whether a graph is a merged MTCNN file, by its inputs' prefixes."""
    return tuple(value.name.split("/")[0] for value in model.graph.input) == STAGES


def split_stages(model: onnx.ModelProto) -> dict[str, onnx.ModelProto]:
    """Take a merged model apart; the parts keep their prefixed names."""
    parts = {}
    for stage in STAGES:
        prefix = f"{stage}/"
        graph = onnx.GraphProto(name=stage)
        graph.node.extend(n for n in model.graph.node if n.name.startswith(prefix))
        graph.initializer.extend(t for t in model.graph.initializer if t.name.startswith(prefix))
        graph.input.extend(v for v in model.graph.input if v.name.startswith(prefix))
        graph.output.extend(v for v in model.graph.output if v.name.startswith(prefix))
        part = helper.make_model(graph, opset_imports=model.opset_import)
        part.ir_version = model.ir_version
        parts[stage] = part
    return parts


def open_mtcnn(model: onnx.ModelProto, *, device: str, thing: str) -> dict[str, OnnxSession]:
    """Open one session per stage.

    Raises:
        ModelError: The graph is not a merged MTCNN with the expected inputs and outputs.
    """
    if not is_mtcnn(model):
        raise _not_mtcnn(thing, "its inputs are not pnet, rnet and onet")
    sessions = {}
    for stage, part in split_stages(model).items():
        side = dims_of(part.graph.input[0])[1]
        widths = tuple(dims_of(output)[-1] for output in part.graph.output)
        if widths != _OUTPUT_WIDTHS[stage] or side != (_INPUT_SIDES[stage] or side):
            raise _not_mtcnn(thing, f"{stage} takes {side} px and gives {widths}")
        part = make_prelu_fast(part, device=device)
        sessions[stage] = open_session(part, device=device, thing=f"{thing} ({stage})")
    return sessions


def _not_mtcnn(thing: str, detail: str) -> ModelError:
    return ModelError(
        thing=thing,
        reason=f"is not the merged MTCNN face detector ({detail})",
        way_out="Install the pack again: `screenalytics models install lite`.",
    )
