"""What is known of a face or body track: where it was seen, how sure, and whose it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from screenalytics_core.vision.intervals import Interval

Row = Mapping[str, Any]
_FACE: Final = (
    "face_id",
    "frame_idx",
    "timestamp_s",
    "detection_id",
    "confidence",
    "quality",
    "crop",
)
_TRACK: Final = ("shot_id", "first_frame_idx", "last_frame_idx", "start_s", "end_s")
_MEMBERSHIP: Final = (
    "identity_id",
    "similarity",
    "rival_id",
    "rival_similarity",
    "confidence",
)
_FUSION: Final = (
    "start_s",
    "end_s",
    "identity_id",
    "evidence",
    "track_ids",
    "shared_frames",
    "similarity",
    "gap_s",
    "confidence",
)


class TrackEvidence:
    """Looks tracks up in a run's artifacts.

    Args:
        tracks: `artifacts.TRACKS`.
        faces: `artifacts.FACES`.
        identities: The document of `artifacts.IDENTITIES`.
        body_tracks: `artifacts.BODY_TRACKS`.
        track_fusion: The document of `artifacts.TRACK_FUSION`.
    """

    def __init__(
        self,
        tracks: pa.Table,
        faces: pa.Table,
        identities: Row,
        body_tracks: pa.Table,
        track_fusion: Row,
    ) -> None:
        self._tracks = tracks
        self._faces = faces
        self._body_tracks = body_tracks
        self._memberships = {row["track_id"]: row for row in identities["memberships"]}
        self._associations: defaultdict[int, list[Row]] = defaultdict(list)
        for row in track_fusion["associations"]:
            self._associations[row["body_track_id"]].append(row)

    def of_face_track(self, track_id: int, during: Interval, frame_idx: int | None) -> Row:
        """Return what is known of a face track, ready for JSON.

        Args:
            during: The stretch of time, s, that the faces shown are of.
            frame_idx: The frame whose box is shown; None = no box.
        """
        row = _row(self._tracks, "track_id", track_id)
        membership = self._memberships.get(track_id)
        return {
            "track_id": track_id,
            **_seen(row, frame_idx),
            "membership": {k: membership[k] for k in _MEMBERSHIP} if membership else None,
            "faces": self._faces_of(track_id, during),
        }

    def of_body_track(self, body_track_id: int, during: Interval, frame_idx: int | None) -> Row:
        """Return what is known of a body track, and what ties it to whom; args as above."""
        row = _row(self._body_tracks, "body_track_id", body_track_id)
        ties = [
            {key: tie[key] for key in _FUSION}
            for tie in self._associations[body_track_id]
            if tie["start_s"] < during[1] and tie["end_s"] > during[0]
        ]
        return {"body_track_id": body_track_id, **_seen(row, frame_idx), "tied_by": ties}

    def _faces_of(self, track_id: int, during: Interval) -> list[dict[str, Any]]:
        """Return the accepted faces, those that the identity rests on."""
        faces = self._faces
        mask = pc.and_(pc.equal(faces["track_id"], track_id), faces["accepted"])
        rows: list[dict[str, Any]] = faces.filter(mask).select(_FACE).to_pylist()
        return [row for row in rows if during[0] <= row["timestamp_s"] < during[1]]


def _row(table: pa.Table, key: str, value: int) -> Row:
    row: Row = table.filter(pc.equal(table[key], value)).to_pylist()[0]
    return row


def _seen(row: Row, frame_idx: int | None) -> dict[str, Any]:
    observed = sum(d is not None for d in row["detection_ids"])
    return {
        **{key: row[key] for key in _TRACK},
        "observed_frames": observed,
        "filled_in_frames": len(row["detection_ids"]) - observed,
        "mean_confidence": row["mean_confidence"],
        "box": None if frame_idx is None else _box(row, frame_idx),
    }


def _box(row: Row, frame_idx: int) -> dict[str, Any] | None:
    """Return a track's box in a frame, and the detection behind it; None if it has none there."""
    if frame_idx not in row["frame_idxs"]:
        return None
    at = row["frame_idxs"].index(frame_idx)
    return {
        "bbox_xyxy": [round(v, 1) for v in row["bboxes_xyxy"][at]],
        "detection_id": row["detection_ids"][at],
        "is_observed": row["detection_ids"][at] is not None,
    }
