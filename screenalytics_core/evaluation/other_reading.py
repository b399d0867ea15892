"""The other reading of a clip in which somebody may be somebody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from screenalytics_core.evaluation.truth import (
    FrameIntervals,
    OtherReading,
    Truth,
    TruthFace,
    TruthPerson,
)


def in_other_reading(truth: Truth) -> Truth:
    """Return the truth as it reads if every doubt of `other_readings` is so."""
    for doubt in truth.other_readings:
        truth = _reread(truth, doubt)
    return replace(truth, other_readings=())


def _reread(truth: Truth, doubt: OtherReading) -> Truth:
    first, last = doubt.frames
    persons = truth.persons
    if doubt.becomes not in {p.name for p in persons}:
        persons = (*persons, TruthPerson(doubt.becomes, doubt.is_main))

    def renamed(face: TruthFace) -> TruthFace:
        is_meant = face.person == doubt.person and first <= face.frame_idx <= last
        return replace(face, person=doubt.becomes) if is_meant else face

    def moved(intervals: Mapping[str, FrameIntervals]) -> dict[str, FrameIntervals]:
        old = intervals[doubt.person]
        pieces = [(max(a, first), min(b, last)) for a, b in old]
        rest = [piece for a, b in old for piece in ((a, min(b, first - 1)), (max(a, last + 1), b))]
        return {
            **intervals,
            doubt.person: tuple((a, b) for a, b in rest if a <= b),
            doubt.becomes: (
                *intervals.get(doubt.becomes, ()),
                *((a, b) for a, b in pieces if a <= b),
            ),
        }

    return replace(
        truth,
        persons=persons,
        faces=tuple(map(renamed, truth.faces)),
        visible=moved(truth.visible),
        visible_clear=moved(truth.visible_clear),
        maybe={doubt.becomes: (), **truth.maybe},
        present=None if truth.present is None else moved(truth.present),
    )
