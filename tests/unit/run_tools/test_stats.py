"""How the stages do, on rows whose figures are known."""

from __future__ import annotations

import pytest

from screenalytics_core.run_tools.stats import quantile, stage_stats
from tests.run_stories import stage_row


def on_day(day: int) -> str:
    return f"2026-11-{day:02d}T00:00:00.000000+00:00"


def test_durations_are_of_computed_stages_only() -> None:
    rows = [
        *(stage_row(run_id=f"c{s}", duration_seconds=float(s), frames=100) for s in (1, 2, 3)),
        stage_row(run_id="reused", source="checkpoint", duration_seconds=0.1, frames=100),
        stage_row("detect", "failed", run_id="failed", duration_seconds=900.0),
        stage_row("detect", "running", run_id="running"),
    ]

    [detect] = stage_stats(rows)

    assert detect["median_s"] == 2.0
    assert detect["p90_s"] == pytest.approx(2.8)
    assert detect["frames_per_s"] == 50.0


def test_rates_are_of_what_ended_and_of_what_completed() -> None:
    rows = [
        stage_row(run_id="a"),
        stage_row(run_id="b", source="checkpoint"),
        stage_row(run_id="c", source="inherited"),
        stage_row("detect", "failed", run_id="d", error="disk_space: full"),
        stage_row("detect", "running", run_id="e"),
    ]

    [detect] = stage_stats(rows)

    assert (detect["attempts"], detect["failed"], detect["running"]) == (5, 1, 1)
    assert detect["failure_rate"] == 0.25
    assert detect["reused_rate"] == pytest.approx(2 / 3, abs=1e-4)


def test_the_last_error_is_the_one_that_ended_last() -> None:
    rows = [
        stage_row("pdf", "failed", run_id="new", error="b: new", started_at=on_day(2)),
        stage_row("pdf", "failed", run_id="old", error="a: old", started_at=on_day(1)),
        stage_row("pdf", "completed", run_id="fine", started_at=on_day(3)),
    ]

    [pdf] = stage_stats(rows)

    assert pdf["last_error"] == "b: new"
    assert pdf["last_error_at"] == on_day(2)


def test_stages_come_in_the_order_of_the_plan() -> None:
    rows = [stage_row(stage) for stage in ("pdf", "detect", "cluster")]

    assert [row["stage"] for row in stage_stats(rows)] == ["detect", "cluster", "pdf"]


def test_what_cannot_be_measured_is_none() -> None:
    [row] = stage_stats([stage_row("detect", "running")])

    measured = ("failure_rate", "reused_rate", "median_s", "p90_s", "frames_per_s", "last_error")
    assert {row[name] for name in measured} == {None}
    assert stage_stats([]) == []


def test_a_quantile_lies_between_its_neighbours() -> None:
    assert quantile([1.0, 2.0], 0.5) == 1.5
    assert quantile([7.0], 0.9) == 7.0
    assert quantile([0.0, 10.0], 1.0) == 10.0
    assert quantile([], 0.5) is None
