"""One vector for a track out of the vectors of its faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.models.protocols import FloatArray
from screenalytics_core.vision.recognisability import clarity

_MIN_FACES_TO_JUDGE: Final = 3  # of two faces that differ, neither is the odd one
_MAX_MADS: Final = 3.0
_MAD_TO_SIGMA: Final = 1.4826
# Faces of one person in one shot differ by less than this; below it nothing is an outlier.
_MIN_GAP: Final = 0.15
# One that differs is what heads that cross leave behind.
_MIN_LEFT_OUT: Final = 2


@dataclass(frozen=True, slots=True)
class Pooled:
    """A track's vector.

    Attributes:
        embedding: (D,) L2-normalised.
        kept: (N,) bool, faces that were pooled.
        spread: Mean cosine distance of the pooled faces to the embedding, 0..2.
        clarity: 0..1, how much of the embedding is signal, see `recognisability.clarity`.
        left_out: (D,) L2-normalised mean direction of the faces that were not pooled; None of
            fewer than two, or of two that cancel out.
    """

    embedding: FloatArray
    kept: NDArray[np.bool_]
    spread: float
    clarity: float
    left_out: FloatArray | None


def normalised(vectors: FloatArray) -> FloatArray:
    """Return the rows of (N, D) with L2 norm 1; a zero row stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1), np.float32)


def inliers(embeddings: FloatArray) -> NDArray[np.bool_]:
    """Tell which faces agree with the others of their track.

    A face's agreement is the median of its cosine similarities to the other faces. Left out
    are faces whose agreement lies more than 3 sigma (1.4826 * median absolute deviation) and
    more than 0.15 below the median agreement: always fewer than half, and nobody when there
    are fewer than three faces.

    Args:
        embeddings: (N, D) L2-normalised.
    """
    n = len(embeddings)
    if n < _MIN_FACES_TO_JUDGE:
        return np.ones(n, np.bool_)
    similarity = (embeddings @ embeddings.T).astype(np.float64)
    others = similarity[~np.eye(n, dtype=np.bool_)].reshape(n, n - 1)
    agreement = np.median(others, axis=1)
    middle = np.median(agreement)
    sigma = _MAD_TO_SIGMA * np.median(np.abs(agreement - middle))
    return np.asarray(agreement >= middle - max(_MAX_MADS * sigma, _MIN_GAP), np.bool_)


def pool(vectors: FloatArray, weights: FloatArray, noise: float = 0.0) -> Pooled:
    """Pool a track's faces: outliers dropped, then the weighted mean, normalised.

    A longer vector counts more: the embedder saw more of a face. So does the mean of faces
    that agree: where they do not, it is short, and the track less clear.

    Args:
        vectors: (N, D) as long as the embedder gives them, none of length 0, N at least 1.
        weights: (N,) above 0.
        noise: Length that a vector has by chance, see `recognisability.Unknowable`.
    """
    directions = normalised(vectors)
    kept = inliers(directions)
    weighed = vectors[kept].astype(np.float64) * weights[kept, None]
    mean = weighed.sum(axis=0) / weights[kept].sum(dtype=np.float64)
    if not mean.any():
        # Opposite faces that cancel out: any of them says more than nothing.
        mean = vectors[int(np.argmax(np.where(kept, weights, -1)))].astype(np.float64)
    length = float(np.linalg.norm(mean))
    embedding = (mean / length).astype(np.float32)
    distances = 1 - directions[kept].astype(np.float64) @ embedding.astype(np.float64)
    return Pooled(
        embedding=embedding,
        kept=kept,
        spread=max(0.0, float(distances.mean())),
        clarity=clarity(length, noise),
        left_out=_mean_direction(directions[~kept]),
    )


def _mean_direction(directions: FloatArray) -> FloatArray | None:
    if len(directions) < _MIN_LEFT_OUT:
        return None
    mean: FloatArray = normalised(directions.mean(axis=0, dtype=np.float64)[None])[0]
    return mean if mean.any() else None
