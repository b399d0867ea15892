"""HOTA: detection and association in one figure, over a range of overlaps.

Source: Luiten, Osep, Dendorfer, Torr, Geiger, Leal-Taixé and Leibe, "HOTA: A Higher Order
Metric for Evaluating Multi-Object Tracking", IJCV 2021.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from screenalytics_core.evaluation.tracking_frame import TrackingFrame
from screenalytics_core.vision.boxes import Float64Array, IntArray

# The paper's localisation thresholds.
_ALPHAS: Final = np.arange(0.05, 0.99, 0.05)
# A similarity that equals a threshold passes it.
_EPSILON: Final = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class Hota:
    """Means over the thresholds, 0 to 1: `hota` is the mean of sqrt(DetA x AssA) at each."""

    hota: float
    deta: float
    assa: float


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A frame, or pairs, whose ids are rows and columns of the tables over all frames.

    Attributes:
        similarity: (rows, columns) of a frame, (pairs,) of pairs.
    """

    rows: IntArray
    columns: IntArray
    similarity: Float64Array


def hota(frames: Sequence[TrackingFrame]) -> Hota | None:
    """Score tracks; None where nothing is labelled."""
    truth_boxes = sum(len(f.truth_ids) for f in frames)
    predicted = sum(len(f.predicted_ids) for f in frames)
    if truth_boxes == 0:
        return None
    if predicted == 0:
        return Hota(0.0, 0.0, 0.0)
    numbered = _numbered(frames)
    rows, columns = _counts([f.rows for f in numbered]), _counts([f.columns for f in numbered])
    lengths = rows[:, None] + columns[None, :]
    pairs = _matches(numbered, _alignment(numbered, lengths))
    # One table at a time: there is one per threshold, as large as tracks times true things.
    agreed = np.array([_agreement(pairs, alpha, lengths) for alpha in _ALPHAS])
    tp = np.array([(pairs.similarity >= alpha - _EPSILON).sum() for alpha in _ALPHAS], np.float64)
    deta = tp / np.maximum(1.0, truth_boxes + predicted - tp)
    assa = agreed / np.maximum(1.0, tp)
    return Hota(float(np.sqrt(deta * assa).mean()), float(deta.mean()), float(assa.mean()))


def _agreement(pairs: _Numbered, alpha: float, lengths: Float64Array) -> float:
    """Return the sum over the matches at a threshold of how well either's boxes agree."""
    is_match = pairs.similarity >= alpha - _EPSILON
    matches = np.zeros_like(lengths)
    np.add.at(matches, (pairs.rows[is_match], pairs.columns[is_match]), 1.0)
    return float((matches * matches / np.maximum(1.0, lengths - matches)).sum())


def _numbered(frames: Sequence[TrackingFrame]) -> list[_Numbered]:
    truth_ids = np.unique(np.concatenate([f.truth_ids for f in frames]))
    track_ids = np.unique(np.concatenate([f.predicted_ids for f in frames]))
    return [
        _Numbered(
            np.searchsorted(truth_ids, f.truth_ids).astype(np.int64),
            np.searchsorted(track_ids, f.predicted_ids).astype(np.int64),
            f.similarity,
        )
        for f in frames
    ]


def _counts(numbers: Sequence[IntArray]) -> Float64Array:
    return np.bincount(np.concatenate(numbers)).astype(np.float64)


def _alignment(frames: Sequence[_Numbered], lengths: Float64Array) -> Float64Array:
    """Return how well each true thing and each track agree over all frames, before matching."""
    shared = np.zeros_like(lengths)
    for frame in frames:
        s = frame.similarity
        either = s.sum(axis=0)[None, :] + s.sum(axis=1)[:, None] - s
        part = np.divide(s, either, out=np.zeros_like(s), where=either > _EPSILON)
        shared[np.ix_(frame.rows, frame.columns)] += part
    alignment: Float64Array = shared / (lengths - shared)
    return alignment


def _matches(frames: Sequence[_Numbered], alignment: Float64Array) -> _Numbered:
    """Return what is matched in any frame, pair by pair, whatever its similarity is."""
    rows, columns, similarities = [], [], []
    for frame in frames:
        gains = alignment[np.ix_(frame.rows, frame.columns)] * frame.similarity
        at, found = linear_sum_assignment(gains, maximize=True)
        rows.append(frame.rows[at])
        columns.append(frame.columns[found])
        similarities.append(frame.similarity[at, found])
    return _Numbered(np.concatenate(rows), np.concatenate(columns), np.concatenate(similarities))
