"""Schedules: a tick in real daemons, the race of two of them, and a file that is wrong."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context

from screenalytics_assets.definitions import build_definitions
from screenalytics_assets.instance import open_instance
from screenalytics_assets.jobs import EPISODE_JOB
from screenalytics_assets.outcome import outcome_of
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.backfills.record import BackfillRecord, BackfillStore
from screenalytics_core.episode_registry import register_video
from screenalytics_core.errors import RunDoneError
from screenalytics_core.vision.decode import probe_video
from tests.command_line import environment, in_this_process, screenalytics

ONE, TWO = "show-s01e01", "show-s01e02"
WAIT_S = 240.0
TICK = datetime(2026, 11, 21, 2, tzinfo=UTC)
SCHEDULES = """\
schedules:
  nightly:
    cron: "{cron}"
    selection: [{selection}]
    settings: {{models: lite}}
"""


@pytest.fixture
def season(settings: Settings, clip: Path) -> Settings:
    """Two registered episodes that nobody has run, and a nightly schedule."""
    for ep_id in (ONE, TWO):
        register_video(Stores.open(settings.data_root).storage, ep_id, clip, probe=probe_video)
    schedule(settings, "0 2 * * *")
    return settings


def schedule(settings: Settings, cron: str, selection: str = "show-s01") -> None:
    settings.data_root.mkdir(parents=True, exist_ok=True)
    text = SCHEDULES.format(cron=cron, selection=selection)
    (settings.data_root / "schedules.yaml").write_text(text)


def other_home(settings: Settings) -> Settings:
    """The same data root as another machine's daemon sees it."""
    return replace(settings, dagster_home=settings.data_root / ".dagster2")


def tick(settings: Settings, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    """Evaluate the schedule's tick as a daemon does."""
    definitions = build_definitions(settings, with_schedules=True)
    nightly = definitions.resolve_schedule_def("nightly")
    context = dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=TICK,
        repository_def=definitions.get_repository_def(),
    )
    with partition_loading_context(dynamic_partitions_store=instance):
        requests = nightly.evaluate_tick(context).run_requests
    assert requests is not None
    return list(requests)


def execute(
    settings: Settings, instance: dg.DagsterInstance, request: dg.RunRequest
) -> dg.DagsterRun:
    """Execute what a tick asked for, as the daemon's run worker does."""
    result = (
        build_definitions(settings)
        .resolve_job_def(EPISODE_JOB)
        .execute_in_process(
            instance=instance,
            partition_key=request.partition_key,
            run_config=request.run_config,
            tags=dict(request.tags),
            raise_on_error=False,
        )
    )
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    return run


@pytest.mark.models
def test_the_loser_of_a_tick_ends_canceled_though_the_winner_is_done(
    season: Settings, lite_pack: object
) -> None:
    there = other_home(season)
    with (
        open_instance(season.dagster_home) as ours,
        open_instance(there.dagster_home) as theirs,
    ):
        won, lost = tick(season, ours), tick(there, theirs)
        assert [(r.run_key, r.partition_key, r.tags) for r in won] == [
            (r.run_key, r.partition_key, r.tags) for r in lost
        ]
        assert {r.tags["run_id"] for r in won} == {"nightly_20261121T0200Z"}

        # In a process that ends, as a daemon's run worker does: here it would still seem at work.
        run_id = won[0].tags["run_id"]
        winner = screenalytics(
            "run", "--ep-id", ONE, "--run-id", run_id, "--models", "lite",
            data_root=season.data_root,
        )  # fmt: skip
        second = execute(there, theirs, lost[0])
        outcome = outcome_of(theirs, second.run_id)

    assert winner.returncode == 0, winner.stderr
    assert second.status is dg.DagsterRunStatus.CANCELED
    assert outcome.error_code == RunDoneError.code
    (attempt,) = Stores.open(season.data_root).attempts.list(ONE, run_id)
    assert attempt.dagster_run_id in str(outcome.error)


