"""What must be reached, and whether it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from benchmarks.quality.figures import MEAN, Row

SCRFD: Final = "scrfd"
LITE: Final = "lite"
# Both begin tracks at the same confidence then; see `tracking`.
ALIKE: Final = "product at 0.7"


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound on a figure of the product.

    Attributes:
        clips: `mean` for the row over all clips, `each` for every single one.
        is_least: The figure may not be below; otherwise not above.
    """

    setup: str
    figure: str
    clips: str
    bound: float
    is_least: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something holds; `what` names it the same way in every result."""

    what: str
    value: float | None
    holds: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as it stands in the results."""
        return asdict(self)


LIMITS: Final = (
    Limit(SCRFD, "bcubed_f1", MEAN, 0.98),
    Limit(SCRFD, "bcubed_f1", "each", 0.95),
    Limit(SCRFD, "tolerant_error_percent", MEAN, 1.0, is_least=False),
    Limit(SCRFD, "tolerant_error_percent", "each", 2.0, is_least=False),
    Limit(SCRFD, "recall", MEAN, 0.98),
    Limit(SCRFD, "precision", MEAN, 0.98),
    Limit(SCRFD, "main_people_split", MEAN, 0, is_least=False),
    Limit(SCRFD, "cut_f1", MEAN, 0.95),
    Limit(LITE, "bcubed_f1", MEAN, 0.92),
    Limit(LITE, "tolerant_error_percent", MEAN, 3.0, is_least=False),
)
LEAST_COVERAGE: Final = 0.85
MOST_COVERAGE: Final = 0.97
MOST_RELATIVE_WIDTH: Final = 0.25
LEAST_SAMPLES: Final = 200


def judge_clips(rows: Sequence[Row]) -> list[Verdict]:
    """Return a verdict per limit whose setup was run; the worst clip answers for `each`."""
    return [verdict for limit in LIMITS for verdict in _judge(limit, rows)]


def _judge(limit: Limit, rows: Sequence[Row]) -> Iterator[Verdict]:
    asked = [
        row[limit.figure]
        for row in rows
        if (row["setup"], row["who"]) == (limit.setup, "product")
        and (row["clip"] == MEAN) == (limit.clips == MEAN)
    ]
    if not asked:
        return
    word = "at least" if limit.is_least else "at most"
    what = f"{limit.setup}: {limit.figure}, {limit.clips}: {word} {limit.bound:g}"
    # A figure that could not be had holds nothing.
    if None in asked:
        yield Verdict(what, None, holds=False)
        return
    value = min(asked) if limit.is_least else max(asked)
    holds = value >= limit.bound if limit.is_least else value <= limit.bound
    yield Verdict(what, round(value, 4), holds)


def judge_tracking(rows: Sequence[Row]) -> list[Verdict]:
    """Return whether the product follows as well as ByteTrack with its defaults, every frame.

    It is judged with ByteTrack's confidence, and with its own, which fits another detector.
    """
    first = {row["who"]: row for row in rows if row["stride"] == 1}
    return [
        Verdict(
            f"tracking, {who}: {figure} at least ByteTrack's",
            first[who][figure],
            first[who][figure] >= first["bytetrack"][figure],
        )
        for who in (ALIKE, "product")
        for figure in ("mota", "idf1")
        if who in first and "bytetrack" in first
    ]


def judge_composed(composed: Mapping[str, Any]) -> list[Verdict]:
    """Return verdicts on the stated bounds of those ways of running that enough can be judged of.

    Of clips' people no truth says when their bodies are seen, so a run with bodies may have a
    handful of samples beside hundreds. Where no way has enough, the one with most has too few.
    """
    stated = [row for row in composed["rows"] if row["bounds"]]
    enough = [row for row in stated if row["bounds"]["samples"] >= LEAST_SAMPLES]
    most = sorted(stated, key=lambda row: -int(row["bounds"]["samples"]))[:1]
    return [
        verdict
        for row in enough or most
        for verdict in judge_bounds(f"{row['setup']} {row['who']}", row["bounds"])
    ]


def judge_bounds(name: str, bounds: Mapping[str, Any]) -> list[Verdict]:
    """Return whether the stated bounds of composed episodes are worth stating.

    Args:
        name: Which runs they are of.
        bounds: As `Calibration` says it.
    """
    width, coverage = bounds["median_relative_width"], bounds["coverage"]
    score, baseline_s = bounds["interval_score_s"], bounds["baseline"]["interval_score_s"]
    return [
        Verdict(
            f"composed, {name}: at least {LEAST_SAMPLES} person-samples",
            bounds["samples"],
            bounds["samples"] >= LEAST_SAMPLES,
        ),
        Verdict(
            f"composed, {name}: truth inside in {LEAST_COVERAGE:.0%} to {MOST_COVERAGE:.0%}",
            coverage,
            LEAST_COVERAGE <= coverage <= MOST_COVERAGE,
        ),
        Verdict(
            f"composed, {name}: median width at most {MOST_RELATIVE_WIDTH:.0%} of the seconds",
            width,
            width is not None and width <= MOST_RELATIVE_WIDTH,
        ),
        Verdict(
            f"composed, {name}: interval score below that of one width for all",
            score,
            score < baseline_s,
        ),
    ]
