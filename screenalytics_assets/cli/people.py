"""The table of people, as every command shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from screenalytics_assets.cli.console import put_table

_COLUMNS = ("person", "seconds", "share %", "first s", "last s", "segments")


def put_people(title: str, screen_time: Mapping[str, Any]) -> None:
    """Print who was on screen for how long."""
    rows = [
        (
            person["label"] or person["cast_id"] or person["identity_id"],
            person["total_s"],
            100 * person["share"],
            person["first_s"],
            person["last_s"],
            len(person["segments"]),
        )
        for person in screen_time["people"]
    ]
    put_table(title, _COLUMNS, rows)
