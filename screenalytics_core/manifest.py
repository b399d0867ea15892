"""A run folder's commit record: an artifact exists in a run once its entry stands here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any, Final, Literal, Self

from screenalytics_core import layout
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.errors import ArtifactCorruptError, KeyMissingError, SchemaMismatchError
from screenalytics_core.steps.base import FileFacts
from screenalytics_core.storage.base import Storage
from screenalytics_core.yaml_schema import load_schema, violations

SCHEMA_VERSION: Final = 1
_SCHEMA: Final = "manifest.schema.yaml"

Source = Literal["computed", "checkpoint", "inherited"]


def content_sha256(files: Iterable[FileFacts]) -> str:
    """Return one sha256 for several files: over a line `sha256  path` for each, in order."""
    lines = "".join(f"{f.sha256}  {f.path}\n" for f in files)
    return hashlib.sha256(lines.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """What made an artifact, as its entry records it.

    Attributes:
        inputs: Artifact -> made_sha256 of what it was made from.
        settings: The settings that its step read, thresholds resolved.
        models: Role -> sha256.
        note: What its step had to say to people, e.g. why it is empty.
        used: What computing it took: cpu_s, gpu_s; None if nobody measured. Of artifacts that
            one function makes, one tells of all, the others tell zeros.
    """

    fingerprint: str
    step_version: str
    inputs: Mapping[ArtifactKind, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    video_sha256: str | None = None
    note: str | None = None
    used: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One published artifact.

    Attributes:
        source: `computed` here; `checkpoint`: this run's step took an equal result of
            another run; `inherited`: came along as an input from another run.
        from_run_id: The run that the files were taken from.
        note: What its step had to say to people; it stays with the files.
        taken_because: Why this run took it although its settings differ.
        redacted: Somebody was taken out of its files on purpose; it is read, not reused.
        original_sha256: Its content before that, which what was made from it names; null
            unless redacted.
        used: What computing it took, wherever it was computed; see `EntryFacts`.
    """

    kind: ArtifactKind
    files: tuple[FileFacts, ...]
    fingerprint: str
    source: Source
    from_run_id: str | None
    inputs: Mapping[ArtifactKind, str]
    settings: Mapping[str, Any]
    models: Mapping[str, str]
    video_sha256: str | None
    step_version: str
    attempt: int
    note: str | None = None
    taken_because: str | None = None
    redacted: bool = False
    original_sha256: str | None = None
    used: Mapping[str, float] | None = None

    @property
    def made_sha256(self) -> str:
        """One sha256 over all its files as they were made, whoever was taken out since."""
        return self.original_sha256 or self.content_sha256

    @property
    def content_sha256(self) -> str:
        """One sha256 over all its files: the artifact's data version."""
        return content_sha256(self.files)

    @property
    def size_bytes(self) -> int:
        """Size of all its files."""
        return sum(f.size_bytes for f in self.files)

    @classmethod
    def computed(
        cls, kind: ArtifactKind, files: tuple[FileFacts, ...], facts: EntryFacts, attempt: int
    ) -> Self:
        """Return the entry of an artifact that was computed in this run."""
        return cls(
            kind=kind,
            files=files,
            fingerprint=facts.fingerprint,
            source="computed",
            from_run_id=None,
            inputs=dict(facts.inputs),
            settings=dict(facts.settings),
            models=dict(facts.models),
            video_sha256=facts.video_sha256,
            step_version=facts.step_version,
            attempt=attempt,
            note=facts.note,
            used=facts.used,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What people should know of it: why it was taken, and what its step said."""
        return tuple(filter(None, (self.taken_because, self.note)))

    def taken(self, source: Source, from_run_id: str, attempt: int, because: str | None) -> Self:
        """Return the entry of a run that takes this artifact over."""
        return replace(
            self, source=source, from_run_id=from_run_id, attempt=attempt, taken_because=because
        )

    def redacted_to(self, files: tuple[FileFacts, ...], note: str) -> Self:
        """Return the entry of the files that somebody was taken out of."""
        return replace(
            self,
            files=files,
            redacted=True,
            original_sha256=self.made_sha256,
            note="; ".join(dict.fromkeys(filter(None, (self.note, note)))),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as it stands in manifest.json."""
        return {**asdict(self), "content_sha256": self.content_sha256}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Build it from manifest.json."""
        values = {k: v for k, v in record.items() if k != "content_sha256"}
        values["kind"] = ArtifactKind(values["kind"])
        values["files"] = tuple(FileFacts(**f) for f in values["files"])
        if not values["files"]:
            raise ValueError(f"{values['kind']} has no file")
        values["inputs"] = {ArtifactKind(k): v for k, v in values["inputs"].items()}
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a run folder holds."""

    ep_id: str
    run_id: str
    entries: Mapping[ArtifactKind, ManifestEntry] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION

    def with_entry(self, entry: ManifestEntry) -> Manifest:
        """Return a manifest that also holds `entry`, kinds in the order of `ArtifactKind`."""
        merged = {**self.entries, entry.kind: entry}
        return replace(self, entries={k: merged[k] for k in ArtifactKind if k in merged})

    def without(self, *kinds: ArtifactKind) -> Manifest:
        """Return a manifest that does not hold `kinds`."""
        return replace(self, entries={k: e for k, e in self.entries.items() if k not in kinds})

    def outdated_by(self, entry: ManifestEntry) -> tuple[ArtifactKind, ...]:
        """Return the kinds that may not stand beside `entry`.

        They are other bytes of its kind, what was made from other bytes of its kind, and
        all that was made from those.
        """
        held = self.entries.get(entry.kind)
        found = {
            kind
            for kind, other in self.entries.items()
            if other.inputs.get(entry.kind, entry.made_sha256) != entry.made_sha256
        }
        while more := {k for k, e in self.entries.items() if found & set(e.inputs)} - found:
            found |= more
        if held is not None and held.content_sha256 != entry.content_sha256:
            found.add(entry.kind)
        return tuple(kind for kind in self.entries if kind in found)

    def upstream(self, kinds: Iterable[ArtifactKind]) -> tuple[ArtifactKind, ...]:
        """Return `kinds` and everything they were made from, inputs before what uses them.

        What is not held is named all the same: whoever needs a whole folder must notice.
        """
        order: dict[ArtifactKind, None] = {}

        def visit(kind: ArtifactKind) -> None:
            if kind in order:
                return
            for upstream in self.entries[kind].inputs if kind in self.entries else ():
                visit(upstream)
            order[kind] = None

        for kind in kinds:
            visit(kind)
        return tuple(order)

    def stale(self) -> tuple[ArtifactKind, ...]:
        """Return the kinds made from another version of an input than the one held here."""
        return tuple(
            kind
            for kind, entry in self.entries.items()
            if any(
                held in self.entries and self.entries[held].made_sha256 != sha256
                for held, sha256 in entry.inputs.items()
            )
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as it stands in manifest.json."""
        return {
            "schema_version": self.schema_version,
            "ep_id": self.ep_id,
            "episode_id": self.ep_id,
            "run_id": self.run_id,
            "entries": {str(k): e.to_dict() for k, e in self.entries.items()},
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Build it from manifest.json, whose schema was checked."""
        entries = (ManifestEntry.from_dict(e) for e in record["entries"].values())
        return cls(
            record["ep_id"],
            record["run_id"],
            {e.kind: e for e in entries},
            record["schema_version"],
        )


def read_manifest(storage: Storage, ep_id: str, run_id: str) -> Manifest:
    """Read a run's manifest; empty when nothing was published.

    Raises:
        ArtifactCorruptError: The file is not a manifest of this run.
    """
    key = layout.manifest_key(ep_id, run_id)
    try:
        raw = storage.read_bytes(key)
    except KeyMissingError:
        return Manifest(ep_id, run_id)
    try:
        manifest, wrong = _parsed(raw)
    except (ValueError, RecursionError) as error:
        raise _corrupt(key, f"is not readable: {error}") from error
    if manifest is None:
        raise _corrupt(key, wrong)
    if (manifest.ep_id, manifest.run_id) != (ep_id, run_id):
        raise _corrupt(key, f"belongs to {manifest.ep_id}/{manifest.run_id}")
    return manifest


# An episode's run reads its manifest over a hundred times and changes it a dozen times;
# checking the schema is what a reading costs.
@lru_cache(maxsize=4)
def _parsed(raw: bytes) -> tuple[Manifest | None, str]:
    """Return what the bytes hold, or None and what breaks the schema."""
    record = json.loads(raw)
    wrong = violations(record, load_schema(_SCHEMA))
    if wrong:
        return None, "; ".join(wrong[:3])
    return Manifest.from_dict(record), ""


def write_manifest(storage: Storage, manifest: Manifest) -> None:
    """Replace a run's manifest in one step.

    Raises:
        SchemaMismatchError: It breaks manifest.schema.yaml; nothing is written.
    """
    record = json.loads(json.dumps(manifest.to_dict(), allow_nan=False))
    wrong = violations(record, load_schema(_SCHEMA))
    if wrong:
        raise SchemaMismatchError(spec_name="manifest", reason="; ".join(wrong[:3]))
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    storage.write_atomic(layout.manifest_key(manifest.ep_id, manifest.run_id), text.encode())


def _corrupt(key: str, reason: str) -> ArtifactCorruptError:
    return ArtifactCorruptError(
        thing=key,
        reason=reason,
        way_out="Restore it from a backup, or start a new run; other runs are not touched.",
    )
