"""Writers whose requests arrive when somebody else holds the lock: they change nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from screenalytics_core import layout
from screenalytics_core.decision_log import DecisionLog
from screenalytics_core.decisions.records import Decision, Verb
from screenalytics_core.errors import StorageError
from screenalytics_core.storage.s3 import S3Storage
from tests.storage_backends import Backend

LOG = "f/events.jsonl"


def of_ceph(request: pytest.FixtureRequest) -> bool:
    """Tell whether the server cannot compare ETags."""
    return "ceph" in request.node.name


def decision(by: str) -> Decision:
    return Decision(0, "2026-01-01T00:00:00Z", by, "first", Verb.LABEL, cast_id="ana")


def lose_leases(storage: S3Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what this thread holds be over, without anybody having noticed but the clock."""
    for hold in storage._locks.held():
        monkeypatch.setattr(hold.lease, "_valid_until_s", float("-inf"))


def overtaken_by(
    storage: S3Storage, monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]
) -> None:
    """Let the next request that writes be on its way while its writer's lease ends and `do` runs.

    The check of the lease, just before the request was sent, saw nothing.
    """
    left = [do]

    def delay(request: Any, **_: Any) -> None:
        if left and "/.locks/" not in request.url:
            lose_leases(storage, monkeypatch)
            left.pop()()

    storage._bucket.client.meta.events.register("before-send.s3.PutObject", delay)


def test_a_decision_that_arrives_after_the_next_holders_is_refused_and_the_log_stays_whole(
    s3: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, log = s3.open_s3(lease_s=1.0), DecisionLog(s3.open())
    DecisionLog(late).append("ep", decision("first"))
    key = layout.decisions_key("ep")

    def next_holder() -> None:
        # As if it had taken the lock over.
        count = len(log.read("ep"))
        line = json.dumps(replace(decision("next"), sequence=count + 1).to_dict())
        s3.open().append(key, line.encode() + b"\n")

    with late.lock(key):
        overtaken_by(late, monkeypatch, next_holder)
        with pytest.raises(StorageError, match="somebody else may hold the lock"):
            DecisionLog(late).append("ep", decision("late"))

    assert [d.sequence for d in log.read("ep")] == [1, 2]
    assert DecisionLog(late).append("ep", decision("again")).sequence == 3
    assert len(log.read("ep")) == 3


def test_lines_are_added_right_after_what_was_read_under_the_lock_or_not_at_all(
    s3: Backend,
) -> None:
    holder, late = s3.open(), s3.open()
    holder.append(LOG, b"1\n")

    with holder.lock(LOG):
        assert holder.read_bytes(LOG) == b"1\n"
        late.append(LOG, b"of one who came late\n")
        for write in (holder.append, holder.write_atomic):
            with pytest.raises(StorageError, match="since it was read under the lock"):
                write(LOG, b"made from what was read\n")
        assert holder.read_bytes(LOG) == b"1\nof one who came late\n"
        holder.append(LOG, b"3\n")
        holder.append(LOG, b"4\n")

    assert late.read_bytes(LOG) == b"1\nof one who came late\n3\n4\n"


def test_what_a_reader_of_the_same_process_sees_is_not_what_the_holder_saw(s3: Backend) -> None:
    storage, other = s3.open(), s3.open()
    storage.append(LOG, b"1\n")

    with storage.lock(LOG):
        storage.read_bytes(LOG)
        other.append(LOG, b"2\n")
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(storage.read_bytes, LOG).result() == b"1\n2\n"
        with pytest.raises(StorageError, match="since it was read under the lock"):
            storage.append(LOG, b"made from 1\n")


def test_lines_made_from_nothing_that_was_read_go_behind_others(s3: Backend) -> None:
    storage, other = s3.open(), s3.open()
    with storage.lock("outer"):
        for n in range(3):
            with storage.lock(LOG):
                storage.append(LOG, f"{n}\n".encode())
            other.append(LOG, b"other\n")

    assert storage.read_bytes(LOG) == b"0\nother\n1\nother\n2\nother\n"


def test_lines_made_from_nothing_are_refused_too_once_the_lease_is_over(
    s3: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, other = s3.open_s3(), s3.open()
    late.append(LOG, b"1\n")
    with late.lock(LOG):
        overtaken_by(late, monkeypatch, lambda: other.append(LOG, b"2\n"))
        with pytest.raises(StorageError, match="somebody else may hold the lock"):
            late.append(LOG, b"late\n")

    assert other.read_bytes(LOG) == b"1\n2\n"


def test_a_file_that_arrives_after_the_next_holders_is_not_written(
    s3: Backend, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    for n, size in enumerate((10, 300_000)):
        late, other = s3.open_s3(), s3.open()
        other.write_atomic(f"f{n}", b"0" * size)
        # A lock of its own, since nobody releases one that was lost.
        with late.lock(f"a{n}"):
            late.read_bytes(f"f{n}")
            overtaken_by(late, monkeypatch, lambda n=n, o=other: o.write_atomic(f"f{n}", b"next"))
            if of_ceph(request):
                late.write_atomic(f"f{n}", b"1" * size)  # it cannot compare: told in docs/s3.md
                continue
            with pytest.raises(StorageError, match="somebody else may hold the lock"):
                late.write_atomic(f"f{n}", b"1" * size)
        assert other.read_bytes(f"f{n}") == b"next"


def test_a_file_that_was_missing_under_the_lock_is_not_written_over_the_next_holders(
    s3: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, other = s3.open_s3(), s3.open()
    with late.lock("a"):
        assert not late.exists("a")
        overtaken_by(late, monkeypatch, lambda: other.write_atomic("a", b"next"))
        with pytest.raises(StorageError, match="somebody else may hold the lock"):
            late.write_atomic("a", b"late")

    assert other.read_bytes("a") == b"next"


def test_a_file_that_was_removed_since_it_was_read_does_not_come_back(
    s3: Backend, request: pytest.FixtureRequest
) -> None:
    if of_ceph(request):
        pytest.skip("it cannot compare")
    holder, other = s3.open(), s3.open()
    other.write_atomic("a", b"1")
    with holder.lock("a"):
        holder.read_bytes("a")
        other.delete("a")
        with pytest.raises(StorageError, match="since it was read under the lock"):
            holder.write_atomic("a", b"2")

    assert not other.exists("a")


def test_a_holder_writes_its_files_again_and_again_by_all_means(s3: Backend) -> None:
    storage = s3.open_s3(part_bytes=5 << 20)
    with storage.lock("a"), storage.lock("b"):
        assert not storage.exists("a")
        assert storage.create_exclusive("a", b"1")
        storage.write_atomic("a", b"2")
        storage.write_atomic("a", b"3" * (6 << 20))
        storage.write_atomic("a", b"4")
        storage.delete("a")
        storage.write_atomic("a", b"5")
        storage.write_atomic("src", b"6")
        storage.link_or_copy("src", "a")
        storage.write_atomic("a", b"7")
        assert storage.read_bytes("a") == b"7"
        storage.write_atomic("a", b"8")

    assert s3.open().read_bytes("a") == b"8"
