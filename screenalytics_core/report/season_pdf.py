"""The report of a season as PDF bytes that are the same every time; landscape A4."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, Final

from reportlab.lib.colors import Color, white
from reportlab.lib.units import mm
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Paragraph, Spacer

from screenalytics_core.report import fonts, style, text
from screenalytics_core.report import season_wording as wording
from screenalytics_core.report.flowables import KeyFigures
from screenalytics_core.report.furniture import Furniture, build
from screenalytics_core.report.markup import escaped, heading, paragraph
from screenalytics_core.report.season_model import (
    SeasonCell,
    SeasonEpisode,
    SeasonPerson,
    SeasonReport,
    season_report,
)
from screenalytics_core.report.season_trends import COLUMNS, TrendRow, scale_s
from screenalytics_core.report.tables import Cells, head_row, ruled_table

_WIDTH: Final = style.PAGE_HEIGHT  # landscape
_HEIGHT: Final = style.PAGE_WIDTH
_CONTENT: Final[float] = _WIDTH - 2 * style.MARGIN
_FIRST_MM: Final = (46, 28, 15, 16)
_MOST_COLUMNS: Final = 24
_LEAST_COLUMN_MM: Final = 6.6
_MOST_COLUMN_MM: Final = 17


def render_season_pdf(screen_time: Mapping[str, Any], season_cast: Mapping[str, Any]) -> bytes:
    """Lay the report of a season out; equal content gives equal bytes.

    Args:
        screen_time: The document of `seasons.specs.SEASON_SCREEN_TIME`.
        season_cast: The document of `seasons.specs.SEASON_CAST` that it was made with.
    """
    style.register_fonts()
    report = season_report(screen_time, season_cast)
    out = BytesIO()
    frame = Frame(
        style.MARGIN, style.BOTTOM, _CONTENT, _HEIGHT - style.TOP - style.BOTTOM,
        leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0,
    )  # fmt: skip
    document = BaseDocTemplate(
        out,
        pagesize=(_WIDTH, _HEIGHT),
        title=f"Screen time of season {report.season}",
        subject=report.headline,
        author="Screenalytics",
        creator="Screenalytics",
        lang="en",
        invariant=1,
        pageTemplates=[PageTemplate("page", [frame], pagesize=(_WIDTH, _HEIGHT))],
    )
    runs = text.plural(report.counted_episodes, "run")
    furniture = Furniture(report.season, runs, "Screenalytics · season report", _WIDTH, _HEIGHT)
    build(document, _story(report), furniture)
    return out.getvalue()


def _story(report: SeasonReport) -> list[Flowable]:
    return [
        paragraph("SEASON REPORT", style.EYEBROW),
        paragraph(report.headline, style.TITLE),
        KeyFigures(wording.key_figures(report), _CONTENT),
        *_notes(report),
        *_people(report),
        *_trends(report),
        *_episodes(report),
        *_links(report),
    ]


def _notes(report: SeasonReport) -> list[Flowable]:
    notes: list[Flowable] = [Spacer(0, 1.5 * mm)]
    said = wording.left_out(report)
    if said:
        warning = f'<font color="{style.WARN_HEX}">{escaped(said)}</font>'
        notes.append(Paragraph(warning, style.BODY))
    return [*notes, *(paragraph(note, style.BODY) for note in report.notes)]


def _people(report: SeasonReport) -> list[Flowable]:
    story = heading("People", 40)
    if not report.people:
        return [*story, Paragraph(wording.NOBODY, style.BODY)]
    for first in range(0, max(len(report.episodes), 1), _MOST_COLUMNS):
        part = range(first, min(first + _MOST_COLUMNS, len(report.episodes)))
        if first:
            story.append(Spacer(0, 4 * mm))
        story.append(_table(report, part))
    note = paragraph(wording.reading_note(report), style.SMALL)
    return [*story, Spacer(0, 1.5 * mm), note]


def _table(report: SeasonReport, part: range) -> Flowable:
    room_mm = _CONTENT / mm - sum(_FIRST_MM)
    column_mm = min(max(room_mm / len(part), _LEAST_COLUMN_MM), _MOST_COLUMN_MM)
    name_mm = _CONTENT / mm - sum(_FIRST_MM[1:]) - column_mm * len(part)
    widths = (min(name_mm, 92), *_FIRST_MM[1:], *(column_mm for _ in part))
    shorts = [f">{report.episodes[i].short}" for i in part]
    rows: Cells = [head_row("person", ">on screen", ">share", ">episodes", *shorts)]
    rows += [_row(person, part, column_mm) for person in report.people]
    most_s = max((c.total_s or 0.0 for p in report.people for c in p.cells), default=0.0)
    extra: list[tuple[Any, ...]] = [("VALIGN", (0, 1), (-1, -1), "MIDDLE")]
    extra += [
        ("BACKGROUND", (4 + column, row), (4 + column, row), _shade(person.cells[i], most_s))
        for row, person in enumerate(report.people, 1)
        for column, i in enumerate(part)
    ]
    extra.append(("RIGHTPADDING", (4, 0), (-1, -1), 0.8 * mm))
    table = ruled_table(rows, widths, extra=extra)
    table.hAlign = "LEFT"
    return table


def _row(person: SeasonPerson, part: range, column_mm: float) -> list[Any]:
    name = escaped(fonts.fit(person.name, 60, lambda shown: float(len(shown))))
    cells: list[Any] = [
        [
            Paragraph(f"<b>{name}</b>" if person.is_named else name, style.BODY),
            *([paragraph(person.note, style.SMALL)] if person.note else []),
        ],
        [
            Paragraph(f"<b>{text.seconds(person.total_s)}</b>", style.BODY_RIGHT),
            Paragraph(
                f"{text.bare_seconds(person.low_s)} to {text.seconds(person.high_s)}",
                style.SMALL_RIGHT,
            ),
        ],
        Paragraph(text.percent(person.share), style.BODY_RIGHT),
        Paragraph(text.count(person.episode_count), style.BODY_RIGHT),
    ]
    size = 7 if column_mm >= 11 else 5.4
    sized = (f'<font size="{size}">{_said(person.cells[i], column_mm)}</font>' for i in part)
    return [*cells, *(Paragraph(said, style.SMALL_INK_RIGHT) for said in sized)]


def _said(cell: SeasonCell, column_mm: float) -> str:
    if cell.total_s is None:
        return f'<font color="{style.MUTED_HEX}">?</font>'
    if cell.total_s == 0:
        return f'<font color="{style.UNKNOWN_HEX}">0</font>'
    if column_mm >= 11:
        return text.bare_seconds(cell.total_s).replace("<", "&lt;")
    return f"{cell.total_s:,.0f}" if cell.total_s >= 9.95 else f"{cell.total_s:.1f}"


def _shade(cell: SeasonCell, most_s: float) -> Color:
    """Return a cell's ground: the more seconds the darker, grey where nothing is known."""
    if cell.total_s is None:
        return style.RULE
    part = min(cell.total_s / most_s, 1.0) if most_s > 0 else 0.0
    light, dark = white, style.ACCENT_LIGHT
    return Color(*(
        a + (b - a) * part
        for a, b in zip(
            (light.red, light.green, light.blue), (dark.red, dark.green, dark.blue), strict=True
        )
    ))  # fmt: skip


