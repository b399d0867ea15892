"""The table of cases: when a season is rolled up."""

from __future__ import annotations

from typing import Any

import pytest

from screenalytics_core.seasons.launching import QUIET_S, SeasonSeen, Verdict, decide, to_make_anew

QUIET = QUIET_S + 1


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        pytest.param({}, Verdict.QUIET, id="has just changed"),
        pytest.param({"unchanged_s": QUIET}, Verdict.LAUNCH, id="stands still since a minute"),
        pytest.param({"unchanged_s": QUIET_S}, Verdict.LAUNCH, id="just a minute"),
        pytest.param(
            {"unchanged_s": QUIET, "is_at_work": True},
            Verdict.AT_WORK,
            id="an episode runs",
        ),
        pytest.param(
            {"unchanged_s": QUIET, "is_rolling": True}, Verdict.ROLLING, id="is being made"
        ),
        pytest.param(
            {"is_current": True, "is_at_work": True},
            Verdict.AT_WORK,
            id="current, but an episode runs: it is looked at again after it",
        ),
        pytest.param({"is_current": True, "unchanged_s": QUIET}, Verdict.CURRENT, id="is current"),
        pytest.param(
            {"has_figures": False, "unchanged_s": QUIET}, Verdict.EMPTY, id="nothing to add up"
        ),
        pytest.param(
            {"failed": frozenset({"now"}), "unchanged_s": QUIET},
            Verdict.FAILED,
            id="would fail again",
        ),
        pytest.param(
            {"failed": frozenset({"before"}), "unchanged_s": QUIET},
            Verdict.LAUNCH,
            id="failed at other episodes",
        ),
    ],
)
def test_what_is_done_about_a_season(seen: dict[str, Any], verdict: Verdict) -> None:
    assert decide(SeasonSeen("now", **seen)) is verdict


def test_only_what_needs_nothing_more_is_settled() -> None:
    assert {v for v in Verdict if v.is_settled} == {
        Verdict.CURRENT, Verdict.EMPTY, Verdict.FAILED,
    }  # fmt: skip


def test_a_season_with_runs_that_lost_its_record_is_looked_at_until_that_is_settled() -> None:
    assert to_make_anew({"a", "b", "c"}, made={"a"}, settled={"c", "gone"}) == {"b"}
