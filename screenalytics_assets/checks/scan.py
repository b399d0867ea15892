"""Checks of what the scan makes: shots, detections of faces and of bodies."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from screenalytics_assets.checks.base import (
    TOLERANCE_S,
    Check,
    Findings,
    Outcome,
    Values,
    column,
    is_unit_length,
    outside,
)
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.vision.box_rows import MIN_CONFIDENCE
from screenalytics_core.vision.observed import fixed_vectors


def _shots_have_no_holes(values: Values) -> Outcome:
    found = Findings()
    found.rows_of(values, ArtifactKind.SHOTS)
    document = values.read(ArtifactKind.SHOTS)
    times_s = values.read(ArtifactKind.SHOTS, "frame_times")
    frame_count = document["frame_count"]
    found.must(
        len(times_s) == frame_count + 1,
        f"{len(times_s)} frame times do not fit {frame_count} frames and the last one's end",
    )
    found.no_row(np.diff(times_s) <= 0, "of frame_times are not before the next one")
    rows = document["shots"]
    starts = [row["start_frame"] for row in rows]
    ends = [row["end_frame"] for row in rows]
    found.must(
        starts == [0, *ends[:-1]] and ends[-1:] == [frame_count],
        f"the shots do not cover frames 0 to {frame_count} one after the other",
    )
    if len(times_s) == frame_count + 1 and all(0 <= f <= frame_count for f in starts + ends):
        moved = [
            abs(row["start_s"] - times_s[row["start_frame"]]) > TOLERANCE_S
            or abs(row["end_s"] - times_s[row["end_frame"]]) > TOLERANCE_S
            for row in rows
        ]
        found.no_row(np.array(moved, np.bool_), "of shots do not lie at their frames' times")
        found.near("start_s", document["start_s"], float(times_s[0]))
        found.near("duration_s", document["duration_s"], float(times_s[-1] - times_s[0]))
    return found.outcome(f"{len(rows)} shots cover all {frame_count} frames.")


def _fit_the_frames(values: Values, kind: ArtifactKind, sampled_part: str) -> Outcome:
    found = Findings()
    found.rows_of(values, kind)
    table = values.read(kind)
    sampled = values.read(kind, sampled_part)
    frames = column(table, "frame_idx")
    found.no_row(np.diff(sampled) <= 0, f"of {sampled_part} do not ascend")
    found.no_row(~np.isin(frames, sampled), "stand on a frame that nobody looked at")
    if values.has(ArtifactKind.SHOTS):
        shots = values.read(ArtifactKind.SHOTS)
        times_s = values.read(ArtifactKind.SHOTS, "frame_times")
        inside = (frames >= 0) & (frames < len(times_s) - 1)
        found.no_row(~inside, "stand on a frame that the episode does not have")
        shot_of = _shot_of(shots["shots"], frames)
        found.no_row(column(table, "shot_id") != shot_of, "name a shot that is not their frame's")
        moved = np.abs(column(table, "timestamp_s")[inside] - times_s[frames[inside]])
        found.no_row(moved > TOLERANCE_S, "have another time than their frame")
    found.show(frames_looked_at=len(sampled))
    return found.outcome(f"{table.num_rows} detections on {len(sampled)} frames looked at.")


def _shot_of(shots: list[dict[str, Any]], frames: Any) -> Any:
    ends = np.array([s["end_frame"] for s in shots], np.int64)
    ids = np.array([*(s["shot_id"] for s in shots), -1], np.int64)
    return ids[np.searchsorted(ends, frames, side="right")]


def _boxes_are_in_range(values: Values, kind: ArtifactKind, found: Findings) -> Findings:
    table = values.read(kind)
    confidences = column(table, "confidence")
    # The limit as float32, as the confidences are.
    low = float(np.float32(MIN_CONFIDENCE))
    found.no_row(outside(confidences, low, 1), f"have a confidence outside {MIN_CONFIDENCE} to 1")
    boxes = fixed_vectors(table.column("bbox_xyxy").combine_chunks(), 4)
    empty = ~((boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1]))
    found.no_row(empty, "have a box without area")
    if values.has(ArtifactKind.SHOTS):
        shots = values.read(ArtifactKind.SHOTS)
        limit = np.tile([shots["width_px"], shots["height_px"]], 2)
        strays = np.any((boxes < 0) | (boxes > limit), axis=1)
        found.no_row(np.asarray(strays), "have a box outside the picture")
    if len(confidences):
        found.show(mean_confidence=float(confidences.mean()))
    return found


def _faces_are_in_range(values: Values) -> Outcome:
    found = _boxes_are_in_range(values, ArtifactKind.DETECTIONS, Findings())
    return found.outcome("Confidences and boxes lie in their ranges.")


def _bodies_are_in_range(values: Values) -> Outcome:
    found = _boxes_are_in_range(values, ArtifactKind.BODY_DETECTIONS, Findings())
    table = values.read(ArtifactKind.BODY_DETECTIONS)
    vectors = values.read(ArtifactKind.BODY_DETECTIONS, "body_appearance")
    found.must(
        len(vectors) in (0, table.num_rows),
        f"{len(vectors)} appearance vectors do not fit {table.num_rows} rows",
    )
    has_one = vectors.any(axis=1)
    found.no_row(
        has_one & ~is_unit_length(vectors), "of body_appearance have another length than 1"
    )
    if len(vectors) == table.num_rows:
        named = table.column("appearance").is_valid().to_numpy()
        found.no_row(named != has_one, "name an appearance and have none, or the other way round")
    found.show(with_appearance=int(has_one.sum()))
    return found.outcome("Confidences, boxes and appearance vectors lie in their ranges.")


SHOTS: Final = (
    Check(
        "no_holes",
        "The shots cover every frame once, one after the other, at their frames' times.",
        _shots_have_no_holes,
    ),
)
DETECTIONS: Final = (
    Check(
        "rows_fit_the_frames",
        "As many rows as the manifest says, all on frames that were looked at, in their shots.",
        lambda values: _fit_the_frames(values, ArtifactKind.DETECTIONS, "sampled_frames"),
    ),
    Check(
        "values_in_range",
        "Confidences lie in 0.1 to 1, boxes have an area inside the picture.",
        _faces_are_in_range,
    ),
)
BODY_DETECTIONS: Final = (
    Check(
        "rows_fit_the_frames",
        "As many rows as the manifest says, all on frames that were looked at, in their shots.",
        lambda values: _fit_the_frames(values, ArtifactKind.BODY_DETECTIONS, "body_sampled_frames"),
    ),
    Check(
        "values_in_range",
        "Confidences lie in 0.25 to 1, boxes inside the picture, appearance vectors have length 1.",
        _bodies_are_in_range,
    ),
)
