"""Dagster's events in the ledger, however a run was launched. Real instances on disk."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import time
from pathlib import Path

import pytest

from screenalytics_assets.engine import EpisodeRunResult, Launch, run_episode
from screenalytics_assets.instance import open_instance
from screenalytics_assets.jobs import EPISODE_JOB
from screenalytics_assets.mirror import mirror_run, tick
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core import layout
from screenalytics_core.ledger.vocabulary import RunStatus
from tests.integration.support import EP_ID, CopyFinished, balanced, settings_for
from tests.integration.views import assert_nothing_lies, assert_views_agree, read_views
from tests.integration.without_us import LITE, execute_without_us, register

pytestmark = pytest.mark.models
OTHER_EP_ID = "show-s01e02"


def tick_now(settings: Settings, cursor: str | None = None) -> str:
    with open_instance(settings.dagster_home) as instance:
        return tick(instance, Stores.open(settings.data_root), cursor)


def log_of(settings: Settings, ep_id: str, run_id: str) -> bytes:
    return (settings.data_root / layout.events_key(ep_id, run_id)).read_bytes()


def test_a_run_of_the_engine_is_in_every_view_when_it_returns(
    finished: tuple[Settings, EpisodeRunResult],
) -> None:
    settings, result = finished

    assert assert_views_agree(settings, EP_ID, "first") is RunStatus.COMPLETED

    views = read_views(settings, EP_ID, "first")
    assert result.dagster_run_id in views.status["dagster_run_ids"]
    assert views.registry_row["primary_outputs"][0].endswith("/first/screen_time.json")
    # Other tests may have relaunched it since.
    first = [row for row in views.stage_rows if row["attempt"] == 1]
    assert {row["stage"]: row["source"] for row in first} == {
        "detect": "computed",
        "faces": "computed",
        "cluster": "computed",
        "body_tracking": "computed",
        "track_fusion": "computed",
        "screentime": "computed",
        "pdf": "computed",
    }


def test_a_run_started_by_dagsters_own_command_line_is_seen(
    clip: Path, settings: Settings, lite_pack: object, tmp_path: Path
) -> None:
    register(settings, clip, EP_ID)
    config = tmp_path / "run.yaml"
    config.write_text(json.dumps(LITE))
    command = [sys.executable, "-m", "dagster", "job", "execute", "-m",
               "screenalytics_assets.definitions", "-j", EPISODE_JOB, "-c", str(config), "--tags",
               json.dumps({"run_id": "by-job", "dagster/partition": EP_ID})]  # fmt: skip
    subprocess.run(
        command, check=True, env=settings.child_environment(), capture_output=True, timeout=300
    )

    tick_now(settings)

    assert assert_views_agree(settings, EP_ID, "by-job") is RunStatus.COMPLETED


def test_what_ran_while_nobody_looked_is_caught_up_with_by_the_next_tick(
    clip: Path, settings: Settings, lite_pack: object
) -> None:
    register(settings, clip, EP_ID)
    cursor = tick_now(settings)
    untagged = execute_without_us(settings, EP_ID, {})

    after = tick_now(settings, cursor)

    run_id = untagged.replace("-", "")
    assert assert_views_agree(settings, EP_ID, run_id) is RunStatus.COMPLETED
    before = log_of(settings, EP_ID, run_id)
    tick_now(settings, after)
    assert log_of(settings, EP_ID, run_id) == before


def test_the_runs_of_a_backfill_share_a_run_id_and_stay_apart(
    clip: Path, settings: Settings, lite_pack: object
) -> None:
    register(settings, clip, EP_ID, OTHER_EP_ID)
    for ep_id in (EP_ID, OTHER_EP_ID):
        execute_without_us(settings, ep_id, {"run_id": "nightly", "dagster/backfill": "abcdef"})

    tick_now(settings)

    assert set(assert_nothing_lies(settings).values()) == {RunStatus.COMPLETED}
    stores = Stores.open(settings.data_root)
    rows = stores.ledger.registry.runs().to_pylist()
    assert {(r["ep_id"], r["run_id"]) for r in rows} == {
        (EP_ID, "nightly"),
        (OTHER_EP_ID, "nightly"),
    }


def test_a_partition_that_is_no_episode_stops_nobody_else(
    clip: Path, settings: Settings, lite_pack: object
) -> None:
    register(settings, clip, EP_ID)
    with open_instance(settings.dagster_home) as instance:
        instance.add_dynamic_partitions("ep_id", ["../../etc"])
    execute_without_us(settings, "../../etc", {"run_id": "hostile"})
    execute_without_us(settings, EP_ID, {"run_id": "honest"})

    tick_now(settings)

    assert set(assert_nothing_lies(settings)) == {(EP_ID, "honest")}


def mirror_from_start(root: Path, dagster_run_id: str) -> None:
    settings = settings_for(root)
    with open_instance(settings.dagster_home) as instance:
        record = instance.get_run_record_by_id(dagster_run_id)
        assert record is not None
        mirror_run(instance, Stores.open(settings.data_root), record, from_start=True)


def test_mirrors_that_work_at_once_write_each_event_once(
    clip: Path, settings: Settings, lite_pack: object
) -> None:
    register(settings, clip, EP_ID)
    dagster_run_id = execute_without_us(settings, EP_ID, {"run_id": "raced"})
    context = multiprocessing.get_context("spawn")
    mirrors = [
        context.Process(target=mirror_from_start, args=(settings.data_root, dagster_run_id))
        for _ in range(4)
    ]
    for mirror in mirrors:
        mirror.start()
    for mirror in mirrors:
        mirror.join()

    assert [mirror.exitcode for mirror in mirrors] == [0, 0, 0, 0]
    lines = [json.loads(line) for line in log_of(settings, EP_ID, "raced").splitlines()]
    assert len({line["event_id"] for line in lines}) == len(lines)
    assert [line["sequence"] for line in lines] == list(range(1, len(lines) + 1))
    assert assert_views_agree(settings, EP_ID, "raced") is RunStatus.COMPLETED


SLOW = """
import sys, time
from pathlib import Path
from screenalytics_assets.engine import Launch, run_episode
from tests.integration.support import EP_ID, balanced, settings_for

