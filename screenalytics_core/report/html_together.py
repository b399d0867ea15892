"""Who was on screen with whom: a table of seconds, shaded by how many there are."""

from __future__ import annotations

from typing import Final

from screenalytics_core.report import text
from screenalytics_core.report.html_markup import escaped, tag
from screenalytics_core.report.html_names import named, spoken
from screenalytics_core.report.model import CoAppearance, PersonRow, ReportModel

# The style has this many shades, whose letters stay legible.
_SHADES: Final = 5


def together_section(model: ReportModel) -> str:
    """Return the table; empty where there are not two people to meet."""
    if len(model.people) < 2:
        return ""
    title = tag("h2", "Together on screen")
    if not model.co_appearances:
        none = tag("p", "No two of them are on screen at once.", class_="empty")
        return tag("section", title, none, id="together")
    note = (
        "Seconds with both on screen; a column's number is the person of that row. "
        "Pointing at a cell tells its share of each one's time."
    )
    return tag(
        "section", title, _table(model), tag("p", escaped(note), class_="soft"), id="together"
    )


def _table(model: ReportModel) -> str:
    met = {}
    for row in model.co_appearances:
        met[row.person_id, row.other_id] = met[row.other_id, row.person_id] = row
    most_s = max(row.together_s for row in model.co_appearances)
    heads = [
        tag("th", str(n), scope="col", title=spoken(p.name)) for n, p in enumerate(model.people, 1)
    ]
    rows = [
        tag(
            "tr",
            tag("th", tag("span", str(n), class_="rank"), named(p.name), scope="row"),
            *(_cell(p, other, met.get((p.person_id, other.person_id)), most_s)
              for other in model.people),
        )
        for n, p in enumerate(model.people, 1)
    ]  # fmt: skip
    corner = tag("th", "person", scope="col")
    head = tag("thead", tag("tr", corner, *heads))
    table = tag("table", head, tag("tbody", "\n".join(rows)), class_="together")
    return tag("div", table, class_="wide")


def _cell(person: PersonRow, other: PersonRow, met: CoAppearance | None, most_s: float) -> str:
    if person is other:
        return tag("td", "", class_="self")
    if met is None:
        return tag("td", "")
    shade = max(1, min(_SHADES, -(-int(1000 * met.together_s / most_s) * _SHADES // 1000)))
    said = f"{spoken(person.name)} and {spoken(other.name)}: {text.seconds(met.together_s)}"
    shares = [
        f"{text.percent(met.together_s / p.total_s)} of {spoken(p.name)}"
        for p in (person, other)
        if p.total_s > 0
    ]
    title = "\n".join((said, *shares))
    return tag("td", escaped(_short(met.together_s)), class_=f"h{shade}", title=title)


def _short(seconds: float) -> str:
    """Write seconds for a narrow cell: `0.4`, `12`, `1,234`."""
    return f"{seconds:.1f}" if seconds < 10 else f"{seconds:,.0f}"
