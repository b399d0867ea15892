"""A job that was queued for a run which its twin works on by the time it starts: to its end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from screenalytics_assets import resources
from screenalytics_assets.api.following import Following
from screenalytics_assets.api.job_view import JobViews
from screenalytics_assets.beta import without_beta_warnings
from screenalytics_assets.binding import Bound
from screenalytics_assets.definitions import build_definitions
from screenalytics_assets.instance import open_instance
from screenalytics_assets.jobs import EPISODE_JOB
from screenalytics_assets.partitions import add_episode
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_assets.tags import RUN_ID_TAG
from screenalytics_core.processes import ProcessIdentity
from tests.api_reading import settings_of
from tests.stores import EP, binding
from tests.unit.api.test_jobs import add_run

STARTED = dg.DagsterRunStatus.STARTED
JOB = "00000000-0000-4000-8000-000000000002"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_of(tmp_path / "data")


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with open_instance(settings.dagster_home) as instance:
        yield instance


@pytest.fixture
def twin(settings: Settings, instance: dg.DagsterInstance) -> str:
    """A job that works on the run `same`: its process is this one."""
    stores = Stores.open(settings.data_root)
    stores.runs.reserve(EP, binding(), "same")
    job_id = add_run(instance, status=STARTED, run_id="same")
    stores.attempts.claim(EP, "same", job_id, ProcessIdentity.current(), lambda _: False)
    return job_id


def execute(settings: Settings, instance: dg.DagsterInstance, run_id: str) -> None:
    """Do what the process of a job does that the queue has let out."""
    add_episode(instance, EP)
    with without_beta_warnings():
        job = build_definitions(settings).resolve_job_def(EPISODE_JOB)
        job.execute_in_process(
            instance=instance,
            partition_key=EP,
            raise_on_error=False,
            asset_selection=[dg.AssetKey("shots")],
            run_id=JOB,
            tags={RUN_ID_TAG: run_id},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )


def test_a_job_whose_run_its_twin_works_on_ends_failed_and_says_who_does(
    settings: Settings,
    instance: dg.DagsterInstance,
    twin: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bound: Any = binding()
    monkeypatch.setattr(
        resources,
        "bind_inputs",
        lambda *_: Bound(bound, bound.settings, pack=None),  # type: ignore[arg-type]
    )
    stores = Stores.open(settings.data_root)
    views = JobViews(instance, stores)

    execute(settings, instance, "same")
    Following(instance, stores, views).look()
    ended, other = (json.loads(views.load(job_id)) for job_id in (JOB, twin))

    assert (ended["state"], ended["run_id"], ended["summary"]) == ("failed", "same", None)
    assert twin in ended["error"], "it says who has the run"
    assert ended["ended_at"] is not None
    assert other["state"] == "running", "which goes on undisturbed"
    assert [a.dagster_run_id for a in stores.attempts.list(EP, "same")] == [twin]
    current = stores.ledger.log.state(EP, "same").current
    assert current is not None
    assert current.dagster_run_id == twin
