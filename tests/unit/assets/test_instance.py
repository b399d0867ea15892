"""A prepared DAGSTER_HOME, opened as Dagster itself opens it."""

from __future__ import annotations

from pathlib import Path

from screenalytics_assets.instance import open_instance


def test_a_run_that_never_starts_is_left_to_dagsters_monitoring(tmp_path: Path) -> None:
    with open_instance(tmp_path / "home") as instance:
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_start_timeout_seconds == 300


def test_a_config_that_somebody_wrote_is_kept(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")

    with open_instance(tmp_path) as instance:
        assert not instance.run_monitoring_enabled
