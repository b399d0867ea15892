"""`facebank/{show}/{cast_id}/`: the cast of a show, kept as crops and vectors of their faces."""

from __future__ import annotations

from screenalytics_core.gallery.model import Gallery
from screenalytics_core.storage.base import Storage
from screenalytics_core.vision.models.protocols import ModelPack


class GalleryStore:
    """The galleries of a data root."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def load(self, show: str, pack: ModelPack) -> Gallery | None:
        """Return a show's gallery for the pack's embedder; None if the show has none."""
        return None
