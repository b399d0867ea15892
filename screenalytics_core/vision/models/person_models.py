"""Which person models a run uses; decided here and nowhere else.

The first that is there: an installed insightface person pack, the person detector of the
run's own pack, the one of the installed lite pack. Bodies are looked for with the best
detector whatever finds the faces, and nothing is downloaded for it. What was chosen stands
in the run's record, so that it is no silent stand-in.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from screenalytics_core.vision.models.appearance import HsvStripes
from screenalytics_core.vision.models.home import ModelsHome
from screenalytics_core.vision.models.lite_recipe import LITE
from screenalytics_core.vision.models.nanodet import open_nanodet
from screenalytics_core.vision.models.onnx_session import (
    check_model_file,
    parse_graph,
    read_model_bytes,
)
from screenalytics_core.vision.models.pack_file import PACK_FILE, PackEntry, read_pack_file
from screenalytics_core.vision.models.person_pack import (
    PERSON_PACKS,
    InsightfacePersons,
    is_person_pack_installed,
)
from screenalytics_core.vision.models.protocols import ModelFile, PersonDetector, PersonEmbedder

DETECTOR_ROLE: Final = "person_detector"


class PersonModels(Protocol):
    """Models for bodies that belong together; each is opened when asked for."""

    @property
    def files(self) -> tuple[ModelFile, ...]:
        """The files that would be used; none for what needs no network."""
        ...

    def detector(self, *, min_confidence: float) -> PersonDetector | None:
        """Load the detector, or return None if there is none; raises ModelError."""
        ...

    def embedder(self) -> PersonEmbedder:
        """Load what tells bodies apart; raises ModelError."""
        ...


class NanodetPersons:
    """A NanoDet file in a folder; bodies are told apart by their colours."""

    def __init__(self, folder: Path, entry: PackEntry, *, device: str) -> None:
        self.files: tuple[ModelFile, ...] = (entry.model_file(),)
        self._device = device
        self._path = folder / entry.name
        self._sha256 = entry.sha256

    def detector(self, *, min_confidence: float) -> PersonDetector:
        """Load the person detector; raises ModelError."""
        thing = f"model file {self._path}"
        # Hashed at every opening: the manifest names these bytes, whenever they were found.
        model = parse_graph(read_model_bytes(self._path, self._sha256), thing)
        return open_nanodet(model, device=self._device, thing=thing, min_confidence=min_confidence)

    def embedder(self) -> PersonEmbedder:
        """Return the HSV stripes."""
        return HsvStripes()


class NoPersons:
    """No person detector is on this machine."""

    files: tuple[ModelFile, ...] = ()

    def detector(self, *, min_confidence: float) -> None:
        """Return None."""

    def embedder(self) -> PersonEmbedder:
        """Return the HSV stripes."""
        return HsvStripes()


def choose_person_models(
    home: ModelsHome,
    folder: Path,
    entries: tuple[PackEntry, ...],
    *,
    device: str,
    embed_device: str,
) -> PersonModels:
    """Choose the person models for a run with the pack in `folder`; none is opened.

    Args:
        device: Where a detector runs; `embed_device` for a ReID network.

    Raises:
        ModelError: What would be chosen is installed but broken. That is no reason to take
            the next one.
    """
    for name in PERSON_PACKS:
        if is_person_pack_installed(name, home):
            return InsightfacePersons(name, home, device=device, embed_device=embed_device)
    own = _detector_of(entries)
    if own is not None:
        return NanodetPersons(folder, own, device=device)
    lite = home.own(LITE.name)
    if (lite / PACK_FILE).is_file():
        entry = _detector_of(read_pack_file(lite).entries)
        if entry is not None:
            check_model_file(lite / entry.name, entry.sha256)
            source = f"{entry.source}, of pack {LITE.name}"
            return NanodetPersons(lite, replace(entry, source=source), device=device)
    return NoPersons()


def _detector_of(entries: tuple[PackEntry, ...]) -> PackEntry | None:
    return next((entry for entry in entries if entry.role == DETECTOR_ROLE), None)
