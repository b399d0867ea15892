"""What is known of an episode's people beside its video: decisions, and the show's cast.

It is read once for an attempt: what is decided while the attempt runs counts for the next one,
so that a fingerprint never speaks of other decisions than the result was made from.
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property

from screenalytics_assets.stores import Stores
from screenalytics_core.decisions.records import Decision
from screenalytics_core.episodes import EpisodeId
from screenalytics_core.gallery.model import Gallery
from screenalytics_core.vision.models.protocols import ModelPack


class KnownPeople:
    """Decisions and gallery of one episode, read when first asked for."""

    def __init__(self, stores: Stores, ep_id: str, pack: ModelPack) -> None:
        self._stores = stores
        self._ep_id = ep_id
        self._pack = pack

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """What people decided, oldest first."""
        return self._stores.decisions.read(self._ep_id)

    @cached_property
    def gallery(self) -> Gallery | None:
        """The show's cast; None where the show is not known or has no gallery."""
        show = EpisodeId.parse(self._ep_id).show
        return None if show is None else self._stores.gallery.load(show, self._pack)

    @property
    def decisions_sha256(self) -> str:
        """Content hash of the decisions."""
        text = json.dumps([d.to_dict() for d in self.decisions], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def gallery_sha256(self) -> str:
        """Content hash of the gallery; "none" without one."""
        return self.gallery.sha256 if self.gallery else "none"
