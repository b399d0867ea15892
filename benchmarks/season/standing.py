"""What a step of the story costs and changes, as it stands in the results. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, fields
from math import fsum
from typing import Any, Final

from benchmarks.processes import Measured
from benchmarks.season.naming import Names, names_kept, names_of
from benchmarks.season.seen_runs import EpisodeSightings

_DECIMALS: Final = 3


def backfill_cost(measured: Measured, status: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a backfill took, all together and per episode.

    Args:
        status: What `backfill status --json` says of it.
    """
    rows = status["episodes"]
    took_s = [row["took_s"] for row in rows if row["took_s"] is not None]
    return {
        "episodes": len(rows),
        "states": status["totals"]["states"],
        "wall_s": round(measured.wall_s, 1),
        "cpu_s": round(measured.cpu_s, 1),
        "cpu_s_per_episode": round(measured.cpu_s / max(len(rows), 1), 2),
        "wall_s_per_episode": round(measured.wall_s / max(len(rows), 1), 2),
        "slowest_run_s": round(max(took_s, default=0.0), 2),
    }


def names_by_episode(seen: EpisodeSightings, known: Collection[str]) -> dict[str, Any]:
    """Return how the names of `known` stand, in each episode and in all."""
    each = {ep_id: names_of(tracks, known) for ep_id, tracks in seen.items()}
    return {
        "all": {
            part.name: round(fsum(getattr(names, part.name) for names in each.values()), _DECIMALS)
            for part in fields(Names)
        },
        "each": {ep_id: asdict(names) for ep_id, names in each.items()},
    }


def kept_by_episode(before: EpisodeSightings, after: EpisodeSightings) -> dict[str, Any]:
    """Return how many names are kept, and every one that is not."""
    kept = {ep_id: names_kept(tracks, after[ep_id]) for ep_id, tracks in before.items()}
    return {
        "names": sum(k.names for k in kept.values()),
        "names_kept": sum(k.names_kept for k in kept.values()),
        "named_s": round(fsum(k.named_s for k in kept.values()), _DECIMALS),
        "kept_s": round(fsum(k.kept_s for k in kept.values()), _DECIMALS),
        "lost": [
            {"ep_id": ep_id, "before": was, "now": now, "seconds": seconds}
            for ep_id, k in kept.items()
            for (was, now), seconds in sorted(k.lost.items(), key=str)
        ],
    }


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the keys of `before` that have another value now, or none."""
    return [key for key, value in before.items() if after.get(key) != value]
