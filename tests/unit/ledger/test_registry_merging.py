"""Of a run's rows the latest counts, in whatever order they come."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screenalytics_core.errors import SchemaMismatchError
from screenalytics_core.ledger.registry_table import RUNS, STAGE_RUNS
from tests.registry_rows import OTHER_EP, Desk, keys_of, run_row_of, stage_row_of
from tests.stores import EP


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# Merging


def test_a_later_row_replaces_an_earlier_one(desk: Desk) -> None:
    desk.registry.record(run_row_of(status="running", state="running", sequence=5), [])
    desk.registry.record(run_row_of(sequence=50), [])

    assert desk.only_row()["status"] == "success"


def test_an_earlier_row_that_comes_late_changes_nothing(desk: Desk) -> None:
    desk.registry.record(run_row_of(sequence=50), [stage_row_of(sequence=50)])
    late = stage_row_of(status="running", finished_at=None, sequence=5)
    desk.registry.record(run_row_of(status="running", sequence=5), [late])
    desk.registry.publish(wait=False)

    assert desk.only_row()["status"] == "success"
    assert desk.registry.stage_runs()["status"].to_pylist() == ["completed"]


def test_a_failed_attempt_after_a_successful_one_shows(desk: Desk) -> None:
    desk.registry.record(run_row_of(attempt=1, sequence=50), [stage_row_of()])
    failed = stage_row_of(status="failed", error="video_unusable: no frame", attempt=2)
    desk.registry.record(run_row_of(attempt=2, status="failed", sequence=60), [failed])

    assert (desk.only_row()["status"], desk.only_row()["attempt"]) == ("failed", 2)
    stages = desk.registry.stage_runs().to_pylist()
    assert [(s["attempt"], s["status"]) for s in stages] == [(1, "completed"), (2, "failed")]


def test_a_newer_attempt_wins_though_the_log_was_lost_meanwhile(desk: Desk) -> None:
    desk.registry.record(run_row_of(attempt=1, status="failed", sequence=50), [])
    desk.registry.record(run_row_of(attempt=2, sequence=3), [])

    assert desk.only_row()["status"] == "success"


def test_a_row_keeps_its_first_creation_time(desk: Desk) -> None:
    early, late = "2026-01-01T00:00:00.000000+00:00", "2026-01-09T00:00:00.000000+00:00"
    desk.registry.record(run_row_of(created_ts=early, sequence=5), [])
    desk.registry.record(run_row_of(created_ts=late, sequence=50), [])

    assert desk.only_row()["created_ts"] == early


def test_what_a_later_row_does_not_know_is_kept(desk: Desk) -> None:
    known = {"people": 3, "screen_time_s": 41.25, "cost_total": 1.5, "parent_run_id": "old"}
    gone = {**dict.fromkeys(known), "metrics_path": None}
    desk.registry.record(run_row_of(**known, sequence=5), [])
    desk.registry.record(run_row_of(**gone, code_ref=None, status="failed", sequence=50), [])

    row = desk.only_row()

    assert {name: row[name] for name in known} == known
    assert row["metrics_path"] is not None
    assert (row["status"], row["code_ref"]) == ("failed", None)


def test_of_equally_late_rows_the_one_that_knows_more_counts(desk: Desk) -> None:
    more = run_row_of(status="unknown", state="unknown", sequence=0)
    less = {**more, "primary_outputs": [], "code_ref": None}
    for row in (more, less, more):
        desk.registry.record(row, [])
        desk.registry.publish(wait=False)
        assert desk.only_row() == more


Notices = list[tuple[dict[str, Any], list[dict[str, Any]]]]


@st.composite
def notices(draw: st.DrawFn) -> Notices:
    """Rows of a few runs, whose logs grow, as several processes may have rendered them."""
    drawn: Notices = []
    for _ in range(draw(st.integers(1, 7))):
        run_id = draw(st.sampled_from(["a", "b"]))
        ep_id = draw(st.sampled_from([EP, OTHER_EP]))
        attempt, sequence = draw(st.integers(0, 2)), draw(st.integers(0, 3))
        run = run_row_of(
            run_id,
            ep_id,
            status=draw(st.sampled_from(["running", "success", "failed"])),
            created_ts=f"2026-01-0{draw(st.integers(1, 4))}T00:00:00.000000+00:00",
            # Once known, these are the same in all rows of a run.
            people=draw(st.sampled_from([None, 3])),
            parent_run_id=draw(st.sampled_from([None, "old"])),
            tags=draw(st.sampled_from([[], ["k=v"]])),
            attempt=attempt,
            sequence=sequence,
        )
        stages = [
            stage_row_of(
                run_id,
                stage,
                ep_id=ep_id,
                status=draw(st.sampled_from(["running", "completed"])),
                rows_out=draw(st.sampled_from([None, 1, 2])),
                attempt=attempt,
                sequence=sequence,
            )
            for stage in draw(st.sets(st.sampled_from(["detect", "faces"])))
        ]
        drawn.append((run, stages))
    return drawn


def folded(batches: Iterable[Notices]) -> tuple[pa.Table, pa.Table]:
    """Return the tables after each batch was folded into what the batches before gave."""
    runs, stages = RUNS.empty(), STAGE_RUNS.empty()
    for batch in batches:
        runs = RUNS.taken_in(runs, [run for run, _ in batch])
        stages = STAGE_RUNS.taken_in(stages, [row for _, rows in batch for row in rows])
    return runs, stages


def published(root: Path, batches: Iterable[Notices]) -> tuple[pa.Table, pa.Table]:
    """Return the tables after each batch was recorded and then published."""
    shutil.rmtree(root, ignore_errors=True)
    desk = Desk(root)
    for batch in batches:
        for run, stages in batch:
            desk.registry.record(run, stages)
        desk.registry.publish(wait=False)
    return pq.read_table(desk.runs_file), pq.read_table(desk.stages_file)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), told=notices())
def test_any_order_and_repetition_of_notices_gives_the_same_tables(
    data: st.DataObject, told: Notices
) -> None:
    again = data.draw(st.lists(st.sampled_from(told), max_size=3))
    shuffled = data.draw(st.permutations([*told, *again]))
    cut = data.draw(st.integers(0, len(shuffled)))

    at_once = folded([told])
    in_parts = folded([shuffled[:cut], shuffled[cut:]])

    assert in_parts[0].equals(at_once[0])
    assert in_parts[1].equals(at_once[1])


@settings(max_examples=5, deadline=None)
@given(told=notices())
def test_publishing_in_parts_gives_the_same_files(
    told: Notices, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.getbasetemp() / "in-parts"

    at_once = published(root, [told])
    one_by_one = published(root, [[notice] for notice in reversed(told)])

    assert one_by_one[0].equals(at_once[0])
    assert one_by_one[1].equals(at_once[1])


def test_folding_what_changes_nothing_leaves_the_files_alone(desk: Desk) -> None:
    desk.registry.record(run_row_of(), [stage_row_of()])
    before = desk.runs_file.stat().st_ino, desk.stages_file.stat().st_ino
    desk.registry.record(run_row_of(), [stage_row_of()])

    desk.registry.publish(wait=False)

    assert desk.notices() == []
    assert (desk.runs_file.stat().st_ino, desk.stages_file.stat().st_ino) == before


# Rebuilding and removing


def test_rebuilding_replaces_what_was_published_and_leaves_other_runs(desk: Desk) -> None:
    desk.registry.record(run_row_of("first", sequence=99, people=9), [stage_row_of("first")])
    desk.registry.record(run_row_of("second"), [stage_row_of("second")])
    desk.registry.publish(wait=False)

    rebuilt = run_row_of("first", sequence=2, people=None, attempt=0)
    desk.registry.rebuild([rebuilt], [stage_row_of("first", "faces")])

    first, second = desk.registry.runs().to_pylist()
    assert first == rebuilt
    assert second == run_row_of("second")
    stages = desk.registry.stage_runs().to_pylist()
    assert [(s["run_id"], s["stage"]) for s in stages] == [("first", "faces"), ("second", "detect")]


def test_rebuilding_does_not_hide_what_was_recorded_meanwhile(desk: Desk) -> None:
    desk.registry.record(run_row_of(status="running", sequence=5), [])
    desk.registry.record(run_row_of(status="success", sequence=50), [])

    desk.registry.rebuild([run_row_of(status="running", sequence=5)], [])

    assert desk.only_row()["status"] == "success"
    assert desk.notices() == []


def test_rebuilding_an_emptied_registry_gives_the_same_tables(desk: Desk) -> None:
    runs = [run_row_of(f"run-{n}") for n in range(20)]
    stages = [stage_row_of(f"run-{n}", s) for n in range(20) for s in ("detect", "faces")]
    for run in runs:
        desk.registry.record(run, [s for s in stages if s["run_id"] == run["run_id"]])
    desk.registry.publish(wait=False)
    before = desk.registry.runs(), desk.registry.stage_runs()
    shutil.rmtree(desk.root / "registry")

    desk.registry.rebuild(runs, stages)

    assert desk.registry.runs().equals(before[0])
    assert desk.registry.stage_runs().equals(before[1])
    assert len(desk.published()) == 20


def test_a_rebuild_with_a_bad_row_changes_nothing(desk: Desk) -> None:
    desk.registry.record(run_row_of("first"), [])

    with pytest.raises(SchemaMismatchError):
        desk.registry.rebuild([run_row_of("first", status="great")], [])

    assert desk.only_row() == run_row_of("first")


def test_a_removed_run_is_gone_also_from_what_was_not_published(desk: Desk) -> None:
    for run_id, ep_id in (("first", EP), ("first", OTHER_EP), ("second", EP)):
        desk.registry.record(run_row_of(run_id, ep_id), [stage_row_of(run_id, ep_id=ep_id)])
    desk.registry.publish(wait=False)
    desk.registry.record(run_row_of("first", sequence=70), [])

    desk.registry.remove([(EP, "first")])

    left = [(EP, "second"), (OTHER_EP, "first")]
    assert sorted(keys_of(desk.registry.runs())) == left
    assert sorted(keys_of(desk.registry.stage_runs())) == left
    assert sorted(desk.published()) == left
