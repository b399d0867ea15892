"""Which face a page shows for a stretch of a person, and how many faces it holds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Final

from screenalytics_core.report.model import Appearance, PersonRow, ReportModel

# Faces of single stretches beyond those of portraits and sheets: about half a megabyte. The
# stretches left over show the face that is nearest in time.
MOST_MOMENTS: Final = 200


@dataclass(frozen=True, slots=True)
class ShownFace:
    """The face of a stretch; `at_s` is None when it is from the stretch itself."""

    crop: str | None
    at_s: float | None


def crops_shown(model: ReportModel) -> tuple[str, ...]:
    """Return the pictures that a page holds, each once, in a fixed order.

    Portraits, sheets and doubtful tracks have all of theirs; of the rest, the longest
    stretches have theirs, up to `MOST_MOMENTS`.
    """
    always: list[str | None] = []
    for person in model.people:
        always += [person.crop, *(face.crop for face in person.sheet)]
    always += [row.crop for row in model.review]
    kept = dict.fromkeys(crop for crop in always if crop is not None)
    stretches = sorted(
        (s for person in model.people for s in person.segments if s.crop is not None),
        key=lambda s: (s.start_s - s.end_s, s.start_s, s.crop),
    )
    more = dict.fromkeys(s.crop for s in stretches if s.crop is not None and s.crop not in kept)
    return (*kept, *list(more)[:MOST_MOMENTS])


def faces_of(person: PersonRow, held: Container[str]) -> tuple[ShownFace, ...]:
    """Return the face of each of a person's segments, in their order.

    It is the segment's own, else the person's nearest in time, else the portrait.

    Args:
        held: Pictures that the page holds.
    """
    known = sorted({(at_s, crop) for at_s, crop in _moments(person) if crop in held})
    return tuple(_face_of(segment, person, known, held) for segment in person.segments)


def _moments(person: PersonRow) -> Iterable[tuple[float, str]]:
    for face in person.sheet:
        yield face.timestamp_s, face.crop
    exact = {face.crop for face in person.sheet}
    for segment in person.segments:
        if segment.crop is not None and segment.crop not in exact:
            yield _middle(segment), segment.crop


def _face_of(
    segment: Appearance,
    person: PersonRow,
    known: list[tuple[float, str]],
    held: Container[str],
) -> ShownFace:
    if segment.crop is not None and segment.crop in held:
        return ShownFace(segment.crop, None)
    if not known:
        return ShownFace(person.crop if person.crop in held else None, None)
    middle = _middle(segment)
    place = bisect_left(known, (middle, ""))
    at_s, crop = min(known[max(0, place - 1) : place + 1], key=lambda k: (abs(k[0] - middle), k))
    return ShownFace(crop, None if segment.start_s <= at_s < segment.end_s else at_s)


def _middle(segment: Appearance) -> float:
    return (segment.start_s + segment.end_s) / 2
