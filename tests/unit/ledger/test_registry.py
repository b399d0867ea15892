"""The registry's promises: one row per run, the latest one, complete for every reader."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screenalytics_core.errors import ArtifactCorruptError, SchemaMismatchError
from screenalytics_core.ledger.registry import Registry
from screenalytics_core.ledger.registry_table import RUNS, STAGE_RUNS
from screenalytics_core.ledger.run_rows import RUNS_TABLE
from screenalytics_core.ledger.stage_rows import STAGE_RUNS_TABLE
from screenalytics_core.storage.local import LocalStorage
from tests.registry_rows import keys_of, run_row_of, stage_row_of
from tests.stores import EP, FakeClock

OTHER_EP: Final = "rhobh-s05e15"


class Desk:
    """A registry with a clock that the test moves."""

    def __init__(self, root: Path, storage: LocalStorage | None = None) -> None:
        self.root = root
        self.clock = FakeClock()
        self.slept: list[float] = []
        self.registry = Registry(storage or LocalStorage(root), self.clock, 1.0, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.pass_s(seconds)

    @property
    def runs_file(self) -> Path:
        return self.root / "registry" / "runs.parquet"

    @property
    def stages_file(self) -> Path:
        return self.root / "registry" / "stage_runs.parquet"

    def notices(self) -> list[Path]:
        return sorted((self.root / "registry" / "_log").glob("*.json"))

    def set_aside(self) -> list[Path]:
        return sorted((self.root / "registry" / "_damaged").iterdir())

    def published(self) -> list[tuple[str, str]]:
        return keys_of(pq.read_table(self.runs_file))

    def only_row(self) -> dict[str, Any]:
        [row] = self.registry.runs().to_pylist()
        return dict(row)


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


# Crashes


class CrashingStorage(LocalStorage):
    """Ends the process, as it were, before its n-th change."""

    def __init__(self, root: Path, changes: int) -> None:
        super().__init__(root)
        self.left = changes

    def _step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt

    def write_atomic(self, key: str, data: Any) -> None:
        self._step()
        super().write_atomic(key, data)

    def delete(self, key: str) -> None:
        self._step()
        super().delete(key)


@pytest.mark.parametrize("changes", range(5))
def test_a_crash_at_any_step_of_folding_loses_nothing(tmp_path: Path, changes: int) -> None:
    desk = Desk(tmp_path)
    desk.registry.record(run_row_of("zero"), [])
    for run_id in ("first", "second", "third"):
        desk.registry.record(run_row_of(run_id), [stage_row_of(run_id)])
    whole = desk.registry.runs(), desk.registry.stage_runs()

    with pytest.raises(KeyboardInterrupt):
        Desk(tmp_path, CrashingStorage(tmp_path, changes)).registry.publish(wait=False)

    assert desk.registry.runs().equals(whole[0])
    assert desk.registry.stage_runs().equals(whole[1])
    desk.registry.publish(wait=False)
    assert desk.notices() == []
    assert desk.registry.runs().equals(whole[0])
    assert desk.registry.stage_runs().equals(whole[1])


# What does not conform, and what is damaged


@pytest.mark.parametrize(
    ("run", "stages", "reason"),
    [
        pytest.param({"status": "great"}, [], "status: 'great' is none of", id="word"),
        pytest.param({"run_type": "ingest"}, [], "is not 'episode'", id="constant"),
        pytest.param({"created_ts": "2026-01-02"}, [], "does not match", id="time"),
        pytest.param({"people": -1}, [], "is below 0", id="range"),
        pytest.param({"ep_id": None}, [], "null", id="null"),
        pytest.param({"primary_outputs": ["/etc/passwd"]}, [], "does not match", id="path"),
        pytest.param({"screen_time_s": float("nan")}, [], "not JSON compliant", id="NaN"),
        pytest.param({}, [{"attempt": None}], "null", id="stage"),
        pytest.param({}, [{"run_id": "other"}], "rows of several runs", id="stage of another"),
    ],
)
def test_a_row_that_does_not_conform_is_refused_and_leaves_no_trace(
    desk: Desk, run: dict[str, Any], stages: list[dict[str, Any]], reason: str
) -> None:
    rows = [{**stage_row_of(), **changed} for changed in stages]

    with pytest.raises(SchemaMismatchError, match=reason):
        desk.registry.record({**run_row_of(), **run}, rows)

    assert desk.registry.runs().num_rows == 0
    assert desk.notices() == []


def test_unknown_and_missing_columns_are_refused(desk: Desk) -> None:
    with pytest.raises(SchemaMismatchError, match="unknown columns"):
        desk.registry.record({**run_row_of(), "note": "x"}, [])
    with pytest.raises(SchemaMismatchError, match="run_id"):
        desk.registry.record({k: v for k, v in run_row_of().items() if k != "run_id"}, [])


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"run": {', id="torn"),
        pytest.param(b"[1, 2]", id="not an object"),
        pytest.param(b'{"run": {"run_id": "x"}, "stages": []}', id="not a row"),
        pytest.param(b'{"run": 1, "stages": 2}', id="no rows"),
        pytest.param(b"\xff\xfe", id="no text"),
    ],
)
def test_a_damaged_notice_is_set_aside_and_blocks_nobody(
    desk: Desk, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    desk.registry.record(run_row_of("first"), [])
    desk.registry.record(run_row_of("second"), [stage_row_of("second")])
    (desk.root / "registry" / "_log" / "0-bad.json").write_bytes(content)

    assert keys_of(desk.registry.runs()) == [(EP, "first"), (EP, "second")]
    desk.registry.publish(wait=False)

    assert desk.published() == [(EP, "first"), (EP, "second")]
    assert desk.notices() == []
    assert [path.read_bytes() for path in desk.set_aside()] == [content]
    assert "0-bad.json does not count" in caplog.text


Damage = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: content[: len(content) // 2], id="truncated"),
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: b"PAR1 but nothing else", id="foreign"),
        pytest.param(lambda content: content[:90] + b"\0" + content[91:], id="one byte"),
    ],
)
def test_a_damaged_file_is_refused_by_readers_kept_and_begun_anew(
    desk: Desk, damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    for n in range(50):
        desk.registry.record(run_row_of(f"old-{n}"), [])
    desk.registry.publish(wait=False)
    damaged = damage(desk.runs_file.read_bytes())
    desk.runs_file.write_bytes(damaged)

    with pytest.raises(ArtifactCorruptError, match="screenalytics runs sync"):
        desk.registry.runs()
    desk.clock.pass_s(2)
    desk.registry.record(run_row_of("new"), [])

    assert desk.published() == [(EP, "new")]
    assert [path.read_bytes() for path in desk.set_aside()] == [damaged]
    assert "screenalytics runs sync" in caplog.text


def test_a_file_with_other_columns_counts_as_damaged(desk: Desk) -> None:
    desk.runs_file.parent.mkdir(parents=True)
    pd.DataFrame({"run_id": ["x"]}).to_parquet(desk.runs_file)

    with pytest.raises(ArtifactCorruptError, match="missing columns"):
        desk.registry.runs()


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


def test_the_published_files_have_the_specs_columns_and_nothing_else(desk: Desk) -> None:
    desk.registry.record(run_row_of(), [stage_row_of()])

    for table, path in ((RUNS, desk.runs_file), (STAGE_RUNS, desk.stages_file)):
        assert pq.read_table(path).schema.equals(table.spec.arrow_schema())
