"""Which changes a tick of the mirror looks at, told by when Dagster says they happened."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from screenalytics_assets.instance import open_instance
from screenalytics_assets.jobs import EPISODE_JOB
from screenalytics_assets.mirror import tick
from screenalytics_assets.stores import Stores

EP_ID = "show-s01e01"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NO_TIME_AT_ALL_S = 0.0


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An empty Dagster home."""
    with open_instance(tmp_path / "home") as opened:
        yield opened


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    """An empty data root."""
    return Stores.open(tmp_path / "data")


def change(instance: dg.DagsterInstance, run_id: str, at: datetime) -> None:
    """Add a Dagster run that was canceled at `at`."""
    tags = {"dagster/partition": EP_ID, "run_id": run_id}
    run = instance.add_run(dg.DagsterRun(job_name=EPISODE_JOB, run_id=str(uuid.uuid4()), tags=tags))
    event = dg.DagsterEvent(event_type_value="PIPELINE_CANCELED", job_name=EPISODE_JOB)
    instance.run_storage.handle_run_event(run.run_id, event, update_timestamp=at)


def tick_at(
    instance: dg.DagsterInstance,
    stores: Stores,
    cursor: str | None,
    at: datetime,
    budget_s: float = 10.0,
) -> str:
    return tick(instance, stores, cursor, budget_s, clock=lambda: at)


def known(stores: Stores) -> set[str]:
    return {key.run_id for key in stores.ledger.log.list_runs()}


def test_more_changes_at_once_than_fit_a_tick_are_all_taken_in(
    instance: dg.DagsterInstance, stores: Stores
) -> None:
    for ago_s, run_id in ((50, "first"), (45, "second"), (40, "third")):
        change(instance, run_id, NOW - timedelta(seconds=ago_s))
    cursor = None

    for _ in range(5):
        cursor = tick_at(instance, stores, cursor, NOW, NO_TIME_AT_ALL_S)

    assert known(stores) == {"first", "second", "third"}


def test_a_change_that_is_committed_after_a_later_one_was_read_is_seen(
    instance: dg.DagsterInstance, stores: Stores
) -> None:
    change(instance, "prompt", NOW)
    cursor = tick_at(instance, stores, None, NOW)
    change(instance, "late", NOW - timedelta(seconds=20))

    tick_at(instance, stores, cursor, NOW + timedelta(seconds=5))

    assert known(stores) == {"prompt", "late"}


def test_a_change_that_a_wrong_clock_dated_ahead_hides_none_that_follow(
    instance: dg.DagsterInstance, stores: Stores
) -> None:
    change(instance, "ahead", NOW + timedelta(hours=1))
    cursor = tick_at(instance, stores, None, NOW)
    change(instance, "after", NOW + timedelta(seconds=1))

    tick_at(instance, stores, cursor, NOW + timedelta(seconds=5))

    assert known(stores) == {"ahead", "after"}
