"""Seconds per person and episode, and what becomes of episodes that have none."""

from __future__ import annotations

from typing import Any

import pytest

from screenalytics_assets.checks.season import SEASON_CHECKS
from screenalytics_core.seasons.model import EpisodeInput, EpisodeState
from screenalytics_core.seasons.rollup import roll_up
from tests.season_samples import SEASON, cast_of, done, episode, looks, named, person, screen_time
from tests.season_samples import seen as unnamed

E1, E2, E3 = "show-s01e01", "show-s01e02", "show-s01e03"


def figure(document: dict[str, Any], person_id: str, ep_id: str) -> dict[str, Any]:
    (row,) = [f for f in document["figures"] if (f["person_id"], f["ep_id"]) == (person_id, ep_id)]
    return dict(row)


def of(document: dict[str, Any], person_id: str) -> dict[str, Any]:
    (row,) = [p for p in document["people"] if p["person_id"] == person_id]
    return dict(row)


def test_a_cast_member_is_added_up_over_episodes_with_bounds_and_share() -> None:
    inputs = [done(E1), done(E2)]
    times = {
        E1: screen_time(named("Lisa", (0, 20))),
        E2: screen_time(named("Lisa", (5, 35)), counted_s=60.0),
    }
    lisa = of(roll_up(SEASON, inputs, times, cast_of(inputs)), "lisa")

    assert (lisa["total_s"], lisa["low_s"], lisa["high_s"]) == (50, 48, 54)
    assert lisa["share"] == pytest.approx(50 / 160)
    assert (lisa["episode_count"], lisa["first_ep_id"], lisa["last_ep_id"]) == (2, E1, E2)


def test_not_seen_is_0_and_not_known_is_null() -> None:
    missing = EpisodeInput(E2, EpisodeState.MISSING, "no run yet")
    inputs = [done(E1), missing, done(E3)]
    times = {E1: screen_time(named("Lisa", (0, 20))), E3: screen_time(named("Kyle", (0, 9)))}
    document = roll_up(SEASON, inputs, times, cast_of(inputs))

    assert figure(document, "lisa", E3)["total_s"] == 0
    gone = figure(document, "lisa", E2)
    assert (gone["total_s"], gone["low_s"], gone["run_id"], gone["state"]) == (
        None, None, None, "missing",
    )  # fmt: skip
    assert of(document, "lisa")["total_s"] == 20
    assert document["counted_s"] == 200
    assert (document["episodes_total"], document["episodes_counted"]) == (3, 2)


def test_an_episode_without_figures_has_a_row_though_nobody_has_a_name() -> None:
    inputs = [EpisodeInput(E1, EpisodeState.FAILED, "run first is failed: no space left")]
    document = roll_up(SEASON, inputs, {}, cast_of(inputs))

    (row,) = document["figures"]
    assert (row["ep_id"], row["kind"], row["state"], row["total_s"]) == (
        E1, "unknown", "failed", None,
    )  # fmt: skip
    assert document["episodes"][0]["reason"] == "run first is failed: no space left"


def test_linked_unnamed_people_are_one_row_and_others_stand_alone() -> None:
    inputs = [done(E1), done(E2)]
    people = [
        episode(E1, [person(E1, "id_0001", looks(0)), person(E1, "id_0002", looks(1))]),
        episode(E2, [person(E2, "id_0005", looks(0))]),
    ]
    cast = cast_of(inputs, people)
    times = {
        E1: screen_time(unnamed("id_0001", (0, 20)), unnamed("id_0002", (0, 5))),
        E2: screen_time(unnamed("id_0005", (0, 7))),
    }
    document = roll_up(SEASON, inputs, times, cast)

    link_id = cast["links"][0]["link_id"]
    assert [(p["person_id"], p["total_s"]) for p in document["people"]] == [
        (link_id, 27),
        (f"{E1}/id_0002", 5),
    ]


def test_a_proposal_is_not_added_to_the_name_but_told_beside_it() -> None:
    inputs = [done(E1), done(E2)]
    people = [
        episode(E1, [person(E1, "id_0001", looks(0), name="Lisa")]),
        episode(E2, [person(E2, "id_0005", looks(0))]),
    ]
    times = {
        E1: screen_time(named("Lisa", (0, 20))),
        E2: screen_time(unnamed("id_0005", (0, 7))),
    }
    document = roll_up(SEASON, inputs, times, cast_of(inputs, people))

    assert (of(document, "lisa")["total_s"], of(document, "lisa")["proposed_s"]) == (20, 7)
    (link,) = [p for p in document["people"] if p["kind"] == "link"]
    assert (link["maybe_cast_id"], link["total_s"]) == ("lisa", 7)


def test_two_identities_of_one_link_in_one_episode_count_once_where_they_overlap() -> None:
    inputs = [done(E1), done(E2)]
    people = [
        episode(E1, [person(E1, "id_0001", looks(0)), person(E1, "id_0002", looks(0))]),
        episode(E2, [person(E2, "id_0005", looks(0))]),
    ]
    cast = cast_of(inputs, people)
    times = {
        E1: screen_time(unnamed("id_0001", (0, 20)), unnamed("id_0002", (15, 30))),
        E2: screen_time(unnamed("id_0005", (0, 7))),
    }
    row = figure(roll_up(SEASON, inputs, times, cast), cast["links"][0]["link_id"], E1)

    assert (row["total_s"], row["low_s"], row["high_s"]) == (30, 19, 39)


def test_a_cast_member_called_unknown_is_not_the_unknown_faces() -> None:
    inputs = [done(E1)]
    document = roll_up(SEASON, inputs, {E1: screen_time(named("Unknown", (0, 9)))}, cast_of(inputs))

    assert {f["kind"]: f["total_s"] for f in document["figures"]} == {"cast": 9, "unknown": 3}


def season() -> dict[str, Any]:
    inputs = [done(E1), EpisodeInput(E2, EpisodeState.FAILED, "failed"), done(E3)]
    times = {
        E1: screen_time(named("Lisa", (0, 20.123456)), unnamed("id_0001", (3, 4))),
        E3: screen_time(named("Lisa", (1, 7.654321))),
    }
    return roll_up(SEASON, inputs, times, cast_of(inputs))


def test_a_season_passes_its_checks() -> None:
    outcomes = {check.name: check.run(season()) for check in SEASON_CHECKS}

    assert {name: o.passed for name, o in outcomes.items()} == dict.fromkeys(outcomes, True)


@pytest.mark.parametrize(
    ("check", "table", "name", "value"),
    [
        pytest.param("adds_up", "people", "total_s", 27.0, id="a total that is no sum"),
        pytest.param("adds_up", "people", "high_s", 90.0, id="a bound that is no sum"),
        pytest.param("bounds_in_order", "figures", "low_s", 21.0, id="a low above the total"),
        pytest.param("bounds_in_order", "figures", "high_s", 20.0, id="a high below it"),
    ],
)
def test_a_wrong_figure_fails_its_check(check: str, table: str, name: str, value: float) -> None:
    document = season()
    row = next(r for r in document[table] if r["person_id"] == "lisa")
    row[name] = value

    outcome = next(c for c in SEASON_CHECKS if c.name == check).run(document)
    assert not outcome.passed
    assert "lisa" in outcome.summary


def test_a_failed_episode_that_counts_as_0_fails_its_check() -> None:
    document = season()
    for row in document["figures"]:
        row["total_s"] = row["total_s"] or 0.0

    outcome = next(c for c in SEASON_CHECKS if c.name == "every_episode_told").run(document)
    assert not outcome.passed
