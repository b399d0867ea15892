"""What Dagster's UI shows of a season: people, totals, their trend, and what is missing."""

from collections.abc import Mapping
from typing import Any, Final

import dagster as dg

from screenalytics_assets.stores import Stores
from screenalytics_assets.tables import table_of
from screenalytics_core.report import text
from screenalytics_core.report.season_model import SeasonCell, SeasonReport, season_report
from screenalytics_core.seasons.record import CAST
from screenalytics_core.seasons.specs import CAST_FILE, PART_FILES

Metadata = dict[str, Any]
# A table of more would not be read there; the report holds everybody.
_MOST_PEOPLE: Final = 30
_MISSING: Final = "?"


def cast_metadata(stores: Stores, season: str, document: Mapping[str, Any]) -> Metadata:
    """Return what is shown of `season_cast`."""
    links = document["links"]
    members = document["members"]
    by_link: dict[str, list[str]] = {}
    for m in members:
        who = m["label"] or m["person_id"]
        by_link.setdefault(m["link_id"], []).append(f"{m['ep_id']} {who}")
    rows = [
        {**link, "names": ", ".join(link["names"]), "members": ", ".join(by_link[link["link_id"]])}
        for link in links
    ]
    states = ("proposal", "unnamed", "conflict", "agreed")
    shown: Metadata = {s: sum(link["status"] == s for link in links) for s in states}
    columns = ("link_id", "status", "names", "members", "similarity", "total_s")
    shown["links"] = table_of(columns, rows)
    if document["notes"]:
        shown["note"] = " ".join(document["notes"])
    path = dg.MetadataValue.path(stores.seasons.location(season, CAST_FILE))
    return {**shown, CAST_FILE.filename: path}


def screen_time_metadata(stores: Stores, season: str, document: Mapping[str, Any]) -> Metadata:
    """Return what is shown of `season_screen_time`."""
    cast = stores.seasons.read(season, CAST, CAST_FILE)
    report = season_report(document, cast)
    missing = [e for e in report.episodes if not e.is_counted]
    people = document["people"]
    totals = ("total_s", "low_s", "high_s", "proposed_s", "episode_count")
    shown: Metadata = {
        "people": sum(p["kind"] == "cast" for p in people),
        "unnamed people": sum(p["kind"] != "cast" for p in people),
        "episodes with figures": report.counted_episodes,
        "episodes without": len(missing),
        "counted_s": round(document["counted_s"], 3),
        "unknown_s": round(document["unknown_s"], 3),
        "totals": table_of(
            ("person", *totals, "share_percent"),
            [
                {
                    **p,
                    "person": p["label"] or p["cast_id"] or p["person_id"],
                    "share_percent": round(100 * p["share"], 1),
                }
                for p in people[:_MOST_PEOPLE]
            ],
        ),
        "trend": dg.MetadataValue.md(_trend(report)),
        "to look at": table_of(
            ("episode", "state", "why"),
            [
                {"episode": e.ep_id, "state": e.state, "why": "; ".join(e.remarks)}
                for e in report.remarked
            ],
        ),
    }
    for files in PART_FILES.values():
        for file in files:
            path = stores.seasons.location(season, file)
            shown[file.filename] = dg.MetadataValue.path(path)
    return shown


def _trend(report: SeasonReport) -> str:
    """Return seconds per person and episode as a table in Markdown."""
    heads = ["person", *(e.short for e in report.episodes), "total"]
    lines = [_line(heads), _line(["---", *("---:" for _ in heads[1:])])]
    for person in report.people[:_MOST_PEOPLE]:
        cells = [_said(cell) for cell in person.cells]
        lines.append(_line([person.name, *cells, text.bare_seconds(person.total_s)]))
    return "\n".join(lines)


def _said(cell: SeasonCell) -> str:
    return _MISSING if cell.total_s is None else text.bare_seconds(cell.total_s)


def _line(cells: list[str]) -> str:
    # A bar in a name would begin another cell.
    return "| " + " | ".join(c.replace("|", "\\|").replace("\n", " ") for c in cells) + " |"
