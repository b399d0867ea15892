"""The embedder's repair: nothing but its cost and its batch size may change."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from screenalytics_core.errors import ModelInstallError
from screenalytics_core.vision.models.arcface import is_arcface
from screenalytics_core.vision.models.lite_embedder import repair_embedder
from screenalytics_core.vision.models.onnx_session import open_session
from tests.unit.vision.models import tiny_models

DENORMAL, TINY = np.float32(1e-40), np.float32(1e-25)


def published() -> onnx.ModelProto:
    """As `tiny_models.arcface`, but with tiny weights, and its batch fixed by a Reshape."""
    model = tiny_models.arcface()
    weights = numpy_helper.to_array(model.graph.initializer[0]).copy()
    weights[5, 7:9] = [DENORMAL, -TINY]
    weights[6, 0] = 0
    model.graph.initializer[0].CopyFrom(tiny_models.tensor("projection", weights))
    shape = np.array([1, -1], np.int64)
    model.graph.initializer.append(tiny_models.tensor("shape", shape))
    model.graph.node[-1].output[0] = "projected"
    model.graph.node.append(helper.make_node("Reshape", ["projected", "shape"], ["out"]))
    return model


def test_only_weights_whose_products_are_denormal_become_zero() -> None:
    before = numpy_helper.to_array(published().graph.initializer[0])
    repaired = onnx.load_model_from_string(repair_embedder(published().SerializeToString()))
    after = numpy_helper.to_array(repaired.graph.initializer[0])

    assert (after[5, 7:9] == 0).all()
    changed = before != after
    assert changed.sum() == 2


def test_the_repaired_model_takes_batches_and_gives_the_same_vectors() -> None:
    crops = np.random.default_rng(1).uniform(-1, 1, (3, 3, 112, 112)).astype(np.float32)
    data = published().SerializeToString()
    before = open_session(data, device="cpu", thing="before")

    repaired = repair_embedder(data)

    after = open_session(repaired, device="cpu", thing="after")
    assert is_arcface(onnx.load_model_from_string(repaired))
    for crop, vector in zip(crops, after.run(crops)[0], strict=True):
        np.testing.assert_allclose(vector, before.run(crop[None])[0][0], rtol=1e-5, atol=1e-5)


def test_the_repair_gives_the_same_bytes_every_time() -> None:
    data = published().SerializeToString()

    assert repair_embedder(data) == repair_embedder(data)


def test_another_graph_is_refused() -> None:
    with pytest.raises(ModelInstallError, match=r"does not end in one Reshape to \[1, -1\]"):
        repair_embedder(tiny_models.arcface().SerializeToString())


def test_a_repair_that_changes_vectors_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    module = "screenalytics_core.vision.models.lite_embedder"
    monkeypatch.setattr(f"{module}._SMALLEST_WEIGHT", np.float32(0.1))

    with pytest.raises(ModelInstallError, match="vectors differ from the original's"):
        repair_embedder(published().SerializeToString())
