"""Checks of tracks, of faces and of bodies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
from screenalytics_assets.checks.quality import judge
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.vision.quality_counters import tracking_counters


@dataclass(frozen=True, slots=True)
class _Flat:
    """All boxes of all tracks, and to which row of tracks each belongs."""

    owner: Any
    frames: Any
    detection_ids: Any  # -1 where there is none


def _flat(tracks: pa.Table) -> _Flat:
    lists = tracks.column("frame_idxs").combine_chunks()
    ids = pc.list_flatten(tracks.column("detection_ids").combine_chunks())
    return _Flat(
        owner=pc.list_parent_indices(lists).to_numpy(zero_copy_only=False),
        frames=pc.list_flatten(lists).to_numpy(zero_copy_only=False),
        detection_ids=ids.fill_null(-1).to_numpy(zero_copy_only=False),
    )


def _fit_the_detections(values: Values, kind: ArtifactKind, seen_in: ArtifactKind) -> Findings:
    found = Findings()
    found.rows_of(values, kind)
    tracks: pa.Table = values.read(kind)
    lengths = [
        pc.list_value_length(tracks.column(name)).to_numpy()
        for name in ("frame_idxs", "bboxes_xyxy", "detection_ids")
    ]
    uneven = (lengths[0] != lengths[1]) | (lengths[0] != lengths[2])
    found.no_row(uneven, "have lists of different lengths")
    if uneven.any() or not values.has(seen_in):
        return found
    flat = _flat(tracks)
    detections = values.read(seen_in)
    known = column(detections, "detection_id")
    is_seen = flat.detection_ids >= 0
    ids = flat.detection_ids[is_seen]
    unknown = np.setdiff1d(ids, known)
    found.none_of(unknown.tolist(), "detections of tracks do not exist")
    unique, counts = np.unique(ids, return_counts=True)
    found.none_of(unique[counts > 1].tolist(), "detections are part of several tracks")
    if not len(unknown) and len(ids):
        order = np.argsort(known, kind="stable")
        rows = order[np.searchsorted(known, ids, sorter=order)]
        elsewhere = column(detections, "frame_idx")[rows] != flat.frames[is_seen]
        found.none_of(ids[elsewhere].tolist(), "detections stand on another frame in their track")
    found.show(detections_in_tracks=len(ids), filled_boxes=int((~is_seen).sum()))
    return found


def _faces_fit(values: Values) -> Outcome:
    found = _fit_the_detections(values, ArtifactKind.TRACKS, ArtifactKind.DETECTIONS)
    rows = values.read(ArtifactKind.TRACKS).num_rows
    said = values.read(ArtifactKind.TRACK_METRICS)["track_count"]
    found.must(said == rows, f"track_metrics speaks of {said} tracks, there are {rows}")
    return found.outcome(f"{rows} tracks of existing detections, each used once.")


def _bodies_fit(values: Values) -> Outcome:
    found = _fit_the_detections(values, ArtifactKind.BODY_TRACKS, ArtifactKind.BODY_DETECTIONS)
    tracks = values.read(ArtifactKind.BODY_TRACKS)
    vectors = values.read(ArtifactKind.BODY_TRACKS, "body_embeddings")
    rows = tracks.column("appearance_row").drop_null().to_numpy()
    found.must(
        sorted(rows.tolist()) == list(range(len(vectors))),
        f"{len(rows)} appearance rows do not name each of the {len(vectors)} vectors once",
    )
    found.no_row(~is_unit_length(vectors), "of body_embeddings have another length than 1")
    found.show(with_appearance=len(rows))
    return found.outcome(f"{tracks.num_rows} body tracks of existing detections, each used once.")


def _inside_the_episode(values: Values, kind: ArtifactKind) -> Outcome:
    found = Findings()
    tracks: pa.Table = values.read(kind)
    first, last = column(tracks, "first_frame_idx"), column(tracks, "last_frame_idx")
    start_s, end_s = column(tracks, "start_s"), column(tracks, "end_s")
    found.no_row(end_s <= start_s, "end before they start")
    found.no_row(outside(column(tracks, "mean_confidence"), 0, 1), "have no confidence in 0 to 1")
    flat = _flat(tracks)
    same = np.diff(flat.owner) == 0
    falling = flat.owner[1:][same & (np.diff(flat.frames) <= 0)]
    strays = flat.owner[(flat.frames < first[flat.owner]) | (flat.frames > last[flat.owner])]
    found.none_of(np.unique(falling).tolist(), "tracks have frames that do not ascend (rows)")
    found.none_of(np.unique(strays).tolist(), "tracks have boxes outside themselves (rows)")
    if values.has(ArtifactKind.SHOTS):
        times_s = values.read(ArtifactKind.SHOTS, "frame_times")
        wrong = _outside_their_shot(tracks, values.read(ArtifactKind.SHOTS)["shots"])
        found.no_row(wrong, "cross a cut, or lie outside of their shot")
        known = (first >= 0) & (last < len(times_s) - 1)
        late = np.abs(start_s[known] - times_s[first[known]]) > TOLERANCE_S
        late |= np.abs(end_s[known] - times_s[last[known] + 1]) > TOLERANCE_S
        found.no_row(late, "have another time than their frames")
    return found.outcome(f"All {tracks.num_rows} tracks lie inside their shots.")


def _outside_their_shot(tracks: pa.Table, shots: list[dict[str, Any]]) -> Any:
    frames = {s["shot_id"]: (s["start_frame"], s["end_frame"]) for s in shots}
    bounds = np.array(
        [frames.get(i, (0, 0)) for i in tracks.column("shot_id").to_pylist()], np.int64
    ).reshape(-1, 2)
    first, last = column(tracks, "first_frame_idx"), column(tracks, "last_frame_idx")
    return (first < bounds[:, 0]) | (last >= bounds[:, 1])


def _quality(values: Values) -> Outcome:
    return judge(tracking_counters(values.read(ArtifactKind.TRACK_METRICS)))


_INSIDE: Final = "Each track has a length, lies inside one shot, and at its frames' times."
TRACKS: Final = (
    Check(
        "rows_fit_the_detections",
        "As many rows as the manifest says; their detections exist, and are part of one track.",
        _faces_fit,
    ),
    Check(
        "inside_the_episode",
        _INSIDE,
        lambda values: _inside_the_episode(values, ArtifactKind.TRACKS),
    ),
    Check(
        "quality_within_limits",
        "The tracker's figures lie within their limits; a warning says what to change.",
        _quality,
    ),
)
BODY_TRACKS: Final = (
    Check(
        "rows_fit_the_detections",
        "Rows as the manifest says; detections exist and are used once; vectors have length 1.",
        _bodies_fit,
    ),
    Check(
        "inside_the_episode",
        _INSIDE,
        lambda values: _inside_the_episode(values, ArtifactKind.BODY_TRACKS),
    ),
)
