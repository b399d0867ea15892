"""Prototypes of a cast member: what is offered, what is kept, and what became of each offer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.models.protocols import FloatArray, Image

MAX_PROTOTYPES: Final = 30
"""Of a member; three times what one episode gives, so that a season can show other looks."""
MAX_PER_EPISODE: Final = 10

# Of faces of one track, nine in ten are more alike than this to their nearest: another one of
# them shows nothing new.
SAME_LOOK: Final = 0.9


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
        source_sha256: Content of the picture, so that it is known again; None of an episode.
        run: `EP/RUN` that the face is of; None of a picture.
        track_id: Its track there; None of a picture.
    """

    crop_bgr: Image
    quality: float
    origin: Origin
    source: str
    source_sha256: str | None = None
    run: str | None = None
    track_id: int | None = None


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


def most_varied(
    embeddings: FloatArray, first: Sequence[int], k: int, *, least_new: float = 0.0
) -> list[int]:
    """Choose looks that differ: again and again the one farthest from all that are chosen.

    Greedy farthest-point selection (Gonzalez 1985). Chosen again from any of the candidates
    that hold them, the same ones are chosen in the same order.

    Args:
        embeddings: (N, D) L2-normalised; equal distances go to the lower index.
        first: Indices that are chosen in any case, at least one unless N is 0.
        k: How many at most; `first` counts.
        least_new: Cosine distance to the nearest chosen one below which a look is not new.

    Returns:
        Indices in the order of choice.
    """
    chosen = list(first)[:k]
    if not chosen:
        return []
    gaps: NDArray[np.float64] = np.full(len(embeddings), np.inf)
    for index in chosen:
        gaps = np.minimum(gaps, _gaps(embeddings, index))
    gaps[chosen] = -np.inf
    while len(chosen) < k:
        farthest = int(np.argmax(gaps))
        # Infinitely near is what was chosen already.
        if not gaps[farthest] >= least_new:
            break
        chosen.append(farthest)
        gaps = np.minimum(gaps, _gaps(embeddings, farthest))
        gaps[farthest] = -np.inf
    return chosen


def _gaps(embeddings: FloatArray, index: int) -> NDArray[np.float64]:
    # Alike to the last digits is alike, or an order of sums would choose.
    gaps: NDArray[np.float64] = np.round(1 - (embeddings @ embeddings[index]).astype(np.float64), 6)
    return gaps
