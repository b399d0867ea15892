"""What the report says, computed from artifacts; how it looks is `pdf`'s business.

Pure: no clock, no path, no bytes of pictures. A person's picture is named by its crop and
handed to the renderer separately.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from screenalytics_core.report.lineage import FileRow, Lineage
from screenalytics_core.vision.intervals import union

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Appearance:
    """One segment of a person: half-open seconds, and `face` or `body`."""

    start_s: float
    end_s: float
    source: str


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person of the episode.

    Attributes:
        name: The label, else the identity's id.
        handle: Ids that lead back into the run, e.g. `id_0003`; empty when it is the name.
        share: total_s / length of the episode, 0 to 1.
        crop: Name of the picture inside crops.zip, None if there is none.
    """

    name: str
    handle: str
    is_named: bool
    total_s: float
    face_s: float
    body_only_s: float | None
    bounds_s: Interval | None
    share: float
    first_s: float
    last_s: float
    track_count: int
    segments: tuple[Appearance, ...]
    crop: str | None


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One health figure of the tracking with its limits."""

    name: str
    value: float | None
    warn_below: float | None
    warn_above: float | None
    is_warning: bool


@dataclass(frozen=True, slots=True)
class ReportModel:
    """Everything that stands in the report.

    Attributes:
        shots_s: Half-open interval of every shot, seconds.
        unknown_segments_s: Where faces without an identity are, disjoint, ascending.
        counts: (what, how many), in reading order.
    """

    ep_id: str
    run_id: str
    start_s: float
    duration_s: float
    covered_s: float
    unknown_s: float
    people: tuple[PersonRow, ...]
    shots_s: tuple[Interval, ...]
    unknown_segments_s: tuple[Interval, ...]
    counts: tuple[tuple[str, int | None], ...]
    metrics: tuple[MetricRow, ...]
    lineage: Lineage

    @property
    def crops(self) -> tuple[str, ...]:
        """Names of the pictures that the report shows, in its order, each once."""
        return tuple(dict.fromkeys(p.crop for p in self.people if p.crop is not None))


@dataclass(frozen=True, slots=True)
class ReportInputs:
    """The values of the artifacts that the report reads; see their specs in `artifacts`."""

    ep_id: str
    run_id: str
    shots: Mapping[str, Any]
    tracks: pa.Table
    track_metrics: Mapping[str, Any]
    faces: pa.Table
    identities: Mapping[str, Any]
    cast: Mapping[str, Any]
    screen_time: Mapping[str, Any]
    lineage: Lineage


def build_model(inputs: ReportInputs) -> ReportModel:
    """Compute the report's content; an episode without a face gives an empty, valid one."""
    screen_time = inputs.screen_time
    return ReportModel(
        ep_id=inputs.ep_id,
        run_id=inputs.run_id,
        start_s=inputs.shots["start_s"],
        duration_s=screen_time["duration_s"],
        covered_s=screen_time["covered_s"],
        unknown_s=screen_time["unknown_s"],
        people=people_rows(screen_time, inputs.identities, inputs.cast, inputs.faces),
        shots_s=tuple((s["start_s"], s["end_s"]) for s in inputs.shots["shots"]),
        unknown_segments_s=_unknown_segments(inputs.tracks, inputs.identities),
        counts=_counts(inputs),
        metrics=tuple(MetricRow(**m) for m in inputs.track_metrics["metrics"]),
        lineage=inputs.lineage,
    )


def people_rows(
    screen_time: Mapping[str, Any],
    identities: Mapping[str, Any],
    cast: Mapping[str, Any],
    faces: pa.Table,
) -> tuple[PersonRow, ...]:
    """Return the people, most seconds first; equal seconds by first appearance, then name."""
    face_of = {i["identity_id"]: i["representative_face_id"] for i in identities["identities"]}
    crop_of = crops_of_faces(faces, face_of.values())
    rows = [
        _person(p, next((crop_of[f] for f in _faces_of(p, face_of, cast) if f in crop_of), None))
        for p in screen_time["people"]
    ]
    return tuple(sorted(rows, key=lambda r: (-r.total_s, r.first_s, r.name)))


def _person(row: Mapping[str, Any], crop: str | None) -> PersonRow:
    ids = [row[k] for k in ("identity_id", "cast_id") if row.get(k)]
    name = row.get("label") or (ids[0] if ids else "unnamed")
    low, high = row.get("low_s"), row.get("high_s")
    return PersonRow(
        name=name,
        handle=" · ".join(i for i in ids if i != name),
        is_named=bool(row.get("label")),
        total_s=row["total_s"],
        face_s=row["face_s"],
        body_only_s=row.get("body_only_s"),
        bounds_s=None if low is None or high is None else (low, high),
        share=row["share"],
        first_s=row["first_s"],
        last_s=row["last_s"],
        track_count=row["track_count"],
        segments=tuple(Appearance(s["start_s"], s["end_s"], s["source"]) for s in row["segments"]),
        crop=crop,
    )


def _faces_of(
    person: Mapping[str, Any], face_of: Mapping[str, int], cast: Mapping[str, Any]
) -> Iterable[int]:
    """Yield face ids that may show a person: their identity's, else those of their cast rows."""
    if person.get("identity_id") in face_of:
        yield face_of[person["identity_id"]]
    if person.get("cast_id"):
        for row in cast["people"]:
            if row["cast_id"] == person["cast_id"] and row.get("identity_id") in face_of:
                yield face_of[row["identity_id"]]


def crops_of_faces(faces: pa.Table, face_ids: Iterable[int]) -> dict[int, str]:
    """Return face_id -> name inside crops.zip, for those of `face_ids` that have a crop."""
    wanted = pa.array(sorted(set(face_ids)), pa.int64())
    rows = faces.select(["face_id", "crop"]).filter(
        pc.and_(pc.is_in(faces["face_id"], wanted), pc.is_valid(faces["crop"]))
    )
    return dict(zip(rows["face_id"].to_pylist(), rows["crop"].to_pylist(), strict=True))


def _unknown_segments(tracks: pa.Table, identities: Mapping[str, Any]) -> tuple[Interval, ...]:
    unassigned = pa.array(identities["unassigned_track_ids"], pa.int64())
    rows = tracks.filter(pc.is_in(tracks["track_id"], unassigned))
    return union(zip(rows["start_s"].to_pylist(), rows["end_s"].to_pylist(), strict=True))


def _rows_of(files: Iterable[FileRow], name: str) -> int | None:
    return next((f.rows for f in files if f.path == name), None)


def _counts(inputs: ReportInputs) -> tuple[tuple[str, int | None], ...]:
    files = inputs.lineage.files
    return (
        ("frames decoded", inputs.shots["frame_count"]),
        ("frames searched for faces", _rows_of(files, "sampled_frames.npy")),
        ("shots", len(inputs.shots["shots"])),
        ("faces detected", _rows_of(files, "detections.jsonl")),
        ("face tracks", inputs.tracks.num_rows),
        ("candidate faces", inputs.faces.num_rows),
        ("accepted faces", int(pc.sum(inputs.faces["accepted"]).as_py() or 0)),
        ("identities", len(inputs.identities["identities"])),
        ("tracks without an identity", len(inputs.identities["unassigned_track_ids"])),
        ("pairs of tracks that cannot be one person", inputs.identities["cannot_link_pairs"]),
        ("people with screen time", len(inputs.screen_time["people"])),
    )
