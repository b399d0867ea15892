"""Quality counters as a check's outcome."""

from __future__ import annotations

from collections.abc import Sequence

from screenalytics_assets.checks.base import Outcome
from screenalytics_core.report import text
from screenalytics_core.report.wording import expected
from screenalytics_core.vision.quality_counters import QualityCounter


def judge(figures: Sequence[QualityCounter]) -> Outcome:
    """Return a warning if a figure lies outside its limits, with what to do about it."""
    crossed = [f for f in figures if f.is_warning]
    measured = [f for f in figures if f.value is not None]
    told = "; ".join(f"{f.title}: {text.number(f.value)}, usual is {expected(f)}" for f in crossed)
    return Outcome(
        passed=not crossed,
        summary=told or f"{len(measured)} figures lie within their limits.",
        is_error=False,
        figures=tuple(figures),
    )
