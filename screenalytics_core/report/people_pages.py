"""The first pages, for the analyst: who was on screen, for how long, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, Spacer, Table

from screenalytics_core.episodes import EpisodeId, is_path_safe
from screenalytics_core.report import fonts, style, text
from screenalytics_core.report.flowables import KeyFigures, Lane, Portrait, ShareBar, Timeline
from screenalytics_core.report.markup import escaped, heading, paragraph
from screenalytics_core.report.model import PersonRow, ReportModel

_PORTRAIT: Final = 11 * mm
# Above this many people the rows close up, so that a large cast stays on few pages.
_ROOMY_UP_TO: Final = 6
_SMALL_PORTRAIT: Final = 8 * mm
# A timeline of up to this many lanes stays in one piece, if need be on the next page.
_WHOLE_UP_TO: Final = 25
_WIDTHS: Final = tuple(w * mm for w in (15, 56, 25, 24, 22, 16, 16))
_NAME_LIMIT: Final = 120
NO_FACE: Final = "No face was found in this episode, so there is nobody to list and no timeline."
NOBODY: Final = (
    "Faces were seen, but none of them could be given an identity, so there is nobody to list."
)


def people_story(model: ReportModel, pictures: Mapping[str, bytes]) -> list[Flowable]:
    """Return title, key figures, table of people and their timeline."""
    story: list[Flowable] = [*_title(model), _key_figures(model)]
    story += heading("People")
    if not model.people:
        story.append(Paragraph(NOBODY if model.unknown_s > 0 else NO_FACE, style.BODY))
    else:
        story += [_people_table(model.people, pictures), Spacer(0, 2 * mm), _reading_note(model)]
    return story + _timeline(model)


def _title(model: ReportModel) -> list[Flowable]:
    story: list[Flowable] = [
        Paragraph("SCREEN TIME REPORT", style.EYEBROW),
        paragraph(_headline(model.ep_id), style.TITLE),
        paragraph(f"{model.ep_id} · run {model.run_id}", style.SMALL),
        Spacer(0, 5 * mm),
    ]
    return story


def _headline(ep_id: str) -> str:
    """Say `rhobh · season 5, episode 14` where the id tells it, else the id."""
    parsed = EpisodeId.parse(ep_id) if is_path_safe(ep_id) else None
    if parsed is None or parsed.show is None:
        return ep_id
    return f"{parsed.show} · season {parsed.season}, episode {parsed.episode}"


def _key_figures(model: ReportModel) -> Flowable:
    named = sum(p.is_named for p in model.people)

    def of_episode(part_s: float) -> str:
        share = part_s / model.duration_s if model.duration_s > 0 else 0.0
        return f"{text.percent(share)} of the episode"

    return KeyFigures(
        [
            (
                text.count(len(model.people)),
                "person" if len(model.people) == 1 else "people",
                f"{named} named" if named else "none named yet" if model.people else "",
            ),
            (
                text.clock(model.duration_s),
                "length of the episode",
                text.plural(len(model.shots_s), "shot"),
            ),
            (
                text.seconds(model.covered_s),
                "with an identified person",
                of_episode(model.covered_s),
            ),
            (
                text.seconds(model.unknown_s),
                "with an unidentified face",
                of_episode(model.unknown_s),
            ),
        ],
        style.CONTENT_WIDTH,
    )


def _people_table(people: tuple[PersonRow, ...], pictures: Mapping[str, bytes]) -> Table:
    head = ("", "name", "screen time", "share", "appearances", "first", "last")
    rows: list[list[Any]] = [
        [Paragraph(h, style.SMALL if i < 2 else style.SMALL_RIGHT) for i, h in enumerate(head)]
    ]
    is_roomy = len(people) <= _ROOMY_UP_TO
    side = _PORTRAIT if is_roomy else _SMALL_PORTRAIT
    air = (1.6 if is_roomy else 0.9) * mm
    rows += [_person_cells(p, Portrait(pictures.get(p.crop or ""), side)) for p in people]
    return Table(
        rows,
        colWidths=_WIDTHS,
        repeatRows=1,
        style=[
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), air),
            ("BOTTOMPADDING", (0, 0), (-1, -1), air),
            ("BOTTOMPADDING", (0, 0), (-1, 0), 1 * mm),
            ("LINEBELOW", (0, 0), (-1, 0), 0.6, style.UNKNOWN),
            ("LINEBELOW", (0, 1), (-1, -1), 0.4, style.RULE),
        ],
    )


def _person_cells(person: PersonRow, portrait: Portrait) -> list[Any]:
    name = escaped(_shortened(person.name))
    label = f'<font name="{fonts.BOLD}">{name}</font>' if person.is_named else name
    tracks = text.plural(person.track_count, "track")
    under = escaped(f"{person.handle} · {tracks}" if person.handle else tracks)
    share = Table(
        [
            [Paragraph(text.percent(person.share), style.BODY_RIGHT)],
            [ShareBar(person.share, 18 * mm)],
        ],
        style=[
            ("ALIGN", (0, 0), (-1, -1), "RIGHT"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 0),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
        ],
    )
    return [
        portrait,
        [Paragraph(label, style.BODY), Paragraph(under, style.SMALL)],
        [Paragraph(text.seconds(person.total_s), style.BODY_RIGHT), *_time_notes(person)],
        share,
        Paragraph(text.count(len(person.segments)), style.BODY_RIGHT),
        Paragraph(text.clock(person.first_s), style.BODY_RIGHT),
        Paragraph(text.clock(person.last_s), style.BODY_RIGHT),
    ]


def _time_notes(person: PersonRow) -> list[Flowable]:
    notes = [f"{person.low_s:,.1f} to {person.high_s:,.1f} s"]
    if person.body_only_s is not None:
        notes.append(f"{person.body_only_s:,.1f} s body only")
    return [Paragraph(n, style.SMALL_RIGHT) for n in notes]


def _shortened(name: str) -> str:
    """Keep a name to about three lines of its column; the label itself stands in cast.json."""
    return fonts.fit(name, _NAME_LIMIT, lambda shown: float(len(shown)))


def _reading_note(model: ReportModel) -> Flowable:
    note = (
        "Screen time is the union of the intervals in which the person is seen; share is that "
        "time over the length of the episode. Several people on screen at once each count, so "
        "shares may add up to more than 100 %."
    )
    if any(fonts.displayable(p.name) != " ".join(p.name.split()) for p in model.people):
        note += f" {fonts.MISSING_GLYPH} stands for a letter that the report's font lacks."
    return Paragraph(note, style.SMALL)


def _timeline(model: ReportModel) -> list[Flowable]:
    lanes = [
        Lane(
            fonts.displayable(p.name),
            text.seconds(p.total_s),
            tuple((s.start_s, s.end_s, s.source != "face") for s in p.segments),
        )
        for p in model.people
    ]
    if model.unknown_segments_s:
        bars = tuple((start, end, False) for start, end in model.unknown_segments_s)
        note = text.seconds(model.unknown_s)
        lanes.append(Lane("unidentified faces", note, bars, is_unknown=True))
    if not lanes:
        return []
    span = (model.start_s, model.start_s + model.duration_s)
    timeline = Timeline(lanes, model.shots_s, span, style.CONTENT_WIDTH)
    room_mm = timeline.height / mm + 15 if len(lanes) <= _WHOLE_UP_TO else 45
    return [*heading("When they are on screen", room_mm), timeline]
