"""Seconds per person: the number that the whole pipeline is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from screenalytics_core.artifacts import SCREEN_TIME_CSV, SEGMENTS, ArtifactKind
from screenalytics_core.steps.base import ArtifactData, Step, StepInput, StepOutput
from screenalytics_core.vision.screen_time import PersonTime, ScreenTime, TrackSpan, screen_time

_FACE: Final = "face"


def run(step: StepInput) -> Mapping[ArtifactKind, ArtifactData]:
    """Make `screen_time`: the document, its table for spreadsheets, and the segments."""
    duration_s: float = step.read(ArtifactKind.SHOTS)["duration_s"]
    measured = screen_time(
        _spans(step.read(ArtifactKind.TRACKS)),
        step.read(ArtifactKind.IDENTITIES)["identities"],
        step.read(ArtifactKind.CAST)["people"],
    )
    rows = [_person_row(person, duration_s) for person in measured.people]
    step.progress(len(rows), len(rows), "people added up")
    return {
        ArtifactKind.SCREEN_TIME: {
            "screen_time": _document(measured, rows, duration_s),
            "csv": SCREEN_TIME_CSV.from_rows(rows),
            "segments": _segments_table(step.ep_id, measured),
        }
    }


def _spans(tracks: pa.Table) -> list[TrackSpan]:
    columns = (tracks.column(name).to_pylist() for name in ("track_id", "start_s", "end_s"))
    return [TrackSpan(*row) for row in zip(*columns, strict=True)]


def _person_row(person: PersonTime, duration_s: float) -> dict[str, Any]:
    return {
        "identity_id": person.identity_id,
        "cast_id": person.cast_id,
        "label": person.label,
        "face_s": person.face_s,
        # No bodies yet: what they would add, and how sure all of it is, is not known.
        "body_only_s": None,
        "total_s": person.face_s,
        "low_s": None,
        "high_s": None,
        "share": person.face_s / duration_s,
        "first_s": person.segments[0].start_s,
        "last_s": person.segments[-1].end_s,
        "track_count": person.track_count,
    }


def _document(
    measured: ScreenTime, rows: list[dict[str, Any]], duration_s: float
) -> dict[str, Any]:
    people = [
        {
            **row,
            "segments": [
                {"start_s": s.start_s, "end_s": s.end_s, "source": _FACE} for s in person.segments
            ],
        }
        for row, person in zip(rows, measured.people, strict=True)
    ]
    return {
        "duration_s": duration_s,
        "covered_s": measured.covered_s,
        "unknown_s": measured.unknown_s,
        "people": people,
    }


def _segments_table(ep_id: str, measured: ScreenTime) -> pa.Table:
    return SEGMENTS.from_rows(
        [
            {
                "ep_id": ep_id,
                "identity_id": person.identity_id,
                "cast_id": person.cast_id,
                "label": person.label,
                "start_s": segment.start_s,
                "end_s": segment.end_s,
                "source": _FACE,
                "track_ids": list(segment.track_ids),
            }
            for person in measured.people
            for segment in person.segments
        ]
    )


STEP: Final = Step(
    "screen_time",
    (
        StepOutput(
            "screen_time",
            (ArtifactKind.SCREEN_TIME,),
            version="1",
            inputs=(
                ArtifactKind.SHOTS,
                ArtifactKind.TRACKS,
                ArtifactKind.IDENTITIES,
                ArtifactKind.CAST,
            ),
        ),
    ),
    run,
    "Seconds per person: the union of their tracks' intervals",
)
