"""`shots` and `detections` from one decode.

Detections do not take `shots` as an input: both come from the same pass, so they depend on
the same settings. Where only detections are wanted and the shots are at hand, they are used
and cuts are not looked for again; the rows are the same.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa

from screenalytics_core.artifacts import DETECTIONS, ArtifactKind
from screenalytics_core.steps.base import ArtifactData, Step, StepInput, StepOutput
from screenalytics_core.vision.box_rows import MIN_CONFIDENCE, Boxes
from screenalytics_core.vision.models.protocols import FaceDetector, Image
from screenalytics_core.vision.sampling import sampled_frames
from screenalytics_core.vision.scanning import Look, Looker, Scan, join_parts, scan_part
from screenalytics_core.vision.shots import CutFinder, Shot
from screenalytics_core.vision.video import VideoFacts, VideoSource

_FACES: Final = "faces"
_SHOT_SETTINGS: Final = ("scene_detector", "scene_threshold", "adaptive_threshold")


def run(step: StepInput) -> Mapping[ArtifactKind, ArtifactData]:
    """Make the wanted of `shots` and `detections`.

    Raises:
        VideoError: The video ends early, cannot be decoded, or changed meanwhile.
        ModelError: The detector's file is unusable.
    """
    video = step.need_video()
    wants_faces = ArtifactKind.DETECTIONS in step.wanted
    looks = {_FACES: _look_for_faces(step)} if wants_faces else {}
    if ArtifactKind.SHOTS not in step.wanted and ArtifactKind.SHOTS in step.artifacts:
        scan = _scan_known_shots(step, video, looks)
    else:
        scan = _scan_all(step, video, looks)
    video.check_unchanged()
    made: dict[ArtifactKind, ArtifactData] = {}
    if ArtifactKind.SHOTS in step.wanted:
        made[ArtifactKind.SHOTS] = {
            "shots": _shots_document(scan, video.facts),
            "frame_times": scan.frame_times_s,
        }
    if wants_faces:
        made[ArtifactKind.DETECTIONS] = {
            "detections": _detections(scan),
            "sampled_frames": scan.sampled,
        }
    return made


def _look_for_faces(step: StepInput) -> Look:
    # Fewer than this are never kept; what counts as a strong one is the tracker's business.
    detector: FaceDetector = step.need_models().face_detector(
        max_side_px=step.settings.det_max_side_px, min_confidence=MIN_CONFIDENCE
    )

    def look(image_bgr: Image) -> Boxes:
        faces = detector.detect(image_bgr)
        return Boxes(faces.bboxes_xyxy, faces.confidences, faces.landmarks_xy)

    return look


def _looker(step: StepInput, looks: Mapping[str, Look]) -> Looker:
    return Looker(looks, (step.settings.workers or os.cpu_count() or 1) if looks else 1)


def _scan_all(step: StepInput, video: VideoSource, looks: Mapping[str, Look]) -> Scan:
    stride = step.settings.stride
    expected = video.facts.frame_count
    finder = CutFinder(
        step.settings.scene_detector,
        scene_threshold=step.settings.scene_threshold,
        adaptive_threshold=step.settings.adaptive_threshold,
    )

    def on_frame(frame_idx: int) -> None:
        step.progress(frame_idx + 1, max(expected, frame_idx + 1), "frames scanned")

    with _looker(step, looks) as looker:
        part = scan_part(video.frames(), finder, looker, stride=stride, on_frame=on_frame)
    return join_parts([part], stride)


def _scan_known_shots(step: StepInput, video: VideoSource, looks: Mapping[str, Look]) -> Scan:
    rows: list[dict[str, Any]] = step.read(ArtifactKind.SHOTS)["shots"]
    shots = [Shot(row["start_frame"], row["end_frame"]) for row in rows]
    sampled = sampled_frames(shots, step.settings.stride)
    with _looker(step, looks) as looker:
        for done, frame in enumerate(video.frames_at(sampled.tolist()), start=1):
            looker.look(frame)
            step.progress(done, len(sampled), "frames looked at")
        found = looker.finish()
    return Scan(step.read(ArtifactKind.SHOTS, "frame_times"), shots, sampled, found)


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


def _detections(scan: Scan) -> pa.Table:
    table = scan.rows[_FACES].table()
    starts = np.array([shot.start_frame for shot in scan.shots], np.int64)
    frame_idxs = table.column("frame_idx").to_numpy()
    shot_ids = np.searchsorted(starts, frame_idxs, side="right") - 1
    table = table.append_column("shot_id", pa.array(shot_ids, pa.int64()))
    ids = pa.array(np.arange(table.num_rows), pa.int64())
    return DETECTIONS.conform(table.append_column("detection_id", ids))


STEP = Step(
    name="scan",
    outputs=(
        StepOutput(
            name="shots",
            kinds=(ArtifactKind.SHOTS,),
            version="1",
            settings=_SHOT_SETTINGS,
            reads_video=True,
        ),
        StepOutput(
            name="detections",
            kinds=(ArtifactKind.DETECTIONS,),
            version="2",
            settings=(*_SHOT_SETTINGS, "stride", "det_max_side_px", "device"),
            launch_settings=("workers",),
            model_roles=("face_detector",),
            reads_video=True,
        ),
    ),
    run=run,
    description="One decode of the video: cuts, the time of every frame, faces on sampled frames",
)
