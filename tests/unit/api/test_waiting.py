"""Requests that wait for the code server or the daemon are few; the others come again later."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from screenalytics_assets.api import code_server, jobs, launching
from screenalytics_assets.api.code_server import CodeServer
from screenalytics_assets.api.launching import DagsterLauncher
from screenalytics_assets.api.waiting import WaitingRoom
from screenalytics_assets.stores import Stores
from screenalytics_assets.supervisor.place import Client, Pid, Place
from screenalytics_core.errors import DaemonMissingError
from tests.api_reading import KeptLauncher, client_of, settings_of
from tests.stores import EP

PLACES, ASKING = 2, 5


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def refusals(ask: Callable[[], Any]) -> list[DaemonMissingError]:
    """Let some ask at once; return how each was refused."""
    with ThreadPoolExecutor(ASKING) as pool:
        asked = [pool.submit(ask) for _ in range(ASKING)]
        errors = [one.exception() for one in asked]
    found = [error for error in errors if isinstance(error, DaemonMissingError)]
    assert len(found) == ASKING
    return found


def turned_away(errors: list[DaemonMissingError]) -> int:
    return sum("retry_after_s" in error.fields for error in errors)


def test_only_some_wait_for_a_code_server_that_is_being_started(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_server, "_PATIENCE_S", 0.5)
    place = Place(tmp_path)
    place.write_client(Client("api", Pid.of(os.getpid()), "http://localhost"))
    code = CodeServer(instance, tmp_path, WaitingRoom("request", PLACES))

    for _ in range(2):  # the places are free again afterwards
        assert turned_away(refusals(lambda: code.planned(("shots",), {}))) == ASKING - PLACES


def test_only_some_wait_for_a_code_server_that_is_slow(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_server, "_PATIENCE_S", 0.5)
    monkeypatch.setattr(code_server, "_BRIEFLY_S", 0.01)
    monkeypatch.setattr(CodeServer, "_socket", lambda _: "socket")
    code = CodeServer(instance, tmp_path, WaitingRoom("request", PLACES))
    answered = threading.Event()

    def slowly(*_: Any) -> None:
        answered.wait(60)
        raise DaemonMissingError(thing="code server", reason="gave up")

    monkeypatch.setattr(code, "_current", slowly)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(code.planned, ("shots",), {})
        while not code._lock.locked():
            pass
        errors = refusals(lambda: code.planned(("shots",), {}))
        answered.set()

    assert turned_away(errors) == ASKING - PLACES
    assert "gave up" in str(first.exception())


def test_only_some_wait_for_the_daemon(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "_PATIENCE_S", 0.5)
    launcher = DagsterLauncher(settings_of(tmp_path), Stores.open(tmp_path), instance)
    monkeypatch.setattr(launcher, "_waiting", WaitingRoom("request", PLACES))

    assert turned_away(refusals(launcher._await_daemon)) == ASKING - PLACES


def test_who_is_turned_away_is_told_when_to_come_again(tmp_path: Path) -> None:
    room = WaitingRoom("request", 1)
    with room.place(), pytest.raises(DaemonMissingError) as raised, room.place():
        pass
    queue = KeptLauncher(error=raised.value)

    with client_of(tmp_path, [jobs.router], queue) as client:
        answer = client.post("/jobs/episode-run", json={"ep_id": EP})

    assert (answer.status_code, answer.json()["code"]) == (503, "daemon_missing")
    assert int(answer.headers["Retry-After"]) > 0
