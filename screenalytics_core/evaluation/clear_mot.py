"""CLEAR MOT: misses, false positives and identity switches.

Source: Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking Performance: The
CLEAR MOT Metrics", EURASIP Journal on Image and Video Processing, 2008.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from screenalytics_core.evaluation.ratios import ratio
from screenalytics_core.evaluation.tracking_frame import TrackingFrame
from screenalytics_core.vision.association import best_matches
from screenalytics_core.vision.boxes import Float64Array


@dataclass(frozen=True, slots=True)
class ClearMot:
    """Counts over all frames; `id_switches` are matches with another track than the last."""

    truth_boxes: int
    predicted_boxes: int
    misses: int
    false_positives: int
    id_switches: int

    @property
    def mota(self) -> float | None:
        """1 less all mistakes per labelled box; None without any."""
        mistakes = ratio(self.misses + self.false_positives + self.id_switches, self.truth_boxes)
        return None if mistakes is None else 1.0 - mistakes


def clear_mot(frames: Sequence[TrackingFrame], least: float) -> ClearMot:
    """Follow each true thing: the track it was last matched with keeps it while they overlap.

    The rest is matched anew in each frame: as many pairs as can be, then the best overlap.
    """
    last_match: dict[int, int] = {}
    matches = switches = 0
    for frame in frames:
        for truth_id, track_id in _matched(frame, least, last_match):
            switches += last_match.get(truth_id, track_id) != track_id
            matches += 1
            last_match[truth_id] = track_id
    truth_boxes = sum(len(f.truth_ids) for f in frames)
    predicted = sum(len(f.predicted_ids) for f in frames)
    return ClearMot(truth_boxes, predicted, truth_boxes - matches, predicted - matches, switches)


def _matched(
    frame: TrackingFrame, least: float, last_match: dict[int, int]
) -> list[tuple[int, int]]:
    truth_ids, track_ids = frame.truth_ids.tolist(), frame.predicted_ids.tolist()
    similarity: Float64Array = np.where(frame.similarity >= least, frame.similarity, -np.inf)
    column_of = {track_id: column for column, track_id in enumerate(track_ids)}
    kept: list[tuple[int, int]] = []
    for row, truth_id in enumerate(truth_ids):
        column = column_of.get(last_match[truth_id]) if truth_id in last_match else None
        if column is not None and np.isfinite(similarity[row, column]):
            kept.append((truth_id, track_ids[column]))
            similarity[row], similarity[:, column] = -np.inf, -np.inf
    # Enough more per pair that one pair more always wins.
    most = float(min(similarity.shape) + 1)
    pairs = best_matches(np.where(np.isfinite(similarity), most + similarity, 0.0), most)
    new = zip(pairs.rows.tolist(), pairs.columns.tolist(), strict=True)
    return kept + [(truth_ids[row], track_ids[column]) for row, column in new]
