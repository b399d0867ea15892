"""`shots`, `detections` and `body_detections` from one decode.

Detections do not take `shots` as an input: all come from the same pass, so they depend on
the same settings. Where only some are wanted, cuts are looked for all the same, since detectors
look at both sides of each place where something new begins.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa

from screenalytics_core.artifacts import BODY_DETECTIONS, DETECTIONS, ArtifactKind
from screenalytics_core.steps.base import ArtifactData, Step, StepInput, StepOutput
from screenalytics_core.steps.scan_looks import look_for_bodies, look_for_faces
from screenalytics_core.vision.looker import Look, Looker
from screenalytics_core.vision.scanning import Scan, join_parts, scan_part
from screenalytics_core.vision.shots import CutFinder
from screenalytics_core.vision.video import VideoFacts, VideoSource

_FACES: Final = "faces"
_BODIES: Final = "bodies"
_SHOT_SETTINGS: Final = ("scene_detector", "scene_threshold", "adaptive_threshold")


def run(step: StepInput) -> Mapping[ArtifactKind, ArtifactData]:
    """Make the wanted of `shots`, `detections` and `body_detections`.

    Raises:
        VideoError: The video ends early, cannot be decoded, or changed meanwhile.
        ModelError: A model's file is unusable.
    """
    wants_bodies = ArtifactKind.BODY_DETECTIONS in step.wanted
    bodies = look_for_bodies(step) if wants_bodies else None
    looks: dict[str, Look] = {}
    if ArtifactKind.DETECTIONS in step.wanted:
        looks[_FACES] = look_for_faces(step)
    if bodies is not None:
        looks[_BODIES] = bodies.look
    made: dict[ArtifactKind, ArtifactData] = {}
    if wants_bodies and bodies is None:
        made[ArtifactKind.BODY_DETECTIONS] = _no_bodies()
    if not looks and ArtifactKind.SHOTS not in step.wanted:
        return made
    video = step.need_video()
    scan = _scan(step, video, looks)
    video.check_unchanged()
    if ArtifactKind.SHOTS in step.wanted:
        made[ArtifactKind.SHOTS] = {
            "shots": _shots_document(scan, video.facts),
            "frame_times": scan.frame_times_s,
        }
    if _FACES in looks:
        made[ArtifactKind.DETECTIONS] = {
            "detections": DETECTIONS.conform(_table(scan, _FACES)),
            "sampled_frames": scan.sampled[_FACES],
        }
    if bodies is not None:
        made[ArtifactKind.BODY_DETECTIONS] = _bodies(scan, bodies.appearance)
    return made


def _scan(step: StepInput, video: VideoSource, looks: Mapping[str, Look]) -> Scan:
    expected = video.facts.frame_count
    finder = CutFinder(
        step.settings.scene_detector,
        scene_threshold=step.settings.scene_threshold,
        adaptive_threshold=step.settings.adaptive_threshold,
    )

    def on_frame(frame_idx: int) -> None:
        step.progress(frame_idx + 1, max(expected, frame_idx + 1), "frames scanned")

    workers = (step.settings.workers or os.cpu_count() or 1) if looks else 1
    with Looker(looks, workers) as looker:
        return join_parts([scan_part(video.frames(), finder, looker, on_frame=on_frame)])


def _shots_document(scan: Scan, facts: VideoFacts) -> dict[str, Any]:
    times = scan.frame_times_s
    return {
        "fps": str(facts.fps),
        "width_px": facts.width_px,
        "height_px": facts.height_px,
        "frame_count": len(times) - 1,
        "start_s": float(times[0]),
        "duration_s": float(times[-1] - times[0]),
        "shots": [
            {
                "shot_id": shot_id,
                "start_frame": start,
                "end_frame": end,
                "start_s": float(times[start]),
                "end_s": float(times[end]),
            }
            for shot_id, (start, end) in enumerate(scan.shots)
        ],
    }


def _bodies(scan: Scan, appearance: str) -> ArtifactData:
    table = _table(scan, _BODIES).drop_columns(["landmarks_xy"])
    names = pa.array([appearance] * table.num_rows, pa.string())
    return {
        "body_detections": BODY_DETECTIONS.conform(table.append_column("appearance", names)),
        "body_sampled_frames": scan.sampled[_BODIES],
        "body_appearance": scan.rows[_BODIES].appearances(),
    }


def _no_bodies() -> ArtifactData:
    """Return what stands for "nobody looked": even an empty picture has frames looked at."""
    return {
        "body_detections": BODY_DETECTIONS.from_rows([]),
        "body_sampled_frames": np.empty(0, np.int64),
        "body_appearance": np.empty((0, 0), np.float16),
    }


def _table(scan: Scan, name: str) -> pa.Table:
    """Return a detector's boxes, each numbered and with its shot."""
    table = scan.rows[name].table()
    starts = np.array([shot.start_frame for shot in scan.shots], np.int64)
    frame_idxs = table.column("frame_idx").to_numpy()
    shot_ids = np.searchsorted(starts, frame_idxs, side="right") - 1
    table = table.append_column("shot_id", pa.array(shot_ids, pa.int64()))
    ids = pa.array(np.arange(table.num_rows), pa.int64())
    return table.append_column("detection_id", ids)


STEP = Step(
    name="scan",
    outputs=(
        StepOutput(
            name="shots",
            kinds=(ArtifactKind.SHOTS,),
            version="5",
            settings=_SHOT_SETTINGS,
            reads_video=True,
        ),
        StepOutput(
            name="detections",
            kinds=(ArtifactKind.DETECTIONS,),
            version="10",
            settings=(
                *_SHOT_SETTINGS,
                "stride",
                "min_stride",
                "det_thresh",
                "det_max_side_px",
                "device",
            ),
            launch_settings=("workers",),
            model_roles=("face_detector",),
            reads_video=True,
        ),
        StepOutput(
            name="body_detections",
            kinds=(ArtifactKind.BODY_DETECTIONS,),
            version="5",
            # The network that compares bodies runs where faces are embedded.
            settings=(*_SHOT_SETTINGS, "body_tracking", "body_stride", "device", "embed_device"),
            launch_settings=("workers",),
            model_roles=("person_detector", "person_embedder"),
            reads_video=True,
        ),
    ),
    run=run,
    description="One decode of the video: cuts, the time of every frame, faces and bodies on "
    "sampled frames",
)
