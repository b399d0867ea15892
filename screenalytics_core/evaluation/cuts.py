"""Are the cuts found: precision, recall and F1 within a tolerance in frames.

Source: the TRECVID shot boundary task (Smeaton, Over and Doherty, "Video shot boundary
detection: Seven years of TRECVid activity", CVIU 2010), for abrupt cuts: one prediction per
cut, the nearest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from screenalytics_core.evaluation.ratios import harmonic_mean


@dataclass(frozen=True, slots=True)
class CutMatches:
    """Cuts found within a tolerance; nothing predicted where nothing is to be found is right."""

    tp: int
    fp: int
    fn: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class CutScores:
    """First frames of shots, exact and within one frame."""

    tolerance_0: CutMatches
    tolerance_1: CutMatches
    truth: tuple[int, ...]
    predicted: tuple[int, ...]


def cut_scores(truth: Sequence[int], predicted: Sequence[int]) -> CutScores:
    """Return both tolerances' figures."""
    found = tuple(sorted(set(predicted)))
    return CutScores(match_cuts(truth, found, 0), match_cuts(truth, found, 1), tuple(truth), found)


def match_cuts(truth: Sequence[int], predicted: Sequence[int], tolerance: int) -> CutMatches:
    """Match one to one, nearest first.

    Example:
        >>> match_cuts([10, 20], [9, 10, 21], 1).tp
        2
    """
    near = sorted(
        (abs(a - b), i, j)
        for i, a in enumerate(truth)
        for j, b in enumerate(predicted)
        if abs(a - b) <= tolerance
    )
    taken_truth: set[int] = set()
    taken: set[int] = set()
    for _, i, j in near:
        if i not in taken_truth and j not in taken:
            taken_truth.add(i)
            taken.add(j)
    tp = len(taken)
    nothing_due = 1.0 if not truth else 0.0
    precision = tp / len(predicted) if predicted else nothing_due
    recall = tp / len(truth) if truth else 1.0
    return CutMatches(
        tp,
        len(predicted) - tp,
        len(truth) - tp,
        precision,
        recall,
        harmonic_mean(precision, recall),
    )
