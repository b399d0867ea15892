"""Embedders: batches of any size, and the two ways in which pixels are normalised."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper

from screenalytics_core.errors import ModelError
from screenalytics_core.vision.models.arcface import is_arcface, normalises_itself, open_arcface
from tests.unit.vision.models import tiny_models

CROPS = np.random.default_rng(7).integers(0, 256, (5, 112, 112, 3), np.uint8)


def test_a_batch_gives_what_its_crops_give_one_by_one() -> None:
    embedder = open_arcface(tiny_models.arcface(), device="cpu", thing="x")

    batch = embedder.embed(CROPS)

    singles = np.concatenate([embedder.embed(crop[None]) for crop in CROPS])
    assert batch.shape == (5, 512)
    assert batch.dtype == np.float32
    np.testing.assert_allclose(batch, singles, rtol=1e-5, atol=1e-5)


def test_no_crops_give_no_vectors() -> None:
    embedder = open_arcface(tiny_models.arcface(), device="cpu", thing="x")

    assert embedder.embed(CROPS[:0]).shape == (0, 512)


def test_pixels_go_in_as_rgb_between_minus_one_and_one() -> None:
    model = tiny_models.arcface()
    projection = np.zeros((48, 512), np.float32)
    projection[:16, 0] = projection[16:32, 1] = projection[32:, 2] = 1 / 16
    model.graph.initializer[0].CopyFrom(tiny_models.tensor("projection", projection))
    blue, green, red = 0, 127.5, 255
    crop = np.zeros((1, 112, 112, 3), np.uint8)
    crop[..., 0], crop[..., 1], crop[..., 2] = blue, 51, red

    vector = open_arcface(model, device="cpu", thing="x").embed(crop)[0]

    np.testing.assert_allclose(vector[:3], [1, (51 - green) / 127.5, -1], atol=1e-5)


def test_a_network_that_normalises_its_input_gets_plain_pixels() -> None:
    model = tiny_models.arcface()
    for op, constant in (("Mul", 0.5), ("Sub", 3.0)):
        name = f"{op}_0"
        model.graph.initializer.append(tiny_models.tensor(name, np.array(constant, np.float32)))
        model.graph.node.insert(0, helper.make_node(op, ["in", name], [f"{op}_out"], name=name))
    model.graph.node[1].input[0] = "Sub_out"
    model.graph.node[2].input[0] = "Mul_out"
    plain = open_arcface(tiny_models.arcface(), device="cpu", thing="x")

    assert normalises_itself(model)
    vectors = open_arcface(model, device="cpu", thing="x").embed(CROPS)

    # (x - 3) / 2 instead of (x - 127.5) / 127.5
    projection = tiny_models.arcface().graph.initializer[0]
    weights = np.frombuffer(projection.raw_data, np.float32).reshape(48, 512).sum(axis=0)
    expected = (plain.embed(CROPS) * 127.5 + 127.5 * weights - 3 * weights) / 2
    np.testing.assert_allclose(vectors, expected, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (tiny_models.arcface(), True),
        (tiny_models.arcface(batch="n"), True),
        (tiny_models.arcface(out=212), False),
        (tiny_models.arcface(side=96), False),
        (tiny_models.scrfd(), False),
    ],
)
def test_an_embedder_is_told_by_its_shapes(model: object, told: bool) -> None:
    assert is_arcface(model) is told


def test_a_network_with_vectors_of_another_length_is_refused() -> None:
    with pytest.raises(ModelError, match=r"gives \(2, 128\) for two face crops"):
        open_arcface(tiny_models.arcface(out=128), device="cpu", thing="x")
