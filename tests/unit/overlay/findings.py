"""What a run found, made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from screenalytics_core.artifacts import BODY_TRACKS, TRACKS
from screenalytics_core.overlay.scene import RunFindings

BoxAt = Mapping[int, tuple[float, float, float, float]]


def track_row(
    boxes: BoxAt, times_s: Sequence[float], *, unseen: Sequence[int] = ()
) -> dict[str, Any]:
    """A track with a box at some frames; those that are `unseen` have no detection."""
    frames = sorted(boxes)
    return {
        "shot_id": 0,
        "first_frame_idx": frames[0],
        "last_frame_idx": frames[-1],
        "start_s": times_s[frames[0]],
        "end_s": times_s[frames[-1] + 1],
        "frame_idxs": frames,
        "bboxes_xyxy": [boxes[f] for f in frames],
        "detection_ids": [None if f in unseen else f for f in frames],
        "mean_confidence": 0.9,
    }


def face_tracks(rows: Mapping[int, dict[str, Any]]) -> pa.Table:
    return TRACKS.from_rows([{"track_id": i, **row} for i, row in rows.items()])


def body_tracks(rows: Mapping[int, dict[str, Any]]) -> pa.Table:
    more = {"appearance_row": None, "appearance": None}
    return BODY_TRACKS.from_rows([{"body_track_id": i, **row, **more} for i, row in rows.items()])


def association(body_track_id: int, identity_id: str | None, **more: Any) -> dict[str, Any]:
    return {
        "body_track_id": body_track_id,
        "start_s": 0.0,
        "end_s": 1e9,
        "identity_id": identity_id,
        "evidence": "face_in_body",
        "track_ids": [],
        "confidence": 0.9,
        **more,
    }


def identity(identity_id: str, *track_ids: int) -> dict[str, Any]:
    return {"identity_id": identity_id, "label": None, "track_ids": list(track_ids)}


def named(
    identity_id: str | None, cast_id: str | None, label: str | None, **more: Any
) -> dict[str, Any]:
    return {
        "identity_id": identity_id,
        "track_id": None,
        "cast_id": cast_id,
        "label": label,
        "confidence": 1.0,
        **more,
    }


def times(count: int, fps: Fraction | int = 25, first_s: float = 0.0) -> list[float]:
    return [first_s + float(i / Fraction(fps)) for i in range(count + 1)]


def found(
    times_s: Sequence[float],
    faces: Mapping[int, dict[str, Any]],
    *,
    identities: Sequence[dict[str, Any]] = (),
    cast: Sequence[dict[str, Any]] = (),
    bodies: Mapping[int, dict[str, Any]] | None = None,
    associations: Sequence[dict[str, Any]] = (),
    shot_starts: Sequence[int] = (0,),
) -> RunFindings:
    return RunFindings(
        shots={
            "shots": [
                {"shot_id": i, "start_frame": start, "end_frame": end}
                for i, (start, end) in enumerate(pairwise([*shot_starts, len(times_s) - 1]))
            ]
        },
        frame_times_s=np.array(times_s),
        tracks=face_tracks(faces),
        identities={"identities": list(identities)},
        cast={"people": list(cast)},
        body_tracks=None if bodies is None else body_tracks(bodies),
        track_fusion={"associations": list(associations)},
    )
