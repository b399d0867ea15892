"""What `runs tail`, `list` and `--follow` choose from the registry's tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from screenalytics_core.errors import SettingsError
from screenalytics_core.ledger.run_rows import RUNS_TABLE
from screenalytics_core.ledger.stage_rows import STAGE_RUNS_TABLE
from screenalytics_core.ledger.vocabulary import RunStatus
from screenalytics_core.run_tools.queries import (
    ChangedRows,
    RunFilter,
    choose_stage_runs,
    count_statuses,
    list_runs,
    newest_stage_runs,
    parse_filter_status,
    parse_since,
)
from screenalytics_core.stages import PipelineStage
from tests.run_stories import EP, stage_row

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def at(hour: int) -> str:
    return f"2026-11-21T{hour:02d}:00:00.000000+00:00"


def stage_runs(*rows: dict[str, Any]) -> pa.Table:
    return STAGE_RUNS_TABLE.from_rows(list(rows))


def run_row(
    run_id: str, state: str = "completed", hour: int = 1, ep_id: str = EP
) -> dict[str, Any]:
    row = dict.fromkeys(column.name for column in RUNS_TABLE.columns)
    given = {
        "run_id": run_id, "run_type": "episode", "slate_id": ep_id, "status": state,
        "primary_outputs": [], "created_ts": at(hour), "tags": [], "ep_id": ep_id,
        "state": state, "attempt": 1, "sequence": 1,
    }  # fmt: skip
    return {**row, **given}


def runs(*rows: dict[str, Any]) -> pa.Table:
    return RUNS_TABLE.from_rows(list(rows))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2d", NOW - timedelta(days=2)),
        ("90m", NOW - timedelta(minutes=90)),
        (" 1W ", NOW - timedelta(weeks=1)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T18:00:00+01:00", datetime(2026, 11, 1, 17, tzinfo=UTC)),
        ("2026-11-01T18:00:00Z", datetime(2026, 11, 1, 18, tzinfo=UTC)),
    ],
)
def test_since_takes_spans_dates_and_times(text: str, expected: datetime) -> None:
    assert parse_since(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2 fortnights", "2026-13-01", "999999w", "-2d"])
def test_since_that_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(SettingsError, match="2026-11-01"):
        parse_since(text, NOW)


def test_the_tail_is_the_newest_stage_attempts_newest_last() -> None:
    table = stage_runs(*(stage_row(run_id=f"r{i}", started_at=at(i)) for i in range(1, 6)))

    assert [row["run_id"] for row in newest_stage_runs(table, 2)] == ["r4", "r5"]
    assert len(newest_stage_runs(table, 99)) == 5
    assert newest_stage_runs(stage_runs(), 3) == []


def test_stage_attempts_are_counted_by_state() -> None:
    table = stage_runs(
        stage_row("faces", "running"), stage_row(), stage_row("cluster"), stage_row("pdf", "failed")
    )

    assert count_statuses(table) == {"completed": 2, "failed": 1, "running": 1}
    assert next(iter(count_statuses(table))) == "completed"


def test_following_gives_new_rows_and_rows_that_look_different() -> None:
    first = stage_row("detect", "running")
    changed = ChangedRows(stage_runs(first))

    assert changed.take(stage_runs(first)) == []
    # A later sequence alone is nothing to see.
    assert changed.take(stage_runs({**first, "sequence": 9})) == []
    done = stage_row("detect", "completed", rows_out=7)
    new = stage_row("faces", "running", started_at=at(11))
    taken = changed.take(stage_runs(done, new))
    assert [(row["stage"], row["status"]) for row in taken] == [
        ("detect", "completed"),
        ("faces", "running"),
    ]
    assert changed.take(stage_runs(done, new)) == []


def test_runs_are_listed_newest_first() -> None:
    table = runs(run_row("old", hour=1), run_row("new", hour=9), run_row("mid", hour=5))

    rows = list_runs(table, stage_runs(), RunFilter())

    assert [row["run_id"] for row in rows] == ["new", "mid", "old"]


def test_runs_are_listed_of_one_episode_since_a_time_in_a_state() -> None:
    table = runs(
        run_row("early", "failed", hour=1),
        run_row("late", "failed", hour=9),
        run_row("fine", "completed", hour=9),
        run_row("other", "failed", hour=9, ep_id="show-s01e01"),
    )
    wanted = RunFilter(
        status=RunStatus.FAILED, since=datetime(2026, 11, 21, 9, tzinfo=UTC), ep_id=EP
    )

    assert [row["run_id"] for row in list_runs(table, stage_runs(), wanted)] == ["late"]


def test_a_stage_filter_keeps_runs_that_attempted_it() -> None:
    table = runs(run_row("with"), run_row("without"))
    stages = stage_runs(stage_row("cluster", run_id="with"), stage_row("detect", run_id="without"))

    rows = list_runs(table, stages, RunFilter(stage=PipelineStage.CLUSTER))

    assert [row["run_id"] for row in rows] == ["with"]


def test_with_a_stage_the_status_is_that_of_its_newest_attempt() -> None:
    table = runs(run_row("repaired"), run_row("broken", "failed"), run_row("elsewhere", "failed"))
    stages = stage_runs(
        stage_row("cluster", "failed", run_id="repaired", started_at=at(1)),
        stage_row("cluster", "completed", run_id="repaired", started_at=at(2), attempt=2),
        stage_row("cluster", "failed", run_id="broken"),
        stage_row("cluster", "completed", run_id="elsewhere"),
        stage_row("pdf", "failed", run_id="elsewhere"),
    )

    def listed(status: RunStatus) -> set[str]:
        wanted = RunFilter(stage=PipelineStage.CLUSTER, status=status)
        return {row["run_id"] for row in list_runs(table, stages, wanted)}

    assert listed(RunStatus.FAILED) == {"broken"}
    assert listed(RunStatus.COMPLETED) == {"repaired", "elsewhere"}


def test_a_canceled_stage_is_a_failed_row_of_a_canceled_run() -> None:
    table = runs(run_row("stopped", "canceled"), run_row("broken", "failed"))
    stages = stage_runs(
        stage_row("faces", "failed", run_id="stopped"),
        stage_row("faces", "failed", run_id="broken"),
    )
    wanted = RunFilter(stage=PipelineStage.FACES_EMBED, status=RunStatus.CANCELED)

    assert [row["run_id"] for row in list_runs(table, stages, wanted)] == ["stopped"]


def test_the_same_run_id_of_another_episode_is_another_run() -> None:
    table = runs(run_row("night"), run_row("night", ep_id="show-s01e01"))
    stages = stage_runs(stage_row("pdf", run_id="night", ep_id="show-s01e01"))

    rows = list_runs(table, stages, RunFilter(stage=PipelineStage.PDF_EXPORT))

    assert [row["ep_id"] for row in rows] == ["show-s01e01"]


def test_legacy_words_are_taken_for_a_status() -> None:
    assert parse_filter_status("succeeded", None) is RunStatus.COMPLETED
    assert parse_filter_status("error", PipelineStage.PDF_EXPORT) is RunStatus.FAILED
    assert parse_filter_status("queued", None) is RunStatus.QUEUED


def test_a_stage_is_never_queued() -> None:
    with pytest.raises(SettingsError, match="leave --stage out"):
        parse_filter_status("queued", PipelineStage.CLUSTER)


def test_stage_attempts_are_chosen_by_time_and_episode() -> None:
    table = stage_runs(
        stage_row(run_id="old", started_at=at(1)),
        stage_row(run_id="here", started_at=at(9)),
        stage_row(run_id="there", started_at=at(9), ep_id="show-s01e01"),
    )
    since = datetime(2026, 11, 21, 9, tzinfo=UTC)

    assert [r["run_id"] for r in choose_stage_runs(table, since, EP)] == ["here"]
    assert len(choose_stage_runs(table, None, None)) == 3
