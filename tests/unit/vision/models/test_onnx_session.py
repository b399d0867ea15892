"""Sessions are opened in one place; these pin what it refuses and that threads do not matter."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from screenalytics_core.errors import ModelError
from screenalytics_core.vision.models.onnx_session import (
    open_session,
    parse_graph,
    read_model_bytes,
    resolve_device,
    sha256_of,
)
from tests.unit.vision.models import tiny_models


@pytest.mark.parametrize(
    ("built_in", "asked", "given"),
    [
        (["CPUExecutionProvider"], "auto", "cpu"),
        (["CPUExecutionProvider"], "cpu", "cpu"),
        (["CUDAExecutionProvider", "CPUExecutionProvider"], "auto", "cuda"),
        (["CUDAExecutionProvider", "CPUExecutionProvider"], "cpu", "cpu"),
        pytest.param(
            ["CoreMLExecutionProvider", "CPUExecutionProvider"], "auto", "cpu",
            id="coreml only on request",
        ),
        (["CoreMLExecutionProvider", "CPUExecutionProvider"], "coreml", "coreml"),
    ],
)  # fmt: skip
def test_a_device_is_resolved_among_those_built_in(
    monkeypatch: pytest.MonkeyPatch, built_in: list[str], asked: str, given: str
) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: built_in)

    assert resolve_device(asked) == given


def test_a_device_that_is_not_there_is_refused_and_the_others_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["AzureEP", "CPUExecutionProvider"]
    )

    with pytest.raises(ModelError, match=r"device 'cuda'.* offers cpu here"):
        resolve_device("cuda")


def test_a_device_that_onnxruntime_drops_silently_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    providers = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: providers)
    real = onnxruntime.InferenceSession
    monkeypatch.setattr(
        onnxruntime,
        "InferenceSession",
        lambda data, options, providers: real(data, options, providers=["CPUExecutionProvider"]),
    )

    with pytest.raises(ModelError, match="could not start it"):
        open_session(tiny_models.arcface(), device="cuda", thing="x")


def test_eight_threads_get_the_bytes_that_one_gets() -> None:
    session = open_session(tiny_models.scrfd(), device="cpu", thing="x")
    blobs = [
        np.random.default_rng(i).uniform(-1, 1, (1, 3, 640, 640)).astype(np.float32)
        for i in range(8)
    ]
    serial = [[o.tobytes() for o in session.run(blob)] for blob in blobs]

    with ThreadPoolExecutor(8) as pool:
        parallel = list(pool.map(lambda blob: [o.tobytes() for o in session.run(blob)], blobs * 3))

    assert parallel == serial * 3


def test_an_input_of_the_wrong_shape_names_the_file_and_the_shape() -> None:
    session = open_session(tiny_models.arcface(), device="cpu", thing="model file e.onnx")

    with pytest.raises(ModelError, match=r"model file e.onnx: failed .*\(1, 3, 64, 64\)"):
        session.run(np.zeros((1, 3, 64, 64), np.float32))


@pytest.mark.parametrize("data", [b"", b"<html>not a model</html>", b"\x08\x07"])
def test_bytes_that_are_no_model_are_refused_by_name(data: bytes) -> None:
    with pytest.raises(ModelError, match=r"model file a\.onnx: is not an ONNX model"):
        parse_graph(data, "model file a.onnx")


def test_a_truncated_model_is_refused() -> None:
    data = tiny_models.arcface().SerializeToString()

    with pytest.raises(ModelError, match="is not an ONNX model"):
        parse_graph(data[: len(data) // 2], "x")


def test_a_model_with_an_unknown_operator_is_refused() -> None:
    model = tiny_models.arcface()
    model.graph.node[0].op_type = "NoSuchOperator"

    with pytest.raises(ModelError, match="is not an ONNX model"):
        open_session(model, device="cpu", thing="x")


def test_a_file_with_other_bytes_names_both_hashes_and_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"changed")
    expected = sha256_of(b"original")

    with pytest.raises(ModelError) as raised:
        read_model_bytes(path, expected)

    message = str(raised.value)
    assert str(path) in message
    assert expected in message
    assert sha256_of(b"changed") in message
    assert "install it again" in message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone.onnx: cannot be read \(No such file"):
        read_model_bytes(tmp_path / "gone.onnx")
