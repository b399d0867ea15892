"""The cast of a show as a step sees it: names, and vectors of good views of each face."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from screenalytics_core.vision.models.protocols import FloatArray


@dataclass(frozen=True, slots=True)
class GalleryMember:
    """One cast member.

    Attributes:
        cast_id: Slug, unique in the show.
        label: Display name.
        prototype_ids: (N,) names of the prototypes.
        embeddings: (N, 512) float32, L2-normalised, seen from unrecognisable faces as
            `track_reps.embedding` is, so that the two can be compared; N may be 0.
        clarities: (N,) 0 to 1, as `track_reps.clarity`.
    """

    cast_id: str
    label: str
    prototype_ids: tuple[str, ...]
    embeddings: FloatArray
    clarities: FloatArray


@dataclass(frozen=True, slots=True)
class Gallery:
    """Everybody whom a show's gallery knows, for one embedder.

    Attributes:
        show: Slug of the show.
        embedder_sha256: The model that the vectors are of.
        members: By cast_id, ascending.
    """

    show: str
    embedder_sha256: str
    members: tuple[GalleryMember, ...]

    @property
    def sha256(self) -> str:
        """Content hash of names and vectors: what a result that used it depends on."""
        digest = hashlib.sha256(f"{self.show}\0{self.embedder_sha256}\0".encode())
        for member in self.members:
            names = "\0".join((member.cast_id, member.label, *member.prototype_ids))
            digest.update(f"{names}\0{len(member.prototype_ids)}\0".encode())
            digest.update(member.embeddings.astype("<f4").tobytes())
            digest.update(member.clarities.astype("<f4").tobytes())
        return digest.hexdigest()
