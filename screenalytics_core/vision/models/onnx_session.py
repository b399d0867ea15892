"""The one place that opens onnxruntime sessions.

Every session runs on the calling thread alone (one intra-op and one inter-op thread, no
spinning), so that several workers can share it and the same input gives the same bytes
whatever the number of workers. A device that was asked for is used or refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import onnx
import onnxruntime
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_state

from screenalytics_core.errors import ModelError
from screenalytics_core.vision.models.file_memory import FileMemory
from screenalytics_core.vision.models.protocols import FloatArray

PROVIDERS: Final[Mapping[str, str]] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
}
# CoreML stands in every macOS build but handles free input shapes badly: only on request.
_AUTO_ORDER: Final = ("cuda", "cpu")

# onnxruntime's exceptions share no base class but Exception.
ORT_ERRORS: Final = (
    ort_state.EPFail,
    ort_state.Fail,
    ort_state.InvalidArgument,
    ort_state.InvalidGraph,
    ort_state.InvalidProtobuf,
    ort_state.NoModel,
    ort_state.NotFound,
    ort_state.NotImplemented,
    ort_state.RuntimeException,
    RuntimeError,
    ValueError,
)


def resolve_device(device: str) -> str:
    """Return cpu, cuda or coreml for a device setting; `auto` is cuda if this build has it.

    Raises:
        ModelError: The device is unknown, or this build of onnxruntime has no support for it.
    """
    built_in = onnxruntime.get_available_providers()
    available = [name for name, provider in PROVIDERS.items() if provider in built_in]
    if device == "auto":
        return next((name for name in _AUTO_ORDER if name in available), "cpu")
    if device not in available:
        raise ModelError(
            thing=f"device {device!r}",
            reason=f"onnxruntime {onnxruntime.__version__} offers {', '.join(available)} here",
            way_out=f"Set device to auto or {available[0]}, or install a build of onnxruntime "
            "for that device.",
        )
    return device


def sha256_of(data: bytes) -> str:
    """Return the hex sha256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def read_model_bytes(path: Path, expected_sha256: str | None = None) -> bytes:
    """Read a model file, and refuse it if its bytes are not the expected ones.

    Raises:
        ModelError: The file is missing, unreadable or has another sha256.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(
            thing=f"model file {path}",
            reason=f"cannot be read ({error.strerror or error})",
            way_out="Install the pack again: `screenalytics models install lite`, or choose "
            "another one with --models.",
        ) from error
    if expected_sha256 is not None:
        _compare(path, sha256_of(data), expected_sha256)
    return data


def check_model_file(path: Path, expected_sha256: str) -> None:
    """Refuse a model file whose bytes are not the expected ones; it is not opened for use.

    A file that has not changed since this process hashed it is not read again. Whoever opens it
    hashes what it reads (`read_model_bytes`).

    Raises:
        ModelError: The file is missing, unreadable or has another sha256.
    """
    _compare(path, _HASHES.of(path), expected_sha256)


_HASHES: Final = FileMemory(lambda path: sha256_of(read_model_bytes(path)))


def _compare(path: Path, found: str, expected_sha256: str) -> None:
    if found != expected_sha256:
        raise ModelError(
            thing=f"model file {path}",
            reason=f"is corrupted or was replaced: sha256 {found}, expected {expected_sha256}",
            way_out="Delete the pack's folder and install it again "
            "(`screenalytics models install NAME`).",
            expected_sha256=expected_sha256,
            found_sha256=found,
        )


def parse_graph(data: bytes, thing: str) -> onnx.ModelProto:
    """Parse ONNX bytes.

    Raises:
        ModelError: They are not an ONNX model.
    """
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise _not_onnx(thing, str(error)) from error
    if not model.graph.node:
        raise _not_onnx(thing, "it has no nodes")
    return model


def _not_onnx(thing: str, detail: str) -> ModelError:
    return ModelError(
        thing=thing,
        reason=f"is not an ONNX model ({detail})",
        way_out="Give a directory of insightface-style ONNX files, or install a pack with "
        "`screenalytics models install`.",
    )


def real_inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """Return the inputs that a caller must give; older files list their weights as inputs too."""
    weights = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in weights]


def dims_of(value: onnx.ValueInfoProto) -> list[int]:
    """Return a tensor's declared shape, 0 for an axis that is free or not declared."""
    return [dim.dim_value for dim in value.type.tensor_type.shape.dim]


def free_dims(model: onnx.ModelProto, axes: Sequence[int]) -> onnx.ModelProto:
    """Free these axes of the input, in place, and forget the shapes derived from them.

    Exported graphs often declare the one shape they were traced with though every node
    takes others; onnxruntime refuses any other shape until the declaration goes.
    """
    shape = real_inputs(model)[0].type.tensor_type.shape
    for axis in axes:
        shape.dim[axis].dim_param = f"free_{axis}"
    for output in model.graph.output:
        for dim in output.type.tensor_type.shape.dim:
            dim.Clear()
    del model.graph.value_info[:]
    return model


class OnnxSession:
    """A session that is safe to run from several threads at once."""

    def __init__(self, session: onnxruntime.InferenceSession, thing: str) -> None:
        self._session = session
        self._thing = thing
        self.input_names: tuple[str, ...] = tuple(i.name for i in session.get_inputs())
        self.output_names: tuple[str, ...] = tuple(o.name for o in session.get_outputs())

    def run(self, blob: NDArray[Any]) -> list[FloatArray]:
        """Run on one input and return all outputs.

        Raises:
            ModelError: The model does not take this input.
        """
        try:
            outputs: list[FloatArray] = self._session.run(None, {self.input_names[0]: blob})
        except ORT_ERRORS as error:
            raise ModelError(
                thing=self._thing,
                reason=f"failed on an input of shape {blob.shape}: {first_line(error)}",
                way_out="The file is probably made for another role or input size.",
            ) from error
        return outputs


def open_session(model: onnx.ModelProto | bytes, *, device: str, thing: str) -> OnnxSession:
    """Open a one-thread session on `device` (cpu, cuda, coreml or auto).

    Args:
        thing: What the model is called in errors.

    Raises:
        ModelError: The bytes are no valid model, or the device does not work.
    """
    provider = PROVIDERS[resolve_device(device)]
    data = model if isinstance(model, bytes) else model.SerializeToString()
    try:
        session = onnxruntime.InferenceSession(data, _options(), providers=[provider])
    except ORT_ERRORS as error:
        raise _not_onnx(thing, first_line(error)) from error
    # With missing driver libraries onnxruntime only warns and takes the CPU.
    if provider not in session.get_providers():
        raise ModelError(
            thing=f"device {device!r}",
            reason="onnxruntime has it built in but could not start it (driver or library missing)",
            way_out="Set device to cpu, or repair the installation of the device's libraries.",
        )
    return OnnxSession(session, thing)


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's text, or its type's name."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
