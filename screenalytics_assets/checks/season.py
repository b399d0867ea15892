"""Checks of a season's figures: they add up, their bounds hold, no episode is left untold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import fsum
from typing import Any, Final

from screenalytics_assets.checks.base import TOLERANCE_S, Findings, Outcome
from screenalytics_core.seasons.model import COUNTED

Document = Mapping[str, Any]
_SUMMED: Final = ("total_s", "low_s", "high_s")
# Each figure is rounded to a microsecond, so a sum of n of them is off by half of n.
_ROUNDED_S: Final = 0.5e-6


@dataclass(frozen=True, slots=True)
class SeasonCheck:
    """A check of the document of `seasons.specs.SEASON_SCREEN_TIME`."""

    name: str
    description: str
    run: Callable[[Document], Outcome]


def _adds_up(document: Document) -> Outcome:
    found = Findings()
    sums: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for figure in document["figures"]:
        if figure["total_s"] is not None:
            sums[figure["person_id"]].append(figure)
    tolerance_s = TOLERANCE_S + _ROUNDED_S * len(document["episodes"])
    for name in _SUMMED:
        found.none_of(
            (
                p["person_id"]
                for p in document["people"]
                if abs(p[name] - fsum(f[name] for f in sums[p["person_id"]])) > tolerance_s
            ),
            f"people whose {name} is not the sum over the episodes",
        )
    told = [e["counted_s"] for e in document["episodes"] if e["counted_s"] is not None]
    found.must(
        abs(document["counted_s"] - fsum(told)) <= tolerance_s,
        "counted_s is not the sum over the episodes",
    )
    found.show(people=len(document["people"]))
    return found.outcome("Every total is the sum over the episodes.")


def _bounds(document: Document) -> Outcome:
    found = Findings()
    rows = [*document["people"], *(f for f in document["figures"] if f["low_s"] is not None)]
    found.none_of(
        (
            r["person_id"]
            for r in rows
            if not r["low_s"] - TOLERANCE_S <= r["total_s"] <= r["high_s"] + TOLERANCE_S
        ),
        "rows are not between their bounds",
    )
    found.show(rows=len(rows))
    return found.outcome("Every figure lies between its bounds.")


def _every_episode(document: Document) -> Outcome:
    found = Findings()
    told = {f["ep_id"] for f in document["figures"]}
    found.none_of(
        (e["ep_id"] for e in document["episodes"] if e["ep_id"] not in told),
        "episodes without a row",
    )
    without = [e for e in document["episodes"] if e["state"] not in COUNTED]
    names = {e["ep_id"] for e in without}
    found.none_of(
        (
            f"{f['person_id']} in {f['ep_id']}"
            for f in document["figures"]
            if f["ep_id"] in names and f["total_s"] is not None
        ),
        "figures of episodes that have none",
    )
    found.show(**{"episodes without figures": len(without)})
    return found.outcome("Every episode is told, and none without figures counts as 0 s.")


SEASON_CHECKS: Final = (
    SeasonCheck("adds_up", "Totals are the sums of the episodes' figures.", _adds_up),
    SeasonCheck("bounds_in_order", "low_s <= total_s <= high_s, everywhere.", _bounds),
    SeasonCheck("every_episode_told", "Episodes without figures stand as such.", _every_episode),
)
