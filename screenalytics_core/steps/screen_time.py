"""Seconds per person: the number that the whole pipeline is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pyarrow as pa

from screenalytics_core.artifacts import SCREEN_TIME, SCREEN_TIME_CSV, SEGMENTS, ArtifactKind
from screenalytics_core.steps.base import ArtifactData, Step, StepInput, StepOutput
from screenalytics_core.vision.intervals import Interval, total_s
from screenalytics_core.vision.screen_time import PersonTime, ScreenTime, Sources, screen_time
from screenalytics_core.vision.spans import body_spans, face_spans
from screenalytics_core.vision.time_bounds import Doubt
from screenalytics_core.vision.trims import Trim, counted, parse_trims, trims_within

_DECIMALS: Final = 6


def run(step: StepInput) -> Mapping[ArtifactKind, ArtifactData]:
    """Make `screen_time`: the document, its table for spreadsheets, and the segments.

    Trims are on the video's own clock, as all timestamps are: where the first frame does not
    stand at 0, neither does the video begin there.

    Times are rounded to microseconds: they come from ticks and fractions, so that people would
    read 13.959999999999999 where 13.96 is meant. Equal times stay equal and rounding keeps the
    order, so segments that touch still do, and those that do not still do not overlap.
    """
    shots = step.read(ArtifactKind.SHOTS)
    video = shots["start_s"], shots["start_s"] + shots["duration_s"]
    trims = trims_within(step.trims, video)
    counted_s = round(total_s(counted(video, trims)), _DECIMALS) if trims else shots["duration_s"]
    _note_trims(step, video, trims, counted_s)
    sources = _sources(step)
    measured = screen_time(sources, [trim.interval for trim in trims])
    measured = replace(measured, people=tuple(map(_rounded, measured.people)))
    rows = [_person_row(person, counted_s) for person in measured.people]
    step.progress(len(rows), len(rows), "people added up")
    header = {
        "duration_s": shots["duration_s"],
        "counted_s": counted_s,
        "has_bodies": sources.bodies is not None,
    }
    return {
        ArtifactKind.SCREEN_TIME: {
            "screen_time": _document(header, measured, rows, trims),
            "csv": SCREEN_TIME_CSV.from_rows(rows),
            "segments": _segments_table(step.ep_id, measured),
        }
    }


def _sources(step: StepInput) -> Sources:
    shots = step.read(ArtifactKind.SHOTS)
    frame_times_s = step.read(ArtifactKind.SHOTS, "frame_times")
    identities = step.read(ArtifactKind.IDENTITIES)
    fusion = step.read(ArtifactKind.TRACK_FUSION)
    tracks = step.read(ArtifactKind.TRACKS)
    bodies = None
    if fusion["has_bodies"]:
        body_tracks = step.read(ArtifactKind.BODY_TRACKS)
        bodies = body_spans(fusion["associations"], body_tracks, shots["shots"], frame_times_s)
    return Sources(
        faces=face_spans(tracks, shots["shots"], frame_times_s, has_bodies=fusion["has_bodies"]),
        bodies=bodies,
        identities=identities["identities"],
        doubt=Doubt(identities["memberships"], identities["alike"], identities["cluster_thresh"]),
        cast=step.read(ArtifactKind.CAST)["people"],
    )


def _note_trims(step: StepInput, video: Interval, trims: Sequence[Trim], counted_s: float) -> None:
    """Say in words where trims leave nothing, or do nothing."""
    inside = {trim.name for trim in trims}
    outside = [n for n, pair in parse_trims(step.trims).items() if pair and n not in inside]
    if outside:
        step.note(
            ArtifactKind.SCREEN_TIME,
            f"The trim of {' and '.join(outside)} lies outside the video, which lasts from "
            f"{video[0]:g} s to {video[1]:g} s, and leaves nothing out.",
        )
    if counted_s == 0:
        step.note(ArtifactKind.SCREEN_TIME, "Trims leave nothing of the episode to be counted.")


def _rounded(person: PersonTime) -> PersonTime:
    segments = (
        replace(s, start_s=round(s.start_s, _DECIMALS), end_s=round(s.end_s, _DECIMALS))
        for s in person.segments
    )
    # A trim may leave a sliver, which rounding shuts.
    kept = tuple(s for s in segments if s.start_s < s.end_s)
    return replace(person, segments=kept or person.segments)


def _person_row(person: PersonTime, counted_s: float) -> dict[str, Any]:
    return {
        "identity_id": person.identity_id,
        "cast_id": person.cast_id,
        "label": person.label,
        "face_s": person.face_s,
        "body_only_s": person.body_only_s,
        "total_s": person.total_s,
        "low_s": person.low_s,
        # Nobody is on screen for longer than anything is.
        "high_s": max(person.total_s, min(person.high_s, counted_s)),
        "share": min(1.0, person.total_s / counted_s) if counted_s else 0.0,
        "first_s": person.segments[0].start_s,
        "last_s": person.segments[-1].end_s,
        "track_count": person.track_count,
        "body_track_count": person.body_track_count,
    }


def _document(
    header: Mapping[str, Any],
    measured: ScreenTime,
    rows: list[dict[str, Any]],
    trims: Sequence[Trim],
) -> dict[str, Any]:
    people = [
        {
            **row,
            "segments": [
                {"start_s": s.start_s, "end_s": s.end_s, "source": s.source}
                for s in person.segments
            ],
        }
        for row, person in zip(rows, measured.people, strict=True)
    ]
    together = [
        {"person_id": t.person_id, "other_id": t.other_id, "together_s": t.together_s}
        for t in measured.together
    ]
    return SCREEN_TIME.conform(
        {
            **header,
            "covered_s": measured.covered_s,
            "overlap_s": measured.overlap_s,
            "unknown_s": measured.unknown_s,
            "people": people,
            "co_appearances": together,
            "trims": [{"name": t.name, "start_s": t.start_s, "end_s": t.end_s} for t in trims],
        }
    )


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
                "source": segment.source,
                "track_ids": list(segment.track_ids),
                "body_track_ids": list(segment.body_track_ids),
                "confidence": segment.confidence,
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
            version="7",
            inputs=(
                ArtifactKind.SHOTS,
                ArtifactKind.TRACKS,
                ArtifactKind.IDENTITIES,
                ArtifactKind.CAST,
                ArtifactKind.BODY_TRACKS,
                ArtifactKind.TRACK_FUSION,
            ),
            reads_trims=True,
        ),
    ),
    run,
    "Seconds per person: the union of their faces' and bodies' intervals, with bounds",
)
