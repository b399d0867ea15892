"""Tables of tracks as arrays: observed boxes without interpolated ones, vectors, rows by id."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from screenalytics_core.vision.models.protocols import FloatArray


@dataclass(frozen=True, slots=True)
class ObservedBoxes:
    """Observed boxes of all tracks, in the tracks' order and by frame within each.

    Attributes:
        track_ids: (N,). detection_ids: (N,). frame_idxs: (N,).
        bboxes_xyxy: (N, 4) px.
    """

    track_ids: NDArray[np.int64]
    detection_ids: NDArray[np.int64]
    frame_idxs: NDArray[np.int64]
    bboxes_xyxy: FloatArray


def observed_boxes(tracks: pa.Table) -> ObservedBoxes:
    """Flatten a table of `artifacts.TRACKS` to its observed boxes."""
    lists = tracks.column("detection_ids").combine_chunks()
    owners = tracks.column("track_id").combine_chunks().take(pc.list_parent_indices(lists))
    detection_ids = pc.list_flatten(lists)
    is_observed = detection_ids.is_valid().to_numpy(zero_copy_only=False)
    return ObservedBoxes(
        _ints(owners)[is_observed],
        _ints(detection_ids.fill_null(-1))[is_observed],
        _ints(_flat(tracks, "frame_idxs"))[is_observed],
        fixed_vectors(_flat(tracks, "bboxes_xyxy"), 4)[is_observed],
    )


def fixed_vectors(array: pa.FixedSizeListArray, width: int) -> FloatArray:
    """Return fixed-size lists of float32 as (N, width), NaN where they are null."""
    values = np.full((len(array), width), np.nan, np.float32)
    is_valid = array.is_valid().to_numpy(zero_copy_only=False)
    values[is_valid] = pc.list_flatten(array).to_numpy(zero_copy_only=False).reshape(-1, width)
    return values


def ascending(table: pa.Table, id_column: str) -> pa.Table:
    """Return the rows by ascending id; a table that is in order already as it is.

    Arrow sorts rows of vectors by way of several copies of them all.
    """
    ids = table.column(id_column).to_numpy()
    return table if (ids[1:] > ids[:-1]).all() else table.sort_by(id_column)


def _flat(tracks: pa.Table, name: str) -> pa.Array:
    return pc.list_flatten(tracks.column(name).combine_chunks())


def _ints(array: pa.Array) -> NDArray[np.int64]:
    return np.asarray(array.to_numpy(zero_copy_only=False), np.int64)