@pytest.mark.models
def test_a_tick_asks_for_nothing_that_is_done_or_at_work(
    season: Settings, lite_pack: object
) -> None:
    with open_instance(season.dagster_home) as instance:
        (one, _) = tick(season, instance)
        again = tick(season, instance)

    assert [r.partition_key for r in again] == [ONE, TWO], "the same tick, the same runs"
    assert one.tags["dagster/priority"] == "-10"
    assert [r.run_key for r in again] == [f"nightly_20261121T0200Z:{ep_id}" for ep_id in (ONE, TWO)]


@pytest.mark.models
def test_a_season_that_is_still_to_come_keeps_no_other_from_being_run(
    season: Settings, lite_pack: object
) -> None:
    schedule(season, "0 2 * * *", "show-s01e02, show-s02")

    with open_instance(season.dagster_home) as instance:
        requests = tick(season, instance)

    assert [r.partition_key for r in requests] == [TWO]
    assert schedules_check(season) == (False, "nightly: show-s02 is not registered")
    schedule(season, "0 2 * * *", "show-s02")
    with open_instance(season.dagster_home) as instance:
        assert tick(season, instance) == []


def schedules_check(settings: Settings) -> tuple[bool, str]:
    """Return what `doctor` says of the schedules."""
    done = in_this_process("doctor", "--json", data_root=settings.data_root)
    (check,) = [c for c in json.loads(done.stdout) if c["name"] == "schedules"]
    return check["ok"], check["found"]


def test_a_wrong_file_leaves_a_location_without_schedules_and_is_named(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    schedule(settings, "at night")

    with caplog.at_level(logging.ERROR):
        definitions = build_definitions(settings, with_schedules=True)

    assert definitions.schedules == []
    assert "schedules.yaml, line 3, schedules.nightly.cron" in caplog.text
    is_fine, found = schedules_check(settings)
    assert not is_fine
    assert "line 3" in found


@contextmanager
def daemon(settings: Settings) -> Iterator[None]:
    """Run Dagster's daemon over a home, until the block ends."""
    env = {**environment(settings.data_root), "DAGSTER_HOME": str(settings.dagster_home)}
    open_instance(settings.dagster_home).dispose()
    process = subprocess.Popen(
        [sys.executable, "-m", "dagster._daemon", "run", "-m", "screenalytics_assets.definitions"],
        env=env, cwd=Path(__file__).parents[2], start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.5)


def ended(settings: Settings) -> dict[str, list[tuple[str, dg.DagsterRunStatus]]]:
    """Return by run_id the ended runs of a home, with their episodes."""
    found: dict[str, list[tuple[str, dg.DagsterRunStatus]]] = {}
    with open_instance(settings.dagster_home) as instance:
        for run in instance.get_runs():
            if run.is_finished:
                told = (run.tags["dagster/partition"], run.status)
                found.setdefault(run.tags["run_id"], []).append(told)
    return found


@pytest.mark.models
def test_two_daemons_whose_ticks_race_run_each_episode_once(
    season: Settings, lite_pack: object
) -> None:
    """Takes up to a minute to begin: cron knows no shorter time."""
    schedule(season, "* * * * *")
    homes = (season, other_home(season))
    stores = Stores.open(season.data_root)

    def first_tick() -> BackfillRecord | None:
        records = BackfillStore(stores.storage).list()
        return records[0] if records else None

    def is_over() -> bool:
        record = first_tick()
        if record is None:
            return False
        runs = [run for home in homes for run in ended(home).get(record.backfill_id, [])]
        return sum(status is dg.DagsterRunStatus.SUCCESS for _, status in runs) == 2

    with ExitStack() as daemons:
        for home in homes:
            daemons.enter_context(daemon(home))
        wait_for(is_over, "both episodes are run")

    record = first_tick()
    assert record is not None
    assert [planned.ep_id for planned in record.episodes] == [ONE, TWO]
    runs = [run for home in homes for run in ended(home).get(record.backfill_id, [])]
    done = [ep_id for ep_id, status in runs if status is dg.DagsterRunStatus.SUCCESS]
    assert sorted(done) == [ONE, TWO]
    assert {status for _, status in runs} <= {
        dg.DagsterRunStatus.SUCCESS,
        dg.DagsterRunStatus.CANCELED,
    }
    for ep_id in (ONE, TWO):
        assert stores.runs.list_run_ids(ep_id) == (record.backfill_id,)
        assert len(stores.attempts.list(ep_id, record.backfill_id)) == 1
