"""Backfills for the daemon's queue: what its sensor asks Dagster for, and when it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context

from screenalytics_assets.backfill_queue import check_daemon
from screenalytics_assets.definitions import build_definitions
from screenalytics_assets.settings import Settings
from screenalytics_core import layout
from screenalytics_core.backfills.record import BackfillRecord, BackfillStore, PlannedEpisode
from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.errors import DaemonMissingError
from screenalytics_core.storage.local import LocalStorage

EPISODES = ("show-s01e01", "show-s01e02")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def record(backfill_id: str, **given: Any) -> BackfillRecord:
    made = BackfillRecord(
        backfill_id=backfill_id,
        created_at="2026-11-21T10:00:00.000000+00:00",
        created_by="me@here",
        how="queue",
        selection=("show-s01",),
        which=("missing",),
        jobs=1,
        settings=EpisodeRunConfig.from_mapping({"stride": 7}, profile="balanced").model_dump(),
        config_hash="h",
        pack="lite",
        episodes=tuple(PlannedEpisode(e, f"run-{e}", "missing", "no run yet") for e in EPISODES),
    )
    return replace(made, **given)


def tick(root: Path, instance: dg.DagsterInstance, cursor: str | None = None) -> Any:
    definitions = build_definitions(Settings.from_env({}, data_root=root))
    sensor = definitions.resolve_sensor_def("backfills")
    context = dg.build_sensor_context(instance=instance, cursor=cursor, definitions=definitions)
    with partition_loading_context(dynamic_partitions_store=instance):
        return sensor.evaluate_tick(context)


def test_each_episode_of_a_queued_backfill_is_asked_for_once(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    store = BackfillStore(LocalStorage(tmp_path))
    store.create(record("b1"))

    first = tick(tmp_path, instance)
    second = tick(tmp_path, instance, first.cursor)
    store.create(record("b2"))
    third = tick(tmp_path, instance, second.cursor or first.cursor)

    assert [r.run_key for r in first.run_requests] == [f"b1:{e}" for e in EPISODES]
    assert second.run_requests == []
    assert [r.run_key for r in third.run_requests] == [f"b2:{e}" for e in EPISODES]
    assert set(instance.get_dynamic_partitions("ep_id")) == set(EPISODES)


def test_a_queued_run_carries_its_run_id_its_settings_and_its_place_in_the_queue(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    BackfillStore(LocalStorage(tmp_path)).create(record("b1"))

    one = tick(tmp_path, instance).run_requests[0]

    assert one.partition_key == EPISODES[0]
    assert one.run_config["resources"]["settings"]["config"]["stride"] == 7
    expected = {
        "run_id": "run-show-s01e01",
        "screenalytics/backfill_id": "b1",
        "screenalytics/once": "true",
        "dagster/priority": "-10",
    }
    assert expected.items() <= one.tags.items()


def test_what_other_ways_run_and_what_is_damaged_is_left_alone(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    store = BackfillStore(LocalStorage(tmp_path))
    store.create(record("b1", how="processes"))
    store.create(record("b2", how="schedule"))
    (tmp_path / layout.backfill_key("b3")).write_text("{")

    assert tick(tmp_path, instance).run_requests == []


def test_without_a_daemon_that_beats_nothing_is_queued(instance: dg.DagsterInstance) -> None:
    with pytest.raises(DaemonMissingError, match="screenalytics dev"):
        check_daemon(instance, now_s=0.0)
