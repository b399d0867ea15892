"""A run is reserved once and bound for ever."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from screenalytics_core.errors import (
    InvalidIdError,
    RunExistsError,
    RunNotFoundError,
    RunSettingsConflictError,
)
from screenalytics_core.run_record import RunRecord
from screenalytics_core.runs import RunKey, get_or_create_run_id
from tests.stores import EP, Stores, binding, race, reserve_many


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return Stores(tmp_path / "data")


def test_a_reserved_run_is_on_disk_with_all_it_is_bound_to(stores: Stores) -> None:
    record = stores.runs.reserve(EP, binding(stride=5), "r1")
    on_disk = json.loads(stores.file("r1", "run.json").read_text())

    assert on_disk["created_at"] == "2026-01-02T03:04:05.000000+00:00"
    assert (on_disk["ep_id"], on_disk["episode_id"], on_disk["run_id"]) == (EP, EP, "r1")
    assert on_disk["settings"]["stride"] == 5
    assert on_disk["settings_hash"] == binding(stride=5).settings.binding_hash()
    assert on_disk["video"]["sha256"] == "a" * 64
    assert stores.runs.get(EP, "r1") == record
    assert record.model_sha256s == {"face_detector": "b" * 64}


def test_the_record_without_its_clock_is_the_same_at_another_time(stores: Stores) -> None:
    first = stores.runs.reserve(EP, binding(), "r1")
    stores.clock.pass_s(60)
    later = RunRecord.of(EP, "r1", stores.clock(), binding())

    assert later.created_at != first.created_at
    assert "created_at" not in first.without_created_at()
    assert later.sha256_without_created_at() == first.sha256_without_created_at()


def test_a_given_id_is_taken_once(stores: Stores) -> None:
    first = stores.runs.reserve(EP, binding(), " r1 ")
    with pytest.raises(RunExistsError, match=r"rhobh-s05e14/r1: is already reserved"):
        stores.runs.reserve(EP, binding(stride=9), "r1")

    assert first.run_id == "r1"
    assert stores.runs.get(EP, "r1") == first


def test_the_same_run_id_may_occur_for_two_episodes(stores: Stores) -> None:
    stores.runs.reserve("x-s01e01", binding(), "r1")
    stores.runs.reserve("x-s01e02", binding(), "r1")

    assert stores.runs.list_run_ids("x-s01e01") == ("r1",)


def test_the_loser_of_a_race_takes_the_next_second(stores: Stores) -> None:
    ids = [stores.runs.reserve(EP, binding()).run_id for _ in range(3)]

    assert [i[:15] for i in ids] == ["20260102_030405", "20260102_030406", "20260102_030407"]
    assert len({i[15:] for i in ids}) == 1


def test_attempt_ids_count_on(stores: Stores) -> None:
    ids = [stores.runs.reserve(EP, binding(), scheme="attempt").run_id for _ in range(2)]

    assert ids == ["Attempt1_2026-01-01_220405_EST", "Attempt2_2026-01-01_220405_EST"]


def test_hex_ids_are_hex(stores: Stores) -> None:
    assert re.fullmatch("[0-9a-f]{32}", stores.runs.reserve(EP, binding(), scheme="hex").run_id)


@pytest.mark.parametrize("scheme", ["timestamp", "attempt", "hex"])
def test_eight_processes_never_get_the_same_id(stores: Stores, scheme: str) -> None:
    reserved = [i for ids in race(reserve_many, [(stores.root, 5, scheme)] * 8) for i in ids]

    assert len(set(reserved)) == 40
    assert set(stores.runs.list_run_ids(EP)) == set(reserved)
    assert stores.leftovers() == []


def test_binding_to_the_same_again_is_fine_whatever_the_launch_says(stores: Stores) -> None:
    first = stores.runs.bind(EP, "r1", binding())
    stores.clock.pass_s(60)

    assert stores.runs.bind(EP, "r1", binding(reuse_detections=True, workers=2)) == first


def test_binding_to_others_names_every_difference_with_both_values(stores: Stores) -> None:
    stores.runs.bind(EP, "r1", binding())

    with pytest.raises(RunSettingsConflictError) as raised:
        stores.runs.bind(EP, "r1", binding("c" * 64, "d" * 64, stride=5, det_thresh=0.5))

    assert raised.value.differences == [
        "det_thresh is None, asked for 0.5",
        "stride is 12, asked for 5",
        f"video sha256 is '{'a' * 64}', asked for '{'c' * 64}'",
        f"model face_detector sha256 is '{'b' * 64}', asked for '{'d' * 64}'",
    ]
    assert "new settings, video or models mean a new run" in str(raised.value)
    assert stores.runs.require(EP, "r1").settings["stride"] == 12


def test_runs_are_listed_in_the_order_they_were_reserved(stores: Stores) -> None:
    for run_id in ("b", "a", "c"):
        stores.runs.reserve(EP, binding(), run_id)
        stores.clock.pass_s(1)
    get_or_create_run_id(EP, "only-a-folder", data_root=stores.root)
    (stores.root / "manifests" / EP / "runs" / "not a run").mkdir()

    assert stores.runs.list_run_ids(EP) == ("b", "a", "c")
    assert stores.runs.list_run_ids("x-s01e01") == ()


def test_a_missing_run_is_named_with_those_that_exist(stores: Stores) -> None:
    stores.runs.reserve(EP, binding(), "r1")

    assert stores.runs.get(EP, "r2") is None
    with pytest.raises(RunNotFoundError, match=r"Newest runs of rhobh-s05e14: r1\."):
        stores.runs.require(EP, "r2")


def test_a_run_is_found_by_its_full_and_by_its_bare_name(stores: Stores) -> None:
    stores.runs.reserve("x-s01e01", binding(), "r1")
    stores.runs.reserve("x-s01e02", binding(), "r1")
    stores.runs.reserve("x-s01e02", binding(), "r2")

    assert stores.runs.resolve_run("X-S01E02/r1") == RunKey("x-s01e02", "r1")
    assert stores.runs.resolve_run("r1", "x-s01e01") == RunKey("x-s01e01", "r1")
    assert stores.runs.resolve_run("r2") == RunKey("x-s01e02", "r2")
    with pytest.raises(RunNotFoundError, match="is ambiguous: x-s01e01/r1, x-s01e02/r1"):
        stores.runs.resolve_run("r1")
    with pytest.raises(RunNotFoundError, match="does not exist in any episode"):
        stores.runs.resolve_run("r3")
    with pytest.raises(RunNotFoundError, match=r"x-s01e01/r2: does not exist"):
        stores.runs.resolve_run("x-s01e01/r2")
    with pytest.raises(InvalidIdError):
        stores.runs.resolve_run("../x/r1")


def test_the_last_reserved_run_is_active_though_an_older_one_ends_later(stores: Stores) -> None:
    for run_id in ("old", "new"):
        stores.runs.reserve(EP, binding(), run_id)
        stores.clock.pass_s(1)
    assert stores.runs.active_run_id(EP) is None

    assert stores.runs.activate(EP, "old")
    assert stores.runs.active_run_id(EP) == "old"
    assert stores.runs.activate(EP, "new")
    assert not stores.runs.activate(EP, "old")
    assert stores.runs.activate(EP, "new")
    assert stores.runs.active_run_id(EP) == "new"


def test_only_a_run_becomes_active(stores: Stores) -> None:
    with pytest.raises(RunNotFoundError):
        stores.runs.activate(EP, "nothing")


def test_the_seeds_function_normalises_or_mints_and_makes_the_folder(tmp_path: Path) -> None:
    minted = get_or_create_run_id("RHOBH-S05E14", data_root=tmp_path)
    given = get_or_create_run_id(EP, " r1 ", data_root=tmp_path)

    assert re.fullmatch("[0-9a-f]{32}", minted)
    assert given == get_or_create_run_id(EP, "r1", data_root=tmp_path) == "r1"
    assert {p.name for p in (tmp_path / "manifests" / EP / "runs").iterdir()} == {minted, "r1"}
    with pytest.raises(InvalidIdError, match="minted twice"):
        get_or_create_run_id(EP, data_root=tmp_path, mint=lambda: "r1")
    with pytest.raises(InvalidIdError):
        get_or_create_run_id(EP, "../r1", data_root=tmp_path)
