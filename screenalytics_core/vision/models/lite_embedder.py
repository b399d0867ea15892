"""Repairs of the lite pack's face embedder, done with `onnx` alone.

As published, a sixth of its weights is so small that products with them leave the normal
range of float32; many processors handle such numbers in microcode, several times slower
over the whole network. And its batch dimension is fixed at 1.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import onnx
from onnx import numpy_helper

from screenalytics_core.errors import ModelInstallError
from screenalytics_core.vision.models.onnx_session import open_session, parse_graph

REPAIRS: Final = (
    "weights below 1e-20 set to zero; batch dimension of input, output and final Reshape freed"
)
# Far above the smallest normal number, 1.2e-38: it is the products that turn denormal. Far
# below what can reach the last bit of a sum with the network's other weights.
_SMALLEST_WEIGHT: Final = np.float32(1e-20)
_PROBE_SEED: Final = 112
_BATCH_TOLERANCE: Final = 1e-4


def repair_embedder(data: bytes, thing: str = "fr_feature.onnx") -> bytes:
    """Return the repaired model; the same input gives the same bytes.

    Raises:
        ModelInstallError: The graph is not the one this repair was written for, or the
            repaired model does not give the original's vectors.
    """
    model = parse_graph(data, thing)
    _zero_tiny_weights(model)
    _free_batch(model, thing)
    repaired: bytes = model.SerializeToString(deterministic=True)
    _check_same_vectors(data, repaired, thing)
    return repaired


def _zero_tiny_weights(model: onnx.ModelProto) -> None:
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        tiny = (values != 0) & (np.abs(values) < _SMALLEST_WEIGHT)
        if tiny.any():
            zeroed = np.where(tiny, np.float32(0), values)
            tensor.CopyFrom(numpy_helper.from_array(zeroed, tensor.name))


def _free_batch(model: onnx.ModelProto, thing: str) -> None:
    constants = {t.name: t for t in model.graph.initializer}
    reshapes = [n for n in model.graph.node if n.op_type == "Reshape"]
    shape = constants.get(reshapes[0].input[1]) if len(reshapes) == 1 else None
    if shape is None or numpy_helper.to_array(shape).tolist() != [1, -1]:
        raise ModelInstallError(
            thing=thing,
            reason="its graph does not end in one Reshape to [1, -1]",
            way_out="Another version of the file was fetched; install the pinned one.",
        )
    # In a Reshape, 0 copies the input's dimension.
    shape.CopyFrom(numpy_helper.from_array(np.array([0, -1], np.int64), shape.name))
    for value in (model.graph.input[0], model.graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    del model.graph.value_info[:]


def _check_same_vectors(original: bytes, repaired: bytes, thing: str) -> None:
    """Compare on noise: one by one exactly, as a batch within the rounding of other kernels."""
    noise = np.random.default_rng(_PROBE_SEED).uniform(-1, 1, (4, 3, 112, 112))
    crops = noise.astype(np.float32)
    before = open_session(original, device="cpu", thing=thing)
    after = open_session(repaired, device="cpu", thing=thing)
    expected = np.concatenate([before.run(crop[None])[0] for crop in crops])
    singles = np.concatenate([after.run(crop[None])[0] for crop in crops])
    batch = after.run(crops)[0]
    difference = float(np.abs(singles - expected).max())
    batch_difference = float(np.abs(batch - expected).max() / np.abs(expected).max())
    if difference != 0.0 or batch_difference > _BATCH_TOLERANCE:
        raise ModelInstallError(
            thing=thing,
            reason="the repaired model's vectors differ from the original's: "
            f"{difference:.3g} one by one, {batch_difference:.3g} (relative) as a batch",
            way_out="Report this with the version of onnxruntime; use an insightface pack.",
        )
