"""Checks in a real run: seen in Dagster, made on reused results too, and no failure of the run."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest

from screenalytics_assets.beta import without_beta_warnings
from screenalytics_assets.checks.registry import CHECKS
from screenalytics_assets.definitions import build_definitions
from screenalytics_assets.engine import EpisodeRunResult, Launch, run_episode
from screenalytics_assets.graph import OUTPUTS
from screenalytics_assets.instance import open_instance
from screenalytics_assets.settings import Settings
from screenalytics_core import layout
from screenalytics_core.ledger.vocabulary import RunStatus
from tests.integration.support import EP_ID, CopyFinished, balanced
from tests.integration.views import assert_views_agree
from tests.integration.without_us import LITE

pytestmark = pytest.mark.models
Finished = tuple[Settings, EpisodeRunResult]
PLANNED = {(asset, check.name) for asset in OUTPUTS for check in CHECKS[asset]}
NO_HOLES = dg.AssetCheckKey(dg.AssetKey("shots"), "no_holes")


def evaluations(settings: Settings, dagster_run_id: str) -> dict[tuple[str, str], Any]:
    """What a Dagster run found, by asset and check."""
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    with open_instance(settings.dagster_home) as instance:
        records = instance.get_records_for_run(dagster_run_id, of_type=kind).records
    found = {}
    for record in records:
        event = record.event_log_entry.dagster_event
        assert event is not None
        said: Any = event.event_specific_data
        found[said.asset_key.to_user_string(), said.check_name] = said
    return found


def test_every_asset_of_the_graph_has_checks() -> None:
    assert set(OUTPUTS) <= set(CHECKS)
    assert all(1 <= len(CHECKS[asset]) <= 3 for asset in OUTPUTS)


def test_a_run_makes_every_check_of_its_assets_for_its_episode(finished: Finished) -> None:
    settings, result = finished
    found = evaluations(settings, result.dagster_run_id)

    assert set(found) == PLANNED
    assert {said.partition for said in found.values()} == {EP_ID}
    assert not any(said.blocking for said in found.values())
    broken = {
        key: said.description
        for key, said in found.items()
        if not said.passed and said.severity is dg.AssetCheckSeverity.ERROR
    }
    assert broken == {}


def test_a_warning_is_shown_with_advice_and_the_run_is_a_success(finished: Finished) -> None:
    settings, result = finished
    warned = evaluations(settings, result.dagster_run_id)["tracks", "quality_within_limits"]

    # Six tracks in 2.4 s are 150 a minute.
    assert not warned.passed
    assert warned.severity is dg.AssetCheckSeverity.WARN
    assert "usual: 10 to 30" in warned.metadata["Tracks per minute"].value
    assert "raise det_thresh" in warned.metadata["Tracks per minute"].value
    assert result.success
    assert assert_views_agree(settings, EP_ID, "first") is RunStatus.COMPLETED
    key = dg.AssetCheckKey(dg.AssetKey("tracks"), "quality_within_limits")
    with open_instance(settings.dagster_home) as instance:
        latest = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
    assert latest.status.value == "FAILED"
    log = (settings.data_root / layout.events_key(EP_ID, "first")).read_text()
    assert "quality_within_limits" not in log


def test_what_is_reused_is_checked_again(copy_finished: CopyFinished, tmp_path: Any) -> None:
    settings = copy_finished(tmp_path / "data")
    again = run_episode(EP_ID, None, balanced(), settings=settings, launch=Launch(run_id="first"))

    assert {s.source for s in again.stages} == {"checkpoint"}
    assert set(evaluations(settings, again.dagster_run_id)) == PLANNED


def execute_check(settings: Settings, tags: dict[str, str]) -> Any:
    """Ask for a check alone, as the UI's "Execute all" does."""
    job = dg.define_asset_job("one_check", selection=dg.AssetSelection.checks(NO_HOLES))
    with without_beta_warnings(), open_instance(settings.dagster_home) as instance:
        definitions = dg.Definitions.merge(build_definitions(settings), dg.Definitions(jobs=[job]))
        return definitions.resolve_job_def("one_check").execute_in_process(
            instance=instance, raise_on_error=False, tags=tags, run_config=LITE
        )


def test_a_check_alone_looks_at_the_run_that_it_is_asked_of(
    copy_finished: CopyFinished, tmp_path: Any
) -> None:
    settings = copy_finished(tmp_path / "data")
    asked = execute_check(settings, {"run_id": "first", "dagster/partition": EP_ID})
    nowhere = execute_check(settings, {"run_id": "empty", "dagster/partition": EP_ID})

    found = evaluations(settings, asked.run_id)
    assert set(found) == {("shots", "no_holes")}
    assert found["shots", "no_holes"].passed
    missed = evaluations(settings, nowhere.run_id)["shots", "no_holes"]
    assert not missed.passed
    assert missed.description.startswith("The check could not be made: artifact shots")
    assert nowhere.success


def test_checks_without_an_episode_say_what_is_missing(
    copy_finished: CopyFinished, tmp_path: Any
) -> None:
    settings = copy_finished(tmp_path / "data")
    result = execute_check(settings, {})

    assert not result.success
    failure = next(e for e in result.all_events if e.is_step_failure)
    assert "names no episode" in failure.step_failure_data.user_failure_data.description
