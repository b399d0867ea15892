"""A backfill's children: what is tried again, what is not, and what a crash takes along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from screenalytics_assets.backfill import Backfill
from screenalytics_assets.backfill_worker import JobResult
from screenalytics_assets.settings import Settings
from screenalytics_core.backfills.record import BackfillRecord, PlannedEpisode


@pytest.fixture(autouse=True)
def told_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("screenalytics_assets.backfill.MODULE", "tests.told_worker")
    monkeypatch.setattr("screenalytics_core.retries.PAUSES_S", (0.05, 0.1, 0.2))
    monkeypatch.chdir(Path(__file__).parents[3])


def run(root: Path, *ep_ids: str, jobs: int = 2) -> tuple[dict[str, JobResult], list[Any]]:
    """Run episodes; return their results, and what was told on the way."""
    settings = Settings.from_env({}, data_root=root)
    record = BackfillRecord(
        backfill_id="b",
        created_at="2026-11-21T10:00:00.000000+00:00",
        created_by="me@here",
        how="processes",
        selection=("show",),
        which=("missing",),
        jobs=jobs,
        settings={},
        config_hash="h",
        pack="lite",
        episodes=tuple(PlannedEpisode(e, "run", "missing", "no run yet") for e in ep_ids),
    )
    told: list[Any] = []
    backfill = Backfill(settings, record, lambda e, what, _: told.append((e.ep_id, what)))
    return backfill.run(), told


def tries(root: Path, ep_id: str) -> int:
    return (root / f"{ep_id}.tries").stat().st_size


@pytest.mark.parametrize(
    ("ep_id", "count", "code"),
    [
        pytest.param("fine", 1, None, id="fine"),
        pytest.param("lost", 3, None, id="what passes is tried until it does"),
        pytest.param("never", 4, "storage_failed", id="and no more often than pauses are left"),
        pytest.param("step", 1, "storage_failed", id="the run itself tried again"),
        pytest.param("busy", 1, "run_busy", id="somebody is at it"),
        pytest.param("crash", 1, "process_died", id="a crash"),
    ],
)
def test_only_what_may_pass_is_tried_again(
    tmp_path: Path, ep_id: str, count: int, code: str | None
) -> None:
    results, _ = run(tmp_path, ep_id)

    assert tries(tmp_path, ep_id) == count
    assert results[ep_id].error_code == code
    assert results[ep_id].success == (code is None)


def test_a_crash_takes_one_episode_only_and_says_how_it_ended(tmp_path: Path) -> None:
    results, _ = run(tmp_path, "crash", "fine-1", "fine-2", jobs=1)

    assert [results[ep_id].success for ep_id in ("crash", "fine-1", "fine-2")] == [
        False,
        True,
        True,
    ]
    assert "SIGKILL" in str(results["crash"].error)


def test_an_episode_that_waits_keeps_no_other_waiting(tmp_path: Path) -> None:
    _, told = run(tmp_path, "lost", "fine", jobs=1)

    assert told.index(("fine", "ended")) < told.index(("lost", "ended"))
    assert ("lost", "waits 0.05 s") in told
