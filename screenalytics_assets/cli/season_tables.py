"""The tables of a season, as commands show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from screenalytics_assets.cli.cells import Cell
from screenalytics_assets.cli.console import put_table, tell

_NOTHING: Final = "?"


def put_season(document: Mapping[str, Any]) -> None:
    """Print people and episodes with their seconds, then what is missing or doubtful.

    Args:
        document: Of `seasons.specs.SEASON_SCREEN_TIME`.
    """
    ep_ids = [e["ep_id"] for e in document["episodes"]]
    cells = {(f["person_id"], f["ep_id"]): f["total_s"] for f in document["figures"]}
    known = {e["ep_id"] for e in document["episodes"] if e["counted_s"] is not None}
    rows = []
    for person in document["people"]:
        seconds = [cells.get((person["person_id"], e), 0.0 if e in known else None) for e in ep_ids]
        rows.append(
            (
                _name(person),
                person["total_s"],
                person["low_s"],
                person["high_s"],
                100 * person["share"],
                person["episode_count"],
                *(Cell(_NOTHING) if s is None else s for s in seconds),
            )
        )
    heads = ("person", "seconds", "low s", "high s", "share %", "episodes")
    shorts = tuple(f"e{e.rpartition('e')[2]}" for e in ep_ids)
    counted = f"{document['episodes_counted']} of {document['episodes_total']} episodes"
    put_table(
        f"{document['season']}  {counted}", (*heads, *shorts), rows, spare=("high s", "low s")
    )
    for episode in document["episodes"]:
        remarks = [r for r in (episode["reason"], *episode["doubts"]) if r]
        if remarks:
            tell(f"{episode['ep_id']}: {episode['state']}, {'; '.join(remarks)}")
    for note in document["notes"]:
        tell(note)


def _name(person: Mapping[str, Any]) -> str:
    name = person["label"] or person["cast_id"] or person["person_id"]
    return f"{name} (may be {person['maybe_label']})" if person["maybe_label"] else str(name)


def put_links(document: Mapping[str, Any], *, every: bool) -> None:
    """Print the links of a season, a row for each member.

    Args:
        document: Of `seasons.specs.SEASON_CAST`.
        every: Also links in which all have the same name.
    """
    rows = []
    shown = [k for k in document["links"] if every or k["status"] != "agreed"]
    for link in shown:
        names = " and ".join(link["names"]) or "-"
        head = (link["link_id"], link["status"], names)
        for member in (m for m in document["members"] if m["link_id"] == link["link_id"]):
            rows.append(
                (
                    *head,
                    f"{member['ep_id']}/{member['person_id']}",
                    member["label"],
                    member["total_s"],
                    member["similarity"],
                    member["rival_similarity"],
                )
            )
            head = ("", "", "")
    heads = ("link", "status", "names", "member", "name", "seconds", "similarity", "next best")
    if rows:
        put_table(document["season"], heads, rows, whole=("link", "member"), spare=("next best",))
        season = document["season"]
        tell(f"decide: screenalytics season confirm|reject {season} LINK")
    else:
        tell("nobody is linked over episodes" if not document["links"] else "nothing is open")
    for note in document["notes"]:
        tell(note)
