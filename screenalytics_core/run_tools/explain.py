"""From a person's seconds back to what they rest on: segments, tracks, faces, names, frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from screenalytics_core.decisions.records import Decision
from screenalytics_core.errors import SettingsError
from screenalytics_core.gallery.names import folded
from screenalytics_core.report.people import frames_of, name_of, person_id_of
from screenalytics_core.run_tools.explain_tracks import TrackEvidence
from screenalytics_core.vision.owners import Owner, find_owners

Row = Mapping[str, Any]
_FIGURES: Final = (
    "total_s",
    "low_s",
    "high_s",
    "face_s",
    "body_only_s",
    "share",
    "track_count",
    "body_track_count",
)
_IDS: Final = ("label", "cast_id", "identity_id")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The values of the artifacts that a number rests on; see their specs in `artifacts`.

    Attributes:
        segments: Rows of `artifacts.SEGMENTS`.
        decisions: What people decided about the episode, oldest first.
    """

    screen_time: Row
    segments: Sequence[Row]
    frame_times: NDArray[np.float64]
    tracks: pa.Table
    faces: pa.Table
    identities: Row
    cast: Row
    body_tracks: pa.Table
    track_fusion: Row
    decisions: Sequence[Decision] = ()


def explain_person(evidence: Evidence, wanted: str, at_s: float | None = None) -> dict[str, Any]:
    """Return what a person's seconds rest on, ready for JSON.

    Args:
        wanted: Name, cast_id or identity_id; case does not matter.
        at_s: Only this moment, on the video's clock: its segment, and the boxes of its frame.

    Raises:
        SettingsError: Nobody is called that, several are, or the moment is not in the video.
    """
    person = _find(evidence, wanted)
    own = [row for row in evidence.segments if _is_same(row, person)]
    frame_idx = None if at_s is None else _frame_at(evidence.frame_times, at_s)
    shown = own if at_s is None else [row for row in own if _covers(row, at_s)]
    tracks = TrackEvidence(
        evidence.tracks,
        evidence.faces,
        evidence.identities,
        evidence.body_tracks,
        evidence.track_fusion,
    )
    return {
        "person": {"name": name_of(person), **{k: person[k] for k in (*_IDS, *_FIGURES)}},
        "name_from": _name_from(evidence, person),
        "at_s": at_s,
        "frame_idx": frame_idx,
        "segment_count": len(own),
        "segments": [_segment(evidence.frame_times, tracks, row, frame_idx) for row in shown],
        "before_and_after": [] if at_s is None or shown else _around(own, at_s),
        "others_then": [] if at_s is None else _others(evidence.segments, person, at_s),
    }


def _find(evidence: Evidence, wanted: str) -> Row:
    people: list[Row] = evidence.screen_time["people"]
    name = folded(wanted)
    by_id = [p for p in people if name in {folded(p[k]) for k in _IDS[1:] if p[k]}]
    found = by_id or [p for p in people if folded(p["label"] or "") == name]
    if len(found) == 1:
        return found[0]
    names = ", ".join(_both_names(p) for p in found or people)
    raise SettingsError(
        thing=f"person {wanted!r}",
        reason="may be several people" if found else "has no screen time in this run",
        way_out=f"Name one of: {names}." if names else "The run found nobody.",
    )


def _both_names(person: Row) -> str:
    name, person_id = name_of(person), person_id_of(person)
    return name if name == person_id else f"{name} ({person_id})"


def _is_same(row: Row, person: Row) -> bool:
    if person["cast_id"] is not None:
        return bool(row["cast_id"] == person["cast_id"])
    return row["cast_id"] is None and row["identity_id"] == person["identity_id"]


def _covers(row: Row, at_s: float) -> bool:
    return bool(row["start_s"] <= at_s < row["end_s"])


def _frame_at(frame_times: NDArray[np.float64], at_s: float) -> int:
    """Return the frame that is on screen at a moment.

    Raises:
        SettingsError: None is.
    """
    if not len(frame_times) or not frame_times[0] <= at_s < frame_times[-1]:
        lasts = f"from {frame_times[0]:g} to {frame_times[-1]:g} s" if len(frame_times) else "0 s"
        raise SettingsError(
            thing=f"moment {at_s:g} s",
            reason="is not in the video",
            way_out=f"It lasts {lasts}.",
        )
    return int(np.searchsorted(frame_times, at_s, side="right")) - 1


def _name_from(evidence: Evidence, person: Row) -> list[dict[str, Any]]:
    """Return the rows of cast.json that make up a person, each with the decision behind it."""
    decisions = {d.sequence: d for d in evidence.decisions}
    owners = find_owners(evidence.identities["identities"], evidence.cast["people"])
    rows = []
    for row in evidence.cast["people"]:
        owner = (
            owners.of_identities.get(row["identity_id"])
            if row["track_id"] is None
            else owners.of_tracks.get(row["track_id"])
        )
        if owner is None or not _is_owner(owner, person):
            continue
        decision = decisions.get(row["decision"])
        rows.append(
            {
                **{k: row[k] for k in ("identity_id", "track_id", "merged_into")},
                **{k: row[k] for k in ("source", "confidence")},
                "decision": _decision(decision) if decision else None,
            }
        )
    return rows


def _is_owner(owner: Owner, person: Row) -> bool:
    if person["cast_id"] is not None:
        return bool(owner.cast_id == person["cast_id"])
    return owner.cast_id is None and bool(owner.identity_id == person["identity_id"])


def _decision(decision: Decision) -> dict[str, Any]:
    names = ("sequence", "at", "by", "via", "run_id", "cast_id", "label")
    return {"verb": decision.verb.value, **{name: getattr(decision, name) for name in names}}


def _segment(
    frame_times: NDArray[np.float64], tracks: TrackEvidence, row: Row, frame_idx: int | None
) -> dict[str, Any]:
    during = row["start_s"], row["end_s"]
    first, last = frames_of(during, frame_times)
    return {
        "start_s": row["start_s"],
        "end_s": row["end_s"],
        "first_frame_idx": first,
        "last_frame_idx": last,
        "source": row["source"],
        "confidence": row["confidence"],
        "tracks": [tracks.of_face_track(t, during, frame_idx) for t in row["track_ids"]],
        "body_tracks": [tracks.of_body_track(t, during, frame_idx) for t in row["body_track_ids"]],
    }


def _around(own: Sequence[Row], at_s: float) -> list[dict[str, float]]:
    """Return the last segment before a moment and the first one after it."""
    before = [row for row in own if row["end_s"] <= at_s][-1:]
    after = [row for row in own if row["start_s"] > at_s][:1]
    return [{"start_s": row["start_s"], "end_s": row["end_s"]} for row in (*before, *after)]


def _others(segments: Sequence[Row], person: Row, at_s: float) -> list[dict[str, Any]]:
    return [
        {
            "name": name_of(row),
            **{k: row[k] for k in ("cast_id", "identity_id", "source", "track_ids")},
        }
        for row in segments
        if _covers(row, at_s) and not _is_same(row, person)
    ]
