"""`life_of`: alive, over, or not to be known from here; Dagster is not asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from screenalytics_core.attempts import AttemptRecord, ProcessIdentity
from screenalytics_core.ledger.events import EventKind, LedgerEvent, dagster_event_id, iso
from screenalytics_core.ledger.state import RunState, fold
from screenalytics_core.run_tools.lives import Life, life_of

HERE = ProcessIdentity("here", "boot", "pid:[1]", 1, 0.0)
ELSEWHERE = ProcessIdentity("there", "boot", "pid:[1]", 42, 1000.0)
NEIGHBOUR = ProcessIdentity("here", "boot", "pid:[1]", 42, 1000.0)
QUEUED, STARTED, DONE = EventKind.RUN_QUEUED, EventKind.RUN_STARTED, EventKind.RUN_COMPLETED


def state(**kinds_of_dagster_runs: list[EventKind]) -> RunState:
    """Fold what each Dagster run did; it is claimed as attempt 1 unless called `waiting`."""
    return fold(
        LedgerEvent(
            dagster_event_id(name, order),
            kind,
            iso(datetime(2026, 1, 1, minute=order, tzinfo=UTC)),
            name,
            order,
            None if name == "waiting" else 1,
        )
        for name, kinds in kinds_of_dagster_runs.items()
        for order, kind in enumerate(kinds)
    )


def claim(process: ProcessIdentity) -> AttemptRecord:
    return AttemptRecord("ep", "run", 1, "mine", process, "2026-01-01T00:00:00+00:00")


@pytest.mark.parametrize(
    ("process", "beat_age_s", "pid_start", "life"),
    [
        pytest.param(NEIGHBOUR, None, 1000.0, Life.ALIVE, id="its pid lives"),
        pytest.param(NEIGHBOUR, 1.0, None, Life.OVER, id="its pid is gone"),
        pytest.param(NEIGHBOUR, 1.0, 5000.0, Life.OVER, id="its pid is somebody else's"),
        pytest.param(ELSEWHERE, 5.0, None, Life.ALIVE, id="beats on another host"),
        pytest.param(ELSEWHERE, 61.0, None, Life.OVER, id="stopped to beat"),
        pytest.param(ELSEWHERE, None, None, Life.UNKNOWN, id="never beat, nobody can look"),
    ],
)
@pytest.mark.parametrize("told", [[QUEUED, STARTED], []], ids=["open log", "log says nothing"])
def test_an_attempt_that_has_not_ended_is_judged_by_its_process(
    told: list[EventKind],
    process: ProcessIdentity,
    beat_age_s: float | None,
    pid_start: float | None,
    life: Life,
) -> None:
    log = state(mine=told) if told else state()

    assert life_of(log, claim(process), beat_age_s, HERE, lambda _: pid_start) is life


def test_an_attempt_that_has_ended_is_over_though_its_process_goes_on() -> None:
    log = state(mine=[QUEUED, STARTED, DONE])

    assert life_of(log, claim(NEIGHBOUR), 1.0, HERE, lambda _: 1000.0) is Life.OVER


@pytest.mark.parametrize("kinds", [[QUEUED], [QUEUED, STARTED]])
def test_a_dagster_run_on_its_way_to_its_claim_cannot_be_judged(kinds: list[Any]) -> None:
    assert life_of(state(waiting=kinds), None, None, HERE, lambda _: None) is Life.UNKNOWN
    beside = state(mine=[QUEUED, STARTED, DONE], waiting=kinds)
    assert life_of(beside, claim(NEIGHBOUR), 1.0, HERE, lambda _: None) is Life.UNKNOWN


def test_a_claim_that_its_log_does_not_tell_of_yet_is_judged_by_its_process() -> None:
    log = state(waiting=[QUEUED, STARTED])
    claimed = replace(claim(NEIGHBOUR), dagster_run_id="waiting")

    assert life_of(log, claimed, 1.0, HERE, lambda _: 1000.0) is Life.ALIVE
    assert life_of(log, claimed, 1.0, HERE, lambda _: None) is Life.OVER


def test_an_attempt_that_lost_the_run_does_not_keep_it_alive() -> None:
    log = state(old=[QUEUED, STARTED], mine=[QUEUED, STARTED, DONE])

    assert life_of(log, claim(NEIGHBOUR), 1.0, HERE, lambda _: None) is Life.OVER


def test_nothing_at_all_is_over() -> None:
    assert life_of(state(), None, None, HERE, lambda _: None) is Life.OVER
