"""Pages to look at: every identity's faces, and the tracks whose owner is doubtful."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Paragraph, Spacer

from screenalytics_core.report import style, text, wording
from screenalytics_core.report.faces import SHEET_FACES
from screenalytics_core.report.flowables import FaceStrip, Portrait
from screenalytics_core.report.markup import escaped, heading, paragraph
from screenalytics_core.report.model import BodyReviewRow, PersonRow, ReportModel, ReviewRow
from screenalytics_core.report.tables import Cells, head_row, ruled_table

_FACE: Final = 8.5 * mm


def contact_sheets(model: ReportModel, pictures: Mapping[str, bytes]) -> list[Flowable]:
    """Return a strip of faces per person; nothing if nobody has a face to show."""
    people = [p for p in model.people if p.sheet]
    if not people:
        return []
    intro = (
        "Faces from all over each person's tracks, best first, with their place in the episode: "
        "a face that is somebody else's tells that the identity joins two people."
    )
    strips = [_strip(person, pictures) for person in people]
    # A heading stays with the first strip.
    first = [*heading("Contact sheets", 45), Paragraph(intro, style.BODY), Spacer(0, 1.5 * mm)]
    return [*first, *strips]


def _strip(person: PersonRow, pictures: Mapping[str, bytes]) -> Flowable:
    facts = [
        person.handle,
        text.plural(person.track_count, "face track"),
        text.plural(person.body_track_count, "body track") if person.body_track_count else "",
        f"confidence {person.confidence:.2f}" if person.confidence is not None else "",
    ]
    small = f'<font size="6.5" color="{style.MUTED_HEX}">'
    words = escaped(" · ".join(f for f in facts if f))
    faces = [(pictures.get(f.crop), text.clock(f.timestamp_s)) for f in person.sheet]
    return KeepTogether(
        [
            Paragraph(f"<b>{escaped(person.name)}</b>&nbsp; {small}{words}</font>", style.BODY),
            Spacer(0, 0.6 * mm),
            FaceStrip(faces, SHEET_FACES, style.CONTENT_WIDTH),
            Spacer(0, 1.8 * mm),
        ]
    )


def review_list(model: ReportModel, pictures: Mapping[str, bytes]) -> list[Flowable]:
    """Return the doubtful tracks, those that can change most first."""
    if not model.review:
        return (
            []
            if model.body_review
            else [*heading("Tracks to review"), Paragraph(wording.NO_DOUBT, style.BODY)]
        )
    story = heading("Tracks to review")
    intro = "Tracks of low confidence, and long ones of nobody; those that can change most first."
    left = model.review_total - len(model.review)
    if left > 0:
        intro += f" {text.plural(left, 'other')} of less weight are in identities.json."
    rows: Cells = [head_row("", "track", "when", ">length", "counts for", "may be", "why")]
    rows += [_row(row, pictures) for row in model.review]
    table = ruled_table(
        rows, (11, 22, 33, 16, 33, 33, 26), extra=[("RIGHTPADDING", (3, 0), (3, -1), 4 * mm)]
    )
    return [*story, Paragraph(intro, style.BODY), Spacer(0, 1.5 * mm), table]


def bodies_to_review(model: ReportModel) -> list[Flowable]:
    """Return the doubtful bodies that add seconds; nothing if there are none."""
    if not model.body_review:
        return []
    intro = f"{wording.DOUBTFUL_BODIES} {wording.bodies_left(model)}".strip()
    rows: Cells = [
        head_row("body track", "when", ">body only", "counts for", "tied to them by", ">confidence")
    ]
    rows += [
        [
            paragraph(str(row.body_track_id), style.SMALL_INK),
            _when(row),
            paragraph(text.seconds(row.body_only_s), style.SMALL_INK_RIGHT),
            paragraph(row.name, style.SMALL_INK),
            paragraph(wording.evidence(row.evidence), style.SMALL_INK),
            paragraph(f"{row.confidence:.2f}", style.SMALL_INK_RIGHT),
        ]
        for row in model.body_review
    ]
    table = ruled_table(
        rows, (19, 35, 20, 38, 44, 18), extra=[("RIGHTPADDING", (2, 0), (2, -1), 4 * mm)]
    )
    return [
        *heading("Bodies to review"),
        Paragraph(intro, style.BODY),
        Spacer(0, 1.5 * mm),
        table,
    ]


def _when(row: ReviewRow | BodyReviewRow) -> list[Flowable]:
    when = f"{text.clock(row.start_s)} to {text.clock(row.end_s)}"
    frames = f"frames {row.first_frame_idx}{text.DASH}{row.last_frame_idx}"
    return [paragraph(when, style.SMALL_INK), paragraph(frames, style.SMALL)]


def _row(row: ReviewRow, pictures: Mapping[str, bytes]) -> list[object]:
    return [
        Portrait(pictures.get(row.crop or ""), _FACE),
        [
            paragraph(str(row.track_id), style.SMALL_INK),
            paragraph(f"confidence {row.confidence:.2f}", style.SMALL),
        ],
        _when(row),
        paragraph(text.seconds(row.length_s), style.SMALL_INK_RIGHT),
        _who(row.given or "nobody", row.similarity),
        _who(row.rival, row.rival_similarity),
        paragraph(row.reason, style.SMALL_INK),
    ]


def _who(name: str | None, similarity: float | None) -> list[Flowable]:
    if name is None:
        return [paragraph(text.DASH, style.SMALL)]
    cell: list[Flowable] = [paragraph(name, style.SMALL_INK)]
    if similarity is not None:
        cell.append(paragraph(f"similarity {similarity:.2f}", style.SMALL))
    return cell