def _trends(report: SeasonReport) -> list[Flowable]:
    people = report.trends
    if len(report.episodes) < 2 or not people:
        return []
    most_s = scale_s(people)
    rows: list[Flowable] = [
        TrendRow(people[i : i + COLUMNS], report.episodes, most_s, _CONTENT)
        for i in range(0, len(people), COLUMNS)
    ]
    return [
        *heading("Over the episodes", 55),
        paragraph(wording.trends_note(most_s), style.SMALL),
        Spacer(0, 1.5 * mm),
        *(part for row in rows for part in (row, Spacer(0, 2 * mm))),
    ]


def _episodes(report: SeasonReport) -> list[Flowable]:
    rows: Cells = [
        head_row("episode", "state", "run", ">counted", ">known", ">unknown", ">people", "to know")
    ]
    rows += [_episode_row(e) for e in report.episodes]
    shade = [
        ("BACKGROUND", (0, i), (-1, i), style.WARN_PANEL)
        for i, e in enumerate(report.episodes, 1)
        if e.state != "done"
    ]
    widths = (30, 21, 56, 18, 18, 18, 14, _CONTENT / mm - 175)
    return [
        *heading("Episodes, and where their figures are from", 40),
        ruled_table(rows, widths, extra=shade, indent=True),
    ]


def _episode_row(episode: SeasonEpisode) -> list[Any]:
    def seconds(value: float | None) -> Paragraph:
        said = text.DASH if value is None else text.seconds(value)
        return Paragraph(said.replace("<", "&lt;"), style.SMALL_INK_RIGHT)

    state = escaped(episode.state)
    if episode.state != "done":
        state = f'<font color="{style.WARN_HEX}"><b>{state}</b></font>'
    return [
        paragraph(episode.ep_id, style.SMALL_INK),
        Paragraph(state, style.SMALL_INK),
        paragraph(episode.run_id or text.DASH, style.SMALL_INK),
        seconds(episode.counted_s),
        seconds(episode.covered_s),
        seconds(episode.unknown_s),
        Paragraph(text.count(episode.people), style.SMALL_INK_RIGHT),
        paragraph("; ".join(map(text.without_folders, episode.remarks)), style.SMALL_INK),
    ]


def _links(report: SeasonReport) -> list[Flowable]:
    if not report.links:
        return []
    rows: Cells = [head_row("link", "what it says", "who", ">similarity", ">joins from")]
    rows += [
        [
            paragraph(link.link_id, style.SMALL_INK),
            paragraph(link.says, style.SMALL_INK),
            paragraph(link.members, style.SMALL_INK),
            Paragraph(f"{link.similarity:.2f}", style.SMALL_INK_RIGHT),
            Paragraph(f"{link.threshold:.2f}", style.SMALL_INK_RIGHT),
        ]
        for link in report.links
    ]
    widths: Sequence[float] = (28, 52, _CONTENT / mm - 120, 20, 20)
    return [
        *heading("Links that nobody has decided", 40),
        paragraph(wording.how_to_decide(report), style.SMALL),
        Spacer(0, 1 * mm),
        ruled_table(rows, widths),
    ]
