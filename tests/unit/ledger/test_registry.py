"""What readers of the registry see, and when it is published."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from screenalytics_core.ledger.registry import Registry
from screenalytics_core.ledger.registry_table import RUNS, STAGE_RUNS
from screenalytics_core.ledger.run_rows import RUNS_TABLE
from screenalytics_core.ledger.stage_rows import STAGE_RUNS_TABLE
from screenalytics_core.storage.local import LocalStorage
from tests.registry_rows import OTHER_EP, Desk, keys_of, run_row_of, stage_row_of
from tests.stores import EP


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# Reading


def test_a_registry_without_runs_has_no_rows_but_all_columns(desk: Desk) -> None:
    assert desk.registry.runs().schema == RUNS_TABLE.arrow_schema()
    assert desk.registry.stage_runs().schema == STAGE_RUNS_TABLE.arrow_schema()
    assert desk.registry.runs().num_rows == 0


def test_a_recorded_row_comes_back_as_it_was_given(desk: Desk) -> None:
    run, stages = run_row_of(), [stage_row_of(), stage_row_of(stage="faces")]

    desk.registry.record(run, stages)

    assert desk.registry.runs().to_pylist() == [run]
    assert desk.registry.stage_runs().to_pylist() == stages


def test_the_first_row_is_published_at_once(desk: Desk) -> None:
    desk.registry.record(run_row_of(), [stage_row_of()])

    assert desk.published() == [(EP, "first")]
    assert pq.read_table(desk.stages_file).num_rows == 1
    assert desk.notices() == []


def test_a_row_is_read_before_it_is_published(desk: Desk) -> None:
    desk.registry.record(run_row_of("first"), [])
    desk.registry.record(run_row_of("second"), [stage_row_of("second")])

    assert desk.published() == [(EP, "first")]
    assert keys_of(desk.registry.runs()) == [(EP, "first"), (EP, "second")]
    assert keys_of(desk.registry.stage_runs()) == [(EP, "second")]


def test_a_notice_that_is_folded_while_it_is_read_is_not_missed(tmp_path: Path) -> None:
    class FoldedMeanwhile(LocalStorage):
        def list(self, prefix: str) -> tuple[str, ...]:
            listed = super().list(prefix)
            Desk(tmp_path).registry.publish(wait=False)
            return listed

    desk = Desk(tmp_path)
    desk.registry.record(run_row_of("first"), [])
    desk.registry.record(run_row_of("second"), [])

    reader = Desk(tmp_path, FoldedMeanwhile(tmp_path)).registry

    assert keys_of(reader.runs()) == [(EP, "first"), (EP, "second")]
    assert desk.notices() == []


def test_two_episodes_may_have_a_run_of_the_same_name(desk: Desk) -> None:
    for ep_id in (OTHER_EP, EP):
        desk.registry.record(run_row_of("first", ep_id), [stage_row_of(ep_id=ep_id)])
    desk.registry.publish(wait=False)
    desk.registry.record(run_row_of("first", OTHER_EP, status="failed", sequence=60), [])

    rows = desk.registry.runs().to_pylist()

    assert [(r["ep_id"], r["status"]) for r in rows] == [(EP, "success"), (OTHER_EP, "failed")]
    assert keys_of(desk.registry.stage_runs()) == [(EP, "first"), (OTHER_EP, "first")]


def test_a_run_without_outputs_and_tags_keeps_typed_lists(desk: Desk) -> None:
    desk.registry.record(run_row_of(primary_outputs=[], tags=[], metrics_path=None), [])

    published = pq.read_table(desk.runs_file)

    assert published.schema.field("primary_outputs").type.value_type == pa.string()
    assert published["primary_outputs"].to_pylist() == [[]]
    frame = pd.read_parquet(desk.runs_file)
    assert list(frame.iloc[0]["primary_outputs"]) == list(frame.iloc[0]["tags"]) == []


# The queries of seed 004, but for their literals; `pd.read_parquet` gets our path.


def publish_three_runs(desk: Desk) -> pd.DataFrame:
    for n, status in enumerate(["success", "success", "failed"]):
        at = f"2026-01-02T0{n}:00:00.000000+00:00"
        desk.registry.record(run_row_of(f"run-{n}", status=status, created_ts=at), [])
    desk.registry.record(run_row_of("other", OTHER_EP), [])
    desk.registry.publish(wait=False)
    return pd.read_parquet(desk.runs_file)


def test_the_seeds_query_gives_the_latest_successful_run_of_a_slate(desk: Desk) -> None:
    reg = publish_three_runs(desk)
    latest = (
        reg.query("slate_id == 'rhobh-s05e14' and run_type == 'episode' and status == 'success'")
           .sort_values("created_ts")
           .tail(1)
    )  # fmt: skip
    run_id = latest.iloc[0]["run_id"] if not latest.empty else None
    primary_norm = latest.iloc[0]["primary_outputs"][0] if not latest.empty else None

    assert run_id == "run-1"
    assert primary_norm == "manifests/rhobh-s05e14/runs/run-1/screen_time.json"


def test_the_seeds_query_gives_nothing_for_a_slate_without_runs(desk: Desk) -> None:
    reg = publish_three_runs(desk)
    latest = (
        reg.query("slate_id == 'rhobh-s09e01' and run_type == 'episode' and status == 'success'")
           .sort_values("created_ts")
           .tail(1)
    )  # fmt: skip
    run_id = latest.iloc[0]["run_id"] if not latest.empty else None

    assert run_id is None


def test_the_seeds_query_gives_the_most_recent_runs_of_each_slate(desk: Desk) -> None:
    reg = publish_three_runs(desk)
    N = 2  # noqa: N806 - the seed's name
    recent = reg.sort_values(["slate_id", "created_ts"]).groupby("slate_id", as_index=False).tail(N)

    assert list(recent["run_id"]) == ["run-1", "run-2", "other"]


def test_the_published_files_have_the_specs_columns_and_nothing_else(desk: Desk) -> None:
    desk.registry.record(run_row_of(), [stage_row_of()])

    for table, path in ((RUNS, desk.runs_file), (STAGE_RUNS, desk.stages_file)):
        assert pq.read_table(path).schema.equals(table.spec.arrow_schema())


# When it publishes


def test_recording_publishes_once_the_period_has_passed(desk: Desk) -> None:
    desk.registry.record(run_row_of("first"), [])
    desk.clock.pass_s(0.5)
    desk.registry.record(run_row_of("second"), [])
    assert desk.published() == [(EP, "first")]

    desk.clock.pass_s(0.6)
    desk.registry.record(run_row_of("third"), [])

    assert [run_id for _, run_id in desk.published()] == ["first", "second", "third"]
    assert desk.slept == []


def test_the_period_is_one_for_all_processes(desk: Desk) -> None:
    desk.registry.record(run_row_of("first"), [])

    other = Desk(desk.root)
    other.registry.record(run_row_of("second"), [])

    assert desk.published() == [(EP, "first")]
    assert len(desk.notices()) == 1


def test_whoever_waited_for_the_lock_does_not_publish_again(tmp_path: Path) -> None:
    class PublishedMeanwhile(LocalStorage):
        @contextmanager
        def lock(self, key: str) -> Iterator[None]:
            other = Desk(tmp_path).registry
            other.publish(wait=False)
            other.record(run_row_of("later"), [])
            with super().lock(key):
                yield

    Desk(tmp_path, PublishedMeanwhile(tmp_path)).registry.record(run_row_of("first"), [])

    assert Desk(tmp_path).published() == [(EP, "first")]


def test_a_clock_that_was_ahead_does_not_stop_publishing(desk: Desk) -> None:
    ahead = Desk(desk.root)
    ahead.clock.pass_s(3600)
    ahead.registry.record(run_row_of("first"), [])

    desk.registry.record(run_row_of("second"), [])

    assert len(desk.published()) == 2


def test_waiting_ends_when_the_period_does(desk: Desk) -> None:
    desk.registry.record(run_row_of("first"), [])
    desk.clock.pass_s(0.25)
    desk.registry.record(run_row_of("second"), [])

    desk.registry.publish(wait=True)

    assert desk.slept == [0.75]
    assert len(desk.published()) == 2


def test_waiting_ends_when_somebody_else_has_published(desk: Desk) -> None:
    desk.registry.record(run_row_of("first"), [])
    desk.registry.record(run_row_of("second"), [])

    def somebody_publishes(seconds: float) -> None:
        desk.sleep(seconds)
        Desk(desk.root).registry.publish(wait=False)

    waiting = Registry(LocalStorage(desk.root), desk.clock, 1.0, somebody_publishes)
    waiting.publish(wait=True)

    assert desk.slept == [1.0]
    assert len(desk.published()) == 2


def test_nothing_to_publish_needs_no_waiting(desk: Desk) -> None:
    desk.registry.record(run_row_of(), [])

    desk.registry.publish(wait=True)

    assert desk.slept == []


def test_a_row_is_recorded_though_it_cannot_be_published(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.runs_file.mkdir(parents=True)

    with caplog.at_level(logging.WARNING):
        desk.registry.record(run_row_of(), [])

    assert "is recorded, not yet published" in caplog.text
    desk.runs_file.rmdir()
    assert keys_of(desk.registry.runs()) == [(EP, "first")]
