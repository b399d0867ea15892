"""Locks and logs in a bucket: many writers, writers that are killed, paused or cut off."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from screenalytics_core.errors import StorageError
from screenalytics_core.storage import s3_lock, s3_log
from screenalytics_core.storage.s3 import S3Storage
from screenalytics_core.storage.s3_turn import FRESH_S, Turn
from tests.ledger_writers import start
from tests.storage_backends import (
    Backend,
    append_lines,
    create_once,
    hold_for_ever,
    lock_once,
)
from tests.stores import race

LOG = "f/events.jsonl"


def objects(backend: Backend, start: str) -> list[str]:
    assert backend.server is not None
    prefix = f"{backend.prefix}/{start}"
    listed = backend.server.client().list_objects_v2(Bucket=backend.bucket, Prefix=prefix)
    return [item["Key"].removeprefix(prefix) for item in listed.get("Contents", ())]


def wait_until(is_so: Any, within_s: float = 60.0) -> None:
    end_s = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < end_s, "it did not come about"
        time.sleep(0.05)


# --- races ---------------------------------------------------------------------------------------


@pytest.mark.s3_rgw
def test_of_sixteen_processes_one_creates(s3_of_ceph: Backend) -> None:
    won = race(create_once, [(s3_of_ceph, "f/a", bytes([i]) * 1000) for i in range(16)])

    assert won.count(True) == 1
    assert s3_of_ceph.open().read_bytes("f/a") == bytes([won.index(True)]) * 1000


@pytest.mark.s3_rgw
def test_eight_processes_that_append_without_a_lock_lose_nothing(s3_of_ceph: Backend) -> None:
    race(append_lines, [(s3_of_ceph, LOG, f"writer {i}", 50) for i in range(8)])

    lines = s3_of_ceph.open().read_bytes(LOG).decode().splitlines()

    assert sorted(lines) == sorted(f"writer {i} line {n}" for i in range(8) for n in range(50))
    for i in range(8):
        own = [line for line in lines if line.startswith(f"writer {i} ")]
        assert own == [f"writer {i} line {n}" for n in range(50)]


def test_threads_that_append_lose_nothing(s3: Backend) -> None:
    storages = [s3.open() for _ in range(4)]

    def write(i: int) -> None:
        for n in range(10):
            storages[i].append(LOG, f"writer {i} line {n}\n".encode())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))

    lines = s3.open().read_bytes(LOG).decode().splitlines()
    assert sorted(lines) == sorted(f"writer {i} line {n}" for i in range(4) for n in range(10))


# --- logs ----------------------------------------------------------------------------------------


def test_many_parts_become_one_and_read_the_same(
    s3: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_log, "_MERGED_FROM", 4)
    monkeypatch.setattr(s3_log, "FORGOTTEN_S", -5)
    storage, reader = s3.open(), s3.open()
    lines = [f"line {n}\n".encode() for n in range(1, 12)]
    for n, line in enumerate(lines, start=1):
        storage.append(LOG, line)
        assert reader.read_bytes(LOG) == b"".join(lines[:n])

    assert objects(s3, f"{LOG}.parts/") == [
        "0000000001-0000000008",
        "0000000009",
        "0000000010",
        "0000000011",
    ]
    assert s3.open().read_bytes(LOG) == b"".join(lines)
    assert reader.size(LOG) == len(b"".join(lines))


def test_single_parts_stay_while_a_writer_may_still_be_at_their_numbers(
    s3: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_log, "_MERGED_FROM", 2)
    storage = s3.open()
    for n in range(2):
        storage.append(LOG, f"{n}\n".encode())

    assert objects(s3, f"{LOG}.parts/") == ["0000000001", "0000000001-0000000002", "0000000002"]
    assert storage.read_bytes(LOG) == b"0\n1\n"


def test_a_reader_meets_a_merge_between_listing_and_reading(
    s3: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_log, "_MERGED_FROM", 2)
    monkeypatch.setattr(s3_log, "FORGOTTEN_S", -5)
    storage, reader = s3.open(), s3.open_s3()
    storage.append(LOG, b"1\n")
    join = reader._logs._join

    def merged_meanwhile(view: Any) -> bytes:
        monkeypatch.setattr(reader._logs, "_join", join)
        storage.append(LOG, b"2\n")
        return join(view)

    monkeypatch.setattr(reader._logs, "_join", merged_meanwhile)

    assert reader.read_bytes(LOG) == b"1\n2\n"


def test_parts_are_asked_for_once(s3: Backend) -> None:
    writer, reader = s3.open(), s3.open_s3()
    for n in range(3):
        writer.append(LOG, f"{n}\n".encode())
    reader.read_bytes(LOG)
    calls: list[str] = []
    events = reader._bucket.client.meta.events
    events.register("before-call.s3", lambda model, **_: calls.append(model.name))

    writer.append(LOG, b"3\n")

    assert reader.read_bytes(LOG) == b"0\n1\n2\n3\n"
    assert calls == ["ListObjectsV2", "GetObject"]


def test_a_missing_part_is_named_and_not_read_over(s3: Backend) -> None:
    storage = s3.open()
    for n in range(3):
        storage.append(LOG, f"{n}\n".encode())
    assert s3.server is not None
    gone = f"{s3.prefix}/{LOG}.parts/0000000002"
    s3.server.client().delete_object(Bucket=s3.bucket, Key=gone)

    with pytest.raises(StorageError, match="its part 2 is missing"):
        s3.open().read_bytes(LOG)


def test_a_log_that_is_replaced_or_deleted_starts_anew(s3: Backend) -> None:
    storage, other = s3.open(), s3.open()
    storage.append(LOG, b"old\n")
    other.append(LOG, b"old\n")
    storage.write_atomic(LOG, b"new\n")
    assert other.read_bytes(LOG) == b"new\n"
    other.append(LOG, b"newer\n")
    storage.append(LOG, b"newest\n")
    assert storage.read_bytes(LOG) == other.read_bytes(LOG) == b"new\nnewer\nnewest\n"

    storage.delete(LOG)
    assert not other.exists(LOG)
    assert other.list("f") == ()
    storage.append(LOG, b"again\n")
    assert other.read_bytes(LOG) == b"again\n"


def test_only_logs_are_appended_to(s3: Backend) -> None:
    with pytest.raises(ValueError, match="not one of the logs"):
        s3.open().append("f/detections.jsonl", b"line\n")


@pytest.fixture
def lingering(s3: Backend) -> Iterator[S3Storage]:
    """Open a storage whose locks stay with it until it is told otherwise."""
    storage = s3.open_s3(linger_s=3600)
    yield storage
    storage._locks._late.flush()


# --- locks ---------------------------------------------------------------------------------------


def test_the_lock_of_a_killed_process_is_taken_over_at_once(s3: Backend) -> None:
    holder = start(hold_for_ever, (s3, "a"))
    wait_until((s3.folder / "held").exists)
    storage = s3.open(lock_timeout_s=0.2)
    with pytest.raises(StorageError, match="held by somebody else"), storage.lock("a"):
        pass

    holder.kill()
    holder.join()
    with s3.open(lock_timeout_s=10).lock("a"):
        pass


def test_a_lock_of_another_machine_is_taken_over_when_it_was_not_heard_of(
    s3: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = s3.open_s3(lease_s=1.0)
    monkeypatch.setattr(s3_lock.LeaseLocks, "_owner_is_gone", lambda self, newest: False)
    # A machine that is switched off: nobody renews, nobody releases.
    monkeypatch.setattr(gone._locks._keeper, "add", lambda lease: None)
    gone._locks._acquire("a", Turn(), time.monotonic() + 5)

    storage = s3.open(lock_timeout_s=30, lease_s=1.0)
    with storage.lock("a"):
        storage.write_atomic("a", b"taken over")

    assert storage.read_bytes("a") == b"taken over"


def test_a_lock_is_kept_for_longer_than_its_lease(s3: Backend) -> None:
    storage, other = s3.open(lease_s=1.5), s3.open(lease_s=1.5, lock_timeout_s=6.0)
    with storage.lock("a"):
        with pytest.raises(StorageError, match="held by somebody else"), other.lock("a"):
            pass
        storage.write_atomic("a", b"still ours")

    with other.lock("a"):
        assert other.read_bytes("a") == b"still ours"


def test_a_holder_that_was_paused_may_not_publish_after_it_was_superseded(
    s3: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused = s3.open_s3(lease_s=1.0, linger_s=0)
    # Its threads stand still: nothing is renewed.
    monkeypatch.setattr(paused._locks._keeper, "add", lambda lease: None)
    monkeypatch.setattr(paused._locks._keeper, "drop", lambda lease: None)
    monkeypatch.setattr(s3_lock.LeaseLocks, "_owner_is_gone", lambda self, newest: False)
    next_one = s3.open(lock_timeout_s=30, lease_s=1.0)
    staged = paused.stage("a", b"of the paused one")

    with paused.lock("a"):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(write_under_lock, next_one, "a", b"of the next one").result()
        for publish in (
            lambda: paused.commit(staged),
            lambda: paused.write_atomic("a", b"of the paused one"),
            lambda: paused.append(LOG, b"of the paused one\n"),
            lambda: paused.create_exclusive("b", b"of the paused one"),
            lambda: paused.delete("a"),
            lambda: paused.link_or_copy("a", "b"),
        ):
            with pytest.raises(StorageError, match="somebody else may hold the lock"):
                publish()

    assert next_one.read_bytes("a") == b"of the next one"
    assert not next_one.exists("b")
    assert not next_one.exists(LOG)
    with paused.lock("a"):
        paused.write_atomic("a", b"it may again")


def write_under_lock(storage: Any, key: str, data: bytes) -> None:
    with storage.lock(key):
        storage.write_atomic(key, data)


def test_another_thread_of_the_holder_is_not_held_back(s3: Backend) -> None:
    storage = s3.open()
    with storage.lock("a"):
        thread = threading.Thread(target=storage.write_atomic, args=("b", b"1"))
        thread.start()
        thread.join()

    assert storage.read_bytes("b") == b"1"


def test_a_lock_that_is_wanted_again_at_once_costs_no_request(
    s3: Backend, lingering: S3Storage
) -> None:
    calls: list[str] = []
    with lingering.lock("a"):
        pass
    events = lingering._bucket.client.meta.events
    events.register("before-call.s3", lambda model, **_: calls.append(model.name))
    for _ in range(3):
        with lingering.lock("a"):
            pass

    assert calls == []
    refused = pytest.raises(StorageError, match="held by somebody else")
    with refused, s3.open(lock_timeout_s=0.2).lock("a"):
        pass


def test_a_lock_that_lingered_is_released_although_nobody_asks_again(s3: Backend) -> None:
    storage = s3.open_s3(linger_s=0.2)
    with storage.lock("a"):
        pass
    with s3.open(lock_timeout_s=5).lock("a"):
        assert objects(s3, ".locks/a/") == ["000000000001", "000000000002"]


def test_a_lock_that_was_held_for_longer_than_it_lingers_is_released(s3: Backend) -> None:
    storage = s3.open_s3(linger_s=0.05)
    for n in range(1, 4):
        with storage.lock("a"):
            time.sleep(0.1)
        with s3.open_s3(lock_timeout_s=5, linger_s=0).lock("a"):
            assert objects(s3, ".locks/a/")[-1] == f"{2 * n:012d}"


def test_old_numbers_that_cannot_be_removed_are_in_nobodys_way(
    s3: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> None:
        raise StorageError(thing="a", reason="access denied", way_out="Allow it.")

    monkeypatch.setattr(s3_lock, "_TIDIED_EVERY", 1)
    monkeypatch.setattr(s3_lock.LeaseLocks, "_tidy", refused)
    for _ in range(3):
        with s3.open_s3(lock_timeout_s=5, linger_s=0).lock("a"):
            pass


def test_who_takes_a_lock_over_and_over_leaves_it_to_others_now_and_then(s3: Backend) -> None:
    greedy, has_it = s3.open(), threading.Event()

    def take_over_and_over() -> None:
        while not has_it.is_set():
            with greedy.lock("a"):
                pass

    with ThreadPoolExecutor(1) as pool:
        taking = pool.submit(take_over_and_over)
        try:
            with s3.open().lock("a"):
                has_it.set()
        finally:
            has_it.set()
        taking.result()


def test_a_process_that_ends_releases_what_lingers(
    s3: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = start(lock_once, (s3, "a", 3600.0))
    holder.join()

    assert holder.exitcode == 0
    # As it looks to another machine, which knows nothing of that process.
    monkeypatch.setattr(s3_lock.LeaseLocks, "_owner_is_gone", lambda self, newest: False)
    with s3.open_s3(lock_timeout_s=0.2, linger_s=0).lock("a"):
        assert objects(s3, ".locks/a/") == ["000000000001", "000000000002"]


def test_a_lock_that_was_lost_while_it_lingered_is_taken_anew(
    s3: Backend, lingering: S3Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lingering.lock("a"):
        [hold] = lingering._locks.held()
    monkeypatch.setattr(hold.lease, "_valid_until_s", float("-inf"))
    monkeypatch.setattr(s3_lock.LeaseLocks, "_is_free", lambda self, newest, listing: True)

    with lingering.lock("a"):
        lingering.write_atomic("a", b"1")

    assert objects(s3, ".locks/a/") == ["000000000001", "000000000002"]


def test_what_was_seen_while_a_lock_was_held_counts_no_more_once_it_was_let_go(
    s3: Backend, lingering: S3Storage
) -> None:
    other = s3.open()
    lingering.append(LOG, b"1\n")
    with lingering.lock("a"):
        lingering.read_bytes(LOG)
    other.append(LOG, b"2\n")
    with lingering.lock("a"):
        lingering.append(LOG, b"3\n")

    assert other.read_bytes(LOG) == b"1\n2\n3\n"


def test_a_lock_costs_two_requests_and_its_objects_do_not_pile_up(
    s3: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_lock, "_TIDIED_EVERY", 4)
    monkeypatch.setattr(s3_lock, "FORGOTTEN_S", -5)
    storage = s3.open_s3(linger_s=0)
    with storage.lock("f/a"):
        pass
    calls: list[str] = []
    events = storage._bucket.client.meta.events
    events.register("before-call.s3", lambda model, **_: calls.append(model.name))
    with storage.lock("f/a"):
        pass
    assert calls == ["PutObject", "PutObject"]

    for _ in range(7):
        with storage.lock("f/a"):
            pass
    assert objects(s3, ".locks/f/a/") == ["000000000008", "000000000009"]
    with s3.open(lock_timeout_s=5).lock("f/a"):
        pass
    assert objects(s3, ".locks/f/a/")[-1] == "000000000010"


def test_what_was_learned_long_ago_is_asked_anew(
    s3: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_lock, "_TIDIED_EVERY", 1)
    monkeypatch.setattr(s3_lock, "FORGOTTEN_S", -5)
    slept, other = (
        s3.open_s3(lock_timeout_s=0.2, linger_s=0),
        s3.open(lock_timeout_s=0.2, linger_s=0),
    )
    with slept.lock("a"):
        pass
    for _ in range(3):
        with other.lock("a"):
            pass
    slept._locks._turns["a"].free_at_s -= 2 * FRESH_S

    # Number 2 is free again, since it was removed; it must not be taken for the lock.
    refused = pytest.raises(StorageError, match="held by somebody else")
    with other.lock("a"), refused, slept.lock("a"):
        pass


def test_a_highest_number_that_somebody_removed_does_not_let_two_hold_the_lock(
    s3: Backend,
) -> None:
    first, second = (
        s3.open_s3(lock_timeout_s=0.2, linger_s=0),
        s3.open_s3(lock_timeout_s=0.2, linger_s=0),
    )
    for _ in range(3):
        with first.lock("a"):
            pass
    folder = f"{s3.prefix}/.locks/a/"
    first._bucket.delete([f"{folder}000000000002", f"{folder}000000000003"])
    refused = pytest.raises(StorageError, match="held by somebody else")
    with second.lock("a"):
        assert objects(s3, ".locks/a/") == ["000000000001", "000000000002"]
        first._locks._turns["a"].free_at_s -= 2 * FRESH_S
        with refused, first.lock("a"):
            pass


def test_a_lock_folder_that_was_deleted_while_nobody_held_it_begins_anew(s3: Backend) -> None:
    old = s3.open_s3(lock_timeout_s=0.2, linger_s=0)
    for _ in range(3):
        with old.lock("a"):
            pass
    old._bucket.delete([f"{s3.prefix}/.locks/a/{name}" for name in objects(s3, ".locks/a/")])
    old._locks._turns["a"].free_at_s -= 2 * FRESH_S

    refused = pytest.raises(StorageError, match="held by somebody else")
    with s3.open(linger_s=0).lock("a"), refused, old.lock("a"):
        pass
    with old.lock("a"):
        assert objects(s3, ".locks/a/") == ["000000000001", "000000000002"]


def test_whoever_knows_the_lock_goes_on_after_its_folder_was_deleted(s3: Backend) -> None:
    storage = s3.open_s3(linger_s=0)
    with storage.lock("a"):
        pass
    storage._bucket.delete([f"{s3.prefix}/.locks/a/000000000001"])
    refused = pytest.raises(StorageError, match="held by somebody else")
    with storage.lock("a"), refused, s3.open(lock_timeout_s=0.2, linger_s=0).lock("a"):
        pass


def test_a_number_that_was_taken_by_a_machine_that_slept_is_released_and_stays(
    s3: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = s3.open_s3(lock_timeout_s=5, linger_s=0)
    begin = s3_lock.Lease.begin

    def sleeping(lease: s3_lock.Lease) -> bool:
        monkeypatch.setattr(s3_lock.Lease, "begin", begin)
        has_begun = begin(lease)
        storage._locks._turns["a"].free_at_s -= 2 * FRESH_S
        return has_begun

    monkeypatch.setattr(s3_lock.Lease, "begin", sleeping)
    with storage.lock("a"):
        assert objects(s3, ".locks/a/") == ["000000000001", "000000000002"]


def test_a_storage_is_opened_without_asking_the_server(s3: Backend) -> None:
    assert s3.server is not None
    client = s3.server.client()
    calls: list[str] = []
    client.meta.events.register("before-call.s3", lambda model, **_: calls.append(model.name))

    S3Storage(client, s3.root)

    assert calls == []
