"""How the stages do: durations, failures and reuse over many runs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from screenalytics_core.stages import STAGE_PLAN

_REUSED: Final = frozenset({"checkpoint", "inherited"})


def stage_stats(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row per stage of the plan that was attempted at least once.

    Args:
        rows: Of registry/stage_runs.parquet.

    Returns:
        Dicts of stage, attempts, running, failed, failure_rate (0 to 1, of those that ended),
        reused_rate (0 to 1, of those that completed), median_s and p90_s (of those that
        were computed), frames_per_s (all their frames over all their seconds), last_error
        and last_error_at. A figure without anything to measure is None.
    """
    by_stage: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_stage.setdefault(row["stage"], []).append(row)
    return [_stats(stage.value, by_stage[stage]) for stage in STAGE_PLAN if stage in by_stage]


def _stats(stage: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    completed = [row for row in rows if row["status"] == "completed"]
    failed = [row for row in rows if row["status"] == "failed"]
    reused = [row for row in completed if row["source"] in _REUSED]
    computed = [row for row in completed if row["source"] not in _REUSED]
    durations = sorted(
        row["duration_seconds"] for row in computed if row["duration_seconds"] is not None
    )
    told = [row for row in failed if row["error"]]
    last = max(told, key=lambda row: row["finished_at"] or row["started_at"], default=None)
    return {
        "stage": stage,
        "attempts": len(rows),
        "running": len(rows) - len(completed) - len(failed),
        "failed": len(failed),
        "failure_rate": _rate(len(failed), len(failed) + len(completed)),
        "reused_rate": _rate(len(reused), len(completed)),
        "median_s": quantile(durations, 0.5),
        "p90_s": quantile(durations, 0.9),
        "frames_per_s": _frames_per_s(computed),
        "last_error": last["error"] if last else None,
        "last_error_at": (last["finished_at"] or last["started_at"]) if last else None,
    }


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _frames_per_s(rows: Iterable[dict[str, Any]]) -> float | None:
    measured = [
        (row["frames"], row["duration_seconds"])
        for row in rows
        if row["frames"] and row["duration_seconds"]
    ]
    seconds = sum(duration_s for _, duration_s in measured)
    return round(sum(frames for frames, _ in measured) / seconds, 3) if seconds else None


def quantile(ascending: Sequence[float], share: float) -> float | None:
    """Return the value below which `share` (0 to 1) of the values lie, interpolated linearly."""
    if not ascending:
        return None
    place = share * (len(ascending) - 1)
    below = int(place)
    above = min(below + 1, len(ascending) - 1)
    value = ascending[below] + (place - below) * (ascending[above] - ascending[below])
    return round(value, 6)
