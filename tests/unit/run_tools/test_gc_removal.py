"""Removing runs for real: nothing is left behind, and a kill anywhere leaves nothing that lies."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from screenalytics_core import layout
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.errors import RunBusyError
from screenalytics_core.ledger.events import EventKind
from screenalytics_core.ledger.ledger import Ledger
from screenalytics_core.manifest import read_manifest
from screenalytics_core.run_tools.gc import GcPlan, GcPolicy, plan_gc
from screenalytics_core.run_tools.gc_facts import GcFacts
from screenalytics_core.run_tools.gc_removal import RunRemover
from screenalytics_core.run_tools.removal_record import read_audit, removed_dagster_runs
from screenalytics_core.storage.local import LocalStorage
from tests.run_samples import finished_run, log_of
from tests.stores import EP, Stores


@dataclass
class House:
    """Stores, and a gc of them."""

    stores: Stores

    def __post_init__(self) -> None:
        self.ledger = Ledger(
            self.stores.storage,
            self.stores.runs,
            self.stores.attempts,
            self.stores.artifacts,
            clock=self.stores.clock,
        )

    def facts(self, storage: LocalStorage | None = None) -> GcFacts:
        return GcFacts(storage or self.stores.storage, self.stores.runs, self.ledger)

    def plan(self, **policy: Any) -> GcPlan:
        facts = self.facts()
        runs = [facts.summary(key) for key in facts.keys()]  # noqa: SIM118 - no mapping
        return plan_gc(runs, GcPolicy(**policy), self.stores.clock())

    def remover(self, storage: LocalStorage | None = None) -> RunRemover:
        chosen = storage or self.stores.storage
        return RunRemover(chosen, self.facts(chosen), self.ledger, "ana")

    def collect(self, **policy: Any) -> list[str]:
        going = self.plan(**policy).going
        for decision in going:
            self.remover().remove(decision, self.stores.clock())
        return [d.run.key.run_id for d in going]

    def registry(self) -> set[str]:
        return set(self.ledger.registry.runs()["run_id"].to_pylist())


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Three completed runs, rendered; the newest is active; an hour has passed."""
    stores = Stores(tmp_path)
    house = House(stores)
    for run_id in ("old", "mid", "new"):
        finished_run(stores, run_id)
        house.ledger.render(EP, run_id)
        stores.storage.write_atomic(
            f"{layout.media_prefix(EP, ArtifactKind.CROPS_DIR, run_id)}/1.jpg", b"jpeg"
        )
    stores.clock.pass_s(3600)
    return house


def paths_of(house: House, run_id: str) -> list[str]:
    return sorted(
        p.relative_to(house.stores.root).as_posix()
        for p in house.stores.root.rglob("*")
        if run_id in p.relative_to(house.stores.root).parts
    )


def test_a_removed_run_leaves_nothing_but_its_audit_line(house: House) -> None:
    assert paths_of(house, "old") != []

    assert house.collect(keep_completed=2) == ["old"]

    assert paths_of(house, "old") == []
    assert house.registry() == {"mid", "new"}
    assert house.facts().keys() == ((EP, "mid"), (EP, "new"))
    [line] = read_audit(house.stores.storage)
    assert (line["ep_id"], line["run_id"], line["who"]) == (EP, "old", "ana")
    assert line["why"] == "completed, and 2 newer ones are kept"
    assert line["freed_bytes"] > 0
    assert removed_dagster_runs(house.stores.storage) == {"dagster-old"}


def test_the_other_runs_are_untouched(house: House) -> None:
    before = {name: paths_of(house, name) for name in ("mid", "new")}

    house.collect(keep_completed=2)

    assert {name: paths_of(house, name) for name in ("mid", "new")} == before
    for name in ("mid", "new"):
        for kind in read_manifest(house.stores.storage, EP, name).entries:
            ref = house.stores.artifacts.ref(EP, name, kind)
            assert ref is not None
            ref.verify()


def test_a_dry_run_is_only_a_plan(house: House) -> None:
    before = paths_of(house, "old")

    assert [d.run.key.run_id for d in house.plan(keep_completed=0).going] == ["old", "mid"]
    assert paths_of(house, "old") == before


def test_what_is_freed_is_what_the_disk_gets_back(house: House) -> None:
    for name in ("mid", "new"):
        house.stores.storage.link_or_copy(
            layout.artifact_key(EP, "old", "detections.jsonl"),
            layout.artifact_key(EP, name, "detections.jsonl"),
        )
    shared = house.stores.file("old", "detections.jsonl").stat().st_size

    def used() -> int:
        files = [p.lstat() for p in house.stores.root.rglob("*") if p.is_file()]
        return sum({(f.st_dev, f.st_ino): f.st_size for f in files}.values())

    [decision] = house.plan(keep_completed=2).going
    assert decision.size_bytes - decision.freed_bytes == shared
    registry = house.stores.root / "registry"
    before = used() - sum(p.stat().st_size for p in registry.rglob("*") if p.is_file())
    house.collect(keep_completed=2)
    after = used() - sum(p.stat().st_size for p in registry.rglob("*") if p.is_file())
    assert before - after == decision.freed_bytes


class Killed(BaseException):
    """The process was killed here."""


class KilledStorage(LocalStorage):
    """Dies when it is to delete another file after `deletions`."""

    def __init__(self, root: Path, deletions: int) -> None:
        super().__init__(root)
        self.left = deletions

    def delete(self, key: str, *, durable: bool = False) -> None:
        if self.exists(key):
            if self.left == 0:
                raise Killed
            self.left -= 1
        super().delete(key, durable=durable)


