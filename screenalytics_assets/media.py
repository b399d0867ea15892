"""Loose crops, thumbnails and frames under `frames/`, for people who ask for them."""

from __future__ import annotations

from dataclasses import dataclass

from screenalytics_core import layout
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.storage.base import Storage


@dataclass(frozen=True, slots=True)
class LoosePictures:
    """A `MediaSink`; its files are outside the run's manifest and can be deleted at will."""

    storage: Storage
    ep_id: str
    run_id: str

    def save(self, kind: ArtifactKind, name: str, jpeg: bytes) -> None:
        """Save a JPEG as `name` under the run's folder of `kind`."""
        prefix = layout.media_prefix(self.ep_id, kind, self.run_id)
        self.storage.write_atomic(f"{prefix}/{name}", jpeg)
