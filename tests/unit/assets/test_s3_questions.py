"""What a bucket's server is asked, and what it need not be."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from screenalytics_assets.stores import Stores
from screenalytics_core import layout
from screenalytics_core.attempts import AttemptStore
from screenalytics_core.errors import KeyMissingError
from screenalytics_core.processes import ProcessIdentity
from screenalytics_core.storage.s3_memory import Memory
from tests.s3_roots import S3House, s3_house
from tests.unit.ledger.view_samples import Story

EP = "rhobh-s05e14"
MANIFEST = layout.manifest_key(EP, "r1")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[S3House]:
    with s3_house(tmp_path) as house:
        yield house


@pytest.fixture
def stores(house: S3House) -> Stores:
    return Stores.open(house.settings().data_root)


def asked(house: S3House) -> list[str]:
    """Return what was asked since this was called last."""
    found, house.faults.asked[:] = list(house.faults.asked), []
    return found


def test_a_file_that_is_owned_is_asked_for_once(house: S3House, stores: Stores) -> None:
    storage = stores.storage
    storage.write_atomic(MANIFEST, b"1")
    with storage.owning([MANIFEST]):
        assert storage.read_bytes(MANIFEST) == b"1"
        asked(house)

        assert storage.read_bytes(MANIFEST) == b"1"
        assert asked(house) == []
        storage.write_atomic(MANIFEST, b"2")
        asked(house)
        assert storage.read_bytes(MANIFEST) == b"2"
        assert asked(house) == []
    storage.read_bytes(MANIFEST)
    assert len(asked(house)) == 1


def test_under_a_lock_an_owned_file_is_read_anew(house: S3House, stores: Stores) -> None:
    storage = stores.storage
    storage.write_atomic(MANIFEST, b"1")
    with storage.owning([MANIFEST]):
        storage.read_bytes(MANIFEST)
        house.put("shows/runs/rhobh/s05/e14/r1/manifest.json", b"of another process")

        with storage.lock(layout.run_lock_key(EP, "r1")):
            assert storage.read_bytes(MANIFEST) == b"of another process"


def test_a_content_that_was_written_here_is_known_by_its_hash(
    house: S3House, stores: Stores
) -> None:
    storage, key = stores.storage, layout.artifact_key(EP, "r1", "shots.json")
    staged = storage.stage(key, b"{}")
    storage.commit(staged)
    asked(house)

    with storage.open_read(key, staged.sha256) as file:
        assert file.read() == b"{}"
    assert asked(house) == []
    with storage.open_read(key) as file:  # whoever verifies what lies there
        assert file.read() == b"{}"
    assert [one for one in asked(house) if one.endswith("/shots.json")]


def test_a_content_of_another_hash_is_not_kept_under_it() -> None:
    memory = Memory(100)
    memory.keep("0" * 64, b"other")

    assert memory.of_sha256("0" * 64) is None


def test_no_more_contents_are_kept_than_fit() -> None:
    memory = Memory(10)
    hashes = [hashlib.sha256(content).hexdigest() for content in (b"aaaa", b"bbbb", b"cccc")]
    memory.keep(hashes[0], b"aaaa")
    memory.keep(hashes[1], b"bbbb")
    memory.of_sha256(hashes[0])
    memory.keep(hashes[2], b"cccc")

    assert [memory.of_sha256(sha256) for sha256 in hashes] == [b"aaaa", None, b"cccc"]


def test_an_attempt_is_read_once_and_a_newer_one_is_seen(house: S3House, stores: Stores) -> None:
    stores.storage.create_exclusive(layout.run_record_key(EP, "r1"), b"{}")
    here = ProcessIdentity.current()
    for dagster_run_id in ("one", "two"):
        stores.attempts.claim(EP, "r1", dagster_run_id, here, lambda _: False)
    assert stores.attempts.newest(EP, "r1") is not None
    asked(house)

    newest = stores.attempts.newest(EP, "r1")

    assert newest is not None
    assert newest.n == 2
    assert all("list" in one or one == f"GET /{house.bucket}" for one in asked(house))
    other = AttemptStore(stores.storage)
    other.claim(EP, "r1", "three", here, lambda _: False)
    assert [a.dagster_run_id for a in stores.attempts.list(EP, "r1")] == ["one", "two", "three"]


def test_a_log_is_not_read_after_what_was_added_and_not_locked_for_nothing(
    house: S3House, stores: Stores
) -> None:
    log, events = stores.ledger.log, tuple(Story().launched())
    log.append(EP, "r1", events)
    asked(house)

    assert log.append(EP, "r1", events) == ()
    assert log.known(EP, "r1").sequence == len(events)
    assert asked(house) == []
    assert log.state(EP, "r1") == log.known(EP, "r1")
    assert [event.sequence for event in log.read(EP, "r1")] == [*range(1, len(events) + 1)]


def test_an_owned_file_that_was_missing_is_asked_for_once_until_it_is_written(
    house: S3House, stores: Stores
) -> None:
    storage = stores.storage
    with storage.owning([MANIFEST]):
        for _ in range(2):
            with pytest.raises(KeyMissingError):
                storage.read_bytes(MANIFEST)
        assert len([one for one in asked(house) if one.endswith("/manifest.json")]) == 1
        storage.write_atomic(MANIFEST, b"1")
        assert storage.read_bytes(MANIFEST) == b"1"


def test_what_was_seen_before_a_change_is_not_remembered_after_it() -> None:
    memory = Memory(100)
    with memory.owning(["a"]):
        before = memory.changes("a")
        with memory.changing("a"):
            meanwhile = memory.changes("a")
        memory.note_read("a", b"old", before)
        memory.note_read("a", b"old", meanwhile)
        assert memory.of_key("a") == (False, None)

        memory.note_written("a", b"new")
        memory.note_read("a", b"old", memory.changes("a") - 1)
        assert memory.of_key("a") == (True, b"new")
