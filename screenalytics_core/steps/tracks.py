"""Faces followed through each shot, and whether that went well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from screenalytics_core.artifacts import TRACKS, ArtifactKind
from screenalytics_core.steps.base import ArtifactData, Step, StepInput, StepOutput
from screenalytics_core.steps.looked_at import read_looked_at
from screenalytics_core.vision.track_metrics import track_metrics
from screenalytics_core.vision.track_rows import tracks_table
from screenalytics_core.vision.track_shaping import track_boxes
from screenalytics_core.vision.tracking import TrackerSettings


def run(step: StepInput) -> Mapping[ArtifactKind, ArtifactData]:
    """Make `tracks` and `track_metrics`.

    Raises:
        InputConflictError: The detections are not of these shots.
    """
    looked_at = read_looked_at(step, ArtifactKind.DETECTIONS, "sampled_frames")
    detections, times_s = looked_at.detections, looked_at.frame_times_s
    settings = TrackerSettings(
        strong_confidence=step.settings.det_thresh,
        buffer_s=float(step.settings.track_buffer / looked_at.fps),
        min_samples=step.settings.min_track_samples,
        lone_returns=True,
    )
    tracks = track_boxes(detections, looked_at.shots, times_s, settings)
    step.progress(len(looked_at.shots), len(looked_at.shots), "shots followed")
    metrics = track_metrics(tracks, detections, times_s, settings.strong_confidence)
    return {
        ArtifactKind.TRACKS: {"tracks": tracks_table(tracks, times_s, TRACKS, "track_id")},
        ArtifactKind.TRACK_METRICS: {"track_metrics": metrics},
    }


STEP: Final = Step(
    "tracks",
    (
        StepOutput(
            "tracks",
            (ArtifactKind.TRACKS, ArtifactKind.TRACK_METRICS),
            version="2",
            inputs=(ArtifactKind.SHOTS, ArtifactKind.DETECTIONS),
            settings=("det_thresh", "track_buffer", "tracker", "min_track_samples"),
        ),
    ),
    run,
    "Faces followed through each shot in seconds, never over a cut",
)
