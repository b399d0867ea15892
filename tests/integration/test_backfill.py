"""`screenalytics backfill` in real processes: interrupted, killed, started again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core import layout
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.episode_registry import register_video
from screenalytics_core.vision.decode import probe_video
from tests.command_line import command, environment, screenalytics

pytestmark = pytest.mark.models
ONE, TWO = "show-s01e01", "show-s01e02"
WAIT_S = 300.0
LITE = ("--models", "lite")


@pytest.fixture
def season(settings: Settings, clip: Path) -> Settings:
    """Two registered episodes that nobody has run."""
    for ep_id in (ONE, TWO):
        register_video(Stores.open(settings.data_root).storage, ep_id, clip, probe=probe_video)
    return settings


def start(settings: Settings, *more: str) -> subprocess.Popen[bytes]:
    """Start a backfill of the season and go on."""
    return subprocess.Popen(
        command("backfill", "show-s01", *LITE, *more), env=environment(settings.data_root)
    )


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


def has_begun(settings: Settings, ep_id: str) -> Callable[[], bool]:
    """Tell whether a run of the episode is at work: its first artifact is there."""

    def condition() -> bool:
        stores = Stores.open(settings.data_root)
        return any(
            stores.artifacts.ref(ep_id, run_id, ArtifactKind.SHOTS)
            for run_id in stores.runs.list_run_ids(ep_id)
        )

    return condition


def told(settings: Settings, *arguments: str) -> dict[str, Any]:
    done = screenalytics("backfill", *arguments, "--json", data_root=settings.data_root)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def states(found: dict[str, Any]) -> dict[str, str]:
    return {row["ep_id"]: row["state"] for row in found["episodes"]}


def runs_of(settings: Settings) -> dict[str, tuple[str, ...]]:
    runs = Stores.open(settings.data_root).runs
    return {ep_id: runs.list_run_ids(ep_id) for ep_id in (ONE, TWO)}


def test_a_backfill_that_is_killed_twice_is_resumed_and_does_only_what_is_missing(
    season: Settings,
) -> None:
    first = start(season)
    wait_for(has_begun(season, ONE), "the first episode begins")
    orphans = psutil.Process(first.pid).children()
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    _, alive = psutil.wait_procs(orphans, timeout=WAIT_S)
    assert alive == [], "a killed backfill leaves nobody behind"

    second = start(season)
    wait_for(has_begun(season, TWO), "the second episode begins")
    children = psutil.Process(second.pid).children()
    for process in (psutil.Process(second.pid), *children):
        process.kill()
    second.wait()
    psutil.wait_procs(children, timeout=WAIT_S)
    before = runs_of(season)

    found = told(season, "show-s01", *LITE)

    assert states(found) == {TWO: "completed"}
    assert [row["is_resumed"] for row in found["episodes"]] == [True]
    assert runs_of(season) == before, "one run each, whatever happened"
    assert all(len(runs) == 1 for runs in before.values())
    assert told(season, "show-s01", "--dry-run", *LITE)["episodes"] == []


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_backfill_ends_its_runs_canceled(
    season: Settings, signum: signal.Signals
) -> None:
    process = start(season, "--jobs", "2")
    wait_for(has_begun(season, ONE), "an episode begins")
    process.send_signal(signum)

    assert process.wait(timeout=WAIT_S) == 1
    found = told(season, "status")

    assert states(found)[ONE] == "canceled"
    assert states(found)[TWO] in ("canceled", "planned")
    assert found["totals"]["rest_s"] in (0.0, None)


def test_a_broken_episode_fails_alone_and_is_named(season: Settings) -> None:
    video = season.data_root / layout.video_key(ONE)
    facts = season.data_root / layout.video_facts_key(ONE)
    video.unlink()  # the clip is linked
    shutil.copy(season.data_root / layout.video_key(TWO), video)
    _break(video, facts)

    done = screenalytics("backfill", "show-s01", *LITE, data_root=season.data_root)
    found = told(season, "status")

    assert done.returncode == 1
    assert states(found) == {ONE: "failed", TWO: "completed"}
    (error,) = [row["error"] for row in found["episodes"] if row["ep_id"] == ONE]
    assert error.startswith("video_")
    again = told(season, "show-s01", "--dry-run", *LITE)
    assert [(row["ep_id"], row["why"]) for row in again["episodes"]] == [(ONE, "failed")]


def _break(video: Path, facts: Path) -> None:
    """Cut the file, and let the registry believe that it always was so."""
    import hashlib

    content = video.read_bytes()[:2_000]
    video.write_bytes(content)
    record = json.loads(facts.read_text())
    record.update(sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))
    facts.write_text(json.dumps(record))


def test_how_many_run_at_a_time_is_the_daemons_to_say_of_a_queued_backfill(
    season: Settings,
) -> None:
    done = screenalytics(
        "backfill", "show-s01", "--queue", "--jobs", "2", *LITE, data_root=season.data_root
    )

    assert done.returncode == 2
    assert "leave --jobs out" in done.stderr


def test_a_queued_backfill_is_refused_where_no_daemon_works(season: Settings) -> None:
    done = screenalytics("backfill", "show-s01", "--queue", *LITE, data_root=season.data_root)

    assert done.returncode == 1
    assert "daemon_missing" in done.stderr
    assert "screenalytics dev" in done.stderr
    assert not (season.data_root / layout.BACKFILLS).exists()
