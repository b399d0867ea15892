"""The people of the report: names, seconds, bounds, segments, faces, and who met whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from screenalytics_core.report.direction import one_line
from screenalytics_core.report.faces import FaceIndex, crops_of_faces
from screenalytics_core.report.model import Appearance, CoAppearance, PersonRow
from screenalytics_core.vision.intervals import Interval
from screenalytics_core.vision.owners import Owners, PersonKey

Row = Mapping[str, Any]
HARDLY_S: Final = 5e-4
"""Less than any frame lasts, and more than roundings add up to."""
_Key = tuple[str | None, str | None]


def people_rows(
    screen_time: Row,
    segments: pa.Table,
    frame_times: NDArray[np.float64],
    identities: Row,
    owners: Owners,
    faces: pa.Table,
    index: FaceIndex,
) -> tuple[PersonRow, ...]:
    """Return the people, most seconds first; equal seconds by first appearance, then name.

    Args:
        screen_time: The document of `artifacts.SCREEN_TIME`.
        segments: The table of `artifacts.SEGMENTS`.
        frame_times: Array of `artifacts.FRAME_TIMES`.
        identities: The document of `artifacts.IDENTITIES`.
        owners: Who people are.
        faces: The table of `artifacts.FACES`.
        index: The same faces, by track.
    """
    appearances = _appearances(segments, frame_times, index)
    identities_of = _identities(identities["identities"], owners)
    shown = [i["representative_face_id"] for i in identities["identities"]]
    crop_of = crops_of_faces(_owned(faces, owners), shown)
    rows = [
        _person(
            person,
            screen_time["counted_s"],
            appearances[_key(person)],
            identities_of[_person_key(person)],
            crop_of,
            index,
        )
        for person in screen_time["people"]
    ]
    return tuple(sorted(rows, key=lambda r: (-r.total_s, r.first_s, r.name)))


def _person(
    row: Row,
    counted_s: float,
    segments: list[Appearance],
    identities: list[Row],
    crop_of: Mapping[int, str],
    index: FaceIndex,
) -> PersonRow:
    ids = [row[k] for k in ("identity_id", "cast_id") if row[k]]
    name = name_of(row)
    sheet = tuple(index.sheet_of(sorted({t for s in segments for t in s.track_ids})))
    shown = (crop_of.get(i["representative_face_id"]) for i in identities)
    fallback = sheet[0].crop if sheet else None
    return PersonRow(
        person_id=person_id_of(row),
        name=name,
        handle=" · ".join(i for i in ids if i != name),
        is_named=bool(row["label"] and one_line(row["label"])),
        total_s=row["total_s"],
        face_s=row["face_s"],
        body_only_s=row["body_only_s"],
        low_s=row["low_s"],
        high_s=row["high_s"],
        share=row["share"],
        low_share=row["low_s"] / counted_s if counted_s > 0 else 0.0,
        high_share=row["high_s"] / counted_s if counted_s > 0 else 0.0,
        confidence=min((i["confidence"] for i in identities), default=None),
        first_s=row["first_s"],
        last_s=row["last_s"],
        track_count=row["track_count"],
        body_track_count=row["body_track_count"],
        segments=tuple(segments),
        crop=next((crop for crop in shown if crop is not None), fallback),
        sheet=sheet,
    )


def name_of(row: Row) -> str:
    """Return what people call a row: label unless it is blank, else cast_id or identity_id."""
    names = (row.get(key) for key in ("label", "cast_id", "identity_id"))
    return next((name for name in names if name and one_line(name)), "unnamed")


def person_id_of(row: Row) -> str:
    """Return how co-appearances name a row of cast or screen time."""
    return str(row["cast_id"] or row["identity_id"] or "")


def _key(row: Row) -> _Key:
    return row["identity_id"], row["cast_id"]


def _person_key(row: Row) -> PersonKey:
    return row["cast_id"] is not None, row["cast_id"] or row["identity_id"]


def _identities(identities: Iterable[Row], owners: Owners) -> dict[PersonKey, list[Row]]:
    """Return the identities that make up each person."""
    found: dict[PersonKey, list[Row]] = defaultdict(list)
    for identity in identities:
        found[owners.of_identities[identity["identity_id"]].key].append(identity)
    return found


def _owned(faces: pa.Table, owners: Owners) -> pa.Table:
    """Leave out the faces of tracks that were moved: they do not show who they stand for."""
    moved = pa.array(owners.moved, pa.int64())
    return faces.filter(pc.invert(pc.is_in(faces["track_id"], moved)))


def _appearances(
    segments: pa.Table, frame_times: NDArray[np.float64], index: FaceIndex
) -> dict[_Key, list[Appearance]]:
    found: dict[_Key, list[Appearance]] = defaultdict(list)
    for row in segments.to_pylist():
        during = row["start_s"], row["end_s"]
        first, last = frames_of(during, frame_times)
        found[_key(row)].append(
            Appearance(
                *during,
                first_frame_idx=first,
                last_frame_idx=last,
                source=row["source"],
                track_ids=tuple(row["track_ids"]),
                body_track_ids=tuple(row["body_track_ids"]),
                confidence=row["confidence"],
                crop=index.best_of(row["track_ids"], during),
            )
        )
    for one in found.values():
        one.sort(key=lambda a: a.start_s)
    return found


def frames_of(during: Interval, frame_times: NDArray[np.float64]) -> tuple[int, int]:
    """Return the first and the last frame of a stretch of time."""
    # Sums of seconds may miss a frame's timestamp by a rounding.
    first, end = np.searchsorted(frame_times, np.subtract(during, HARDLY_S)).tolist()
    return first, end - 1


def co_appearances(screen_time: Row) -> tuple[CoAppearance, ...]:
    """Return who was on screen with whom, most seconds first."""
    names = {person_id_of(p): name_of(p) for p in screen_time["people"]}
    rows = [
        CoAppearance(
            row["person_id"],
            row["other_id"],
            names.get(row["person_id"], row["person_id"]),
            names.get(row["other_id"], row["other_id"]),
            row["together_s"],
        )
        for row in screen_time["co_appearances"]
    ]
    return tuple(sorted(rows, key=lambda r: (-r.together_s, r.person_id, r.other_id)))
