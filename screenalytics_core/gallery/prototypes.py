"""Prototypes of a cast member: what is offered, what is kept, and what became of each offer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from screenalytics_core.vision.models.protocols import Image


class Origin(StrEnum):
    """Where a prototype comes from."""

    IMAGE = "image"
    EPISODE = "episode"


@dataclass(frozen=True, slots=True)
class PrototypeDraft:
    """A face that is offered to a gallery.

    Attributes:
        crop_bgr: (112, 112, 3) aligned crop; see `vision.alignment`.
        quality: 0 to 1, as `faces.quality`.
        origin: A picture that somebody gave, or an episode.
        source: File name, or `EP/RUN face 12 at 3.20 s`; for people.
    """

    crop_bgr: Image
    quality: float
    origin: Origin
    source: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What became of a draft.

    Attributes:
        prototype_id: The prototype that it is now, or was already; None if it was not kept.
        is_new: Whether this call added it.
        reason: Why it was not kept, or that it was there already; None if it is new.
    """

    source: str
    prototype_id: str | None
    is_new: bool
    reason: str | None
