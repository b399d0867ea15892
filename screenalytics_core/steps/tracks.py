"""Faces followed through each shot, and whether that went well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from screenalytics_core.artifacts import TRACKS, ArtifactKind
from screenalytics_core.errors import InputConflictError
from screenalytics_core.steps.base import ArtifactData, Step, StepInput, StepOutput
from screenalytics_core.vision.track_metrics import track_metrics
from screenalytics_core.vision.track_rows import detections_of, shot_frames, tracks_table
from screenalytics_core.vision.track_shaping import track_boxes
from screenalytics_core.vision.tracking import Detections, TrackerSettings

_NO_SHOT: Final = -1


def run(step: StepInput) -> Mapping[ArtifactKind, ArtifactData]:
    """Make `tracks` and `track_metrics`.

    Raises:
        InputConflictError: The detections are not of these shots.
    """
    document: dict[str, Any] = step.read(ArtifactKind.SHOTS)
    frame_times_s = step.read(ArtifactKind.SHOTS, "frame_times")
    table = step.read(ArtifactKind.DETECTIONS)
    detections = detections_of(table)
    sampled = step.read(ArtifactKind.DETECTIONS, "sampled_frames")
    _check_looks(sampled, detections, document["frame_count"])
    _check_shots(table, document["shots"])
    shots = shot_frames(document["shots"], sampled)
    settings = TrackerSettings(
        strong_confidence=step.settings.det_thresh,
        buffer_s=float(step.settings.track_buffer / Fraction(document["fps"])),
        min_samples=step.settings.min_track_samples,
    )
    tracks = track_boxes(detections, shots, frame_times_s, settings)
    step.progress(len(shots), len(shots), "shots followed")
    metrics = track_metrics(tracks, detections, frame_times_s, settings.strong_confidence)
    return {
        ArtifactKind.TRACKS: {"tracks": tracks_table(tracks, frame_times_s, TRACKS, "track_id")},
        ArtifactKind.TRACK_METRICS: {"track_metrics": metrics},
    }


def _check_looks(sampled: NDArray[np.int64], detections: Detections, frame_count: int) -> None:
    """Refuse detections on frames that nobody looked at, or that the shots do not have.

    A frame that nobody looked at must not count as one where the face was not seen.
    """
    strangers = np.setdiff1d(detections.frame_idxs, sampled)
    is_inside = len(sampled) == 0 or 0 <= sampled[0] <= sampled[-1] < frame_count
    if len(strangers) or not is_inside:
        raise InputConflictError(
            thing="detections",
            reason=f"stand on frames that were not looked at ({strangers[:3].tolist()}), or lie "
            f"outside the {frame_count} frames of the shots",
            way_out="Run the detect stage again in a new run.",
        )


def _check_shots(detections: pa.Table, shots: Sequence[Mapping[str, Any]]) -> None:
    """Refuse detections that were found with other cuts: these shots must hold their frames."""
    # Shots follow one another from frame 0; the last row stands for frames outside of them.
    starts = np.array([shot["start_frame"] for shot in shots], np.int64)
    ids = np.array([*(shot["shot_id"] for shot in shots), _NO_SHOT], np.int64)
    frame_idxs = detections.column("frame_idx").to_numpy()
    expected = ids[np.searchsorted(starts, frame_idxs, side="right") - 1]
    wrong = np.flatnonzero(detections.column("shot_id").to_numpy() != expected)
    if len(wrong):
        raise InputConflictError(
            thing="detections",
            reason=f"were found with other shots: {len(wrong)} of {len(frame_idxs)} name a shot "
            f"that does not hold their frame, the first on frame {frame_idxs[wrong[0]]}",
            way_out="Run the detect stage again in a new run.",
        )


STEP: Final = Step(
    "tracks",
    (
        StepOutput(
            "tracks",
            (ArtifactKind.TRACKS, ArtifactKind.TRACK_METRICS),
            version="1",
            inputs=(ArtifactKind.SHOTS, ArtifactKind.DETECTIONS),
            settings=("det_thresh", "track_buffer", "tracker", "min_track_samples"),
        ),
    ),
    run,
    "Faces followed through each shot in seconds, never over a cut",
)
