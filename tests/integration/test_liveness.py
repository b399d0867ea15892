"""Runs whose process was killed, and two processes that want the same run. Real processes."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import dagster as dg
import pytest

from screenalytics_assets.assets.shell import INFERENCE_POOL
from screenalytics_assets.definitions import build_definitions
from screenalytics_assets.engine import EpisodeRunResult, Launch, run_episode
from screenalytics_assets.instance import open_instance
from screenalytics_assets.jobs import EPISODE_JOB
from screenalytics_assets.outcome import outcome_of
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.errors import RunBusyError
from tests.integration.support import EP_ID, balanced, start_stuck_run

pytestmark = pytest.mark.models


def statuses(settings: Settings) -> list[dg.DagsterRunStatus]:
    with open_instance(settings.dagster_home) as instance:
        return [run.status for run in instance.get_runs()]


def test_a_killed_run_is_ended_by_the_next_launch_which_resumes_it(
    clip: Path, settings: Settings, tmp_path: Path, lite_pack: object
) -> None:
    # A home of somebody's own, where steps hold the pool: ours lets runs hold it.
    settings.dagster_home.mkdir(parents=True)
    (settings.dagster_home / "dagster.yaml").write_text("concurrency: {pools: {granularity: op}}")
    with open_instance(settings.dagster_home) as instance:
        # One slot: unless the dead run's is freed, the next run waits for it for ever.
        instance.event_log_storage.set_concurrency_slots(INFERENCE_POOL, 1)
    process = start_stuck_run(clip, settings, tmp_path / "scanning")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with open_instance(settings.dagster_home) as instance:
        held = instance.event_log_storage.get_concurrency_info(INFERENCE_POOL)
        assert held.active_slot_count == 1
    assert statuses(settings) == [dg.DagsterRunStatus.STARTED]

    resumed = run_episode(EP_ID, None, balanced(), settings=settings, launch=Launch(run_id="stuck"))

    assert resumed.success, resumed.error
    assert statuses(settings) == [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
    attempts = Stores.open(settings.data_root).attempts.list(EP_ID, "stuck")
    assert [a.n for a in attempts] == [1, 2]


def test_a_run_that_is_alive_is_not_launched_twice(
    clip: Path, settings: Settings, tmp_path: Path, lite_pack: object
) -> None:
    process = start_stuck_run(clip, settings, tmp_path / "scanning")
    try:
        with pytest.raises(RunBusyError, match=str(process.pid)):
            run_episode(EP_ID, None, balanced(), settings=settings, launch=Launch(run_id="stuck"))
        other = run_episode(EP_ID, None, balanced(), settings=settings)
    finally:
        process.kill()
        process.wait()

    assert other.success, other.error
    assert statuses(settings) == [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.STARTED]


def test_a_dagster_run_that_finds_its_run_taken_ends_canceled(
    clip: Path, settings: Settings, tmp_path: Path, lite_pack: object
) -> None:
    process = start_stuck_run(clip, settings, tmp_path / "scanning")
    try:
        with open_instance(settings.dagster_home) as instance:
            # As the UI launches it: the engine's own check is not in the way.
            job = build_definitions(settings).resolve_job_def(EPISODE_JOB)
            result = job.execute_in_process(
                instance=instance,
                partition_key=EP_ID,
                raise_on_error=False,
                tags={"run_id": "stuck"},
                run_config={"resources": {"settings": {"config": {"models": "lite"}}}},
            )
            run = instance.get_run_by_id(result.run_id)
            outcome = outcome_of(instance, result.run_id)
    finally:
        process.kill()
        process.wait()

    assert run is not None
    assert run.status is dg.DagsterRunStatus.CANCELED
    assert outcome.error_code == RunBusyError.code
    assert str(process.pid) in str(outcome.error)
    assert len(Stores.open(settings.data_root).attempts.list(EP_ID, "stuck")) == 1


def test_an_interrupted_run_ends_canceled(
    clip: Path, settings: Settings, lite_pack: object
) -> None:
    def interrupt(step: str, done: int, total: int, message: str) -> None:
        if step == "faces":
            os.kill(os.getpid(), signal.SIGINT)

    result: EpisodeRunResult = run_episode(
        EP_ID, clip, balanced(), settings=settings, launch=Launch(listener=interrupt)
    )

    assert not result.success
    assert result.error_code == "canceled"
    assert statuses(settings) == [dg.DagsterRunStatus.CANCELED]
    assert "tracks" in result.artifacts
