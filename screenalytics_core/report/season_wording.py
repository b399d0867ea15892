"""Sentences and figures that the PDF and the page of a season share."""

from __future__ import annotations

from typing import Final

from screenalytics_core.report import text
from screenalytics_core.report.season_model import SeasonReport

NOBODY: Final = "Nobody was seen, or no episode has figures yet."
_CELLS: Final = (
    "Seconds per episode; the darker, the more. 0: looked for and not seen. ?: nothing is known "
    "of the episode. Below a total: what is sure, and what is possible."
)


def key_figures(report: SeasonReport) -> list[tuple[str, str, str]]:
    """Return (value, what it is, small print) of the season's figures."""
    counted, known = report.counted_episodes, len(report.episodes)
    missing = f"{known - counted} missing" if counted < known else "nothing is missing"
    links = text.plural(report.open_links, "open link")
    counted_s = f"{text.clock(report.counted_s)} counted"
    people = "person with a name" if report.named == 1 else "people with a name"
    return [
        (f"{counted} of {known}", "episodes with figures", missing),
        (text.clock(report.duration_s), "length of these", counted_s),
        (text.count(report.named), people, links),
        (_part(report, report.covered_s), "with somebody known", "of counted time"),
        (_part(report, report.unknown_s), "with an unknown face", "of counted time"),
    ]


def _part(report: SeasonReport, seconds: float) -> str:
    return text.percent(seconds / report.counted_s if report.counted_s > 0 else 0.0)


def left_out(report: SeasonReport) -> str:
    """Say which episodes the totals leave out; empty if none."""
    missing = [e.short for e in report.episodes if not e.is_counted]
    return f"Totals leave out {', '.join(missing)}, which have no figures." if missing else ""


def reading_note(report: SeasonReport) -> str:
    """Say how the table is read, and who is not in it."""
    count, seconds = report.left_out
    if not count:
        return _CELLS
    people = text.plural(count, "other unnamed person", "other unnamed people")
    return f"{_CELLS} Not listed: {people}, {text.seconds(seconds)} together."


def trends_note(most_s: float) -> str:
    """Say how the charts are read."""
    return (
        f"All charts on one scale, up to {text.seconds(most_s)}. Dark: sure; light: likely; "
        "line: possible, as far as it fits; grey column: nothing is known of the episode."
    )


def how_to_decide(report: SeasonReport) -> str:
    """Say which commands decide about links, and how many are not listed."""
    rest = report.open_links - len(report.links)
    more = f" {rest} more: screenalytics season link {report.season}." if rest else ""
    return (
        f"Decide with: screenalytics season confirm {report.season} LINK [--name NAME], or "
        f"screenalytics season reject {report.season} LINK.{more}"
    )
