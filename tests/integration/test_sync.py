"""`runs sync`: after a kill, an emptied DAGSTER_HOME or lost views, the ledger is whole again."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from screenalytics_assets.engine import EpisodeRunResult, Launch, run_episode
from screenalytics_assets.instance import open_instance
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_assets.sync import SyncReport, sync
from screenalytics_core import layout
from screenalytics_core.ledger.vocabulary import RunStatus
from screenalytics_core.stages import STAGE_PHASES, STAGE_PLAN, PipelineStage
from tests.integration.support import (
    EP_ID,
    CopyFinished,
    balanced,
    content,
    start_stuck_run,
)
from tests.integration.views import assert_nothing_lies, assert_views_agree, read_views

pytestmark = pytest.mark.models
Finished = tuple[Settings, EpisodeRunResult]


def sync_now(settings: Settings) -> SyncReport:
    with open_instance(settings.dagster_home) as instance:
        return sync(instance, Stores.open(settings.data_root))


def without_clock_and_place(document: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in document.items() if k not in {"generated_at", "reportUrl", "sequence"}}


def kill_a_stuck_run(clip: Path, settings: Settings, tmp_path: Path) -> None:
    process = start_stuck_run(clip, settings, tmp_path / "scanning")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_views_that_were_lost_are_written_as_they_were(
    copy_finished: CopyFinished, tmp_path: Path
) -> None:
    settings = copy_finished(tmp_path / "data")
    before = read_views(settings, EP_ID, "first")
    active = (settings.data_root / layout.active_run_key(EP_ID)).read_bytes()
    run = settings.data_root / layout.run_prefix(EP_ID, "first")
    (run / "episode_status.json").unlink()
    for phase in STAGE_PHASES.values():
        (run / f"{phase}.json").unlink(missing_ok=True)
        (run.parent / f"{phase}.json").unlink(missing_ok=True)
    (settings.data_root / layout.active_run_key(EP_ID)).unlink()
    shutil.rmtree(settings.data_root / "projects")
    shutil.rmtree(settings.data_root / "registry")

    assert sync_now(settings).problems == []

    after = read_views(settings, EP_ID, "first")
    assert without_clock_and_place(after.status) == without_clock_and_place(before.status)
    assert without_clock_and_place(after.index) == without_clock_and_place(before.index)
    assert {s: without_clock_and_place(m) for s, m in after.markers.items()} == {
        s: without_clock_and_place(m) for s, m in before.markers.items()
    }
    assert after.stage_rows == before.stage_rows
    assert (settings.data_root / layout.active_run_key(EP_ID)).read_bytes() == active
    for stage in before.markers:
        assert (settings.data_root / layout.legacy_marker_key(EP_ID, stage)).exists()


@pytest.mark.parametrize("lost", ["the home", "the home and the logs", "the logs"])
def test_every_view_is_rendered_after(
    lost: str, copy_finished: CopyFinished, tmp_path: Path
) -> None:
    settings = copy_finished(tmp_path / "data")
    if "home" in lost:
        shutil.rmtree(settings.dagster_home)
    if "logs" in lost:
        (settings.data_root / layout.events_key(EP_ID, "first")).unlink()

    report = sync_now(settings)

    assert report.problems == []
    views = read_views(settings, EP_ID, "first")
    assert views.status["state"] == "completed"
    assert views.status["is_derived"] is (lost == "the home and the logs")
    done = {name for name, stage in views.status["stages"].items() if stage["status"] == "success"}
    assert done == {stage.value for stage in STAGE_PLAN}


def test_a_killed_run_is_failed_with_the_reason_in_every_view(
    clip: Path, settings: Settings, tmp_path: Path, lite_pack: object
) -> None:
    kill_a_stuck_run(clip, settings, tmp_path)

    report = sync_now(settings)

    assert len(report.swept) == 1
    assert assert_nothing_lies(settings) == {(EP_ID, "stuck"): RunStatus.FAILED}
    views = read_views(settings, EP_ID, "stuck")
    reason = views.status["error"]["message"]
    assert "died without ending the run" in reason
    assert views.index["error"] == reason
    assert views.status["stages"]["detect"]["error"]["message"] == reason
    assert views.status["stages"]["faces"]["status"] == "blocked"
    assert views.markers[PipelineStage.DETECT_TRACK]["error"] is not None
    assert views.stage_rows[0]["error"].endswith(reason)
    with open_instance(settings.dagster_home) as instance:
        assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.FAILURE]


def test_a_killed_run_whose_home_is_gone_is_lost_and_can_be_resumed(
    clip: Path, settings: Settings, tmp_path: Path, lite_pack: object, finished: Finished
) -> None:
    kill_a_stuck_run(clip, settings, tmp_path)
    shutil.rmtree(settings.dagster_home)

    report = sync_now(settings)

    assert report.lost == [f"{EP_ID}/stuck"]
    assert assert_views_agree(settings, EP_ID, "stuck") is RunStatus.FAILED
    assert sync_now(settings).lost == []

    resumed = run_episode(EP_ID, None, balanced(), settings=settings, launch=Launch(run_id="stuck"))

    assert resumed.success, resumed.error
    assert assert_views_agree(settings, EP_ID, "stuck") is RunStatus.COMPLETED
    same = {k: v for k, v in content(settings, "stuck").items() if not k.startswith("report")}
    assert same == {
        k: v for k, v in content(finished[0], "first").items() if not k.startswith("report")
    }


def test_a_run_that_is_alive_stays_running(
    clip: Path, settings: Settings, tmp_path: Path, lite_pack: object
) -> None:
    process = start_stuck_run(clip, settings, tmp_path / "scanning")
    try:
        report = sync_now(settings)
        assert assert_views_agree(settings, EP_ID, "stuck") is RunStatus.RUNNING
    finally:
        process.kill()
        process.wait()

    assert (report.swept, report.lost) == ([], [])


@pytest.mark.parametrize("at_frame", [0, 20])
def test_an_orphan_that_writes_late_overwrites_nothing_and_reopens_nothing(
    at_frame: int, clip: Path, settings: Settings, tmp_path: Path, lite_pack: object
) -> None:
    orphan = start_stuck_run(clip, settings, tmp_path / "scanning", at_frame)
    os.kill(orphan.pid, signal.SIGSTOP)
    # As if its machine had been away for long: another host's attempt is judged by its heartbeat.
    folder = settings.data_root / layout.attempts_prefix(EP_ID, "stuck")
    claim = json.loads((folder / "0001.json").read_text())
    claim["process"]["host"] = "elsewhere"
    (folder / "0001.json").write_text(json.dumps(claim))
    (folder / "0001.heartbeat").write_text("2020-01-01T00:00:00+00:00")
    resumed = run_episode(EP_ID, None, balanced(), settings=settings, launch=Launch(run_id="stuck"))
    assert resumed.success, resumed.error
    before = content(settings, "stuck")

    # Awake again, it goes on to publish what it scanned.
    (tmp_path / "scanning.release").touch()
    os.kill(orphan.pid, signal.SIGCONT)
    orphan.wait(timeout=120)
    sync_now(settings)

    assert content(settings, "stuck") == before
    assert assert_nothing_lies(settings) == {(EP_ID, "stuck"): RunStatus.COMPLETED}
    state = Stores.open(settings.data_root).ledger.log.state(EP_ID, "stuck")
    assert [a.status for a in state.attempts] == [RunStatus.FAILED, RunStatus.COMPLETED]
    late = [e for e in state.kept.values() if e.dagster_run_id == claim["dagster_run_id"]]
    assert any("superseded" in str(e.data) or "may not write" in str(e.data) for e in late)
