"""The files of a show's gallery, one by one: who may write, and in which order, is the store's.

Every command that opens the stores imports this: what reads pictures is imported where needed.
"""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final

from screenalytics_core import layout
from screenalytics_core.episodes import is_path_safe
from screenalytics_core.errors import ArtifactCorruptError, KeyMissingError
from screenalytics_core.gallery.names import show_of
from screenalytics_core.gallery.records import NOT_ONE, Member, Prototype
from screenalytics_core.storage.base import Storage

if TYPE_CHECKING:
    from screenalytics_core.gallery.vectors import CropVectors
    from screenalytics_core.vision.models.protocols import Image

_MEMBER: Final = "member.json"


class GalleryFiles:
    """What lies in `facebank/{show}/`.

    Raises:
        InvalidIdError: The show cannot be one.
    """

    def __init__(self, storage: Storage, show: str) -> None:
        self.show = show_of(show)
        self._storage = storage

    def lock(self) -> AbstractContextManager[None]:
        """Hold the show's gallery against every other writer; re-entrant in a thread."""
        return self._storage.lock(layout.show_facebank_prefix(self.show))

    def cast_ids(self) -> tuple[str, ...]:
        """Return the names of the members' folders, ascending; some may hold no member."""
        names = self._storage.list_folders(layout.show_facebank_prefix(self.show))
        # A file manager's "New Folder" is nobody's, and must not keep the others from being read.
        return tuple(name for name in names if is_path_safe(name))

    def read_member(self, cast_id: str) -> Member | None:
        """Return a member; None if there is none; raises ArtifactCorruptError."""
        key = self._key(cast_id, _MEMBER)
        try:
            return Member.parse(self._storage.read_bytes(key), cast_id)
        except KeyMissingError:
            return None
        except NOT_ONE as error:
            reason = f"is no cast member ({type(error).__name__}: {error})"
            raise self._damaged(cast_id, key, reason) from error

    def write_member(self, member: Member) -> None:
        """Write a member's file; the crops that it names must be there."""
        self._storage.write_atomic(self._key(member.cast_id, _MEMBER), member.to_bytes())

    def read_crop(self, cast_id: str, prototype: Prototype) -> Image:
        """Return a (112, 112, 3) crop; ArtifactCorruptError if it is not what was written."""
        import cv2
        import numpy as np

        from screenalytics_core.vision.alignment import CROP_PX

        key = self._crop_key(cast_id, prototype.prototype_id)
        try:
            content = self._storage.read_bytes(key)
        except KeyMissingError:
            raise self._damaged(cast_id, key, "is missing") from None
        if hashlib.sha256(content).hexdigest() != prototype.sha256:
            raise self._damaged(cast_id, key, f"does not match its sha256 in {_MEMBER}")
        crop = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        if crop is None or crop.shape != (CROP_PX, CROP_PX, 3):
            raise self._damaged(cast_id, key, f"is no crop of {CROP_PX} px")
        return np.asarray(crop, np.uint8)

    def write_crop(self, cast_id: str, prototype_id: str, png: bytes) -> None:
        """Write a crop's file."""
        self._storage.write_atomic(self._crop_key(cast_id, prototype_id), png)

    def read_vectors(self, cast_id: str, embedder_sha256: str) -> CropVectors:
        """Return the vectors that are kept for an embedder; damaged ones are none."""
        from screenalytics_core.gallery.vectors import CropVectors

        try:
            content = self._storage.read_bytes(self._vectors_key(cast_id, embedder_sha256))
        except KeyMissingError:
            return CropVectors.none()
        return CropVectors.from_npz(content) or CropVectors.none()

    def write_vectors(self, cast_id: str, embedder_sha256: str, vectors: CropVectors) -> None:
        """Replace the vectors for an embedder."""
        self._storage.write_atomic(self._vectors_key(cast_id, embedder_sha256), vectors.to_npz())

    def sweep(self, member: Member) -> None:
        """Remove crops and vectors of faces that a member no longer has: they are biometric."""
        from screenalytics_core.gallery.vectors import CropVectors

        kept = {p.prototype_id for p in member.prototypes}
        crops = {self._crop_key(member.cast_id, name) for name in kept}
        for key in self._storage.list(self._key(member.cast_id, "crops")):
            if key not in crops:
                self._storage.delete(key)
        for key in self._storage.list(self._key(member.cast_id, "vectors")):
            vectors = CropVectors.from_npz(self._storage.read_bytes(key))
            if vectors is None:
                self._storage.delete(key)
            elif not set(vectors.names) <= kept:
                left = vectors.only([name for name in vectors.names if name in kept])
                self._storage.write_atomic(key, left.to_npz())

    def remove(self, cast_id: str) -> int:
        """Remove all that lies in a folder, `member.json` first; return how many files."""
        prefix = layout.facebank_prefix(self.show, cast_id)
        record = self._key(cast_id, _MEMBER)
        keys = self._storage.list(prefix)
        for key in sorted(keys, key=lambda k: (k != record, k)):
            self._storage.delete(key)
        self._storage.sweep_abandoned(prefix)
        return len(keys)

    def _key(self, cast_id: str, name: str) -> str:
        return f"{layout.facebank_prefix(self.show, cast_id)}/{name}"

    def _crop_key(self, cast_id: str, prototype_id: str) -> str:
        return self._key(cast_id, f"crops/{prototype_id}.png")

    def _vectors_key(self, cast_id: str, embedder_sha256: str) -> str:
        return self._key(cast_id, f"vectors/{embedder_sha256[:16]}.npz")

    def _damaged(self, cast_id: str, key: str, reason: str) -> ArtifactCorruptError:
        return ArtifactCorruptError(
            thing=self._storage.location(key),
            reason=reason,
            way_out="Restore the file from a copy, or take the member out: "
            f"screenalytics cast remove {self.show} {cast_id}.",
        )
