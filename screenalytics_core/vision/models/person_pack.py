"""insightface's person packs: a person detector and a ReID network, run by its own library.

A pack also holds face models; those are not used here, since their pictures may have to be
prepared in ways that only insightface's own face pipeline knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from screenalytics_core.errors import ModelError, ModelInstallError
from screenalytics_core.vision.models.boxes import whole_pixels
from screenalytics_core.vision.models.home import ModelsHome
from screenalytics_core.vision.models.insightface_pack import LICENCE
from screenalytics_core.vision.models.onnx_session import ORT_ERRORS, PROVIDERS, first_line
from screenalytics_core.vision.models.protocols import FloatArray, Image, ModelFile, PersonBoxes

if TYPE_CHECKING:
    from insightface.model_zoo.person_detection import PersonDetection
    from insightface.model_zoo.person_reid import PersonReID

PERSON_PACKS: Final = ("cheetah_l", "cheetah_s")
"""Packs with a person detector and a ReID network, best first."""

ROLES: Final = {"person_detector": "person_detection", "person_embedder": "person_reid"}
"""Our role -> insightface's task."""

_MANIFEST: Final = "manifest.json"
_EMBEDDING_SIZE: Final = 256
_ONE_THREAD: Final = 1
# What insightface raises for files, manifests and networks that do not fit.
_LIBRARY_ERRORS: Final = (*ORT_ERRORS, OSError, KeyError, TypeError, DecodeError, cv2.error)


class InsightfacePersons:
    """The person models of an installed pack; each is opened when asked for."""

    def __init__(
        self, name: str, home: ModelsHome, *, device: str = "cpu", embed_device: str = "cpu"
    ) -> None:
        """Read the pack's manifest and hash its files.

        Args:
            device: Where the detector runs; `embed_device` for the ReID network. insightface
                knows cpu and cuda.

        Raises:
            ModelError: The pack is not installed, or unusable.
        """
        if not is_person_pack_installed(name, home):
            raise ModelError(
                thing=f"model pack {name}",
                reason="is not installed",
                way_out=f"Run `screenalytics models install {name}`.",
            )
        from insightface.model_zoo.person_package import load_person_package

        self._detector_providers = [PROVIDERS[device]]
        self._embedder_providers = [PROVIDERS[embed_device]]
        self._thing = f"insightface pack {home.insightface(name)}"
        with _ours(self._thing):
            package = load_person_package(name, str(home.insightface_root))
        self._tasks: Mapping[str, Mapping[str, Any]] = package["tasks"]
        licence = f"{LICENCE}, see {name}/{package['license']}"
        self.files: tuple[ModelFile, ...] = tuple(
            ModelFile(
                role,
                self._tasks[task]["file"],
                self._tasks[task]["sha256"],
                licence,
                f"insightface {name}",
            )
            for role, task in ROLES.items()
        )

    def detector(self, *, min_confidence: float) -> InsightfacePersonDetector:
        """Load the person detector; raises ModelError."""
        from insightface.model_zoo.person_detection import PersonDetection

        with _ours(self._thing):
            model = PersonDetection(
                self._tasks["person_detection"], self._detector_providers, _ONE_THREAD
            )
        return InsightfacePersonDetector(model, self._thing, min_confidence=min_confidence)

    def embedder(self) -> InsightfacePersonEmbedder:
        """Load the ReID network; raises ModelError."""
        from insightface.model_zoo.person_reid import PersonReID

        with _ours(self._thing):
            model = PersonReID(self._tasks["person_reid"], self._embedder_providers, _ONE_THREAD)
        return InsightfacePersonEmbedder(model, self._thing)


class InsightfacePersonDetector:
    """`PersonDetector` over insightface's; it keeps no state between calls."""

    def __init__(self, model: PersonDetection, thing: str, *, min_confidence: float) -> None:
        self._model = model
        self._thing = thing
        self._min_confidence = min_confidence

    def detect(self, image_bgr: Image) -> PersonBoxes:
        """Return the persons of an (H, W, 3) image."""
        with _ours(self._thing):
            rows = self._model.detect_candidates(image_bgr, self._min_confidence)
        return PersonBoxes(np.asarray(rows[:, :4], np.float32), np.asarray(rows[:, 4], np.float32))


class InsightfacePersonEmbedder:
    """`PersonEmbedder` over insightface's ReID network, one body at a time."""

    appearance: Final = "reid"

    def __init__(self, model: PersonReID, thing: str) -> None:
        self._model = model
        self._thing = thing

    def embed(self, image_bgr: Image, bboxes_xyxy: FloatArray) -> FloatArray:
        """Map (N, 4) px boxes of an (H, W, 3) image to (N, 256) L2-normalised vectors."""
        vectors = np.zeros((len(bboxes_xyxy), _EMBEDDING_SIZE), np.float32)
        for row, box in enumerate(bboxes_xyxy):
            left, top, right, bottom = whole_pixels(box, image_bgr.shape)
            with _ours(self._thing):
                vectors[row] = self._model.embed(image_bgr[top:bottom, left:right])
        return vectors


def is_person_pack_installed(name: str, home: ModelsHome) -> bool:
    """Tell whether a person pack is on this machine; its files are not looked into."""
    return (home.insightface(name) / _MANIFEST).is_file()


def install_person_pack(name: str, home: ModelsHome) -> Path:
    """Download a person pack with insightface's own downloader; return its folder.

    Raises:
        ModelInstallError: The name is unknown or the download fails; nothing is left behind.
        ModelError: The pack is there already and unusable.
    """
    if name not in PERSON_PACKS:
        raise ModelInstallError(
            thing=f"insightface person pack {name!r}",
            reason="is not known here",
            way_out=f"Install one of {', '.join(PERSON_PACKS)}.",
        )
    folder = home.insightface(name)
    if is_person_pack_installed(name, home):
        InsightfacePersons(name, home)
        return folder
    _download(name, home)
    return folder


def _download(name: str, home: ModelsHome) -> None:
    from insightface.model_zoo.person_package import ensure_person_package

    folder = home.insightface(name)
    try:
        # insightface takes any folder for an installed pack, and never writes into one.
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
        ensure_person_package(name, str(home.insightface_root))
    except (RuntimeError, OSError) as error:
        raise ModelInstallError(
            thing=f"insightface pack {name}",
            reason=f"could not be installed ({first_line(error.__cause__ or error)})",
            way_out="Check the network; or put the pack's files, with its manifest.json, into "
            f"~/.insightface/models/{name}. Without it, `screenalytics models install lite` "
            "brings a person detector.",
        ) from error


@contextmanager
def _ours(thing: str) -> Iterator[None]:
    """Turn insightface's errors, which are of many types, into one of ours."""
    try:
        yield
    except _LIBRARY_ERRORS as error:
        raise ModelError(
            thing=thing,
            reason=f"cannot be used ({first_line(error)})",
            way_out="Delete the folder and install the pack again, or go without it: the lite "
            "pack's person detector then takes its place.",
        ) from error
