"""Dagster takes any text as a tag and any text as an error; the ledger keeps what it can hold."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from screenalytics_assets.jobs import EPISODE_JOB
from screenalytics_assets.mirror import run_key_of
from screenalytics_assets.stores import Stores
from screenalytics_assets.sync import sync

EP_ID = "show-s01e01"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return Stores.open(tmp_path / "data")


def add(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRun:
    """Add a Dagster run that is queued."""
    tags = {"dagster/partition": EP_ID, "run_id": run_id}
    run = dg.DagsterRun(job_name=EPISODE_JOB, run_id=str(uuid.uuid4()), tags=tags)
    return instance.add_run(run)


@pytest.mark.parametrize("run_id", ["../x", "x" * 300, "active_run.json", "Cluster.JSON", ".x"])
def test_a_run_id_that_cannot_be_a_folder_is_no_run_of_ours(
    run_id: str, instance: dg.DagsterInstance, stores: Stores
) -> None:
    add(instance, run_id)
    add(instance, "honest")

    report = sync(instance, stores)

    assert report.problems == []
    assert stores.ledger.log.list_runs() == ((EP_ID, "honest"),)


def test_an_error_of_megabytes_does_not_fill_the_views(
    instance: dg.DagsterInstance, stores: Stores
) -> None:
    run = add(instance, "r1")
    instance.report_run_failed(run, "begins here" + 5_000_000 * "M")

    assert sync(instance, stores).problems == []

    error = stores.ledger.log.state(EP_ID, "r1").error
    assert error is not None
    assert error.message.startswith("begins here")
    assert error.message.endswith("more characters in Dagster's log)")
    assert len(error.message) < 11_000


def test_what_breaks_the_view_of_one_run_breaks_no_other(
    instance: dg.DagsterInstance, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(instance, "broken")
    add(instance, "honest")
    facts = stores.ledger.facts

    def stumble(ep_id: str, run_id: str, *state: object) -> object:
        if run_id == "broken":
            raise ZeroDivisionError("nobody thought of this")
        return facts(ep_id, run_id, *state)

    monkeypatch.setattr(stores.ledger, "facts", stumble)

    report = sync(instance, stores)

    assert "run show-s01e01/broken: ZeroDivisionError: nobody thought of this" in report.problems
    assert stores.ledger.registry.runs()["run_id"].to_pylist() == ["honest"]


@pytest.mark.parametrize(
    ("job_name", "assets", "is_ours"),
    [
        pytest.param(EPISODE_JOB, None, True, id="the episode's job"),
        pytest.param("__ASSET_JOB", ["cast", "identities"], True, id="some of its assets"),
        pytest.param("__ASSET_JOB", ["cast", "weather"], True, id="one of its assets"),
        pytest.param("__ASSET_JOB", ["weather"], False, id="somebody else's asset"),
        pytest.param("nightly_weather", None, False, id="somebody else's job"),
    ],
)
def test_a_run_of_somebody_elses_assets_is_no_episodes_run(
    job_name: str, assets: list[str] | None, is_ours: bool
) -> None:
    keys = None if assets is None else frozenset(dg.AssetKey(name) for name in assets)
    run = dg.DagsterRun(
        job_name=job_name, tags={"dagster/partition": "2026-11-02"}, asset_selection=keys
    )

    assert (run_key_of(run) is not None) is is_ours