def slowly(step, done, total, message):
    if step == "scan" and done:
        time.sleep(0.6)  # Dagster hears of it every 2 s at most

run_episode(EP_ID, sys.argv[1], balanced(), settings=settings_for(Path(sys.argv[2])),
            launch=Launch(run_id="slow", listener=slowly))
"""


def test_the_status_file_shows_how_far_a_long_step_is(
    clip: Path, settings: Settings, lite_pack: object
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(clip), str(settings.data_root)],
        cwd=Path(__file__).parents[2],
    )
    status = settings.data_root / layout.status_key(EP_ID, "slow")
    seen: list[dict[str, object]] = []
    while process.poll() is None:
        if status.exists():
            stage = json.loads(status.read_text())["stages"]["detect"]
            if stage["status"] == "running" and stage["progress"]:
                seen.append(stage["progress"])
        time.sleep(0.1)

    assert process.returncode == 0
    percents = [p["pct"] for p in seen]
    assert percents == sorted(percents, key=float)  # type: ignore[arg-type]
    assert any(0 < float(str(pct)) < 100 for pct in percents), seen
    assert all(p["total"] == 60 and p["message"] and p["rate_per_s"] for p in seen[-1:])


def test_a_damaged_log_line_is_taken_in_again_by_sync(
    copy_finished: CopyFinished, tmp_path: Path
) -> None:
    copied = copy_finished(tmp_path / "data")
    path = copied.data_root / layout.events_key(EP_ID, "first")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:5], b"\0" * 40 + b"\n", *lines[6:-1], lines[-1][:20]]))

    from screenalytics_assets.sync import sync

    with open_instance(copied.dagster_home) as instance:
        report = sync(instance, Stores.open(copied.data_root))

    assert report.problems == []
    assert assert_views_agree(copied, EP_ID, "first") is RunStatus.COMPLETED


def test_resuming_a_run_adds_an_attempt_to_its_log(
    clip: Path, settings: Settings, lite_pack: object
) -> None:
    for _ in range(2):
        result = run_episode(
            EP_ID, clip, balanced(), settings=settings, launch=Launch(run_id="twice")
        )
        assert result.success, result.error

    rows = read_views(settings, EP_ID, "twice").stage_rows
    assert_views_agree(settings, EP_ID, "twice")
    assert {(r["attempt"], r["source"]) for r in rows} == {(1, "computed"), (2, "checkpoint")}
