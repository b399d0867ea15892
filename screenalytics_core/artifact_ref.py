"""`ArtifactRef`: an artifact that is read, and its hash checked, only when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from screenalytics_core import layout
from screenalytics_core.artifacts import ARTIFACTS, ArtifactKind, Codec, FileSpec
from screenalytics_core.codecs import decode
from screenalytics_core.errors import (
    ArtifactCorruptError,
    ArtifactNotFoundError,
    KeyMissingError,
    SchemaMismatchError,
)
from screenalytics_core.file_hashes import sha256_of
from screenalytics_core.manifest import ManifestEntry
from screenalytics_core.steps.base import FileFacts
from screenalytics_core.storage.base import Storage


@dataclass(frozen=True, slots=True)
class ArtifactRef:
    """One artifact of one run; implements `steps.base.ArtifactInput`.

    Attributes:
        run_id: The run whose folder holds it; None for a legacy artifact.
        entry: What its manifest said when the reference was made.
    """

    storage: Storage
    ep_id: str
    run_id: str | None
    kind: ArtifactKind
    entry: ManifestEntry

    @property
    def files(self) -> tuple[FileFacts, ...]:
        """Facts of its files, in the spec's order."""
        return self.entry.files

    @property
    def content_sha256(self) -> str:
        """One sha256 over all its files: the data version."""
        return self.entry.content_sha256

    @property
    def made_sha256(self) -> str:
        """The data version as it was made, whoever was taken out since."""
        return self.entry.made_sha256

    @property
    def is_legacy(self) -> bool:
        """True for a manifest of the seeds, which no run holds."""
        return self.run_id is None

    def key(self, filename: str) -> str:
        """Return the storage key of one of its files."""
        if self.run_id is None:
            return layout.legacy_artifact_key(self.ep_id, filename)
        return layout.artifact_key(self.ep_id, self.run_id, filename)

    def location(self, part: str | None = None) -> str:
        """Say where a file lies: a path, or `s3://...`."""
        return self.storage.location(self.key(self._spec(part).filename))

    def fetch(self, part: str | None = None) -> Path:
        """Return a local file with the content; its hash is not checked."""
        return self.storage.fetch(self.key(self._spec(part).filename))

    def read(self, part: str | None = None) -> Any:
        """Return the value of `part` (default: the primary file).

        A zip comes as an open binary file, which the caller closes.

        Raises:
            ArtifactNotFoundError: The file is not listed, or gone.
            ArtifactCorruptError: Its bytes are not those that were published.
            SchemaMismatchError: Another version's file does not fit the spec.
        """
        spec = self._spec(part)
        facts = self._facts(spec)
        content = self._open(facts, facts.sha256)
        is_handed_over = False
        try:
            check_sha256(content, facts, self._thing(facts.path))
            content.seek(0)
            value = self._decode(spec, content)
            is_handed_over = spec.codec is Codec.ZIP
            return value
        finally:
            if not is_handed_over:
                content.close()

    def need_whole(self) -> ArtifactRef:
        """Return it, for a step that measures people by it.

        Raises:
            ArtifactNotFoundError: Somebody was taken out of it.
        """
        if self.entry.redacted:
            raise ArtifactNotFoundError(
                thing=self._thing(self.files[0].path),
                reason="lacks somebody who was taken out of it, so nobody may be told apart by it",
                way_out="Run the episode without this run_id: a new run computes it anew.",
                kind=str(self.kind),
            )
        return self

    def verify(self) -> None:
        """Check the hash of every file; raises as `read`."""
        for facts in self.files:
            with self._open(facts) as content:
                check_sha256(content, facts, self._thing(facts.path))

    def _decode(self, spec: FileSpec, content: BinaryIO) -> Any:
        try:
            return decode(spec, content)
        except SchemaMismatchError as error:
            # The bytes are those that were published, so another version published them.
            raise SchemaMismatchError(
                spec_name=error.spec_name,
                reason=f"{self.key(spec.filename)} is of another version's format: {error.reason}. "
                "Run the episode again to make it anew",
            ) from error

    def _spec(self, part: str | None) -> FileSpec:
        artifact = ARTIFACTS[self.kind]
        return artifact.primary if part is None else artifact.file(part)

    def _facts(self, spec: FileSpec) -> FileFacts:
        for facts in self.files:
            if facts.path == spec.filename:
                return facts
        raise self._missing(spec.filename, "is not listed")

    def _open(self, facts: FileFacts, sha256: str | None = None) -> BinaryIO:
        try:
            return self.storage.open_read(self.key(facts.path), sha256)
        except KeyMissingError as error:
            raise self._missing(facts.path, "is listed, but the file is gone") from error

    def _missing(self, filename: str, reason: str) -> ArtifactNotFoundError:
        return ArtifactNotFoundError(
            thing=self._thing(filename),
            reason=reason,
            way_out=f"Run the stage that makes {self.kind} again in this run, or use another run.",
            kind=str(self.kind),
        )

    def _thing(self, filename: str) -> str:
        return self.storage.location(self.key(filename))


def check_sha256(content: BinaryIO, facts: FileFacts, thing: str) -> None:
    """Read `content` to its end and compare its hash with what was published.

    Raises:
        ArtifactCorruptError: They differ.
    """
    found = sha256_of(content)
    if found != facts.sha256:
        raise ArtifactCorruptError(
            thing=thing,
            reason=f"sha256 is {found}, the manifest says {facts.sha256}",
            way_out="Run the stage that makes it again in this run, or restore the file; "
            "nothing was deleted.",
            found_sha256=found,
            expected_sha256=facts.sha256,
        )


def artifact_file_key(ep_id: str, run_id: str, kind: ArtifactKind, part: str | None) -> str:
    """Return the key of a file of a run's artifact; by default of the first."""
    artifact = ARTIFACTS[kind]
    spec = artifact.primary if part is None else artifact.file(part)
    return layout.artifact_key(ep_id, run_id, spec.filename)
