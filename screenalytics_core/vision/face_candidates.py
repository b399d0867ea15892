"""Which detections of a track are worth decoding again, told from their metadata alone."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from screenalytics_core.vision.face_quality import (
    Gates,
    frontalities,
    qualities,
    select_top_k,
    sizes_px,
)
from screenalytics_core.vision.models.protocols import FloatArray
from screenalytics_core.vision.observed import fixed_vectors, observed_boxes

CANDIDATES_PER_FACE: Final = 2
"""Faces looked at for each face kept: sharpness is known only after decoding."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Observed faces of tracks, one per row, ordered by (track_id, frame_idx).

    Attributes:
        landmarks_xy: (N, 10) px, NaN where the detector gave none.
        size_px: (N,) shorter side of the box.
        frontality: (N,) 0..1, NaN without landmarks.
    """

    track_ids: NDArray[np.int64]
    detection_ids: NDArray[np.int64]
    frame_idxs: NDArray[np.int64]
    timestamps_s: NDArray[np.float64]
    bboxes_xyxy: FloatArray
    landmarks_xy: FloatArray
    confidences: FloatArray
    size_px: FloatArray
    frontality: FloatArray

    def __len__(self) -> int:
        return len(self.track_ids)

    def take(self, rows: NDArray[Any]) -> Candidates:
        """Return some rows: indices or a mask."""
        return Candidates(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def by_track(self) -> list[NDArray[np.int64]]:
        """Return the row indices of each track, in track order."""
        _, starts = np.unique(self.track_ids, return_index=True)
        return np.split(np.arange(len(self)), starts[1:]) if len(self) else []

    @classmethod
    def from_tables(cls, tracks: pa.Table, detections: pa.Table) -> Candidates:
        """Collect the observed faces of all tracks; interpolated boxes show no known face."""
        observed = observed_boxes(tracks)
        # Detections are numbered in frame order, so a track's are in its frames' order.
        order = np.lexsort((observed.detection_ids, observed.track_ids))
        track_ids, detection_ids = observed.track_ids[order], observed.detection_ids[order]
        known_ids = detections.column("detection_id").to_numpy()
        by_id = np.argsort(known_ids, kind="stable")
        rows = by_id[np.searchsorted(known_ids, detection_ids, sorter=by_id)]
        found = detections.take(pa.array(rows)).combine_chunks()
        bboxes = fixed_vectors(found.column("bbox_xyxy").combine_chunks(), 4)
        landmarks = fixed_vectors(found.column("landmarks_xy").combine_chunks(), 10)
        return cls(
            track_ids=track_ids,
            detection_ids=detection_ids,
            frame_idxs=found.column("frame_idx").to_numpy(),
            timestamps_s=found.column("timestamp_s").to_numpy(),
            bboxes_xyxy=bboxes,
            landmarks_xy=landmarks,
            confidences=found.column("confidence").to_numpy(),
            size_px=sizes_px(bboxes),
            frontality=frontalities(landmarks),
        )


def choose_candidates(found: Candidates, gates: Gates, per_track: int) -> Candidates:
    """Choose the faces to decode: of each track the best that are large enough, spread in time.

    Confidence, size and pose are known here, so doubtful faces are left out where enough
    others exist. A track whose faces are all too small keeps one, to say so.

    Args:
        per_track: Most faces of one track.
    """
    quality = qualities(found.confidences, found.size_px, found.frontality)
    large = found.size_px >= gates.min_size_px
    clear = large & (found.confidences >= gates.min_confidence)
    clear &= ~(found.frontality < gates.min_frontality)
    chosen = []
    for rows in found.by_track():
        usable = rows[clear[rows]] if clear[rows].any() else rows[large[rows]]
        if len(usable) == 0:
            chosen.append(rows[[np.argmax(found.size_px[rows])]])
            continue
        chosen.append(usable[select_top_k(quality[usable], found.timestamps_s[usable], per_track)])
    return found.take(np.concatenate(chosen) if chosen else np.zeros(0, np.int64))
