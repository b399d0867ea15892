"""pack.json: what an installed pack consists of, where it came from, and what to expect.

It is written last into a folder that is then renamed into place, so a folder with a
pack.json is a whole pack.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from screenalytics_core.errors import ModelError
from screenalytics_core.vision.models.protocols import Calibration, ModelFile, PackInfo

PACK_FILE: Final = "pack.json"
SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as published: in which package it stands, and the bytes it has there."""

    package: str
    version: str
    archive_sha256: str
    member: str
    sha256: str
    licence: str


@dataclass(frozen=True, slots=True)
class PackEntry:
    """A model of a pack: its role, its adapter, its bytes, and how they were made."""

    role: str
    adapter: str  # scrfd | mtcnn | arcface | nanodet
    name: str
    sha256: str
    licence: str
    source: str
    how: str
    derived_from: tuple[SourceFile, ...] = ()

    def model_file(self) -> ModelFile:
        """Return the part that runs are bound to."""
        return ModelFile(self.role, self.name, self.sha256, self.licence, self.source)


@dataclass(frozen=True, slots=True)
class PackDocument:
    """The content of pack.json."""

    name: str
    version: str
    entries: tuple[PackEntry, ...]
    calibration: Calibration
    caveats: tuple[str, ...] = ()
    schema_version: int = field(default=SCHEMA_VERSION)

    def info(self) -> PackInfo:
        """Return what a run is bound to."""
        return PackInfo(self.name, tuple(e.model_file() for e in self.entries), self.calibration)

    def to_json(self) -> str:
        """Return it as text with reproducible bytes."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"


def read_pack_file(directory: Path) -> PackDocument:
    """Read a folder's pack.json.

    Raises:
        ModelError: It is missing, not JSON, or of another schema.
    """
    path = directory / PACK_FILE
    try:
        raw = json.loads(path.read_text("utf-8"))
        return _parse(raw)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            thing=f"model pack {path}",
            reason=f"cannot be read ({type(error).__name__}: {error})",
            way_out=f"Delete {directory} and install the pack again.",
        ) from error


def _parse(raw: dict[str, Any]) -> PackDocument:
    if raw["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"schema_version {raw['schema_version']}, expected {SCHEMA_VERSION}")
    entries = tuple(
        PackEntry(
            **{
                **entry,
                "derived_from": tuple(SourceFile(**source) for source in entry["derived_from"]),
            }
        )
        for entry in raw["entries"]
    )
    return PackDocument(
        raw["name"],
        raw["version"],
        entries,
        Calibration(**raw["calibration"]),
        tuple(raw["caveats"]),
    )
