"""Faces to look at: a contact sheet per person, and the tracks that the machine doubts."""

from __future__ import annotations

from screenalytics_core.report import text, wording
from screenalytics_core.report.html_markup import escaped, table, tag
from screenalytics_core.report.html_names import TO, exact, named, spoken
from screenalytics_core.report.html_pictures import Pictures
from screenalytics_core.report.model import BodyReviewRow, PersonRow, ReportModel, ReviewRow


def sheets_section(model: ReportModel, pictures: Pictures) -> str:
    """Return the faces of every person who has any."""
    sheets = [
        _sheet(number, person, pictures)
        for number, person in enumerate(model.people)
        if person.sheet
    ]
    if not sheets:
        return ""
    note = "Faces from all over a person's tracks, best first. One that is not theirs is an error."
    return tag(
        "section",
        tag("h2", "Contact sheets"),
        tag("p", escaped(note), class_="soft"),
        tag("div", "\n".join(sheets), class_="sheets"),
        id="sheets",
    )


def _sheet(number: int, person: PersonRow, pictures: Pictures) -> str:
    name = spoken(person.name)
    faces = [
        tag(
            "figure",
            pictures.face(f.crop, f"{name} at {exact(f.timestamp_s)}, frame {f.frame_idx}, "
                                  f"track {f.track_id}, quality {f.quality:.2f}"),
            tag("figcaption", escaped(text.clock(f.timestamp_s))),
        )
        for f in person.sheet
    ]  # fmt: skip
    title = tag("h3", named(person.name))
    return tag("div", title, tag("div", *faces, class_="faces"), class_="sheet", data_who=number)


def review_section(model: ReportModel, pictures: Pictures) -> str:
    """Return the doubtful tracks; a sentence when there are none."""
    title = tag("h2", "To look at")
    if not model.review:
        if model.body_review or not (model.people or model.unknown_segments_s):
            return ""
        none = tag("p", wording.NO_DOUBT, class_="empty")
        return tag("section", title, none, id="review")
    tracks = text.plural(model.review_total, "track")
    note = f"{tracks} in doubt, those that can change most seconds first."
    if model.review_total > len(model.review):
        note += f" The first {len(model.review)} are listed."
    heads = ("", "track", "when", ">seconds", "counts for", "may be", ">confidence", "why")
    rows = [_review_row(row, pictures) for row in model.review]
    said = tag("p", escaped(note), class_="soft")
    return tag("section", title, said, table(heads, rows, class_="review"), id="review")


def body_review_section(model: ReportModel) -> str:
    """Return the doubtful bodies that add seconds; nothing if there are none."""
    if not model.body_review:
        return ""
    heads = ("body track", "when", ">body only", "counts for", "tied to them by", ">confidence")
    rows = [
        (
            escaped(row.body_track_id),
            _when(row),
            escaped(text.seconds(row.body_only_s)),
            named(row.name),
            escaped(wording.evidence(row.evidence)),
            f"{row.confidence:.2f}",
        )
        for row in model.body_review
    ]
    note = f"{wording.DOUBTFUL_BODIES} {wording.bodies_left(model)}".strip()
    return tag(
        "section",
        tag("h2", "Bodies to look at"),
        tag("p", escaped(note), class_="soft"),
        table(heads, rows, class_="review"),
        id="body-review",
    )


def _when(row: ReviewRow | BodyReviewRow) -> str:
    when = f"{exact(row.start_s)}{TO}{exact(row.end_s)}"
    frames = f"frames {row.first_frame_idx}{TO}{row.last_frame_idx}"
    return escaped(when) + tag("small", escaped(frames))


def _review_row(row: ReviewRow, pictures: Pictures) -> tuple[str, ...]:
    return (
        pictures.face(row.crop),
        escaped(row.track_id),
        _when(row),
        escaped(f"{row.length_s:,.1f}"),
        _candidate(row.given, row.similarity, "nobody"),
        _candidate(row.rival, row.rival_similarity, text.DASH),
        f"{row.confidence:.2f}",
        escaped(row.reason),
    )


def _candidate(name: str | None, similarity: float | None, none: str) -> str:
    if name is None:
        return escaped(none)
    small = "" if similarity is None else tag("small", f"similarity {similarity:.2f}")
    return named(name) + small
