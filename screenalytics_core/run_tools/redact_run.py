"""Takes a person out of the files of one run, so that a kill at any moment can be mended.

A note in the run's folder says from before the first file to after the manifest whom it is
about. Files are replaced one by one, the manifest last; whoever finds the note begins again from
the files as they lie there: to take somebody out twice is to take them out once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self

from screenalytics_core import layout, redaction
from screenalytics_core.artifact_store import ArtifactStore
from screenalytics_core.artifacts import ARTIFACTS, ArtifactKind
from screenalytics_core.codecs import decode
from screenalytics_core.config import SettingsView
from screenalytics_core.manifest import Manifest, write_manifest
from screenalytics_core.prepared import PreparedArtifact, stage_artifact
from screenalytics_core.records import read_record
from screenalytics_core.run_record import RunKey, RunRecord
from screenalytics_core.steps import report
from screenalytics_core.steps.base import ArtifactData, FileFacts, StepInput
from screenalytics_core.storage.base import Storage

_Kind = ArtifactKind
_AND: Final = " and "
_NOTE: Final = "{who} was taken out on {at} ({by})"


@dataclass(frozen=True, slots=True)
class Redaction:
    """Who is taken out of a run.

    Attributes:
        at: ISO 8601 in UTC.
        by: Who asked for it.
        cast_id: The person; several, with " and " between them, if one redaction did not end
            before the next began.
        track_ids: Their face tracks in this run.
        body_track_ids: Their body tracks in this run.
    """

    at: str
    by: str
    cast_id: str
    track_ids: tuple[int, ...]
    body_track_ids: tuple[int, ...]

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Build it from its note."""
        values = dict(record)
        for name in ("track_ids", "body_track_ids"):
            values[name] = tuple(int(n) for n in values[name])
        return cls(**values)

    def with_other(self, other: Redaction) -> Redaction:
        """Return what takes both out at once."""
        who = dict.fromkeys([*self.cast_id.split(_AND), *other.cast_id.split(_AND)])
        return replace(
            other,
            cast_id=_AND.join(who),
            track_ids=tuple(sorted({*self.track_ids, *other.track_ids})),
            body_track_ids=tuple(sorted({*self.body_track_ids, *other.body_track_ids})),
        )


def redaction_key(key: RunKey) -> str:
    """Return the key of the note in a run's folder."""
    return layout.artifact_key(*key, "redaction.json")


def redaction_in_progress(storage: Storage, key: RunKey) -> Redaction | None:
    """Return the note of a redaction that did not end, or None."""
    way_out = "Look at the run, and delete the note by hand."
    return read_record(storage, redaction_key(key), Redaction.from_dict, way_out)


def redact_run(
    storage: Storage, artifacts: ArtifactStore, record: RunRecord, redaction_: Redaction
) -> tuple[ArtifactKind, ...]:
    """Take a person out of a run's crops, vectors, report and loose pictures.

    Call it when nobody works on the run.

    Returns:
        The kinds that were replaced.

    Raises:
        ArtifactCorruptError: A file has other bytes than were published; nothing was changed.
    """
    key = RunKey(record.ep_id, record.run_id)
    with storage.lock(layout.run_lock_key(*key)):
        manifest = artifacts.manifest(*key)
        if redaction_in_progress(storage, key) is None:
            _check_whole(artifacts, key, manifest)
        note = json.dumps(asdict(redaction_), ensure_ascii=False).encode() + b"\n"
        storage.write_atomic(redaction_key(key), note)
        replaced = _Run(storage, record, manifest, redaction_).replace_files()
        said = _NOTE.format(who=redaction_.cast_id, at=redaction_.at, by=redaction_.by)
        for prepared in replaced:
            entry = manifest.entries[prepared.kind]
            manifest = manifest.with_entry(entry.redacted_to(prepared.files, said))
        write_manifest(storage, manifest)
        storage.delete(redaction_key(key))
    return tuple(prepared.kind for prepared in replaced)


def _check_whole(artifacts: ArtifactStore, key: RunKey, manifest: Manifest) -> None:
    for kind in manifest.entries:
        ref = artifacts.ref(*key, kind)
        if ref is not None:
            ref.verify()


@dataclass(frozen=True, slots=True)
class _Lying:
    """An `ArtifactInput` of a file as it lies there."""

    kind: ArtifactKind
    files: tuple[FileFacts, ...]
    run: _Run

    def read(self, part: str | None = None) -> Any:
        """Return the value of a part."""
        return self.run.read(self.kind, part)


