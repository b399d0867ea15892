"""Every stage that started has a row for each attempt, whatever became of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.ledger.events import EventKind
from screenalytics_core.ledger.registry_table import STAGE_RUNS
from screenalytics_core.ledger.stage_rows import STAGE_RUNS_TABLE, stage_rows
from screenalytics_core.stages import PipelineStage
from tests.stores import EP, Stores
from tests.unit.ledger.view_samples import Story, facts_of, hold

DETECT, FACES = PipelineStage.DETECT_TRACK, PipelineStage.FACES_EMBED
LATER = "2026-01-02T05:00:00+00:00"
DESIGN_COLUMNS = [
    *("run_id", "ep_id", "stage", "status", "error", "input_fingerprint", "code_ref"),
    *("config_hash", "started_at", "finished_at", "rows_in", "rows_out", "duration_seconds"),
    *("llm_calls", "tokens", "trace_id", "source", "attempt", "frames", "inferences"),
    *("peak_rss_bytes", "sequence"),
]


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    stores = Stores(tmp_path)
    stores.run("first")
    return stores


def rows_of(stores: Stores, *stories: Story) -> list[dict[str, Any]]:
    rows = stage_rows(facts_of(stores, "first", *stories))
    assert STAGE_RUNS.checked(rows) == rows
    return rows


def told(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def test_the_columns_are_the_seeds_then_ours_in_the_designs_order() -> None:
    assert [column.name for column in STAGE_RUNS_TABLE.columns] == DESIGN_COLUMNS


def test_a_run_that_only_planned_has_no_rows(stores: Stores) -> None:
    assert rows_of(stores, Story().launched().planned(DETECT, FACES)) == []


def test_a_completed_stage_says_what_it_read_made_and_used(stores: Stores) -> None:
    facts = {"fingerprint": "p1", "code_ref": "c0de", "rows_in": 7, "rows_out": 5, "frames": 90}
    more = {"inferences": 30, "peak_rss_bytes": 1000}
    story = Story().launched().started(DETECT)
    story.add(
        EventKind.ARTIFACT_PUBLISHED, DETECT, asset="tracks", source="computed",
        facts={**facts, **more},
    )  # fmt: skip
    story.add(EventKind.STEP_SUCCEEDED, DETECT)

    [row] = rows_of(stores, story)

    assert row == {
        "run_id": "first",
        "ep_id": EP,
        "stage": "detect",
        "status": "completed",
        "error": None,
        "input_fingerprint": "p1",
        "code_ref": "c0de",
        "config_hash": stores.runs.require(EP, "first").settings_hash,
        "started_at": "2026-01-02T04:00:03.000000+00:00",
        "finished_at": "2026-01-02T04:00:05.000000+00:00",
        "rows_in": 7,
        "rows_out": 5,
        "duration_seconds": 2.0,
        "llm_calls": 0,
        "tokens": 0,
        "trace_id": "trace-7",
        "source": "computed",
        "attempt": 1,
        "frames": 90,
        "inferences": 30,
        "peak_rss_bytes": 1000,
        "sequence": 6,
    }


def test_a_running_stage_has_no_end_and_an_unknown_fingerprint(stores: Stores) -> None:
    [row] = rows_of(stores, Story().launched().started(DETECT))

    assert (row["status"], row["finished_at"], row["duration_seconds"]) == ("running", None, None)
    assert (row["input_fingerprint"], row["code_ref"]) == ("unknown", "unknown")


def test_a_failed_stage_names_the_reason_and_what_never_started_has_no_row(
    stores: Stores,
) -> None:
    story = Story().launched().planned(DETECT, FACES).finished(DETECT).started(FACES)

    rows = rows_of(stores, story.failed(FACES, "disk_space", "the disk is full"))

    assert told(rows, "stage", "status", "error") == [
        ("detect", "completed", None),
        ("faces", "failed", "disk_space: the disk is full"),
    ]


def test_a_canceled_stage_failed_and_what_never_started_has_no_row(stores: Stores) -> None:
    rows = rows_of(stores, Story().launched().planned(DETECT, FACES).started(DETECT).canceled())

    assert told(rows, "stage", "status") == [("detect", "failed")]


def test_reuse_is_told_as_such(stores: Stores) -> None:
    [row] = rows_of(stores, Story().launched().finished(DETECT, source="checkpoint"))

    assert (row["status"], row["source"]) == ("completed", "checkpoint")


def test_a_run_that_may_still_claim_has_no_row_under_another_number(stores: Stores) -> None:
    going_on = Story(attempt=None).launched().started(DETECT)

    assert rows_of(stores, going_on) == []
    assert told(rows_of(stores, going_on.failed(DETECT)), "attempt", "status") == [(0, "failed")]


def test_a_stage_has_a_row_for_every_attempt_that_started_it(stores: Stores) -> None:
    one = Story("dagster-a", 1).launched().finished(DETECT).started(FACES).failed(FACES)
    two = Story("dagster-b", 2, LATER).launched().finished(DETECT, "checkpoint").finished(FACES)

    rows = rows_of(stores, one, two.completed())

    assert told(rows, "stage", "attempt", "status", "source") == [
        ("detect", 1, "completed", "computed"),
        ("faces", 1, "failed", None),
        ("detect", 2, "completed", "checkpoint"),
        ("faces", 2, "completed", "computed"),
    ]


def test_attempts_without_a_number_share_one_row_that_the_newest_writes(stores: Stores) -> None:
    one = Story("dagster-a", None).queued().started(DETECT).failed(DETECT, message="first")
    two = Story("dagster-b", None, LATER).queued().started(DETECT).failed(DETECT, message="second")

    [row] = rows_of(stores, two, one)

    assert (row["attempt"], row["error"]) == (0, "video_unusable: second")


def test_a_stage_that_can_no_longer_go_on_has_failed_too(stores: Stores) -> None:
    story = Story().launched()
    story.add(EventKind.STEP_PLANNED, DETECT, "tracks", asset="tracks")
    story.add(EventKind.STEP_STARTED, DETECT, "scan").add(EventKind.STEP_SUCCEEDED, DETECT, "scan")

    rows = rows_of(stores, story.started(FACES).failed(FACES))

    assert told(rows, "stage", "status") == [("detect", "failed"), ("faces", "failed")]
    assert rows[0]["error"].startswith("stage faces failed")


def test_what_came_along_from_another_run_has_a_row_of_its_own(stores: Stores) -> None:
    kinds = (ArtifactKind.DETECTIONS, ArtifactKind.TRACKS)
    hold(stores, "first", kinds=kinds, source="inherited")

    detect, faces = rows_of(stores, Story().launched().finished(FACES).completed())

    claimed_at = "2026-01-02T04:00:02.000000+00:00"
    assert (faces["stage"], faces["source"]) == ("faces", "computed")
    expected = {
        "stage": "detect",
        "status": "completed",
        "source": "inherited",
        "attempt": 1,
        "rows_out": 6,
        "duration_seconds": 0.0,
        "started_at": claimed_at,
        "finished_at": claimed_at,
        "trace_id": "trace-7",
    }
    assert {name: detect[name] for name in expected} == expected
    assert detect["input_fingerprint"] != "unknown"


def test_a_stage_that_ran_is_not_also_inherited_by_the_same_attempt(stores: Stores) -> None:
    hold(stores, "first", kinds=(ArtifactKind.DETECTIONS,), source="inherited")

    [row] = rows_of(stores, Story().launched().finished(DETECT).completed())

    assert row["source"] == "computed"


def test_inherited_results_without_a_log_are_dated_by_the_reservation(stores: Stores) -> None:
    hold(stores, "first", kinds=(ArtifactKind.DETECTIONS,), source="inherited")

    [row] = rows_of(stores)

    assert row["started_at"] == stores.runs.require(EP, "first").created_at
    assert row["sequence"] == 0
