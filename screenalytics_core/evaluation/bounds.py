"""Are stated bounds worth stating: coverage, width, and the interval score.

Source: Gneiting and Raftery, "Strictly Proper Scoring Rules, Prediction, and Estimation",
JASA 2007, section 6.2 (after Winkler 1972): an interval costs its width, and 2 / (1 - level)
times what the truth lies outside of it. Lower is better; only honest bounds minimise it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from screenalytics_core.vision.boxes import Float64Array

# Bounds are judged as those of a central 90 % interval.
LEVEL: Final = 0.9
# Seconds are stated in microseconds.
_ROUNDING_S: Final = 1e-6


@dataclass(frozen=True, slots=True)
class BoundsSample:
    """One person in one clip: what is true, and what was stated; s."""

    truth_s: float
    low_s: float
    high_s: float
    estimate_s: float


@dataclass(frozen=True, slots=True)
class ConstantWidth:
    """The same estimates with one half-width for all.

    A strong baseline: the half-width is the best there is for these very samples, which no
    product could know beforehand, and no bound goes below 0 s.
    """

    half_width_s: float
    coverage: float
    median_relative_width: float | None
    interval_score_s: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How good stated bounds are.

    Attributes:
        level: The coverage that the interval score asks for.
        coverage: How often the truth lies inside, ends included.
        median_relative_width: Of the width over the person's true seconds; people with none
            are left out, and None if that is everybody.
        interval_score_s: Mean; lower is better.
    """

    samples: int
    level: float
    coverage: float
    median_relative_width: float | None
    interval_score_s: float
    baseline: ConstantWidth


def calibration(samples: Sequence[BoundsSample], level: float = LEVEL) -> Calibration | None:
    """Judge stated bounds; None without samples.

    Args:
        level: More than 0, less than 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, not {level}")
    if not samples:
        return None
    truth, low, high, estimate = np.array(
        [(s.truth_s, s.low_s, s.high_s, s.estimate_s) for s in samples], np.float64
    ).T
    return Calibration(
        samples=len(samples),
        level=level,
        coverage=_coverage(truth, low, high),
        median_relative_width=_relative_width(truth, low, high),
        interval_score_s=_interval_score(truth, low, high, level),
        baseline=_best_constant(truth, estimate, level),
    )


def _coverage(truth: Float64Array, low: Float64Array, high: Float64Array) -> float:
    is_inside = (low - _ROUNDING_S <= truth) & (truth <= high + _ROUNDING_S)
    return float(is_inside.mean())


def _relative_width(truth: Float64Array, low: Float64Array, high: Float64Array) -> float | None:
    some = truth > _ROUNDING_S
    return float(np.median((high - low)[some] / truth[some])) if some.any() else None


def _interval_score(
    truth: Float64Array, low: Float64Array, high: Float64Array, level: float
) -> float:
    outside = np.maximum(low - truth, 0.0) + np.maximum(truth - high, 0.0)
    return float((high - low + 2 / (1 - level) * outside).mean())


def _best_constant(truth: Float64Array, estimate: Float64Array, level: float) -> ConstantWidth:
    """Return the half-width of the lowest mean score, the least of several.

    The mean score is linear between the half-widths at which a truth comes inside, and where
    a bound reaches 0 it only bends down; so the best one is 0 or one of the errors.
    """

    def bounds(half_width_s: float) -> tuple[Float64Array, Float64Array]:
        return np.maximum(estimate - half_width_s, 0.0), estimate + half_width_s

    candidates = np.unique(np.append(np.abs(truth - estimate), 0.0)).tolist()
    score, half_width_s = min(
        (_interval_score(truth, *bounds(width), level), width) for width in candidates
    )
    low, high = bounds(half_width_s)
    return ConstantWidth(
        half_width_s, _coverage(truth, low, high), _relative_width(truth, low, high), score
    )
