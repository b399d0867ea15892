"""The results as lines for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.quality.figures import FIGURES, Figure, Row
from benchmarks.tracking import tracking_lines

_NAME: Final = 32
_WIDTH: Final = 8
# Told of composed episodes; all of them stand in the file.
_MISSES: Final = 5


def result_lines(result: Mapping[str, Any]) -> list[str]:
    """Return all of a result."""
    lines: list[str] = []
    if result.get("clips"):
        lines += clip_lines(result["clips"])
    if result.get("tracking"):
        lines += ["", *tracking_lines(result["tracking"])]
    if result.get("composed"):
        lines += ["", *composed_lines(result["composed"])]
    lines += ["", *limit_lines(result["limits"])]
    return [*lines, *result.get("remarks", ()), *result.get("problems", ())]


def clip_lines(rows: Sequence[Row]) -> list[str]:
    """Return a line per run, and below who of the main people is not one identity."""
    lines = [f"{'':<{_NAME}}" + "".join(f"{f.title:>{_WIDTH}}" for f in FIGURES)]
    for row in rows:
        name = f"{row['setup']} {row['who']} {row['clip']}"
        lines.append(f"{name:<{_NAME}}" + "".join(_cell(row, f) for f in FIGURES))
    split = [row for row in rows if row.get("split")]
    lines += [
        f"not one identity each, {row['setup']} {row['who']} {row['clip']}: "
        + ", ".join(row["split"])
        for row in split
    ]
    return lines


def _cell(row: Row, figure: Figure) -> str:
    value = row.get(figure.name)
    return f"{'-' if value is None else format(value, f'.{figure.decimals}f'):>{_WIDTH}}"


def limit_lines(limits: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a line per limit: its value, and whether it holds."""
    return [
        f"{'holds' if limit['holds'] else 'DOES NOT HOLD':<15}"
        f"{'-' if limit['value'] is None else format(limit['value'], '.4g'):<9}{limit['what']}"
        for limit in limits
    ]


def composed_lines(composed: Mapping[str, Any]) -> list[str]:
    """Return what the composed episodes say, one line per contestant and one per its bounds."""
    figures = [f for f in FIGURES if f.name not in ("cpu_ratio", "bounds_inside", "bounds")]
    lines = [
        f"{composed['episodes']} composed episodes, seed {composed['seed']}, "
        f"{composed['seconds']:.0f} s",
        f"{'':<{_NAME}}" + "".join(f"{f.title:>{_WIDTH}}" for f in figures),
    ]
    for row in composed["rows"]:
        name = f"{row['setup']} {row['who']}"
        lines.append(f"{name:<{_NAME}}" + "".join(_cell(row, f) for f in figures))
        if bounds := row["bounds"]:
            lines.append(f"  bounds: {_bounds(bounds)}")
        lines += [f"  outside: {_miss(miss)}" for miss in row["outside"][:_MISSES]]
        lines += [f"  worst: {_episode(*worst)}" for worst in _worst(row["each"])]
    return lines


def _miss(miss: Mapping[str, Any]) -> str:
    return (
        f"episode {miss['episode']}: {miss['truth_s']:.2f} s true, {miss['low_s']:.2f} to "
        f"{miss['high_s']:.2f} s stated"
    )


def _worst(each: Mapping[str, Row]) -> list[tuple[str, Row]]:
    """Return the episodes with the lowest B-cubed F1."""
    known = [(name, row) for name, row in each.items() if row["bcubed_f1"] is not None]
    return sorted(known, key=lambda item: item[1]["bcubed_f1"])[:_MISSES]


def _episode(name: str, row: Row) -> str:
    told = (f"{key} {'-' if value is None else value}" for key, value in row.items())
    return f"episode {name}: {', '.join(told)}"


def _bounds(bounds: Mapping[str, Any]) -> str:
    width, baseline = bounds["median_relative_width"], bounds["baseline"]
    return (
        f"truth inside in {bounds['coverage']:.1%} of {bounds['samples']}, median width "
        + ("-" if width is None else f"{width:.1%}")
        + f" of the seconds, interval score {bounds['interval_score_s']:.2f} s "
        f"(one width for all: {baseline['interval_score_s']:.2f} s at "
        f"± {baseline['half_width_s']:.2f} s)"
    )
