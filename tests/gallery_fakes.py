"""Galleries, looks and drafts of made-up people, for tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from screenalytics_core.gallery.matching import Looks
from screenalytics_core.gallery.model import Gallery, GalleryMember
from screenalytics_core.gallery.prototypes import Origin, PrototypeDraft
from screenalytics_core.vision.models.protocols import FloatArray, Image

AT, BY = "2026-01-02T03:04:05+00:00", "kim@desk"


def vector(*parts: float) -> FloatArray:
    """Return a direction by its first dimensions; what is missing to length 1 is in the last."""
    made = np.zeros(512, np.float32)
    made[: len(parts)] = parts
    made[-1] = np.sqrt(max(0.0, 1 - float((made**2).sum())))
    return np.asarray(made / np.linalg.norm(made), np.float32)


def looks(*tracks: FloatArray, clarity: float = 1.0) -> Looks:
    """Return what an identity of some tracks looks like."""
    embeddings = np.array(tracks, np.float32).reshape(-1, 512)
    return Looks(embeddings, np.full(len(tracks), clarity, np.float32))


def member(cast_id: str, *views: FloatArray) -> GalleryMember:
    """Return a member; "anna-lee" is displayed as "Anna Lee"."""
    return GalleryMember(
        cast_id,
        cast_id.replace("-", " ").title(),
        tuple(f"p-{n}" for n in range(len(views))),
        np.array(views, np.float32).reshape(-1, 512),
        np.ones(len(views), np.float32),
    )


def gallery(*members: GalleryMember) -> Gallery:
    """Return a gallery of a show."""
    return Gallery("show", "0" * 64, tuple(sorted(members, key=lambda m: m.cast_id)))


def crop(colour: Sequence[int], seed: int = 0) -> Image:
    """Return a (112, 112, 3) picture with detail, mostly of one colour."""
    grain = np.random.default_rng(seed).integers(0, 40, (112, 112, 1))
    return np.asarray(np.clip(np.array(colour) + grain, 0, 255), np.uint8)


def draft(
    colour: Sequence[int],
    seed: int = 0,
    *,
    origin: Origin = Origin.IMAGE,
    quality: float = 0.8,
    source_sha256: str | None = None,
) -> PrototypeDraft:
    """Return an offered face."""
    source = f"{colour}-{seed}"
    return PrototypeDraft(crop(colour, seed), quality, origin, source, source_sha256)
