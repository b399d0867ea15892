"""The registry under several processes, and under processes that are killed."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from tests.ledger_writers import start
from tests.registry_rows import (
    finish_runs,
    keys_of,
    record_for_ever,
    registry_at,
    run_row_of,
    stage_row_of,
)
from tests.stores import EP, race

PROCESSES = 8
RUNS_EACH = 8


@pytest.mark.parametrize(
    "min_period_s",
    [pytest.param(1.0, id="at the normal rate"), pytest.param(0.0, id="as often as possible")],
)
def test_eight_processes_finishing_runs_lose_and_repeat_none(
    tmp_path: Path, min_period_s: float
) -> None:
    """Each process looks after each of its runs; this one reads all the while."""
    registry = registry_at(tmp_path)
    registry.record(run_row_of("earlier"), [stage_row_of("earlier")])
    published = tmp_path / "registry" / "runs.parquet"
    work = [(tmp_path, f"p{n}", RUNS_EACH, min_period_s) for n in range(PROCESSES)]
    counts, bare_counts = [1], [1]
    with ThreadPoolExecutor(1) as pool:
        finishing = pool.submit(race, finish_runs, work)
        while not finishing.done():
            keys = keys_of(registry.runs())
            assert len(keys) == len(set(keys))
            counts.append(len(keys))
            if min_period_s:
                # By a handle: by its path pandas opens a file twice, and may see two of them.
                with published.open("rb") as file:
                    bare_counts.append(len(pd.read_parquet(file)))
            time.sleep(0.005)
        missed = finishing.result()

    assert missed == [[]] * PROCESSES
    assert counts == sorted(counts)
    assert bare_counts == sorted(bare_counts)
    everything = {f"p{p}-{n:03d}" for p in range(PROCESSES) for n in range(RUNS_EACH)}
    frame = pd.read_parquet(published)
    assert sorted(frame["run_id"]) == sorted({*everything, "earlier"})
    stages = pd.read_parquet(tmp_path / "registry" / "stage_runs.parquet")
    assert len(stages) == 2 * len(everything) + 1
    assert not stages.duplicated(["ep_id", "run_id", "stage", "attempt"]).any()


def test_a_folding_process_killed_at_any_moment_leaves_readable_files_and_loses_no_row(
    tmp_path: Path,
) -> None:
    told = tmp_path / "told.txt"
    told.touch()
    registry = registry_at(tmp_path)
    moments = random.Random(4)
    for round_ in range(6):
        before = told.read_text().count("\n")
        process = start(record_for_ever, (tmp_path, f"r{round_}", told))
        while told.read_text().count("\n") == before:
            time.sleep(0.002)
        time.sleep(moments.uniform(0.0, 0.08))
        process.kill()
        process.join()

        names = told.read_text().split("\n")[:-1]
        assert {(EP, name) for name in names} <= set(keys_of(registry.runs()))
        assert {(EP, name) for name in names} <= set(keys_of(registry.stage_runs()))
        for file in ("runs.parquet", "stage_runs.parquet"):
            frame = pd.read_parquet(tmp_path / "registry" / file)
            assert not frame.duplicated(["ep_id", "run_id"]).any()

    registry.publish(wait=False)
    published = pd.read_parquet(tmp_path / "registry" / "runs.parquet")
    assert set(names) <= set(published["run_id"])
    assert not list((tmp_path / "registry" / "_log").glob("*.json"))
