"""`plan_gc` is a table of cases over facts; whatever is in doubt stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from screenalytics_core.errors import SettingsError
from screenalytics_core.ledger.vocabulary import RunStatus
from screenalytics_core.run_record import RunKey
from screenalytics_core.run_tools.gc import (
    DiskFile,
    GcPolicy,
    RunSummary,
    freed_bytes,
    in_words,
    parse_age,
    plan_gc,
)
from screenalytics_core.run_tools.lives import Life

EP = "show-s01e01"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def run(run_id: str, days_ago: float = 30, **facts: Any) -> RunSummary:
    """Return a completed run that nobody works on."""
    at = NOW - timedelta(days=days_ago)
    values: dict[str, Any] = {
        "status": RunStatus.COMPLETED,
        "life": Life.OVER,
        "ep_id": EP,
        **facts,
    }
    return RunSummary(
        key=RunKey(values.pop("ep_id"), run_id),
        order=(at.isoformat(), run_id),
        last_seen=at,
        **values,
    )


def going(runs: list[RunSummary], **policy: Any) -> list[str]:
    return [d.run.key.run_id for d in plan_gc(runs, GcPolicy(**policy), NOW).going]


def why(runs: list[RunSummary], run_id: str, **policy: Any) -> str:
    plan = plan_gc(runs, GcPolicy(**policy), NOW)
    return next(d.reason for d in (*plan.going, *plan.staying) if d.run.key.run_id == run_id)


FIVE = [run(f"r{n}", days_ago=10 - n) for n in range(5)]


def test_the_three_newest_completed_runs_of_an_episode_stay() -> None:
    assert going(FIVE) == ["r0", "r1"]
    assert why(FIVE, "r4") == "one of the 3 newest completed runs of its episode"
    assert why(FIVE, "r0") == "completed, and 3 newer ones are kept"


def test_each_episode_keeps_its_own_newest() -> None:
    others = [run(f"o{n}", days_ago=100 - n, ep_id="show-s01e02") for n in range(3)]

    assert going([*FIVE, *others]) == ["r0", "r1"]


def test_what_goes_is_named_oldest_first_whatever_order_it_was_found_in() -> None:
    assert going(FIVE[::-1], keep_completed=1) == ["r0", "r1", "r2", "r3"]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"is_active": True}, "the active run of its episode"),
        ({"life": Life.ALIVE}, "somebody works on it"),
        ({"life": Life.UNKNOWN}, "nobody here can tell"),
        ({"status": None}, "nothing says how it went"),
        ({"doubt": "run.json is damaged"}, "run.json is damaged"),
    ],
)
@pytest.mark.parametrize("half", [False, True])
def test_a_protected_run_stays_however_old(facts: dict[str, Any], reason: str, half: bool) -> None:
    if half and facts == {"status": None}:
        return  # nothing is left in it that could say how it went
    old = run("old", days_ago=900, **facts)

    assert going([replace(old, is_half_removed=half)], keep_completed=0) == []
    assert reason in why([old], "old", keep_completed=0)


def test_a_run_that_is_named_stays_even_half_removed() -> None:
    keep = frozenset({RunKey(EP, "r0")})
    half = [replace(FIVE[0], is_half_removed=True), *FIVE[1:]]

    assert going(FIVE, keep=keep) == ["r1"]
    assert going(half, keep=keep) == ["r1"]


def test_the_active_run_counts_among_the_newest() -> None:
    runs = [*FIVE[:4], replace(FIVE[4], is_active=True)]

    assert going(runs) == ["r0", "r1"]


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.CANCELED])
@pytest.mark.parametrize(("days_ago", "goes"), [(6.9, False), (7, True), (8, True)])
def test_what_did_not_complete_stays_for_a_week(
    status: RunStatus, days_ago: float, goes: bool
) -> None:
    assert going([run("x", days_ago, status=status)]) == (["x"] if goes else [])


@pytest.mark.parametrize("status", [RunStatus.RUNNING, RunStatus.QUEUED])
def test_a_run_that_was_killed_counts_as_failed(status: RunStatus) -> None:
    killed = run("killed", 8, status=status)

    assert going([killed]) == ["killed"]
    assert going([killed], statuses=frozenset({RunStatus.CANCELED})) == []
    assert going([killed], statuses=frozenset({RunStatus.FAILED})) == ["killed"]


def test_a_failed_run_does_not_use_up_a_place_of_a_completed_one() -> None:
    failed = [run(f"f{n}", days_ago=1, status=RunStatus.FAILED) for n in range(3)]

    assert going([*FIVE, *failed]) == ["r0", "r1"]


def test_only_the_states_that_are_asked_for_go() -> None:
    failed = run("f", 30, status=RunStatus.FAILED)

    assert going([*FIVE, failed], statuses=frozenset({RunStatus.FAILED})) == ["f"]
    assert "not asked for" in why([*FIVE, failed], "r0", statuses=frozenset({RunStatus.FAILED}))


def test_an_age_applies_to_every_state() -> None:
    runs = [*FIVE, run("f", 9.5, status=RunStatus.FAILED), run("g", 2, status=RunStatus.FAILED)]

    assert going(runs, older_than=timedelta(days=9.2)) == ["r0", "f"]
    assert going(runs, older_than=timedelta(0)) == ["r0", "f", "r1", "g"]
    assert why(runs, "r1", older_than=timedelta(days=9.2)) == "completed 9 d ago, kept for 9 d"


def test_while_a_run_of_the_episode_is_alive_none_of_it_goes() -> None:
    alive = run("alive", 0, life=Life.ALIVE, status=RunStatus.RUNNING)
    elsewhere = replace(alive, key=RunKey("show-s01e02", "alive"))

    assert going([*FIVE, alive]) == []
    assert going([*FIVE, elsewhere]) == ["r0", "r1"]


def test_a_half_removed_run_goes_first_thing_and_takes_no_place() -> None:
    half = run("half", 0, is_half_removed=True, status=None)
    alive = run("alive", 0, life=Life.ALIVE)

    assert going([half]) == ["half"]
    assert going([half, alive]) == ["half"]
    newest_half = [*FIVE[:4], replace(FIVE[4], is_half_removed=True)]
    assert going(newest_half) == ["r0", "r4"]


def test_an_inode_is_freed_with_its_last_link_only() -> None:
    alone = DiskFile((1, 1), links=1, size_bytes=10)
    shared_by_two = DiskFile((1, 2), links=2, size_bytes=100)
    shared_with_a_run_that_stays = DiskFile((1, 3), links=2, size_bytes=1000)
    other_disk = DiskFile((2, 3), links=1, size_bytes=10_000)

    freed = freed_bytes(
        [
            [alone, shared_by_two, shared_with_a_run_that_stays],
            [shared_by_two, other_disk],
        ]
    )

    assert freed == [10, 10_100]


def test_a_plan_adds_up_what_its_runs_free() -> None:
    shared = DiskFile((1, 1), links=3, size_bytes=100)
    runs = [replace(r, files=(shared,)) for r in FIVE]

    plan = plan_gc(runs, GcPolicy(keep_completed=2), NOW)

    assert [d.freed_bytes for d in plan.going] == [0, 0, 100]
    assert plan.freed_bytes == 100
    assert {d.size_bytes for d in plan.going} == {100}


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("30d", timedelta(days=30)),
        ("12H", timedelta(hours=12)),
        ("90m", timedelta(minutes=90)),
        ("2w", timedelta(weeks=2)),
        ("0d", timedelta(0)),
    ],
)
def test_an_age_is_a_number_and_a_unit(text: str, age: timedelta) -> None:
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1.5d", "30 years", "9999999d"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="30d"):
        parse_age(text)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (61, "1 min"), (7200, "2 h"), (86400 * 3.5, "3 d")]
)
def test_an_age_is_told_in_its_largest_whole_unit(seconds: float, words: str) -> None:
    assert in_words(timedelta(seconds=seconds)) == words
