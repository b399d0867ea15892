"""Detections and tracks as tables: the one place that knows both shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from screenalytics_core.schema import TableSpec
from screenalytics_core.vision.boxes import Float64Array
from screenalytics_core.vision.track_shaping import NOT_SEEN, Track
from screenalytics_core.vision.tracking import Detections, ShotFrames


def detections_of(table: pa.Table) -> Detections:
    """Return the detections of a table of `artifacts.DETECTIONS` or `BODY_DETECTIONS`."""
    order = frame_order(table)
    boxes = table.column("bbox_xyxy").combine_chunks()
    return Detections(
        table.column("detection_id").to_numpy()[order],
        table.column("frame_idx").to_numpy()[order],
        _flat(boxes).reshape(-1, 4)[order],
        table.column("confidence").to_numpy()[order],
    )


def frame_order(table: pa.Table) -> NDArray[np.int64]:
    """Return the row of the table behind each of `detections_of`."""
    return np.argsort(table.column("frame_idx").to_numpy(), kind="stable").astype(np.int64)


def _flat(boxes: pa.FixedSizeListArray) -> NDArray[np.float32]:
    flat: NDArray[np.float32] = boxes.flatten().to_numpy(zero_copy_only=False)
    return flat


def shot_frames(shots: Iterable[Mapping[str, Any]], sampled: NDArray[np.int64]) -> list[ShotFrames]:
    """Return each shot with the frames that were looked at.

    Args:
        shots: Rows of `artifacts.SHOTS`, in order.
        sampled: Frames that were looked at, ascending.
    """
    rows = list(shots)
    cuts = np.searchsorted(sampled, [int(row["end_frame"]) for row in rows[:-1]])
    return [
        ShotFrames(int(row["shot_id"]), frames)
        for row, frames in zip(rows, np.split(sampled, cuts) if rows else [], strict=True)
    ]


def tracks_table(
    tracks: Sequence[Track],
    frame_times_s: Float64Array,
    spec: TableSpec,
    id_column: str,
    more: Mapping[str, pa.Array] | None = None,
) -> pa.Table:
    """Return tracks as a table, numbered from 0 in their order.

    Args:
        tracks: As `track_boxes` gives them.
        frame_times_s: (frames + 1,) presentation timestamps; the last one ends the last frame.
        spec: `artifacts.TRACKS`, or another with these columns.
        id_column: `track_id` or `body_track_id`.
        more: Columns that only this spec has.
    """
    first = np.array([t.first_frame_idx for t in tracks], np.int64)
    last = np.array([t.last_frame_idx for t in tracks], np.int64)
    offsets = np.cumsum([0, *(len(t.frame_idxs) for t in tracks)]).astype(np.int32)
    ids = _joined([t.detection_ids for t in tracks], np.int64)
    boxes = _joined([t.bboxes_xyxy.reshape(-1) for t in tracks], np.float32)
    columns = {
        id_column: pa.array(np.arange(len(tracks))),
        "shot_id": pa.array([t.shot_id for t in tracks], pa.int64()),
        "first_frame_idx": pa.array(first),
        "last_frame_idx": pa.array(last),
        "start_s": pa.array(frame_times_s[first]),
        "end_s": pa.array(frame_times_s[last + 1]),
        "frame_idxs": _lists(offsets, pa.array(_joined([t.frame_idxs for t in tracks], np.int64))),
        "bboxes_xyxy": _lists(offsets, pa.FixedSizeListArray.from_arrays(pa.array(boxes), 4)),
        "detection_ids": _lists(offsets, pa.array(ids, mask=ids == NOT_SEEN)),
        "mean_confidence": pa.array([t.mean_confidence for t in tracks], pa.float32()),
    }
    return spec.conform(pa.table({**columns, **(more or {})}))


def _joined(parts: Sequence[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate([np.empty(0, dtype), *parts]).astype(dtype, copy=False)


def _lists(offsets: NDArray[np.int32], values: pa.Array) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(offsets), values)
