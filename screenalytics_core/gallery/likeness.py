"""How alike an identity and a cast member are, and how likely they are one person.

Centres are compared: of seven measures that were tried (the best view, the three best, the
centre, with and without clarity) theirs names most people while it names as few strangers,
see docs/models.md and `benchmarks.calibrate_gallery`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.gallery.model import GalleryMember
from screenalytics_core.vision.identities import centre
from screenalytics_core.vision.models.protocols import FloatArray

# Fitted to 4,471 first choices with enough lead: see `benchmarks.calibrate_gallery`.
_SLOPE: Final = 15.7
_START: Final = -14.5
_LEAST_SCALE: Final = 0.05


def similarities(
    embeddings: FloatArray, clarities: FloatArray, members: Sequence[GalleryMember]
) -> NDArray[np.float64]:
    """Return the similarity of an identity to each member, -1 to 1.

    The cosine of the two centres, in which each view counts by its clarity, times the mean
    clarity of the identity's tracks, the clear ones counting more: of a person who was hardly
    seen little can be said.

    Args:
        embeddings: (T, 512) of the identity's tracks, L2-normalised, T at least 1.
        clarities: (T,) 0 to 1, not all 0.
        members: Each with at least one prototype.
    """
    own = centre(embeddings * clarities[:, None])
    weights = clarities.astype(np.float64)
    clear = float((weights**2).sum() / weights.sum())
    found: NDArray[np.float64] = np.clip(cosines(own[None], members)[0] * clear, -1.0, 1.0)
    return found


def cosines(embeddings: FloatArray, members: Sequence[GalleryMember]) -> NDArray[np.float64]:
    """Return (T, M): the cosine of each (512,) vector of length 1 and each member's centre."""
    centres = [centre(m.embeddings * m.clarities[:, None]).astype(np.float64) for m in members]
    return np.array([[own @ c for c in centres] for own in embeddings], np.float64).reshape(
        len(embeddings), len(members)
    )


def confidence(similarity: float, match_thresh: float) -> float:
    """Return how likely a first choice is right that leads by enough to be a name, 0 to 1.

    `1 / (1 + exp(14.5 - 15.7 similarity / match_thresh))`: 0.77 at the similarity that a name
    takes, 0.94 a tenth above. It is calibrated for the embedder, and so is the scale.
    """
    x = _START + _SLOPE * similarity / max(match_thresh, _LEAST_SCALE)
    return 1 / (1 + math.exp(-x))
