"""Boxes of many frames, held column by column in Arrow, so an hour of faces stays small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from screenalytics_core.vision.models.protocols import FloatArray

MIN_CONFIDENCE: Final = 0.1
_ROWS_PER_CHUNK: Final = 4096


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes of one picture.

    Attributes:
        bboxes_xyxy: (N, 4) px.
        confidences: (N,) in 0..1.
        landmarks_xy: (N, 10) px, or None.
        appearances: (N, D) what each box looks like, L2-normalised, or None.
    """

    bboxes_xyxy: FloatArray
    confidences: FloatArray
    landmarks_xy: FloatArray | None = None
    appearances: FloatArray | None = None


def clip_boxes(boxes: Boxes, width_px: int, height_px: int) -> Boxes:
    """Clip boxes to the picture; drop those outside it, without area, or not finite.

    Boxes below `MIN_CONFIDENCE` go too, and confidences are limited to 1. Landmarks may lie
    outside the picture and stay as they are. Appearances go: they were not of these boxes.
    """
    limit = np.array([width_px, height_px, width_px, height_px], np.float32)
    given = np.asarray(boxes.bboxes_xyxy, np.float32).reshape(-1, 4)
    clipped = np.clip(given, 0, limit)
    confidences = np.asarray(boxes.confidences, np.float32)
    keep = np.isfinite(given).all(axis=1) & (confidences >= np.float32(MIN_CONFIDENCE))
    keep &= (clipped[:, 2] > clipped[:, 0]) & (clipped[:, 3] > clipped[:, 1])
    landmarks = boxes.landmarks_xy
    return Boxes(
        clipped[keep],
        np.minimum(confidences[keep], np.float32(1)),
        None if landmarks is None else np.asarray(landmarks, np.float32)[keep],
    )


class BoxRows:
    """Rows of frame_idx, timestamp_s, bbox_xyxy, confidence and landmarks_xy; appearances beside.

    All boxes have an appearance, or none has.
    """

    SCHEMA: Final = pa.schema(
        [
            ("frame_idx", pa.int64()),
            ("timestamp_s", pa.float64()),
            ("bbox_xyxy", pa.list_(pa.float32(), 4)),
            ("confidence", pa.float32()),
            ("landmarks_xy", pa.list_(pa.float32(), 10)),
        ]
    )

    def __init__(self) -> None:
        self._chunks: list[pa.RecordBatch] = []
        self._open: list[tuple[int, float, Boxes]] = []
        self._open_rows = 0
        # In half the bytes: an hour of bodies has some 100,000 of them.
        self._appearances: list[NDArray[np.float16]] = []

    def add(self, frame_idx: int, timestamp_s: float, boxes: Boxes) -> None:
        """Append the boxes of one frame; frames must come in ascending order."""
        if len(boxes.confidences) == 0:
            return
        self._open.append((frame_idx, timestamp_s, boxes))
        self._open_rows += len(boxes.confidences)
        if boxes.appearances is not None:
            self._appearances.append(boxes.appearances.astype(np.float16))
        if self._open_rows >= _ROWS_PER_CHUNK:
            self._close_chunk()

    def _close_chunk(self) -> None:
        if self._open:
            self._chunks.append(_to_batch(self._open))
        self._open, self._open_rows = [], 0

    def table(self) -> pa.Table:
        """Return all rows."""
        self._close_chunk()
        return pa.Table.from_batches(self._chunks, self.SCHEMA)

    def appearances(self) -> NDArray[np.float16]:
        """Return the (N, D) appearances, row by row those of `table`; (0, 0) if there is none."""
        if not self._appearances:
            return np.empty((0, 0), np.float16)
        return np.concatenate(self._appearances)

    @classmethod
    def joined(cls, parts: Sequence[BoxRows]) -> BoxRows:
        """Return the rows of all parts, in their order."""
        rows = cls()
        for part in parts:
            part._close_chunk()
            rows._chunks.extend(part._chunks)
            rows._appearances.extend(part._appearances)
        return rows


def _to_batch(frames: Sequence[tuple[int, float, Boxes]]) -> pa.RecordBatch:
    counts = [len(b.confidences) for _, _, b in frames]
    bboxes = np.concatenate([b.bboxes_xyxy for _, _, b in frames])
    missing = np.repeat([b.landmarks_xy is None for _, _, b in frames], counts)
    landmarks = np.concatenate(
        [
            np.zeros((n, 10), np.float32) if b.landmarks_xy is None else b.landmarks_xy
            for n, (_, _, b) in zip(counts, frames, strict=True)
        ]
    )
    return pa.RecordBatch.from_arrays(
        [
            pa.array(np.repeat(np.array([f for f, _, _ in frames], np.int64), counts)),
            pa.array(np.repeat(np.array([t for _, t, _ in frames], np.float64), counts)),
            pa.FixedSizeListArray.from_arrays(bboxes.reshape(-1), 4),
            pa.array(np.concatenate([b.confidences for _, _, b in frames])),
            pa.FixedSizeListArray.from_arrays(landmarks.reshape(-1), 10, mask=pa.array(missing)),
        ],
        schema=BoxRows.SCHEMA,
    )
