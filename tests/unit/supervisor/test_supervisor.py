"""What a supervisor keeps alive, and who may share it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from screenalytics_assets.cli.api import check_host
from screenalytics_assets.supervisor.children import Child
from screenalytics_assets.supervisor.lease import Lease
from screenalytics_assets.supervisor.place import Client, Pid, Place, Record
from screenalytics_core.errors import ServerRunningError, SettingsError
from tests.api_reading import settings_of

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def dead() -> Pid:
    process = subprocess.Popen([sys.executable, "-c", ""])
    pid = Pid.of(process.pid)
    process.wait()
    return pid


def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    child = Child("sleeper", SLEEP, tmp_path / "log", known=None)
    assert child.keep()
    first = child.pid
    assert not child.keep(), "it runs"
    child.signal(signal.SIGKILL)
    wait_for(lambda: not child.is_alive())

    wait_for(child.keep)

    assert child.pid != first
    child.signal(signal.SIGKILL)


def test_a_child_of_a_killed_supervisor_is_taken_over(tmp_path: Path) -> None:
    before = Child("sleeper", SLEEP, tmp_path / "log", known=None)
    before.keep()

    after = Child("sleeper", SLEEP, tmp_path / "log", known=before.pid)

    assert not after.keep()
    assert after.pid == before.pid
    after.signal(signal.SIGKILL)


def test_a_pid_that_was_given_to_another_process_is_not_taken_over(tmp_path: Path) -> None:
    me = Pid.of(os.getpid())
    other = replace(me, started_s=me.started_s - 100.0)

    assert me.is_alive()
    assert not other.is_alive()
    assert Child("sleeper", SLEEP, tmp_path / "log", known=other).pid is None


def test_runs_yield_to_those_who_wait_for_an_answer(tmp_path: Path) -> None:
    child = Child("sleeper", SLEEP, tmp_path / "log", known=None, niceness=5)
    child.keep()
    assert child.pid is not None

    niceness = psutil.Process(child.pid.pid).nice()
    session = Path(f"/proc/{child.pid.pid}/autogroup")
    of_session = session.read_text().split()[-1] if session.exists() else niceness
    child.signal(signal.SIGKILL)

    assert niceness == min(psutil.Process().nice() + 5, 19)
    assert int(of_session) == niceness


def test_servers_that_died_are_not_counted(tmp_path: Path) -> None:
    place = Place(tmp_path)
    alive = Client("api", Pid.of(os.getpid()), "http://127.0.0.1:8000")
    place.write_client(alive)
    place.write_client(Client("dev", dead(), "http://127.0.0.1:3000"))

    assert place.clients() == [alive]


def test_a_second_server_of_a_kind_is_told_where_the_first_one_is(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    place = Place(settings.dagster_home)
    place.write_client(Client("api", Pid.of(os.getpid()), "http://127.0.0.1:8000"))

    with place.lock("api"), pytest.raises(ServerRunningError) as raised:
        Lease(settings, "api", "http://127.0.0.1:8001").__enter__()

    assert f"already at http://127.0.0.1:8000 (process {os.getpid()})" in raised.value.reason


def test_a_supervisor_of_another_data_root_is_not_shared(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "mine")
    place = Place(settings.dagster_home)
    place.write_record(Record(Pid.of(os.getpid()), str(tmp_path / "other"), "socket", {}))

    with pytest.raises(ServerRunningError, match="works over the data root"):
        Lease(settings, "dev", "http://127.0.0.1:3000").__enter__()

    with place.lock("dev").acquire(blocking=False):
        assert place.clients() == [], "who was refused holds nothing"


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"process": {}}'])
def test_a_damaged_record_is_as_none(tmp_path: Path, damage: str) -> None:
    place = Place(tmp_path)
    (place.folder / "supervisor.json").write_text(damage)

    assert place.living() is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.0.1"])
def test_this_machine_alone_needs_no_token(tmp_path: Path, host: str) -> None:
    check_host(host, settings_of(tmp_path))


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.5", "example.org", "localhost.example"]
)
def test_others_are_let_in_with_a_token_only(tmp_path: Path, host: str) -> None:
    with pytest.raises(SettingsError, match="SCREENALYTICS_API_TOKEN"):
        check_host(host, settings_of(tmp_path))
    check_host(host, settings_of(tmp_path, token="t0p"))
