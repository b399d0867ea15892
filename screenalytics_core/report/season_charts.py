"""The trend charts of a season's page: a small one for each person, all on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from screenalytics_core.report import text
from screenalytics_core.report.html_markup import escaped, tag
from screenalytics_core.report.html_names import named, spoken
from screenalytics_core.report.season_model import (
    SeasonCell,
    SeasonEpisode,
    SeasonPerson,
    SeasonReport,
)
from screenalytics_core.report.season_trends import scale_s
from screenalytics_core.report.season_wording import trends_note

_WIDTH: Final = 280.0
_BARS: Final = 76.0
_AXIS: Final = 14.0
_BAR_SHARE: Final = 0.68
_WIDEST: Final = 34.0
_MOST_LABELS: Final = 12


def trends_section(report: SeasonReport) -> str:
    """Return the charts; nothing where there is nothing to compare."""
    people = report.trends
    if len(report.episodes) < 2 or not people:
        return ""
    most_s = scale_s(people)
    charts = "\n".join(_chart(person, report.episodes, most_s) for person in people)
    return tag(
        "section",
        tag("h2", "Over the episodes"),
        tag("p", escaped(trends_note(most_s)), class_="soft"),
        tag("div", charts, class_="trends"),
        id="trends",
    )


def _chart(person: SeasonPerson, episodes: Sequence[SeasonEpisode], most_s: float) -> str:
    name = named(person.name)
    caption = tag(
        "figcaption",
        tag("b", name) if person.is_named else tag("span", name),
        tag("span", escaped(text.seconds(person.total_s)), class_="soft"),
    )
    step = _WIDTH / len(episodes)
    every = -(-len(episodes) // _MOST_LABELS)
    marks = [_bar(cell, (i + 0.5) * step, step, most_s) for i, cell in enumerate(person.cells)]
    marks += [
        tag("text", escaped(e.short), x=_n((i + 0.5) * step), y=_n(_BARS + 11))
        for i, e in enumerate(episodes)
        if i % every == 0
    ]
    axis = tag("line", x1=0, x2=_n(_WIDTH), y1=_n(_BARS), y2=_n(_BARS), class_="axis")
    told = "; ".join(
        f"{e.short} {'not known' if c.total_s is None else text.seconds(c.total_s)}"
        for e, c in zip(episodes, person.cells, strict=True)
    )
    drawing = tag(
        "svg",
        *marks,
        axis,
        viewBox=f"0 0 {_n(_WIDTH)} {_n(_BARS + _AXIS)}",
        role="img",
        aria_label=f"{spoken(person.name)}: {told}",
    )
    return tag("figure", caption, drawing)


def _bar(cell: SeasonCell, middle: float, step: float, most_s: float) -> str:
    if cell.total_s is None:
        return _rect("nothing", middle - step / 2, step, _BARS)
    width = min(step * _BAR_SHARE, _WIDEST)
    scale = _BARS / most_s
    left = middle - width / 2
    parts = []
    if cell.total_s > 0:
        parts.append(_rect("likely", left, width, max(cell.total_s * scale, 0.8)))
    if cell.low_s:
        parts.append(_rect("sure", left, width, cell.low_s * scale))
    if cell.high_s is not None and cell.high_s > cell.total_s:
        top_s = min(cell.high_s, most_s)
        ends: dict[str, Any] = {
            "x1": _n(middle), "x2": _n(middle),
            "y1": _n(_BARS - cell.total_s * scale), "y2": _n(_BARS - top_s * scale),
        }  # fmt: skip
        parts.append(tag("line", **ends, class_="possible"))
    return "".join(parts)


def _rect(look: str, left: float, width: float, height: float) -> str:
    return tag(
        "rect",
        x=_n(left),
        y=_n(_BARS - height),
        width=_n(width),
        height=_n(height),
        class_=look,
    )


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
