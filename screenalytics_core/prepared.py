"""Artifacts that are valid, encoded and on disk, but not yet visible to anyone."""

from __future__ import annotations

from dataclasses import dataclass

from screenalytics_core import layout
from screenalytics_core.artifacts import ARTIFACTS, ArtifactKind
from screenalytics_core.codecs import encode
from screenalytics_core.errors import SchemaMismatchError
from screenalytics_core.manifest import content_sha256
from screenalytics_core.steps.base import ArtifactData, FileFacts
from screenalytics_core.storage.base import StagedFile, Storage


@dataclass(frozen=True, slots=True)
class PreparedArtifact:
    """An artifact that is valid, encoded and on disk, but not yet visible."""

    ep_id: str
    run_id: str
    kind: ArtifactKind
    staged: tuple[StagedFile, ...]
    files: tuple[FileFacts, ...]

    @property
    def content_sha256(self) -> str:
        """One sha256 over all its files: the data version it will have."""
        return content_sha256(self.files)


def stage_artifact(
    storage: Storage, ep_id: str, run_id: str, kind: ArtifactKind, data: ArtifactData
) -> PreparedArtifact:
    """Check the values of an artifact and write them beside the run's files.

    A value that is an open file is closed, whatever happens: its bytes are the store's now.

    Raises:
        SchemaMismatchError: A part is missing or unknown, or does not fit its spec;
            nothing is left behind.
        DiskSpaceError: The disk is full; nothing is left behind.
    """
    spec = ARTIFACTS[kind]
    parts = [file.part for file in spec.files]
    if set(data) != set(parts):
        raise SchemaMismatchError(
            spec_name=kind, reason=f"parts {sorted(data)}, wanted {sorted(parts)}"
        )
    staged: list[StagedFile] = []
    facts: list[FileFacts] = []
    try:
        for file in spec.files:
            encoded = encode(file, data[file.part])
            key = layout.artifact_key(ep_id, run_id, file.filename)
            staged.append(storage.stage(key, encoded.chunks))
            facts.append(
                FileFacts(file.filename, staged[-1].sha256, staged[-1].size_bytes, encoded.rows)
            )
    except BaseException:
        for done in staged:
            storage.discard(done)
        raise
    finally:
        _close_files(data)
    return PreparedArtifact(ep_id, run_id, kind, tuple(staged), tuple(facts))


def _close_files(data: ArtifactData) -> None:
    for value in data.values():
        if hasattr(value, "close"):
            value.close()
