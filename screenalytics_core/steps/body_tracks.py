"""Bodies followed through each shot, and what each looks like on average."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from screenalytics_core.artifacts import BODY_TRACKS, ArtifactKind
from screenalytics_core.steps.base import ArtifactData, Step, StepInput, StepOutput
from screenalytics_core.steps.looked_at import LookedAt, read_looked_at
from screenalytics_core.vision.body_appearance import NO_VECTOR, appearances_of_tracks
from screenalytics_core.vision.track_rows import frame_order, tracks_table
from screenalytics_core.vision.track_shaping import track_boxes
from screenalytics_core.vision.tracking import TrackerSettings

# A body may be missed in one look and is then still waited for.
_LOOKS_IN_BUFFER: Final = 2


def run(step: StepInput) -> Mapping[ArtifactKind, ArtifactData]:
    """Make `body_tracks`.

    Raises:
        InputConflictError: The detections are not of these shots.
    """
    looked_at = read_looked_at(step, ArtifactKind.BODY_DETECTIONS, "body_sampled_frames")
    times_s, shots = looked_at.frame_times_s, looked_at.shots
    settings = _tracker_settings(step, looked_at)
    tracks = track_boxes(looked_at.detections, shots, times_s, settings)
    step.progress(len(shots), len(shots), "shots followed")
    vectors = step.read(ArtifactKind.BODY_DETECTIONS, "body_appearance")
    ordered = vectors[frame_order(looked_at.table)] if len(vectors) else vectors
    appearances = appearances_of_tracks(tracks, looked_at.detections, ordered)
    more = _appearance_columns(appearances.rows, looked_at.table)
    table = tracks_table(tracks, times_s, BODY_TRACKS, "body_track_id", more)
    return {
        ArtifactKind.BODY_TRACKS: {
            "body_tracks": table,
            "body_embeddings": appearances.vectors,
        }
    }


def _tracker_settings(step: StepInput, looked_at: LookedAt) -> TrackerSettings:
    """Return what suits bodies, which are large, slow for their size, and cover one another.

    - Two people who stand close overlap more than two faces ever do, so only boxes that
      overlap by more are taken for one body: above the 0.6 at which NanoDet suppresses them.
    - A body that moved further than its own size between two looks is rarely the same one;
      in a crowd, reaching for it hands the track to a neighbour.
    - A weak box is often cut off by another body, so it need fit less well.
    - `track_buffer` counts frames, and bodies are looked at more seldom than faces: at a
      stride of 12 it would forget a body that was missed once.
    """
    buffer_frames = max(step.settings.track_buffer, _LOOKS_IN_BUFFER * _spacing(looked_at))
    return TrackerSettings(
        strong_confidence=step.settings.body_thresh,
        buffer_s=float(buffer_frames / looked_at.fps),
        min_samples=step.settings.min_track_samples,
        weak_match_iou=0.4,
        reach=0.0,
        duplicate_iou=0.7,
        merge_iou=0.6,
    )


def _spacing(looked_at: LookedAt) -> int:
    """Return the frames from one look to the next.

    Read from the looks and not from the setting: reused detections may be of another stride.
    Looks at the ends of shots come in between, so the longest distance is the stride.
    """
    return int(np.diff(looked_at.sampled).max(initial=1))


def _appearance_columns(rows: NDArray[np.int64], detections: pa.Table) -> dict[str, pa.Array]:
    has_none = rows == NO_VECTOR
    # One embedder made them all.
    names = detections.column("appearance").drop_null()
    name = names[0].as_py() if len(names) else None
    return {
        "appearance_row": pa.array(rows, mask=has_none),
        "appearance": pa.array([None if none else name for none in has_none], pa.string()),
    }


STEP: Final = Step(
    "body_tracks",
    (
        StepOutput(
            "body_tracks",
            (ArtifactKind.BODY_TRACKS,),
            version="1",
            inputs=(ArtifactKind.SHOTS, ArtifactKind.BODY_DETECTIONS),
            settings=("body_thresh", "track_buffer", "min_track_samples"),
        ),
    ),
    run,
    "Bodies followed through each shot in seconds, and what each looks like",
)
