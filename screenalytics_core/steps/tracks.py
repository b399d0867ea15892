"""Faces followed through each shot, and whether that went well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

import numpy as np

from screenalytics_core.artifacts import TRACKS, ArtifactKind
from screenalytics_core.errors import InputConflictError
from screenalytics_core.steps.base import ArtifactData, Step, StepInput, StepOutput
from screenalytics_core.vision.track_metrics import track_metrics
from screenalytics_core.vision.track_rows import detections_of, shot_frames, tracks_table
from screenalytics_core.vision.track_shaping import track_boxes
from screenalytics_core.vision.tracking import Detections, ShotFrames, TrackerSettings


def run(step: StepInput) -> Mapping[ArtifactKind, ArtifactData]:
    """Make `tracks` and `track_metrics`.

    Raises:
        InputConflictError: The detections were made with another stride than the settings'.
    """
    document: dict[str, Any] = step.read(ArtifactKind.SHOTS)
    frame_times_s = step.read(ArtifactKind.SHOTS, "frame_times")
    detections = detections_of(step.read(ArtifactKind.DETECTIONS))
    shots = shot_frames(document["shots"], step.settings.stride)
    _check_looks(shots, detections, document["sampled_frame_count"], step.settings.stride)
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


def _check_looks(
    shots: Sequence[ShotFrames], detections: Detections, sampled_count: int, stride: int
) -> None:
    """Refuse detections of another stride, which `reuse_detections` can bring.

    A frame that nobody looked at would count as one where the face was not seen.
    """
    frames = np.concatenate([np.empty(0, np.int64), *(s.sampled for s in shots)])
    strangers = np.setdiff1d(detections.frame_idxs, frames)
    if len(frames) != sampled_count or len(strangers):
        raise InputConflictError(
            thing=f"detections on {sampled_count} looked-at frames",
            reason=f"stride {stride} looks at {len(frames)} frames: they were made with another",
            way_out="Give the stride that they were made with, or do not reuse them.",
        )


STEP: Final = Step(
    "tracks",
    (
        StepOutput(
            "tracks",
            (ArtifactKind.TRACKS, ArtifactKind.TRACK_METRICS),
            version="1",
            inputs=(ArtifactKind.SHOTS, ArtifactKind.DETECTIONS),
            settings=("det_thresh", "stride", "track_buffer", "tracker", "min_track_samples"),
        ),
    ),
    run,
    "Faces followed through each shot in seconds, never over a cut",
)
