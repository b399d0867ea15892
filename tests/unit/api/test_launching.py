"""Jobs on their way into Dagster's queue, and what a failure on the way leaves."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._daemon.types import DaemonHeartbeat

from screenalytics_assets import engine
from screenalytics_assets.api import launching
from screenalytics_assets.api.code_server import CodeServer
from screenalytics_assets.api.following import Following
from screenalytics_assets.api.idempotency import earlier
from screenalytics_assets.api.job_view import JobViews
from screenalytics_assets.api.launching import DagsterLauncher, Launch, Work
from screenalytics_assets.api.waiting import WaitingRoom
from screenalytics_assets.binding import Bound
from screenalytics_assets.instance import open_instance, prepare_dagster_home
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core import layout
from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.errors import DaemonMissingError, ModelInstallError, StorageError
from tests.api_reading import settings_of
from tests.stores import EP, binding
from tests.unit.api.test_jobs import add_run

OWN_MODELS = EpisodeRunConfig.from_mapping({"models": "/models"}, profile="balanced")
QUEUED, CREATED = dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED


@pytest.fixture(scope="module")
def new_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_dagster_home(tmp_path_factory.mktemp("new") / "home")


@pytest.fixture
def settings(tmp_path: Path, new_home: Path) -> Settings:
    shutil.copytree(new_home, tmp_path / "data" / ".dagster")
    return settings_of(tmp_path / "data")


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with open_instance(settings.dagster_home) as instance:
        yield instance


@pytest.fixture
def stores(settings: Settings) -> Stores:
    return Stores.open(settings.data_root)


class LostCodeServer:
    """It answers once, then it is gone."""

    def __init__(self) -> None:
        self.asked = 0

    def planned(self, *_: Any) -> None:
        self.asked += 1
        if self.asked > 1:
            raise DaemonMissingError(thing="code server", reason="does not answer")


@pytest.fixture
def launcher(
    settings: Settings,
    stores: Stores,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> DagsterLauncher:
    """A launcher that has all it needs to reserve a run, and loses its code server then."""
    for daemon in ("SENSOR", "QUEUED_RUN_COORDINATOR"):
        instance.add_daemon_heartbeat(DaemonHeartbeat(time.time(), daemon, None, []))
    bound: Any = binding()
    monkeypatch.setattr(
        launching,
        "bind_inputs",
        lambda *_: Bound(bound, bound.settings, pack=None),  # type: ignore[arg-type]
    )
    launcher = DagsterLauncher(settings, stores, instance)
    monkeypatch.setattr(launcher, "_code", LostCodeServer())
    return launcher


def test_a_run_that_no_job_came_of_is_given_back(launcher: DagsterLauncher, stores: Stores) -> None:
    with pytest.raises(DaemonMissingError):
        launcher.submit(Work(EP, OWN_MODELS))

    assert stores.runs.list_run_ids(EP) == ()
    assert stores.storage.list_folders(layout.runs_prefix(EP)) == ()


@pytest.mark.parametrize("run_id", [None, "mine"])
def test_a_run_whose_episode_cannot_be_announced_is_not_reserved(
    launcher: DagsterLauncher, stores: Stores, monkeypatch: pytest.MonkeyPatch, run_id: str | None
) -> None:
    def full(*_: Any) -> None:
        raise StorageError(thing="DAGSTER_HOME", reason="is full")

    monkeypatch.setattr(engine, "add_episode", full)
    with pytest.raises(StorageError):
        launcher.submit(Work(EP, OWN_MODELS, launch=Launch(run_id=run_id)))

    assert stores.storage.list_folders(layout.runs_prefix(EP)) == ()


@pytest.mark.parametrize("models", ["auto", "lite"])
def test_a_request_installs_no_models(launcher: DagsterLauncher, models: str) -> None:
    config = EpisodeRunConfig.from_mapping({"models": models}, profile="balanced")

    with pytest.raises(ModelInstallError, match="screenalytics models install lite"):
        launcher.submit(Work(EP, config))


def test_a_run_that_was_there_before_stays(launcher: DagsterLauncher, stores: Stores) -> None:
    stores.runs.reserve(EP, binding(), "mine")

    with pytest.raises(DaemonMissingError):
        launcher.submit(Work(EP, OWN_MODELS, launch=Launch(run_id="mine")))

    assert stores.runs.list_run_ids(EP) == ("mine",)


def test_a_request_that_is_repeated_queues_what_was_only_created(
    instance: dg.DagsterInstance,
) -> None:
    job_id = add_run(instance, status=CREATED, digest="d")

    before = earlier(instance, job_id, "d")

    assert before is not None
    assert status_of(instance, job_id) is QUEUED


@pytest.mark.parametrize(("age_s", "status"), [(1000.0, QUEUED), (-1000.0, CREATED)])
def test_what_was_created_some_time_ago_is_queued_by_the_next_look(
    instance: dg.DagsterInstance, stores: Stores, age_s: float, status: dg.DagsterRunStatus
) -> None:
    job_id = add_run(instance, status=CREATED)
    views = JobViews(instance, stores)

    Following(instance, stores, views, clock=lambda: time.time() + age_s).look()

    assert status_of(instance, job_id) is status


def status_of(instance: dg.DagsterInstance, job_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(job_id)
    assert run is not None
    return run.status


def test_who_waits_for_the_code_server_holds_nobody_up(
    instance: dg.DagsterInstance, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = CodeServer(instance, settings.dagster_home, WaitingRoom("somebody"))
    held: list[bool] = []

    def nobody(_: CodeServer) -> str:
        held.append(code._lock.locked())
        raise DaemonMissingError(thing="code server", reason="is not there")

    monkeypatch.setattr(CodeServer, "_socket", nobody)
    with pytest.raises(DaemonMissingError):
        code.planned(("shots",), {})

    assert held == [False]
