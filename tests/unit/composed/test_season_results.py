"""A season's results: what they say for people, and when a limit does not hold."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.processes import Measured
from benchmarks.season.roll_up import stated_seconds
from benchmarks.season.sightings import Sighting
from benchmarks.season.standing import backfill_cost, changed, kept_by_episode, names_by_episode
from benchmarks.season.table import result_lines, verdicts

COST = {
    "episodes": 2, "states": {"completed": 2}, "wall_s": 8.0, "cpu_s": 6.0,
    "cpu_s_per_episode": 3.0, "wall_s_per_episode": 4.0, "slowest_run_s": 4.5,
}  # fmt: skip
NAMES = {"all": {"right_s": 9.0, "wrong_s": 0.0, "unnamed_s": 1.0, "strangers_named_s": 0.0}}
PERSON = {
    "person": "Ann", "episodes": 2, "stated_episodes": 2, "true_s": 10.0, "least_s": 9.0,
    "most_s": 10.0, "stated_s": 9.9, "error_percent": 1.0, "tolerant_error_percent": 0.0,
}  # fmt: skip
RECLUSTERED = {
    "cluster_thresh": 0.4, "backfill": COST, "names": 3, "names_kept": 3, "named_s": 9.0,
    "kept_s": 8.5, "lost": [],
}  # fmt: skip


def result(**changed: Any) -> dict[str, Any]:
    kills = [{"lived_s": 4.0, "finished": 0}, {"lived_s": 5.0, "finished": 1}]
    return {
        "episodes": 2,
        "backfill": {"kills": kills, "last": COST, "finished": 2, "computed_again": []},
        "naming": [{"named": {"e1": {"id_0001": "Ann"}}, "backfill": COST, "names": NAMES}],
        "links": {"confirmed": 1, "rejected": 0, "statuses": {"conflict": 1}, "names": NAMES},
        "people": [PERSON],
        "reclustering": [RECLUSTERED],
    } | changed


def broken(**changes: Any) -> list[str]:
    return [v.what for v in verdicts(result(**changes)) if not v.holds]


def test_a_season_in_which_all_is_well_meets_every_limit() -> None:
    assert broken() == []
    assert len(verdicts(result())) == 6


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        pytest.param({"episodes": 3}, "episodes without a result", id="an episode is missing"),
        pytest.param(
            {"backfill": result()["backfill"] | {"kills": []}},
            "backfill is killed 2 times", id="never killed",
        ),
        pytest.param(
            {"backfill": result()["backfill"] | {"computed_again": ["e1"]}},
            "finished episodes that are computed again", id="done twice",
        ),
        pytest.param(
            {"people": [PERSON | {"error_percent": 2.01}]},
            "Ann: error of the season's seconds <= 2 %", id="seconds",
        ),
        pytest.param(
            {"reclustering": [RECLUSTERED | {"names_kept": 2}]},
            "clustered anew at 0.4: names that are lost", id="a name is lost",
        ),
        pytest.param(
            {"reclustering": [RECLUSTERED | {"backfill": COST | {"slowest_run_s": 10.0}}]},
            "clustered anew at 0.4: s of the slowest episode < 10", id="slow",
        ),
    ],
)  # fmt: skip
def test_each_limit_is_told_when_it_does_not_hold(changes: dict[str, Any], what: str) -> None:
    assert broken(**changes) == [what]


def test_steps_that_were_left_out_are_not_judged() -> None:
    assert verdicts({"episodes": 2}) == []
    assert result_lines({"episodes": 2, "limits": []}) == [""]


def test_the_table_says_what_came_of_every_step() -> None:
    told = result()
    told["limits"] = [verdict.to_dict() for verdict in verdicts(told)]

    text = "\n".join(result_lines(told))

    assert "killed after 4 s (0 done), after 5 s (1 done)" in text
    assert "1 named in e1: 9.0 s right" in text
    assert "1 confirmed, 0 rejected, 1 conflicts" in text
    assert "3 of 3 names kept, 8.5 of 9.0 s" in text
    assert "DOES NOT HOLD" not in text


def test_the_cost_of_a_backfill_is_also_that_of_its_slowest_run() -> None:
    rows = [{"took_s": 2.0}, {"took_s": 4.5}, {"took_s": None}]
    status = {"episodes": rows, "totals": {"states": {"completed": 3}}}

    cost = backfill_cost(Measured(9.0, 12.0, 100.0, ""), status)

    assert (cost["wall_s_per_episode"], cost["cpu_s_per_episode"]) == (4.0, 3.0)
    assert cost["slowest_run_s"] == 4.5


def test_a_backfill_of_nothing_costs_no_episode_anything() -> None:
    status: dict[str, Any] = {"episodes": [], "totals": {"states": {}}}

    assert backfill_cost(Measured(1.0, 2.0, 100.0, ""), status)["slowest_run_s"] == 0.0


def test_names_and_what_is_lost_of_them_are_told_by_episode() -> None:
    named = Sighting(1, 2.0, "Ann", "id_0001", "Ann")
    nameless = Sighting(1, 2.0, "Ann", "id_0001", None)

    names = names_by_episode({"e1": [named], "e2": [nameless]}, {"Ann"})
    kept = kept_by_episode({"e1": [named], "e2": [named]}, {"e1": [named], "e2": [nameless]})

    assert (names["all"]["right_s"], names["all"]["unnamed_s"]) == (2.0, 2.0)
    assert (names["each"]["e1"]["right_s"], names["each"]["e2"]["right_s"]) == (2.0, 0.0)
    assert (kept["names"], kept["names_kept"], kept["named_s"], kept["kept_s"]) == (2, 1, 4.0, 2.0)
    assert kept["lost"] == [{"ep_id": "e2", "before": "Ann", "now": None, "seconds": 2.0}]


def test_what_another_start_redid_has_another_run_or_more_attempts() -> None:
    before = {"e1": ("r1", 1), "e2": ("r1", 1), "e3": ("r1", 1)}

    assert changed(before, {"e1": ("r1", 1), "e2": ("r1", 2), "e4": ("r1", 1)}) == ["e2", "e3"]


def test_only_the_cast_s_seconds_with_a_face_are_stated() -> None:
    figures = [
        {"ep_id": "e1", "kind": "cast", "label": "Ann", "face_s": 1.5, "total_s": 9.0},
        {"ep_id": "e2", "kind": "cast", "label": "Ann", "face_s": None, "total_s": None},
        {"ep_id": "e1", "kind": "identity", "label": None, "face_s": 2.0, "total_s": 2.0},
        {"ep_id": "e1", "kind": "unknown", "label": None, "face_s": 3.0, "total_s": 3.0},
    ]

    assert stated_seconds({"figures": figures}) == {"e1": {"Ann": 1.5}}