def check_nothing_lies(house: House) -> None:
    """What the manifest of the dying run names is there, and readers see whole runs only."""
    for kind, entry in read_manifest(house.stores.storage, EP, "old").entries.items():
        for file in entry.files:
            assert house.stores.file("old", file.path).exists(), kind
    for run_id in house.stores.runs.list_run_ids(EP):
        assert house.stores.file(run_id, "run.json").exists()


def test_a_removal_that_is_killed_after_every_single_deletion_ends_after_all(house: House) -> None:
    # Even a gc that would keep every completed run finishes what was begun.
    [decision] = house.plan(keep_completed=2).going

    rounds = 0
    while rounds < 100:
        rounds += 1
        with suppress(Killed):
            house.remover(KilledStorage(house.stores.root, 1)).remove(
                decision, house.stores.clock()
            )
        check_nothing_lies(house)
        going = house.plan(keep_completed=9).going
        if not going:
            break
        [decision] = going
        assert decision.reason == "a removal of it was interrupted"

    assert rounds > 8
    assert paths_of(house, "old") == []
    assert house.registry() == {"mid", "new"}
    [line] = read_audit(house.stores.storage)
    assert line["why"] == "completed, and 2 newer ones are kept"


def test_a_kill_before_the_first_deletion_has_harmed_nothing_but_the_run_goes(
    house: House,
) -> None:
    [decision] = house.plan(keep_completed=2).going
    with pytest.raises(Killed):
        house.remover(KilledStorage(house.stores.root, 0)).remove(decision, house.stores.clock())
    check_nothing_lies(house)

    assert house.collect(keep_completed=9) == ["old"]


def test_a_half_removed_run_that_was_launched_again_is_a_run_like_any_other(house: House) -> None:
    [decision] = house.plan(keep_completed=2).going
    with pytest.raises(Killed):
        house.remover(KilledStorage(house.stores.root, 3)).remove(decision, house.stores.clock())
    house.stores.claim("old", "dagster-again")
    house.stores.publish_detections("old", attempt=2)
    house.stores.clock.pass_s(3600)

    assert house.collect(keep_completed=9) == []
    assert "detections" in read_manifest(house.stores.storage, EP, "old").entries


def test_a_run_that_was_launched_since_the_plan_is_not_removed(house: House) -> None:
    [decision] = house.plan(keep_completed=2).going
    house.stores.claim("old", "dagster-again")

    with pytest.raises(RunBusyError):
        house.remover().remove(decision, house.stores.clock())

    assert paths_of(house, "old") != []
    assert list(read_audit(house.stores.storage)) == []


def test_a_run_that_became_active_since_the_plan_is_not_removed(house: House) -> None:
    [decision] = house.plan(keep_completed=2).going
    pointer = house.stores.root / layout.active_run_key(EP)
    pointer.write_text(json.dumps({"run_id": "old"}))

    with pytest.raises(RunBusyError):
        house.remover().remove(decision, house.stores.clock())


def test_a_failed_run_goes_after_a_week(house: House) -> None:
    house.stores.run("bad")
    kinds = (EventKind.RUN_QUEUED, EventKind.RUN_STARTED, EventKind.RUN_FAILED)
    house.ledger.log.append(EP, "bad", log_of(*kinds, stores=house.stores, run_id="bad"))
    house.stores.clock.pass_s(timedelta(days=6).total_seconds())
    assert house.collect() == []

    house.stores.clock.pass_s(timedelta(days=1, minutes=1).total_seconds())
    assert house.collect() == ["bad"]


def marker_of(house: House, run_id: str, started_at: str) -> dict[str, Any]:
    stage = next(iter(layout.STAGE_PHASES))
    document = {"phase": "detect_track", "run_id": run_id, "started_at": started_at, "sequence": 1}
    text = json.dumps(document).encode()
    house.stores.storage.write_atomic(layout.run_marker_key(EP, run_id, stage), text)
    house.stores.storage.write_atomic(layout.legacy_marker_key(EP, stage), text)
    return document


def legacy_marker(house: House) -> dict[str, Any] | None:
    path = house.stores.root / "manifests" / EP / "runs" / "detect_track.json"
    return json.loads(path.read_text()) if path.exists() else None


def test_the_episodes_marker_falls_back_to_the_newest_run_that_is_left(house: House) -> None:
    marker_of(house, "mid", "2026-01-01T00:00:00+00:00")
    newest = marker_of(house, "new", "2026-01-02T00:00:00+00:00")
    marker_of(house, "old", "2026-01-03T00:00:00+00:00")

    house.collect(keep_completed=2)

    assert legacy_marker(house) == newest


def test_a_marker_of_another_run_stays_and_the_last_ones_goes(house: House) -> None:
    marker_of(house, "old", "2026-01-01T00:00:00+00:00")
    mine = marker_of(house, "mid", "2026-01-03T00:00:00+00:00")
    house.collect(keep_completed=2)
    assert legacy_marker(house) == mine

    house.collect(keep_completed=1)
    assert legacy_marker(house) is None


@pytest.mark.parametrize(
    "line", [b"{}", b'{"dagster_run_ids": 7}', b"7", b'{"dagster_run_ids": [', b"[" * 100_000]
)
def test_a_damaged_audit_line_hides_no_other(house: House, line: bytes) -> None:
    storage = house.stores.storage
    whole = b'{"removal_id": "r", "dagster_run_ids": ["d1"]}'
    storage.write_atomic(layout.GC_AUDIT_KEY, line + b"\n" + whole + b"\n")

    assert removed_dagster_runs(storage) == {"d1"}
