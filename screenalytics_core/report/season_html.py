"""The report of a season as one HTML file that loads nothing and runs nothing."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from math import ceil
from typing import Any, Final

from screenalytics_core.report import season_wording as wording
from screenalytics_core.report import text
from screenalytics_core.report.html_markup import escaped, public, table, tag
from screenalytics_core.report.html_names import TO, named
from screenalytics_core.report.html_resources import resource
from screenalytics_core.report.season_charts import trends_section
from screenalytics_core.report.season_model import (
    SeasonCell,
    SeasonEpisode,
    SeasonPerson,
    SeasonReport,
    season_report,
)

_SHADES: Final = 5


def render_season_html(screen_time: Mapping[str, Any], season_cast: Mapping[str, Any]) -> bytes:
    """Return the page as UTF-8; equal content gives equal bytes.

    Args:
        screen_time: The document of `seasons.specs.SEASON_SCREEN_TIME`.
        season_cast: The document of `seasons.specs.SEASON_CAST` that it was made with.
    """
    report = season_report(screen_time, season_cast)
    sections = (
        tag(
            "header",
            tag("p", "Season report", class_="over"),
            tag("h1", escaped(report.headline)),
            tag("p", escaped(report.season), class_="soft"),
        ),
        _key_figures(report),
        _notes(report),
        _people(report),
        trends_section(report),
        _episodes(report),
        _links(report),
        tag("footer", "Screenalytics · season report"),
    )
    style = f"\n{resource('html_base.css')}\n{resource('season.css')}\n"
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    body = "\n".join(filter(None, sections))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escaped(policy)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>Screen time of season {escaped(report.season)}</title>\n"
        f"<style>{style}</style></head>\n<body><main>\n{body}\n</main></body></html>\n"
    ).encode()


def _key_figures(report: SeasonReport) -> str:
    boxes = [
        tag(
            "div",
            tag("dt", escaped(what)),
            tag("dd", escaped(value), class_="value"),
            tag("dd", escaped(note), class_="soft"),
        )
        for value, what, note in wording.key_figures(report)
    ]
    return tag("dl", *boxes, class_="facts key")


def _notes(report: SeasonReport) -> str:
    left_out = wording.left_out(report)
    said = [tag("p", escaped(left_out), class_="warn")] if left_out else []
    return "\n".join([*said, *(tag("p", public(note)) for note in report.notes)])


def _people(report: SeasonReport) -> str:
    title = tag("h2", "People")
    if not report.people:
        none = tag("p", wording.NOBODY, class_="empty")
        return tag("section", title, none, id="people")
    heads = [
        tag("th", "person", scope="col"),
        *(tag("th", h, scope="col", class_="num") for h in ("on screen", "share", "episodes")),
        *(
            tag("th", escaped(e.short), scope="col", class_="num", title=f"{e.ep_id}: {e.state}")
            for e in report.episodes
        ),
    ]
    most_s = max((c.total_s or 0.0 for p in report.people for c in p.cells), default=0.0)
    rows = "\n".join(_row(person, report.episodes, most_s) for person in report.people)
    grid = tag("table", tag("thead", tag("tr", *heads)), "\n", tag("tbody", rows), class_="grid")
    legend = tag("p", escaped(wording.reading_note(report)), class_="soft")
    return tag("section", title, tag("div", grid, class_="wide"), legend, id="people")


def _row(person: SeasonPerson, episodes: tuple[SeasonEpisode, ...], most_s: float) -> str:
    name = named(person.name)
    who = tag("b", name) if person.is_named else name
    note = tag("small", escaped(person.note)) if person.note else ""
    bounds = f"{text.seconds(person.low_s)}{TO}{text.seconds(person.high_s)}"
    cells = [
        tag("th", who, note, scope="row"),
        tag("td", tag("b", escaped(text.seconds(person.total_s))),
            tag("small", escaped(bounds)), class_="num"),
        tag("td", escaped(text.percent(person.share)), class_="num"),
        tag("td", text.count(person.episode_count), class_="num"),
        *(_cell(cell, e, most_s) for cell, e in zip(person.cells, episodes, strict=True)),
    ]  # fmt: skip
    return tag("tr", *cells)


def _cell(cell: SeasonCell, episode: SeasonEpisode, most_s: float) -> str:
    if cell.total_s is None:
        return tag("td", "?", class_="num cell gone", title=f"{episode.ep_id}: {episode.state}")
    if cell.total_s == 0:
        return tag("td", "0", class_="num cell c0")
    shade = max(1, ceil(_SHADES * cell.total_s / most_s)) if most_s else 1
    bounds = f"{text.seconds(cell.low_s or 0.0)}{TO}{text.seconds(cell.high_s or 0.0)}"
    said = escaped(text.bare_seconds(cell.total_s))
    return tag("td", said, class_=f"num cell c{shade}", title=f"{episode.ep_id}: {bounds}")


def _episodes(report: SeasonReport) -> str:
    heads = ("episode", "state", "run", "counted", "known", "unknown", "people", "to know")
    numeric = {"counted", "known", "unknown", "people"}
    head = tag(
        "tr",
        *(tag("th", h, scope="col", class_="num" if h in numeric else None) for h in heads),
    )
    rows = "\n".join(map(_episode_row, report.episodes))
    whole = tag("table", tag("thead", head), "\n", tag("tbody", rows), class_="episodes")
    title = tag("h2", "Episodes, and where their figures are from")
    return tag("section", title, tag("div", whole, class_="wide"), id="episodes")


def _episode_row(episode: SeasonEpisode) -> str:
    is_odd = episode.state != "done"
    state = escaped(episode.state)
    seconds = [
        text.DASH if value is None else text.seconds(value)
        for value in (episode.counted_s, episode.covered_s, episode.unknown_s)
    ]
    cells = [
        tag("td", escaped(episode.ep_id)),
        tag("td", tag("b", state) if is_odd else state),
        tag("td", tag("code", escaped(episode.run_id or text.DASH))),
        *(tag("td", escaped(s), class_="num") for s in seconds),
        tag("td", text.count(episode.people), class_="num"),
        tag("td", public("; ".join(episode.remarks))),
    ]
    return tag("tr", *cells, class_="odd" if is_odd else None)


def _links(report: SeasonReport) -> str:
    if not report.links:
        return ""
    rows = [
        (
            tag("code", escaped(link.link_id)),
            escaped(link.says),
            escaped(link.members),
            f"{link.similarity:.2f}",
            f"{link.threshold:.2f}",
        )
        for link in report.links
    ]
    heads = ("link", "what it says", "who", ">similarity", ">joins from")
    return tag(
        "section",
        tag("h2", "Links that nobody has decided"),
        tag("p", escaped(wording.how_to_decide(report)), class_="soft"),
        table(heads, rows, class_="links"),
        id="links",
    )
