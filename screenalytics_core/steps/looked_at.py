"""Detections as a tracker takes them, refused where they do not belong to the shots at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.errors import InputConflictError
from screenalytics_core.steps.base import StepInput
from screenalytics_core.vision.track_rows import detections_of, shot_frames
from screenalytics_core.vision.tracking import Detections, ShotFrames

_NO_SHOT: Final = -1


@dataclass(frozen=True, slots=True)
class LookedAt:
    """What was found where, and where was looked.

    Attributes:
        table: As it was read.
        detections: The same, ascending by frame.
        shots: Each with the frames of it that were looked at.
        sampled: Frames that were looked at, ascending.
        frame_times_s: (frames + 1,) presentation timestamps.
        fps: Average frame rate.
    """

    table: pa.Table
    detections: Detections
    shots: list[ShotFrames]
    sampled: NDArray[np.int64]
    frame_times_s: NDArray[np.float64]
    fps: Fraction


def read_looked_at(step: StepInput, kind: ArtifactKind, sampled_part: str) -> LookedAt:
    """Read the shots and the detections of `kind`.

    Args:
        sampled_part: The file of `kind` that holds the frames that were looked at.

    Raises:
        InputConflictError: The detections are not of these shots.
    """
    document: dict[str, Any] = step.read(ArtifactKind.SHOTS)
    table = step.read(kind)
    detections = detections_of(table)
    sampled = step.read(kind, sampled_part)
    _check_looks(kind, sampled, detections, document["frame_count"])
    _check_shots(kind, table, document["shots"])
    return LookedAt(
        table,
        detections,
        shot_frames(document["shots"], sampled),
        sampled,
        step.read(ArtifactKind.SHOTS, "frame_times"),
        Fraction(document["fps"]),
    )


def _check_looks(
    kind: ArtifactKind, sampled: NDArray[np.int64], detections: Detections, frame_count: int
) -> None:
    """Refuse detections on frames that nobody looked at, or that the shots do not have.

    A frame that nobody looked at must not count as one where nothing was seen.
    """
    strangers = np.setdiff1d(detections.frame_idxs, sampled)
    is_inside = len(sampled) == 0 or 0 <= sampled[0] <= sampled[-1] < frame_count
    if len(strangers) or not is_inside:
        raise InputConflictError(
            thing=str(kind),
            reason=f"stand on frames that were not looked at ({strangers[:3].tolist()}), or lie "
            f"outside the {frame_count} frames of the shots",
            way_out="Run the detect stage again in a new run.",
        )


def _check_shots(
    kind: ArtifactKind, detections: pa.Table, shots: Sequence[Mapping[str, Any]]
) -> None:
    """Refuse detections that were found with other cuts: these shots must hold their frames."""
    # Shots follow one another from frame 0; the last row stands for frames outside of them.
    starts = np.array([shot["start_frame"] for shot in shots], np.int64)
    ids = np.array([*(shot["shot_id"] for shot in shots), _NO_SHOT], np.int64)
    frame_idxs = detections.column("frame_idx").to_numpy()
    expected = ids[np.searchsorted(starts, frame_idxs, side="right") - 1]
    wrong = np.flatnonzero(detections.column("shot_id").to_numpy() != expected)
    if len(wrong):
        raise InputConflictError(
            thing=str(kind),
            reason=f"were found with other shots: {len(wrong)} of {len(frame_idxs)} name a shot "
            f"that does not hold their frame, the first on frame {frame_idxs[wrong[0]]}",
            way_out="Run the detect stage again in a new run.",
        )
