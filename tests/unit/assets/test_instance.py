"""A prepared DAGSTER_HOME, opened as Dagster itself opens it."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import yaml

from screenalytics_assets.instance import open_instance


def test_a_run_that_never_starts_is_left_to_dagsters_monitoring(tmp_path: Path) -> None:
    with open_instance(tmp_path / "home") as instance:
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_start_timeout_seconds == 300


def test_a_config_that_somebody_wrote_is_kept(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")

    with open_instance(tmp_path) as instance:
        assert not instance.run_monitoring_enabled


def test_a_databases_log_is_written_back_once_when_the_instance_is_closed(tmp_path: Path) -> None:
    with open_instance(tmp_path / "home") as instance:
        for ep_id in ("one", "two"):
            instance.add_dynamic_partitions("ep_id", [ep_id])
        assert [*(tmp_path / "home").rglob("index.db-wal")]

    assert not [*(tmp_path / "home").rglob("*.db-wal")]


def test_what_was_written_is_there_for_dagsters_own_classes_at_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with open_instance(home) as instance:
        instance.add_dynamic_partitions("ep_id", ["one"])
        with dg.DagsterInstance.from_config(str(home)) as other:
            other.add_dynamic_partitions("ep_id", ["two"])
            assert set(instance.get_dynamic_partitions("ep_id")) == {"one", "two"}
            assert set(other.get_dynamic_partitions("ep_id")) == {"one", "two"}


def test_a_home_that_says_where_its_runs_are_kept_is_obeyed(tmp_path: Path) -> None:
    kept = tmp_path / "elsewhere"
    config = {"storage": {"sqlite": {"base_dir": str(kept)}}}
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(config))

    with open_instance(tmp_path) as instance:
        instance.add_dynamic_partitions("ep_id", ["one"])

    assert (kept / "history" / "runs" / "index.db").exists()
    assert not (tmp_path / "history").exists()