class _Run:
    """One run's files, read as they lie there."""

    def __init__(
        self, storage: Storage, record: RunRecord, manifest: Manifest, redaction_: Redaction
    ) -> None:
        self._storage = storage
        self._record = record
        self._files = {kind: entry.files for kind, entry in manifest.entries.items()}
        self._who = redaction_

    def read(self, kind: ArtifactKind, part: str | None = None) -> Any:
        """Return the value of a part, whatever the manifest says of its bytes."""
        spec = ARTIFACTS[kind].primary if part is None else ARTIFACTS[kind].file(part)
        key = layout.artifact_key(self._record.ep_id, self._record.run_id, spec.filename)
        content = self._storage.open_read(key)
        value = decode(spec, content)
        if value is not content:
            content.close()
        return value

    def replace_files(self) -> list[PreparedArtifact]:
        """Replace the files of every kind that holds the person, the report last."""
        self._delete_loose_pictures()
        makers: dict[ArtifactKind, Callable[[], ArtifactData]] = {
            # Vectors first: they are found by the rows of faces.
            _Kind.FACES_EMBEDDINGS: self._embeddings,
            _Kind.TRACK_REPS: self._track_reps,
            _Kind.FACES: self._faces,
            _Kind.BODY_DETECTIONS: self._body_detections,
            _Kind.BODY_TRACKS: self._body_tracks,
            _Kind.REPORT: self._report,
        }
        return [self._replace(kind, make()) for kind, make in makers.items() if kind in self._files]

    def _replace(self, kind: ArtifactKind, data: ArtifactData) -> PreparedArtifact:
        prepared = stage_artifact(
            self._storage, self._record.ep_id, self._record.run_id, kind, data
        )
        for staged in prepared.staged:
            self._storage.commit(staged)
        self._files[kind] = prepared.files
        return prepared

    def _embeddings(self) -> ArtifactData:
        rows = redaction.embedding_rows(self.read(_Kind.FACES), self._who.track_ids)
        vectors = self.read(_Kind.FACES_EMBEDDINGS)
        return {"embeddings": redaction.without_vectors(vectors, rows)}

    def _track_reps(self) -> ArtifactData:
        table = self.read(_Kind.TRACK_REPS)
        return {"track_reps": redaction.without_representatives(table, self._who.track_ids)}

    def _faces(self) -> ArtifactData:
        faces = self.read(_Kind.FACES)
        kept = redaction.without_crops(faces, self._who.track_ids)
        names = frozenset(kept["crop"].drop_null().to_pylist())
        with self.read(_Kind.FACES, "crops") as archive:
            # By what stays: the names of those taken out are gone after a first attempt.
            return {"faces": kept, "crops": redaction.with_entries(archive, names)}

    def _body_detections(self) -> ArtifactData:
        detections, who = self.read(_Kind.BODY_DETECTIONS), self._who.body_track_ids
        tracks = self.read(_Kind.BODY_TRACKS) if _Kind.BODY_TRACKS in self._files else None
        rows = redaction.body_detection_rows(detections, tracks, who) if tracks else ()
        vectors = self.read(_Kind.BODY_DETECTIONS, "body_appearance")
        return {
            "body_detections": detections,
            "body_sampled_frames": self.read(_Kind.BODY_DETECTIONS, "body_sampled_frames"),
            "body_appearance": redaction.without_vectors(vectors, rows),
        }

    def _body_tracks(self) -> ArtifactData:
        tracks = self.read(_Kind.BODY_TRACKS)
        rows = redaction.appearance_rows(tracks, self._who.body_track_ids)
        vectors = self.read(_Kind.BODY_TRACKS, "body_embeddings")
        return {
            "body_tracks": tracks,
            "body_embeddings": redaction.without_vectors(vectors, rows),
        }

    def _report(self) -> ArtifactData:
        inputs = {kind: _Lying(kind, self._files[kind], self) for kind in report.STEP.inputs}
        step = StepInput(
            ep_id=self._record.ep_id,
            run_id=self._record.run_id,
            settings=SettingsView({}),
            artifacts=inputs,
            run_record=self._record.without_created_at(),
        )
        made: ArtifactData = report.STEP.run(step)[_Kind.REPORT]
        return made

    def _delete_loose_pictures(self) -> None:
        """Delete the faces' pictures, and frames that show them."""
        faces = self.read(_Kind.FACES) if _Kind.FACES in self._files else None
        if faces is None:
            return
        mine = redaction.faces_of(faces, self._who.track_ids)
        names = set(mine["crop"].drop_null().to_pylist())
        frames = {f"frame_{i:08d}.jpg" for i in mine["frame_idx"].to_pylist()}
        wanted = {
            _Kind.CROPS_DIR: names,
            _Kind.THUMBS_DIR: names,
            _Kind.FRAMES_ROOT: frames,
        }
        for kind, found in wanted.items():
            prefix = layout.media_prefix(self._record.ep_id, kind, self._record.run_id)
            for name in sorted(found):
                self._storage.delete(f"{prefix}/{name}")
