"""Whether pictures and vectors of somebody are left in a run, so that nobody is taken out twice.

The files themselves are asked, not only the manifest's note: it says who was taken out, but not
whether more of them was named since.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from screenalytics_core import layout, redaction
from screenalytics_core.artifact_store import ArtifactStore
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.errors import ArtifactCorruptError, ArtifactNotFoundError
from screenalytics_core.run_record import RunKey
from screenalytics_core.run_tools.redact_run import Redaction
from screenalytics_core.storage.base import Storage

_Kind = ArtifactKind
# The report shows what these hold: it is replaced with them, or made from what is left of them.
_HOLDING: Final = (
    _Kind.FACES,
    _Kind.FACES_EMBEDDINGS,
    _Kind.TRACK_REPS,
    _Kind.BODY_DETECTIONS,
    _Kind.BODY_TRACKS,
)


def is_left(storage: Storage, artifacts: ArtifactStore, key: RunKey, who: Redaction) -> bool:
    """Tell whether a run holds anything that `who` would take out of it.

    It does where nobody was taken out yet, without a look at its files, and where they cannot be
    read; a run that holds no pictures and vectors at all has nothing left.
    """
    entries = artifacts.manifest(*key).entries
    if any(not entries[kind].redacted for kind in _HOLDING if kind in entries):
        return True
    try:
        return any(_leftovers(storage, _Files(artifacts, key), who))
    except (ArtifactCorruptError, ArtifactNotFoundError):
        return True  # what is damaged is named by the taking out


class _Files:
    """One run's files."""

    def __init__(self, artifacts: ArtifactStore, key: RunKey) -> None:
        self.key = key
        self._artifacts = artifacts

    def read(self, kind: ArtifactKind, part: str | None = None) -> Any:
        """Return the value of a part; None if the run does not hold it."""
        ref = self._artifacts.ref(*self.key, kind)
        return None if ref is None else ref.read(part)


def _leftovers(storage: Storage, files: _Files, who: Redaction) -> Iterator[bool]:
    """Yield of every kind whether the person is in it, what is quickly read first."""
    faces = files.read(_Kind.FACES)
    if faces is not None:
        mine = redaction.faces_of(faces, who.track_ids)
        yield mine["crop"].null_count < mine.num_rows
        yield _has_frames(storage, files.key, mine["frame_idx"].to_pylist())
        rows = redaction.embedding_rows(faces, who.track_ids)
        yield _is_any(files.read(_Kind.FACES_EMBEDDINGS), rows)
    reps = files.read(_Kind.TRACK_REPS)
    if reps is not None:
        yield not reps.equals(redaction.without_representatives(reps, who.track_ids))
    tracks = files.read(_Kind.BODY_TRACKS)
    if tracks is not None:
        rows = redaction.appearance_rows(tracks, who.body_track_ids)
        yield _is_any(files.read(_Kind.BODY_TRACKS, "body_embeddings"), rows)
        detections = files.read(_Kind.BODY_DETECTIONS)
        if detections is not None:
            rows = redaction.body_detection_rows(detections, tracks, who.body_track_ids)
            yield _is_any(files.read(_Kind.BODY_DETECTIONS, "body_appearance"), rows)


def _is_any(vectors: Any, rows: frozenset[int]) -> bool:
    """Tell whether any of some rows of (N, D) vectors, which may be None, is not zeros."""
    return vectors is not None and bool(np.any(vectors[sorted(rows)]))


def _has_frames(storage: Storage, key: RunKey, frame_idxs: list[int]) -> bool:
    prefix = layout.media_prefix(key.ep_id, _Kind.FRAMES_ROOT, key.run_id)
    names = {f"{prefix}/frame_{i:08d}.jpg" for i in frame_idxs}
    return bool(names) and not names.isdisjoint(storage.list(prefix))
