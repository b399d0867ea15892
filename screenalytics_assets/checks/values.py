"""The values that checks look at: read once per step, from what was published."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from typing import Any

from screenalytics_core.artifacts import ARTIFACTS, ArtifactKind, Codec
from screenalytics_core.errors import ArtifactNotFoundError
from screenalytics_core.steps.base import ArtifactInput, FileFacts


class PublishedValues:
    """Artifacts of one run, each file read at most once; implements `base.Values`."""

    def __init__(self, find: Callable[[ArtifactKind], ArtifactInput | None]) -> None:
        """Take what gives an artifact, or None if the run does not hold it."""
        self._find = find
        self._refs: dict[ArtifactKind, ArtifactInput | None] = {}
        self._values: dict[tuple[ArtifactKind, str], Any] = {}

    def has(self, kind: ArtifactKind) -> bool:
        """Tell whether the run holds an artifact."""
        return self._ref(kind) is not None

    def files(self, kind: ArtifactKind) -> tuple[FileFacts, ...]:
        """Return what the manifest says of an artifact's files."""
        return self._need(kind).files

    def read(self, kind: ArtifactKind, part: str | None = None) -> Any:
        """Return the value of `part` (default: the primary file); a zip is its entries' names."""
        ref = self._need(kind)
        spec = ARTIFACTS[kind].primary if part is None else ARTIFACTS[kind].file(part)
        key = (kind, spec.part)
        if key not in self._values:
            value = ref.read(spec.part)
            if spec.codec is Codec.ZIP:
                with value, zipfile.ZipFile(value) as archive:
                    value = archive.namelist()
            self._values[key] = value
        return self._values[key]

    def _ref(self, kind: ArtifactKind) -> ArtifactInput | None:
        if kind not in self._refs:
            self._refs[kind] = self._find(kind)
        return self._refs[kind]

    def _need(self, kind: ArtifactKind) -> ArtifactInput:
        ref = self._ref(kind)
        if ref is None:
            raise ArtifactNotFoundError(
                thing=f"artifact {kind}",
                reason="is not in this run, so that nothing can be checked against it",
                way_out="Run the stage that makes it, or give the tag run_id of a run that has it.",
                kind=str(kind),
            )
        return ref
