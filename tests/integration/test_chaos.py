"""`kill -9` at any moment: the same run resumes, to the bytes of an undisturbed one.

`make chaos` runs many rounds; the suite runs a few.
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
from tests.integration.support import EP_ID, balanced, content, settings_for

pytestmark = pytest.mark.models

RUN = """
import sys
from pathlib import Path
from screenalytics_assets.engine import Launch, run_episode
from tests.integration.support import EP_ID, balanced, settings_for

run_episode(EP_ID, sys.argv[1], balanced(), settings=settings_for(Path(sys.argv[2])),
            launch=Launch(run_id="first"))
"""
KILLS_PER_ROUND = 3


def kill_after(clip: Path, root: Path, delay_s: float) -> None:
    """Start the run in a process of its own and kill it after a while, if it still lives."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(clip), str(root)], cwd=Path(__file__).parents[2]
    )
    time.sleep(delay_s)
    process.kill()
    process.wait()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    rounds: int = metafunc.config.getoption("--chaos-rounds")
    metafunc.parametrize("round_", range(rounds))


def test_a_run_killed_at_any_moment_resumes_to_the_same_bytes(
    round_: int, clip: Path, tmp_path: Path, finished: tuple[Settings, EpisodeRunResult]
) -> None:
    moments = random.Random(round_)
    settings = settings_for(tmp_path / "data")
    # A run takes some five seconds here: from before its first import to after its end.
    for _ in range(KILLS_PER_ROUND):
        kill_after(clip, settings.data_root, moments.uniform(1.0, 8.0))

    result = run_episode(EP_ID, clip, balanced(), settings=settings, launch=Launch(run_id="first"))

    assert result.success, result.error
    assert content(settings, "first") == content(finished[0], "first")
    assert [p.name for p in settings.data_root.rglob("*.tmp")] == []
    with open_instance(settings.dagster_home) as instance:
        ended = {run.status for run in instance.get_runs()}
    assert ended <= {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE}
