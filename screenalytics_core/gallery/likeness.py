"""How alike an identity and a cast member are, and how likely they are one person."""

from __future__ import annotations

import numpy as np

from screenalytics_core.gallery.model import GalleryMember
from screenalytics_core.vision.models.protocols import FloatArray


def similarity(embeddings: FloatArray, clarities: FloatArray, member: GalleryMember) -> float:
    """Return the similarity of an identity to a member: the mean of their three best views.

    Args:
        embeddings: (T, 512) of the identity's tracks, L2-normalised, T at least 1.
        clarities: (T,) 0 to 1.
        member: With at least one prototype.
    """
    centre = (embeddings * clarities[:, None]).sum(axis=0)
    views = member.embeddings @ centre / np.linalg.norm(centre) * member.clarities
    return float(np.sort(views)[-3:].mean())


def confidence(likeness: float, margin: float) -> float:
    """Return how likely a name is right, 0 to 1, by its similarity and its lead."""
    return float(1 / (1 + np.exp(-(10 * (likeness - 0.4) + 5 * margin))))
