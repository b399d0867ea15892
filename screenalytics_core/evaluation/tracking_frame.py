"""One frame of a tracking task: who is there, what was followed there, and how they overlap."""

from __future__ import annotations

from dataclasses import dataclass

from screenalytics_core.vision.boxes import Float64Array, IntArray


@dataclass(frozen=True, slots=True)
class TrackingFrame:
    """True and predicted ids of a frame, each once, with the overlap of their boxes.

    Attributes:
        truth_ids: (N,). predicted_ids: (M,).
        similarity: (N, M), 0 to 1.
    """

    truth_ids: IntArray
    predicted_ids: IntArray
    similarity: Float64Array
