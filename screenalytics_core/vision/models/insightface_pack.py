"""Folders of insightface-style ONNX files: which file does what, and the named packs.

Files are chosen by the shapes in their graphs, never by insightface's own guess, which
takes any network with enough outputs for a detector and gives None for the rest.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import onnx

from screenalytics_core.errors import ModelError, ModelInstallError
from screenalytics_core.vision.models.arcface import is_arcface
from screenalytics_core.vision.models.file_memory import FileMemory
from screenalytics_core.vision.models.home import ModelsHome
from screenalytics_core.vision.models.mtcnn_file import is_mtcnn
from screenalytics_core.vision.models.nanodet import is_nanodet
from screenalytics_core.vision.models.onnx_session import (
    first_line,
    parse_graph,
    read_model_bytes,
    sha256_of,
)
from screenalytics_core.vision.models.pack_file import PackEntry
from screenalytics_core.vision.models.scrfd import is_scrfd

INSIGHTFACE_PACKS: Final = ("buffalo_l", "buffalo_m", "buffalo_s", "buffalo_sc")
"""Packs with a face detector and an embedder, best first."""

LICENCE: Final = "insightface model zoo: non-commercial research only"
REQUIRED_ROLES: Final = ("face_detector", "face_embedder")

_KINDS: Final[tuple[tuple[str, str, Callable[[onnx.ModelProto], bool]], ...]] = (
    ("face_detector", "mtcnn", is_mtcnn),
    ("person_detector", "nanodet", is_nanodet),
    ("face_embedder", "arcface", is_arcface),
    ("face_detector", "scrfd", is_scrfd),
)


def scan_folder(folder: Path, *, licence: str, source: str) -> tuple[PackEntry, ...]:
    """Find the models of a folder by role; files for other roles are left alone.

    Raises:
        ModelError: The folder has no ONNX files, one of them is none, a role is missing,
            or several files could fill one role.
    """
    found: dict[str, list[PackEntry]] = {}
    paths = sorted(folder.glob("*.onnx"))
    for path in paths:
        role, adapter, sha256 = _LOOKED_INTO.of(path)
        if role:
            entry = PackEntry(role, adapter, path.name, sha256, licence, source, "as given")
            found.setdefault(role, []).append(entry)
    for role, entries in found.items():
        if len(entries) > 1:
            names = ", ".join(entry.name for entry in entries)
            raise ModelError(
                thing=f"model folder {folder}",
                reason=f"has {len(entries)} files for the role {role}: {names}",
                way_out="Leave one of them in the folder.",
            )
    missing = [role for role in REQUIRED_ROLES if role not in found]
    if missing:
        have = ", ".join(path.name for path in paths) or "no .onnx file"
        raise ModelError(
            thing=f"model folder {folder}",
            reason=f"has no {' and no '.join(missing)} (found: {have})",
            way_out="It needs one SCRFD face detector and one ArcFace embedder with 512 numbers, "
            "as in an insightface pack.",
        )
    return tuple(found[role][0] for role in (*REQUIRED_ROLES, "person_detector") if role in found)


def _look_into(path: Path) -> tuple[str, str, str]:
    """Return role, adapter and sha256 of a model file; no role for what is not used here."""
    data = read_model_bytes(path)
    model = parse_graph(data, f"model file {path}")
    fits = ((role, adapter) for role, adapter, matches in _KINDS if matches(model))
    return (*next(fits, ("", "")), sha256_of(data))


_LOOKED_INTO: Final = FileMemory(_look_into)


def install_insightface_pack(name: str, home: ModelsHome) -> Path:
    """Download a named pack with insightface's own downloader; return its folder.

    Raises:
        ModelInstallError: The name is unknown, the download fails, or it holds no face
            models. What was installed before is untouched.
    """
    if name not in INSIGHTFACE_PACKS:
        raise ModelInstallError(
            thing=f"insightface pack {name!r}",
            reason="is not known here",
            way_out=f"Install one of {', '.join(INSIGHTFACE_PACKS)}, or lite.",
        )
    target = home.insightface(name)
    if any(target.glob("*.onnx")):
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".installing-", dir=target.parent) as staging:
            fetched = _flat(_download(name, Path(staging)))
            scan_folder(fetched, licence=LICENCE, source=f"insightface {name}")
            # An earlier failed download of insightface itself leaves an empty folder.
            if target.exists():
                shutil.rmtree(target)
            fetched.rename(target)
    except OSError as error:
        raise _failed(name, str(error.strerror or error)) from error
    return target


def _download(name: str, root: Path) -> Path:
    """Fetch into `root`; insightface prints its progress, which is no data of ours."""
    import requests
    from insightface.utils.storage import ensure_available

    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return Path(ensure_available("models", name, root=str(root)))
    except (requests.exceptions.RequestException, RuntimeError, zipfile.BadZipFile) as error:
        raise _failed(name, first_line(error)) from error


def _flat(folder: Path) -> Path:
    """Return where the ONNX files are: some archives hold one more folder."""
    if any(folder.glob("*.onnx")):
        return folder
    return next((path.parent for path in sorted(folder.rglob("*.onnx"))), folder)


def _failed(name: str, reason: str) -> ModelInstallError:
    return ModelInstallError(
        thing=f"insightface pack {name}",
        reason=f"could not be downloaded ({reason})",
        way_out="Check the network; or put the pack's ONNX files into "
        f"~/.insightface/models/{name}; or use `screenalytics models install lite`.",
    )
