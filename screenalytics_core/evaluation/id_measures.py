"""IDF1: how much of everything is under one right identity.

Source: Ristani, Solera, Zou, Cucchiara and Tomasi, "Performance Measures and a Data Set for
Multi-Target, Multi-Camera Tracking", ECCV workshops 2016.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from screenalytics_core.evaluation.ratios import ratio
from screenalytics_core.evaluation.tracking_frame import TrackingFrame


@dataclass(frozen=True, slots=True)
class IdMeasures:
    """Boxes under the one track that was chosen for their true thing; None without any."""

    precision: float | None
    recall: float | None
    f1: float | None


def id_measures(frames: Sequence[TrackingFrame], least: float) -> IdMeasures:
    """Match true things and tracks one to one over all frames, for as many boxes as can be."""
    shared: Counter[tuple[int, int]] = Counter()
    for frame in frames:
        rows, columns = np.nonzero(frame.similarity >= least)
        shared.update(
            zip(frame.truth_ids[rows].tolist(), frame.predicted_ids[columns].tolist(), strict=True)
        )
    right = _best_total(shared)
    truth_boxes = sum(len(f.truth_ids) for f in frames)
    predicted = sum(len(f.predicted_ids) for f in frames)
    return IdMeasures(
        ratio(right, predicted),
        ratio(right, truth_boxes),
        ratio(2 * right, truth_boxes + predicted),
    )


def _best_total(shared: Counter[tuple[int, int]]) -> int:
    truth_ids = {i: at for at, i in enumerate(sorted({i for i, _ in shared}))}
    track_ids = {i: at for at, i in enumerate(sorted({i for _, i in shared}))}
    counts = np.zeros((len(truth_ids), len(track_ids)), np.int64)
    for (truth_id, track_id), count in shared.items():
        counts[truth_ids[truth_id], track_ids[track_id]] = count
    rows, columns = linear_sum_assignment(counts, maximize=True)
    return int(counts[rows, columns].sum())
