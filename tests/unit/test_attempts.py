"""One attempt owns a run; a dead one is replaced, a living one is not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from screenalytics_core import processes
from screenalytics_core.attempts import (
    AttemptRecord,
    ProcessIdentity,
    pid_started_s,
    process_is_alive,
)
from screenalytics_core.errors import AttemptSupersededError, RunBusyError, RunNotFoundError
from tests.stores import EP, PROCESS, Stores, binding, race, take_over_and_publish, try_to_claim

ELSEWHERE = replace(PROCESS, host="other")
OTHER_BOOT = replace(PROCESS, boot_id="later")
OTHER_NAMESPACE = replace(PROCESS, pid_namespace="pid:[2]")


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    stores = Stores(tmp_path / "data")
    stores.runs.reserve(EP, binding(), "r1")
    return stores


def test_the_first_claim_is_attempt_one_and_is_on_disk(stores: Stores) -> None:
    attempt = stores.claim("r1", "dagster-1")

    assert (attempt.n, attempt.dagster_run_id, attempt.process) == (1, "dagster-1", PROCESS)
    assert attempt.claimed_at == "2026-01-02T03:04:05.000000+00:00"
    assert stores.attempts.newest(EP, "r1") == attempt
    assert stores.attempts.find(EP, "r1", "dagster-1") == attempt
    assert stores.attempts.find(EP, "r1", "other") is None


def test_claiming_again_gives_the_same_attempt(stores: Stores) -> None:
    first = stores.claim("r1", "dagster-1")

    assert stores.claim("r1", "dagster-1", alive=True) == first
    assert len(stores.attempts.list(EP, "r1")) == 1


def test_a_living_attempt_is_named_in_the_refusal(stores: Stores) -> None:
    stores.claim("r1", "dagster-1")

    with pytest.raises(RunBusyError) as raised:
        stores.claim("r1", "dagster-2", alive=True)

    assert "attempt 1 (Dagster run dagster-1) is running as process 42 on host" in str(raised.value)
    assert raised.value.dagster_run_id == "dagster-1"


def test_a_dead_attempt_is_replaced(stores: Stores) -> None:
    stores.claim("r1", "dagster-1")

    assert stores.claim("r1", "dagster-2").n == 2


def test_an_orphan_of_an_earlier_attempt_does_not_get_the_run_back(stores: Stores) -> None:
    stores.claim("r1", "dagster-1")
    stores.claim("r1", "dagster-2")

    with pytest.raises(AttemptSupersededError, match="attempt 2 owns it now"):
        stores.claim("r1", "dagster-1")


def test_only_a_reserved_run_is_claimed(stores: Stores) -> None:
    with pytest.raises(RunNotFoundError, match="is not reserved"):
        stores.claim("r2", "dagster-1")


def test_a_claim_removes_what_a_dead_process_left_unfinished(stores: Stores) -> None:
    staged = stores.storage.stage(f"manifests/{EP}/runs/r1/faces.jsonl", b"x")
    own = staged.temp_path.name.split("-")
    staged.temp_path.rename(staged.temp_path.with_name("-".join([own[0], "999999999", *own[2:]])))

    stores.claim("r1", "dagster-1")

    assert stores.leftovers() == []


def test_of_eight_processes_one_claims(tmp_path: Path, stores: Stores) -> None:
    won = race(try_to_claim, [(stores.root, "r1", f"dagster-{i}") for i in range(8)])

    assert sorted(won, key=str) == [1, *[None] * 7]
    assert len(stores.attempts.list(EP, "r1")) == 1


def test_of_many_that_take_over_only_the_owner_at_the_time_publishes(stores: Stores) -> None:
    outcomes = race(take_over_and_publish, [(stores.root, "r1", f"d-{i}") for i in range(8)])

    assert sorted(n for n, _ in outcomes) == list(range(1, 9))
    assert dict(outcomes)[8]
    entry = next(iter(stores.artifacts.manifest(EP, "r1").entries.values()))
    assert entry.attempt == 8
    assert entry.files[0].rows == 8
    assert stores.leftovers() == []


def test_the_exclusive_file_guards_where_locks_do_not_hold(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores.claim("r1", "dagster-1")
    seen = stores.attempts.list
    monkeypatch.setattr(stores.attempts, "list", lambda *_: ())

    with pytest.raises(RunBusyError, match="dagster-1"):
        stores.claim("r1", "dagster-2")

    assert len(seen(EP, "r1")) == 1


def test_a_heartbeat_ages_until_the_next_beat(stores: Stores) -> None:
    attempt = stores.claim("r1", "dagster-1")
    stores.clock.pass_s(25)
    assert stores.attempts.heartbeat_age_s(attempt) == 25

    stores.attempts.beat(attempt)
    assert stores.attempts.heartbeat_age_s(attempt) == 0


def test_without_a_beat_the_claim_counts(stores: Stores) -> None:
    attempt = stores.claim("r1", "dagster-1")
    stores.storage.delete(f"manifests/{EP}/runs/r1/attempts/0001.heartbeat")
    stores.clock.pass_s(7)

    assert stores.attempts.heartbeat_age_s(attempt) == 7


def test_the_ten_thousandth_attempt_is_the_newest(stores: Stores) -> None:
    stores.claim("r1", "dagster-1")
    text = stores.storage.read_bytes(f"manifests/{EP}/runs/r1/attempts/0001.json")
    for n in (9999, 10000):
        more = text.replace(b'"n": 1', b'"n": %d' % n)
        stores.storage.write_atomic(f"manifests/{EP}/runs/r1/attempts/{n:04d}.json", more)

    newest = stores.attempts.newest(EP, "r1")
    assert isinstance(newest, AttemptRecord)
    assert newest.n == 10000
    assert stores.claim("r1", "dagster-2").n == 10001


@pytest.mark.parametrize(
    ("process", "age_s", "started_s", "alive"),
    [
        pytest.param(PROCESS, None, 1000.0, True, id="its pid lives"),
        pytest.param(PROCESS, None, 1000.01, True, id="start times are counted in ticks"),
        pytest.param(PROCESS, 0.0, None, False, id="its pid is gone, a fresh beat or not"),
        pytest.param(PROCESS, 0.0, 5000.0, False, id="its pid was given to another process"),
        pytest.param(PROCESS, 999.0, 1000.0, True, id="it lives though it does not beat"),
        pytest.param(ELSEWHERE, 59.0, 1000.0, True, id="elsewhere it beats"),
        pytest.param(ELSEWHERE, 60.0, 1000.0, False, id="elsewhere it stopped beating"),
        pytest.param(ELSEWHERE, None, 1000.0, False, id="elsewhere it never beat"),
        pytest.param(OTHER_BOOT, 61.0, 1000.0, False, id="before a reboot the pid says nothing"),
        pytest.param(OTHER_NAMESPACE, 5.0, None, True, id="in another container neither"),
    ],
)
def test_whether_a_process_lives(
    process: ProcessIdentity, age_s: float | None, started_s: float | None, alive: bool
) -> None:
    assert process_is_alive(process, age_s, PROCESS, lambda _: started_s) is alive


def test_this_process_lives_and_an_ended_one_does_not() -> None:
    me = ProcessIdentity.current()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    its_start = pid_started_s(child.pid)
    assert its_start is not None
    its = replace(me, pid=child.pid, started_s=its_start)
    assert process_is_alive(its, None, me, pid_started_s)

    child.kill()
    child.wait()

    assert me.pid == os.getpid()
    assert process_is_alive(me, None, me, pid_started_s)
    assert not process_is_alive(its, None, me, pid_started_s)


def test_a_zombie_does_not_live() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    try:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, but not yet waited for
        assert pid_started_s(child.pid) is None
    finally:
        child.wait()


def test_an_identity_is_known_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_BOOT_ID", Path("/nowhere"))
    monkeypatch.setattr(processes, "_PID_NAMESPACE", Path("/nowhere"))

    me = ProcessIdentity.current()

    assert me.boot_id == f"{psutil.boot_time():.0f}"
    assert me.pid_namespace == ""


@pytest.mark.skipif(sys.platform != "linux", reason="the boot clock is Linux's")
def test_a_process_start_is_told_by_a_clock_that_nobody_sets() -> None:
    age_s = time.time() - psutil.Process().create_time()
    started_s = pid_started_s(os.getpid())

    assert started_s is not None
    assert time.clock_gettime(time.CLOCK_BOOTTIME) - started_s == pytest.approx(age_s, abs=2.0)
