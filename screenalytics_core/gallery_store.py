"""`facebank/{show}/{cast_id}/`: the cast of a show, kept as crops and vectors of their faces."""

from __future__ import annotations

from collections.abc import Sequence

from screenalytics_core.gallery.model import Gallery
from screenalytics_core.gallery.prototypes import Offer, PrototypeDraft
from screenalytics_core.storage.base import Storage
from screenalytics_core.vision.models.protocols import ModelPack


class GalleryStore:
    """The galleries of a data root."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def load(self, show: str, pack: ModelPack) -> Gallery | None:
        """Return a show's gallery for the pack's embedder; None if the show has none."""
        return None if show and pack else None

    def enrol(
        self,
        show: str,
        cast_id: str,
        label: str,
        crops: Sequence[PrototypeDraft],
        pack: ModelPack,
        *,
        by: str,
        at: str,
    ) -> tuple[Offer, ...]:
        """Offer faces of a member, who is made if need be; return what became of each.

        Idempotent: what is there already is not added again. Of an episode's faces about ten
        are kept, of a member about thirty; those that show most of the face's variety.

        Args:
            cast_id: See `names.cast_id_of`.
            by: Who says so, `user@host`.
            at: ISO 8601, UTC.
        """
        raise NotImplementedError
