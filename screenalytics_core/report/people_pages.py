"""The first pages, for the analyst: who was on screen, for how long, when, and with whom.

Page one is complete in itself: with a large cast it shows as many people as fit, and the
others follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, PageBreak, Paragraph, Spacer

from screenalytics_core.report import fonts, style, text, wording
from screenalytics_core.report.flowables import KeyFigures
from screenalytics_core.report.markup import escaped, heading, paragraph
from screenalytics_core.report.meetings import MATRIX_UP_TO, longest, meetings, pair_list
from screenalytics_core.report.model import PersonRow, ReportModel
from screenalytics_core.report.people_table import people_table, scale_of
from screenalytics_core.report.timeline import timeline_of

_FRONT_PAIRS: Final = 6
_LEAST_ROW: Final = 12 * mm
_MOST_PAIRS: Final = 80
# A timeline of up to this many lanes stays in one piece, if need be on the next page.
_WHOLE_UP_TO: Final = 25


@dataclass(frozen=True, slots=True)
class _Front:
    """How many people page one shows, at ease or not, and all their meetings or the longest."""

    people: int
    is_roomy: bool
    has_matrix: bool


def people_story(model: ReportModel, pictures: Mapping[str, bytes]) -> list[Flowable]:
    """Return page one and, for those who did not fit on it, the pages after it."""
    if not model.people:
        return _empty_page(model)
    front = next(f for f in _fronts(len(model.people)) if _fits(model, pictures, f))
    story = _front_page(model, pictures, front)
    if front.people < len(model.people) or _has_more_pairs(model, front):
        story += _further_pages(model, pictures, front)
    return story


def _has_more_pairs(model: ReportModel, front: _Front) -> bool:
    return not front.has_matrix and len(model.co_appearances) > _FRONT_PAIRS


def _fronts(people: int) -> Iterator[_Front]:
    """Yield what page one may hold, the best first: everything, everybody, fewer people."""
    if people <= MATRIX_UP_TO:
        yield _Front(people, is_roomy=True, has_matrix=True)
        yield _Front(people, is_roomy=False, has_matrix=True)
    # Rows are no lower than this, so more people need no trying.
    most = int(style.CONTENT_HEIGHT // _LEAST_ROW)
    for shown in range(min(people, most), 0, -1):
        yield _Front(shown, is_roomy=False, has_matrix=False)


def _fits(model: ReportModel, pictures: Mapping[str, bytes], front: _Front) -> bool:
    return front.people == 1 or _height(_front_page(model, pictures, front)) < style.CONTENT_HEIGHT


def _height(story: Sequence[Flowable]) -> float:
    """Return how much of a page the story takes; spaces before and after may overlap."""
    return float(
        sum(
            max(f.wrap(style.CONTENT_WIDTH, style.CONTENT_HEIGHT)[1], 0)
            + f.getSpaceBefore()
            + f.getSpaceAfter()
            for f in story
        )
    )


def _empty_page(model: ReportModel) -> list[Flowable]:
    story = [*_title(model), _key_figures(model), *heading("People")]
    story.append(Paragraph(wording.why_nobody(model), style.BODY))
    story += _notes(model)
    if model.unknown_segments_s:
        story += [*heading("When faces are on screen"), timeline_of(model, (), unknown=True)]
    return story


def _front_page(model: ReportModel, pictures: Mapping[str, bytes], front: _Front) -> list[Flowable]:
    people, others = model.people[: front.people], len(model.people) - front.people
    title = "People" if not others else f"The {front.people} people with most time on screen"
    story: list[Flowable] = [
        *_title(model),
        _key_figures(model),
        Paragraph(title, style.HEADING),
        people_table(people, pictures, scale_of(model.people), is_roomy=front.is_roomy),
        Spacer(0, 1.5 * mm),
    ]
    if others:
        rest = f"{text.plural(others, 'other person', 'other people')} on the next page."
        if others > 1:
            rest = f"{others} other people on the next pages."
        story.append(Paragraph(rest, style.BODY))
    story += _notes(model)
    story += [
        Paragraph("When they are on screen", style.HEADING),
        timeline_of(model, people, unknown=not others),
    ]
    if len(model.people) > 1:
        story += [
            Paragraph("Who is on screen together", style.HEADING),
            meetings(model, pictures) if front.has_matrix else longest(model, _FRONT_PAIRS),
        ]
    return story


def _further_pages(
    model: ReportModel, pictures: Mapping[str, bytes], front: _Front
) -> list[Flowable]:
    story: list[Flowable] = [PageBreak()]
    if rest := model.people[front.people :]:
        lanes = timeline_of(model, rest, unknown=True)
        _, height = lanes.wrap(style.CONTENT_WIDTH, style.CONTENT_HEIGHT)
        room_mm = height / mm + 15 if len(rest) <= _WHOLE_UP_TO else 45
        story += [
            Paragraph("The other people", style.HEADING),
            people_table(rest, pictures, scale_of(rest), is_roomy=False),
            *heading("When they are on screen", room_mm),
            lanes,
        ]
    if len(model.people) <= MATRIX_UP_TO:
        return [
            *story,
            *heading("Everybody who is on screen together", 75),
            meetings(model, pictures),
        ]
    pairs = model.co_appearances[_FRONT_PAIRS:_MOST_PAIRS]
    if pairs:
        story += [*heading("More pairs who are on screen together"), pair_list(pairs)]
    left = len(model.co_appearances) - _MOST_PAIRS
    if left > 0:
        note = f"{text.plural(left, 'pair')} with less time together are in screen_time.json."
        story += [Spacer(0, 1 * mm), Paragraph(note, style.SMALL)]
    return story


def _title(model: ReportModel) -> list[Flowable]:
    return [
        Paragraph("SCREEN TIME REPORT", style.EYEBROW),
        paragraph(text.headline(model.ep_id), style.TITLE),
        paragraph(f"{model.ep_id} · run {model.run_id}", style.SMALL),
        Spacer(0, 3.5 * mm),
    ]


def _key_figures(model: ReportModel) -> Flowable:
    people, named = len(model.people), sum(p.is_named for p in model.people)
    trimmed_s = max(model.duration_s - model.counted_s, 0.0)
    length_note = f"without {text.seconds(trimmed_s)} of trims" if model.trims else None
    names = f"{named} named" if named else "none named yet" if people else ""
    figures = [
        (text.count(people), "person" if people == 1 else "people", names),
        (
            text.clock(model.counted_s),
            "counted length",
            length_note or text.plural(len(model.shots_s), "shot"),
        ),
        (
            text.seconds(model.covered_s),
            "an identified person",
            wording.share_of_counted(model, model.covered_s),
        ),
        (
            text.seconds(model.overlap_s),
            "two or more of them",
            wording.share_of_counted(model, model.overlap_s),
        ),
        (
            text.seconds(model.unknown_s),
            "an unidentified face",
            wording.share_of_counted(model, model.unknown_s),
        ),
    ]
    if people < 2:
        del figures[3]
    return KeyFigures(figures, style.CONTENT_WIDTH)


def _notes(model: ReportModel) -> list[Flowable]:
    notes = [_reading_note(model.people)] if model.people else []
    if model.bodies.why_none is not None:
        notes.append(model.bodies.why_none)
    if model.trims:
        spans = (
            f"{t.name} ({text.clock(t.start_s)} to {text.clock(t.end_s)})" for t in model.trims
        )
        notes.append(f"Not counted: {', '.join(spans)}.")
    if any(fonts.MISSING_GLYPH in fonts.displayable(p.name) for p in model.people):
        notes.append(f"{fonts.MISSING_GLYPH} stands for a letter that the report's font lacks.")
    return [Paragraph(escaped(" ".join(notes)), style.SMALL)] if notes else []


def _reading_note(people: Sequence[PersonRow]) -> str:
    has_bodies = any(p.body_only_s is not None for p in people)
    seen = "face or body" if has_bodies else "face"
    lighter = "; in the timeline, time without the face is lighter" if has_bodies else ""
    return (
        f"On screen is the time in which the {seen} is seen; share is that time over the counted "
        "length, so people who are on screen at once add up to more than 100 %. From ... to ...: "
        f"what is sure, and what may be this person at most{lighter}."
    )
