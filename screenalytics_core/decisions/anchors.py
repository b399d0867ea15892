"""Tracks named by what was seen of them, and found again in tracks that were made otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from screenalytics_core.decisions.records import Sighting, TrackAnchor
from screenalytics_core.vision.boxes import Float64Array, as_boxes, interpolate_boxes, iou_pairs
from screenalytics_core.vision.observed import observed_boxes

SIGHTINGS: Final = 5
"""Sightings that name a track: enough for each part to be found if it is cut in two."""
_LEAST_IOU: Final = 0.5
"""Two boxes of one frame that overlap as much are one face: PASCAL VOC's rule for a detection."""
_PX_DECIMALS: Final = 1
_S_DECIMALS: Final = 6


def anchors_of(
    track_ids: Iterable[int], tracks: pa.Table, frame_times_s: Float64Array, tracks_sha256: str
) -> tuple[TrackAnchor, ...]:
    """Return what names some tracks, ascending by their numbers.

    Args:
        track_ids: Tracks of the table.
        tracks: `artifacts.TRACKS`.
        frame_times_s: (frames + 1,) presentation timestamps; the last one ends the last frame.
        tracks_sha256: Content of the tracks' file.
    """
    wanted = sorted(set(track_ids))
    observed = observed_boxes(tracks.filter(pc.is_in(tracks["track_id"], pa.array(wanted))))
    anchors = []
    for track_id in wanted:
        rows = np.flatnonzero(observed.track_ids == track_id)
        # The middles of equal parts: at its ends a track is most often cut otherwise.
        places = (np.arange(SIGHTINGS) * 2 + 1) * len(rows) // (2 * SIGHTINGS)
        chosen = rows[np.unique(places)]
        anchors.append(
            TrackAnchor(
                track_id,
                tracks_sha256,
                tuple(
                    Sighting(
                        round(float(frame_times_s[observed.frame_idxs[row]]), _S_DECIMALS),
                        _box(observed.bboxes_xyxy[row].tolist()),
                    )
                    for row in chosen
                ),
            )
        )
    return tuple(anchors)


def _box(sides: Sequence[float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = (round(side, _PX_DECIMALS) for side in sides)
    return left, top, right, bottom


class TrackFinder:
    """Finds anchored tracks again in a table of tracks."""

    def __init__(self, tracks: pa.Table, frame_times_s: Float64Array, tracks_sha256: str) -> None:
        """Take `artifacts.TRACKS` with its file's sha256, and `artifacts.FRAME_TIMES`."""
        table = tracks.sort_by("track_id")
        self._sha256 = tracks_sha256
        self._ids: NDArray[np.int64] = table.column("track_id").to_numpy()
        self._start_s: Float64Array = table.column("start_s").to_numpy()
        self._end_s: Float64Array = table.column("end_s").to_numpy()
        self._table = table
        self._times_s = frame_times_s
        self._boxes: dict[int, tuple[Float64Array, Float64Array]] = {}

    def find(self, anchors: Iterable[TrackAnchor]) -> frozenset[int]:
        """Return the tracks that show what the anchored ones showed; those that do are left out.

        By number where the tracks are the same. Else a track is the anchored one if, of the
        sightings in its time, it lies where they were at more than half; one track may thus be
        found again as several, and several as one.
        """
        return frozenset(track_id for anchor in anchors for track_id in self._find(anchor))

    def _find(self, anchor: TrackAnchor) -> list[int]:
        if anchor.tracks_sha256 == self._sha256:
            return [anchor.track_id] if anchor.track_id in self._ids else []
        present, hit = Counter[int](), Counter[int]()
        for sighting in anchor.sightings:
            time_s = sighting.timestamp_s
            # Timestamps were rounded when they were written down.
            slack_s = 10.0**-_S_DECIMALS
            rows = np.flatnonzero(
                (self._start_s <= time_s + slack_s) & (time_s + slack_s < self._end_s)
            )
            present.update(rows.tolist())
            if len(rows):
                boxes = np.concatenate([self._box_at(row, time_s) for row in rows.tolist()])
                overlaps = iou_pairs(boxes, np.repeat(as_boxes(sighting.bbox_xyxy), len(rows), 0))
                best = int(overlaps.argmax())
                hit[int(rows[best])] += bool(overlaps[best] >= _LEAST_IOU)
        return sorted(int(self._ids[row]) for row, n in hit.items() if 2 * n > present[row])

    def _box_at(self, row: int, time_s: float) -> Float64Array:
        """Return the (1, 4) box of a track at a time."""
        if row not in self._boxes:
            frames = self._table.column("frame_idxs")[row].values.to_numpy()
            boxes = as_boxes(self._table.column("bboxes_xyxy")[row].values.flatten().to_numpy())
            self._boxes[row] = self._times_s[frames], boxes
        known_s, boxes = self._boxes[row]
        return interpolate_boxes(np.array([time_s]), known_s, boxes)
