"""From the artifacts' values to the report's model. Pure: the same values, the same model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from screenalytics_core.report.bodies import body_facts
from screenalytics_core.report.body_review import body_review_rows
from screenalytics_core.report.faces import FaceIndex
from screenalytics_core.report.lineage import FileRow, build_lineage
from screenalytics_core.report.model import PersonRow, ReportModel, Trim
from screenalytics_core.report.people import co_appearances, people_rows
from screenalytics_core.report.review import AT_MOST, review_rows
from screenalytics_core.vision.intervals import Interval, Intervals, subtraction
from screenalytics_core.vision.owners import Owners, find_owners
from screenalytics_core.vision.quality_counters import QualityCounter


@dataclass(frozen=True, slots=True)
class ReportInputs:
    """The values of the artifacts that the report reads; see their specs in `artifacts`."""

    ep_id: str
    run_id: str
    shots: Mapping[str, Any]
    frame_times: NDArray[np.float64]
    tracks: pa.Table
    track_metrics: Mapping[str, Any]
    faces: pa.Table
    identities: Mapping[str, Any]
    cast: Mapping[str, Any]
    body_tracks: pa.Table
    track_fusion: Mapping[str, Any]
    screen_time: Mapping[str, Any]
    segments: pa.Table
    counters: tuple[QualityCounter, ...]
    run_record: Mapping[str, Any]
    files: tuple[FileRow, ...]


def build_model(inputs: ReportInputs) -> ReportModel:
    """Compute the report's content; an episode without a face gives an empty, valid one."""
    screen_time, index = inputs.screen_time, FaceIndex(inputs.faces)
    trims = [(t["start_s"], t["end_s"]) for t in screen_time["trims"]]
    owners = find_owners(inputs.identities["identities"], inputs.cast["people"])
    review = review_rows(inputs.tracks, inputs.identities, owners, index, trims)
    body_review = body_review_rows(
        inputs.track_fusion["associations"], inputs.segments, inputs.frame_times, owners
    )
    return ReportModel(
        ep_id=inputs.ep_id,
        run_id=inputs.run_id,
        start_s=inputs.shots["start_s"],
        duration_s=screen_time["duration_s"],
        fps=inputs.shots["fps"],
        counted_s=screen_time["counted_s"],
        covered_s=screen_time["covered_s"],
        overlap_s=screen_time["overlap_s"],
        unknown_s=screen_time["unknown_s"],
        has_faces=inputs.tracks.num_rows > 0,
        people=_people(inputs, owners, index),
        shots_s=tuple((s["start_s"], s["end_s"]) for s in inputs.shots["shots"]),
        unknown_segments_s=_unknown_segments(inputs.tracks, owners, trims),
        co_appearances=co_appearances(screen_time),
        trims=tuple(Trim(**t) for t in screen_time["trims"]),
        bodies=body_facts(inputs.track_fusion, inputs.body_tracks, inputs.run_record),
        counters=inputs.counters,
        review=tuple(review[:AT_MOST]),
        review_total=len(review),
        body_review=tuple(body_review[:AT_MOST]),
        body_review_total=len(body_review),
        counts=_counts(inputs),
        lineage=build_lineage(inputs.run_record, inputs.files),
    )


def _people(inputs: ReportInputs, owners: Owners, index: FaceIndex) -> tuple[PersonRow, ...]:
    return people_rows(
        inputs.screen_time,
        inputs.segments,
        inputs.frame_times,
        inputs.identities,
        owners,
        inputs.faces,
        index,
    )


def _unknown_segments(tracks: pa.Table, owners: Owners, trims: Iterable[Interval]) -> Intervals:
    owned = pa.array(owners.of_tracks, pa.int64())
    rows = tracks.filter(pc.invert(pc.is_in(tracks["track_id"], owned)))
    spans = zip(rows["start_s"].to_pylist(), rows["end_s"].to_pylist(), strict=True)
    return subtraction(spans, trims)


def _rows_of(files: Iterable[FileRow], name: str) -> int | None:
    return next((f.rows for f in files if f.path.rpartition("/")[2] == name), None)


def _counts(inputs: ReportInputs) -> tuple[tuple[str, int | None], ...]:
    files = inputs.files
    return (
        ("frames decoded", inputs.shots["frame_count"]),
        ("frames searched for faces", _rows_of(files, "sampled_frames.npy")),
        ("frames searched for bodies", _rows_of(files, "body_sampled_frames.npy")),
        ("shots", len(inputs.shots["shots"])),
        ("scenes", len(inputs.track_fusion["scenes"])),
        ("faces detected", _rows_of(files, "detections.jsonl")),
        ("bodies detected", _rows_of(files, "body_detections.jsonl")),
        ("face tracks", inputs.tracks.num_rows),
        ("body tracks", inputs.body_tracks.num_rows),
        ("candidate faces", inputs.faces.num_rows),
        ("accepted faces", int(pc.sum(inputs.faces["accepted"]).as_py() or 0)),
        ("identities", len(inputs.identities["identities"])),
        ("tracks without an identity", len(inputs.identities["unassigned_track_ids"])),
        ("pairs of tracks that cannot be one person", inputs.identities["cannot_link_pairs"]),
        ("people with screen time", len(inputs.screen_time["people"])),
    )
