"""Tracks of faces or bodies as flat arrays, in the order of their ids whatever the table's was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from screenalytics_core.vision.boxes import Float64Array, IntArray, interpolate_boxes


@dataclass(frozen=True, slots=True)
class BoxTracks:
    """N tracks with M boxes; a track is named by its row, 0 to N - 1.

    Attributes:
        ids: (N,) ascending. shot_ids: (N,).
        start_s: (N,) included. end_s: (N,) excluded.
        offsets: (N + 1,) where the boxes of each track begin.
        frame_idxs: (M,) ascending within a track.
        bboxes_xyxy: (M, 4) px.
        is_observed: (M,) whether a detection is behind the box.
    """

    ids: IntArray
    shot_ids: IntArray
    start_s: Float64Array
    end_s: Float64Array
    offsets: IntArray
    frame_idxs: IntArray
    bboxes_xyxy: Float64Array
    is_observed: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def owners(self) -> IntArray:
        """(M,) the row of the track that each box belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    @property
    def first_frame_idxs(self) -> IntArray:
        """(N,) included."""
        return self.frame_idxs[self.offsets[:-1]]

    @property
    def last_frame_idxs(self) -> IntArray:
        """(N,) included."""
        return self.frame_idxs[self.offsets[1:] - 1]

    def interval(self, row: int) -> tuple[float, float]:
        """Return when a track is on screen, half-open, s."""
        return float(self.start_s[row]), float(self.end_s[row])

    def boxes_at(self, row: int, frame_idxs: IntArray, frame_times_s: Float64Array) -> Float64Array:
        """Return the (K, 4) boxes of a track at K frames: on the straight line in time."""
        own = slice(self.offsets[row], self.offsets[row + 1])
        known_s = frame_times_s[self.frame_idxs[own]]
        return interpolate_boxes(frame_times_s[frame_idxs], known_s, self.bboxes_xyxy[own])


def box_tracks(table: pa.Table, id_column: str) -> BoxTracks:
    """Return the tracks of a table of `artifacts.TRACKS` or `artifacts.BODY_TRACKS`.

    Args:
        id_column: `track_id` or `body_track_id`.
    """
    table = table.sort_by(id_column)
    frames = table.column("frame_idxs").combine_chunks()
    boxes = pc.list_flatten(table.column("bboxes_xyxy").combine_chunks())
    detections = pc.list_flatten(table.column("detection_ids").combine_chunks())
    lengths = pc.list_value_length(frames).to_numpy(zero_copy_only=False)
    return BoxTracks(
        ids=table.column(id_column).to_numpy(),
        shot_ids=table.column("shot_id").to_numpy(),
        start_s=table.column("start_s").to_numpy(),
        end_s=table.column("end_s").to_numpy(),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        frame_idxs=pc.list_flatten(frames).to_numpy(zero_copy_only=False),
        bboxes_xyxy=_flat(boxes).reshape(-1, 4),
        is_observed=detections.is_valid().to_numpy(zero_copy_only=False),
    )


def _flat(boxes: pa.FixedSizeListArray) -> Float64Array:
    return np.asarray(boxes.flatten().to_numpy(zero_copy_only=False), np.float64)
