"""`kill -9` at any moment: nothing lies afterwards, and the same run resumes to the same bytes.

`make chaos` runs a hundred rounds; the suite runs a few.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from screenalytics_assets.engine import EpisodeRunResult, Launch, run_episode
from screenalytics_assets.instance import open_instance
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_assets.sync import sync
from screenalytics_core import layout
from screenalytics_core.ledger.vocabulary import RunStatus
from tests.integration.support import EP_ID, balanced, content, settings_for
from tests.integration.views import assert_nothing_lies

pytestmark = pytest.mark.models

RUN = """
import sys
from pathlib import Path
from screenalytics_assets.engine import Launch, run_episode
from tests.integration.support import EP_ID, balanced, settings_for

run_episode(EP_ID, sys.argv[1], balanced(), settings=settings_for(Path(sys.argv[2])),
            launch=Launch(run_id="first"))
"""
SYNC = """
import sys
from pathlib import Path
from screenalytics_assets.stores import Stores
from screenalytics_assets.instance import open_instance
from screenalytics_assets.sync import sync
from tests.integration.support import settings_for

settings = settings_for(Path(sys.argv[1]))
Path(sys.argv[2]).touch()
for _ in range(20):
    with open_instance(settings.dagster_home) as instance:
        sync(instance, Stores.open(settings.data_root))
"""


def kill_at(program: str, arguments: list[str], begun: Path, delay_s: float) -> None:
    """Start a program, wait for the file it begins with, and kill it that much later."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments], cwd=Path(__file__).parents[2]
    )
    while not begun.exists() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(delay_s)
    process.kill()
    process.wait()


def sync_now(settings: Settings) -> list[str]:
    with open_instance(settings.dagster_home) as instance:
        return sync(instance, Stores.open(settings.data_root)).problems


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    rounds: int = metafunc.config.getoption("--chaos-rounds")
    metafunc.parametrize("round_", range(rounds))


def test_whatever_is_killed_nothing_lies_and_the_run_resumes_to_the_same_bytes(
    round_: int, clip: Path, tmp_path: Path, finished: tuple[Settings, EpisodeRunResult]
) -> None:
    moments = random.Random(round_)
    settings = settings_for(tmp_path / "data")
    root = str(settings.data_root)
    run_json = settings.data_root / layout.run_record_key(EP_ID, "first")
    # From the reservation to a little after the end: in the scan, a write, a fold, a view.
    kill_at(RUN, [str(clip), root], run_json, moments.uniform(0, 1.3 * finished[1].runtime_sec))
    syncing = tmp_path / "syncing"
    kill_at(SYNC, [root, str(syncing)], syncing, moments.uniform(0, 1.5))

    assert sync_now(settings) == []

    states = assert_nothing_lies(settings)
    # None: killed between the reservation and the creation of Dagster's run.
    assert states[EP_ID, "first"] in {RunStatus.FAILED, RunStatus.COMPLETED, None}

    result = run_episode(EP_ID, clip, balanced(), settings=settings, launch=Launch(run_id="first"))

    assert result.success, result.error
    assert content(settings, "first") == content(finished[0], "first")
    assert assert_nothing_lies(settings) == {(EP_ID, "first"): RunStatus.COMPLETED}
    assert [p.name for p in settings.data_root.rglob("*.tmp")] == []
    with open_instance(settings.dagster_home) as instance:
        ended = {run.status for run in instance.get_runs()}
    assert ended <= {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE}
