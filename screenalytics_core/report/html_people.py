"""The head of the page: key figures, and the table of people with their bounds."""

from __future__ import annotations

from typing import Final

from screenalytics_core.report import text, wording
from screenalytics_core.report.html_markup import escaped, tag
from screenalytics_core.report.html_names import TO, named, spoken
from screenalytics_core.report.html_pictures import Pictures
from screenalytics_core.report.model import PersonRow, ReportModel

# (title, is a number); numbers are what the script sorts by when their cells carry one.
_HEADS: Final = (
    ("person", False),
    ("on screen", True),
    ("sure to possible", False),
    ("face", True),
    ("body only", True),
    ("share", True),
    ("appearances", True),
    ("first", True),
    ("last", True),
    ("confidence", True),
)


def people_section(model: ReportModel, pictures: Pictures) -> str:
    """Return the people with their seconds; a sentence when there is nobody."""
    title = tag("h2", "People")
    if not model.people:
        said = [tag("p", escaped(wording.why_nobody(model)), class_="empty")]
        if model.bodies.why_none:
            said.append(tag("p", escaped(model.bodies.why_none), class_="soft"))
        return tag("section", title, *said, id="people")
    return tag(
        "section",
        title,
        _filter() if len(model.people) > 1 else "",
        _table(model, pictures),
        _reading_note(model),
        id="people",
    )


def key_figures(model: ReportModel) -> str:
    """Return the episode's figures."""
    named_count = sum(p.is_named for p in model.people)
    length = [text.plural(len(model.shots_s), "shot")]
    if model.trims:
        length.append(f"{text.clock(model.counted_s)} counted")
    figures = (
        (
            text.count(len(model.people)),
            "person" if len(model.people) == 1 else "people",
            f"{named_count} named" if named_count else "none named yet" if model.people else "",
        ),
        (text.clock(model.duration_s), "length of the episode", ", ".join(length)),
        _figure(model, model.covered_s, "with an identified person"),
        _figure(model, model.overlap_s, "with two or more of them"),
        _figure(model, model.unknown_s, "with an unidentified face"),
    )
    boxes = [
        tag(
            "div",
            tag("dt", escaped(what)),
            tag("dd", escaped(value), class_="value"),
            tag("dd", escaped(note), class_="soft") if note else "",
        )
        for value, what, note in figures
    ]
    return tag("dl", *boxes, class_="facts key")


def _figure(model: ReportModel, part_s: float, what: str) -> tuple[str, str, str]:
    return text.seconds(part_s), what, wording.share_of_counted(model, part_s)


def _filter() -> str:
    return tag(
        "p",
        tag("label", "Show only names with ", '<input type="search" id="filter">'),
        tag("span", id="filtered", class_="soft", role="status"),
        class_="only-js filter",
    )


def _table(model: ReportModel, pictures: Pictures) -> str:
    longest_s = max(p.high_s for p in model.people) or 1.0
    has_bodies = model.bodies.has_bodies
    heads = [
        tag("th", escaped(title), class_="num" if is_number else None, scope="col")
        for title, is_number in _HEADS
        if has_bodies or title != "body only"
    ]
    rows = [
        _row(number, person, pictures, longest_s, has_bodies)
        for number, person in enumerate(model.people)
    ]
    table = tag(
        "table", tag("thead", tag("tr", *heads)), tag("tbody", "\n".join(rows)), class_="people"
    )
    return tag("div", table, class_="wide")


def _row(
    number: int, person: PersonRow, pictures: Pictures, longest_s: float, has_bodies: bool
) -> str:
    body = text.DASH if person.body_only_s is None else text.seconds(person.body_only_s)
    bounds = f"{text.seconds(person.low_s)}{TO}{text.seconds(person.high_s)}"
    shares = f"{text.percent(person.low_share)}{TO}{text.percent(person.high_share)}"
    confidence = text.DASH if person.confidence is None else f"{person.confidence:.2f}"
    cells = [
        tag("th", _who(person, pictures), scope="row", class_="who"),
        _number("on screen", text.seconds(person.total_s), person.total_s),
        tag("td", _bar(person, longest_s), _small(bounds), data_l="sure to possible", class_="bar"),
        _number("face", text.seconds(person.face_s), person.face_s),
        _number("body only", body, person.body_only_s or 0.0) if has_bodies else "",
        _number("share", text.percent(person.share), person.share, shares),
        _number("appearances", text.count(person.appearance_count), person.appearance_count),
        _number("first", text.clock(person.first_s), person.first_s),
        _number("last", text.clock(person.last_s), person.last_s),
        _number("confidence", confidence, person.confidence or 0.0),
    ]
    return tag("tr", *cells, data_who=number)


def _who(person: PersonRow, pictures: Pictures) -> str:
    tracks = [text.plural(person.track_count, "face track")]
    if person.body_track_count:
        tracks.append(text.plural(person.body_track_count, "body track"))
    under = " · ".join((*((person.handle,) if person.handle else ()), *tracks))
    name = tag("span", named(person.name), class_="name")
    return tag("div", pictures.face(person.crop), tag("span", name, _small(under)))


def _number(label: str, shown: str, value: float, under: str = "") -> str:
    small = _small(under) if under else ""
    return tag("td", escaped(shown), small, class_="num", data_l=label, data_v=f"{value:.6g}")


def _small(value: str) -> str:
    return tag("small", escaped(value))


def _bar(person: PersonRow, longest_s: float) -> str:
    """Draw face time solid, body time lower beside it, and the bounds as a whisker below."""

    def percent(seconds: float) -> str:
        return f"{100 * seconds / longest_s:.2f}%"

    said = (
        f"{spoken(person.name)}: {text.seconds(person.total_s)}, surely "
        f"{text.seconds(person.low_s)}, at most {text.seconds(person.high_s)}"
    )
    body_s = max(0.0, person.total_s - person.face_s)
    parts = [
        tag("title", escaped(said)),
        tag("rect", class_="f", width=percent(person.face_s), y=1, height=10),
    ]
    if body_s > 0:
        box = {"x": percent(person.face_s), "width": percent(body_s), "y": 4, "height": 7}
        parts.append(tag("rect", class_="b", **box))
    low, high = percent(person.low_s), percent(person.high_s)
    parts += [
        tag("line", class_="whisker", x1=low, x2=high, y1=15, y2=15),
        tag("line", class_="whisker", x1=low, x2=low, y1=12.5, y2=17.5),
        tag("line", class_="whisker", x1=high, x2=high, y1=12.5, y2=17.5),
    ]
    return tag("svg", *parts, class_="bars", role="img")


def _reading_note(model: ReportModel) -> str:
    notes = [
        "Seconds are the union of the intervals in which the person is seen; share is that time "
        "over the time that is counted. Several people on screen at once each count, so shares "
        "may add up to more than 100 %. The whisker reaches from what is sure to everything that "
        "may be this person."
    ]
    if model.bodies.why_none:
        notes.append(model.bodies.why_none)
    return "".join(tag("p", escaped(note), class_="soft") for note in notes)
