"""The table of people, as every command shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from screenalytics_assets.cli.console import put_table, tell

_COLUMNS = (
    "person",
    "seconds",
    "low s",
    "high s",
    "face s",
    "body s",
    "share %",
    "first s",
    "last s",
    "segments",
)
_SPARE = ("body s", "face s", "segments", "last s", "first s")


def put_people(title: str, screen_time: Mapping[str, Any]) -> None:
    """Print who was on screen for how long."""
    put_people_rows(
        title,
        [
            {
                **person,
                "name": person["label"] or person["cast_id"] or person["identity_id"],
                "segments": len(person["segments"]),
            }
            for person in screen_time["people"]
        ],
    )
    if not screen_time["has_bodies"]:
        tell("nobody looked for bodies, so seconds are of faces; `screenalytics status` says why")


def put_people_rows(title: str, people: Iterable[Mapping[str, Any]]) -> None:
    """Print people whose segments were counted."""
    rows = [
        (
            person["name"],
            person["total_s"],
            person["low_s"],
            person["high_s"],
            person["face_s"],
            # Nobody looked for bodies: that is not no time.
            "-" if person["body_only_s"] is None else person["body_only_s"],
            100 * person["share"],
            person["first_s"],
            person["last_s"],
            person["segments"],
        )
        for person in people
    ]
    put_table(title, _COLUMNS, rows, spare=_SPARE)


def tell_totals(screen_time: Mapping[str, Any]) -> None:
    """Say what holds for all people together, and what was left out."""
    known, together, unknown, counted = (
        screen_time[name] for name in ("covered_s", "overlap_s", "unknown_s", "counted_s")
    )
    tell(
        f"someone known {known:.2f} s, two or more {together:.2f} s, unknown {unknown:.2f} s, "
        f"of {counted:.2f} s counted"
    )
    for trim in screen_time["trims"]:
        tell(f"not counted: {trim['name']}, {trim['start_s']:.2f} s to {trim['end_s']:.2f} s")
