"""A run's row says what its folder says, and nothing that its folder does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from screenalytics_core.ledger.events import EventKind
from screenalytics_core.ledger.registry_table import RUNS
from screenalytics_core.ledger.run_facts import RunFacts
from screenalytics_core.ledger.run_rows import NO_TIME, RUNS_TABLE, run_row
from screenalytics_core.ledger.state import RunState
from screenalytics_core.manifest import Manifest
from screenalytics_core.stages import PipelineStage
from screenalytics_core.yaml_schema import load_schema
from tests.run_samples import publish_screen_time, seen_person
from tests.stores import EP, Stores
from tests.unit.ledger.view_samples import Story, facts_of, hold

DESIGN_COLUMNS = [
    *("run_id", "run_type", "slate_id", "status", "primary_outputs", "metrics_path"),
    *("created_ts", "tags", "ep_id", "show", "season", "episode", "state", "started_at"),
    *("finished_at", "duration_s", "attempt", "dagster_run_id", "parent_run_id", "code_ref"),
    *("config_hash", "people", "screen_time_s", "cost_total", "sequence"),
]
FOLDER = f"manifests/{EP}/runs/first"


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return Stores(tmp_path)


def test_the_columns_are_the_seeds_then_ours_in_the_designs_order() -> None:
    assert [column.name for column in RUNS_TABLE.columns] == DESIGN_COLUMNS


def test_the_schema_file_names_every_column_and_no_other() -> None:
    schema = load_schema(RUNS.schema or "")

    assert schema["required"] == list(schema["properties"]) == DESIGN_COLUMNS


def test_a_completed_run_is_a_success_with_its_people_outputs_and_times(stores: Stores) -> None:
    record = stores.run("first")
    hold(stores, "first", PipelineStage.DETECT_TRACK, PipelineStage.PDF_EXPORT)
    publish_screen_time(
        stores, "first", seen_person("id_0001", (0.0, 4.0)), seen_person("id_0002", (1.0, 2.5))
    )
    story = Story().launched().finished(PipelineStage.DETECT_TRACK).completed()

    row = run_row(facts_of(stores, "first", story))

    assert RUNS.checked([row]) == [row]
    assert row["primary_outputs"] == [
        f"{FOLDER}/screen_time.json",
        f"{FOLDER}/screen_time.csv",
        f"{FOLDER}/segments.parquet",
        f"{FOLDER}/report.bin",
    ]
    assert (stores.root / row["primary_outputs"][0]).is_file()
    expected = {
        "run_id": "first",
        "run_type": "episode",
        "slate_id": EP,
        "ep_id": EP,
        "show": "rhobh",
        "season": 5,
        "episode": 14,
        "status": "success",
        "state": "completed",
        "metrics_path": f"{FOLDER}/track_metrics.bin",
        "created_ts": record.created_at,
        "started_at": "2026-01-02T04:00:01.000000+00:00",
        "finished_at": "2026-01-02T04:00:09.000000+00:00",
        "duration_s": 8.0,
        "attempt": 1,
        "dagster_run_id": "dagster-a",
        "code_ref": "unknown",
        "config_hash": record.settings_hash,
        "people": 2,
        "screen_time_s": 5.5,
        "cost_total": None,
        "sequence": 10,
    }
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("story", "status", "state"),
    [
        pytest.param(Story().queued(), "queued", "queued", id="queued"),
        pytest.param(Story().launched(), "running", "running", id="running"),
        pytest.param(Story().launched().completed(), "success", "completed", id="completed"),
        pytest.param(
            Story().launched().failed(PipelineStage.DETECT_TRACK), "failed", "failed", id="failed"
        ),
        pytest.param(Story().launched().canceled(), "canceled", "canceled", id="canceled"),
    ],
)
def test_each_state_has_its_word(stores: Stores, story: Story, status: str, state: str) -> None:
    stores.run("first")

    row = run_row(facts_of(stores, "first", story))

    assert RUNS.checked([row]) == [row]
    assert (row["status"], row["state"]) == (status, state)


def test_a_run_that_made_nothing_has_empty_lists_and_no_metrics(stores: Stores) -> None:
    stores.run("first")

    row = run_row(facts_of(stores, "first", Story().launched()))

    assert (row["primary_outputs"], row["tags"], row["metrics_path"]) == ([], [], None)
    assert (row["people"], row["screen_time_s"]) == (None, None)


def test_an_episode_without_people_has_zero_of_them_and_zero_seconds(stores: Stores) -> None:
    stores.run("first")
    publish_screen_time(stores, "first")

    row = run_row(facts_of(stores, "first", Story().launched()))

    assert (row["people"], row["screen_time_s"]) == (0, 0.0)


def test_a_run_that_stopped_earlier_lists_the_last_stages_files(stores: Stores) -> None:
    stores.run("first")
    hold(stores, "first", PipelineStage.DETECT_TRACK, PipelineStage.CLUSTER)

    row = run_row(facts_of(stores, "first", Story().launched().completed()))

    assert row["primary_outputs"] == [f"{FOLDER}/identities.bin", f"{FOLDER}/cast.bin"]


def test_an_ep_id_that_does_not_parse_has_no_show_season_and_episode() -> None:
    row = run_row(RunFacts("Pilot_v2", "first", RunState(), None, Manifest("Pilot_v2", "first")))

    assert RUNS.checked([row]) == [row]
    assert (row["ep_id"], row["show"], row["season"], row["episode"]) == (
        *("Pilot_v2", None, None, None),
    )


def test_artifacts_without_a_log_leave_the_status_unknown(stores: Stores) -> None:
    stores.run("first")
    hold(stores, "first", PipelineStage.DETECT_TRACK)

    row = run_row(facts_of(stores, "first"))

    assert RUNS.checked([row]) == [row]
    assert (row["status"], row["state"]) == ("unknown", "unknown")
    assert (row["started_at"], row["dagster_run_id"], row["sequence"]) == (None, None, 0)
    assert row["attempt"] == 1


def test_a_folder_that_tells_no_time_sorts_before_every_real_run() -> None:
    row = run_row(RunFacts(EP, "first", RunState(), None, Manifest(EP, "first")))

    assert row["created_ts"] == NO_TIME
    assert RUNS.checked([row]) == [row]


def test_a_queued_run_that_nobody_reserved_yet_is_created_when_it_was_launched(
    stores: Stores,
) -> None:
    row = run_row(facts_of(stores, "first", Story().queued()))

    assert row["created_ts"] == "2026-01-02T04:00:00.000000+00:00"
    assert (row["code_ref"], row["config_hash"]) == (None, None)


def test_a_launch_that_failed_before_it_could_claim_does_not_lower_the_attempt(
    stores: Stores,
) -> None:
    stores.run("first")
    done = Story("dagster-a", 1).launched().completed()
    stillborn = Story("dagster-b", None, "2026-01-02T05:00:00+00:00").queued()
    stillborn.add(EventKind.RUN_FAILED, error={"code": "run_failed", "message": "no worker"})

    row = run_row(facts_of(stores, "first", done, stillborn))

    assert (row["status"], row["dagster_run_id"], row["attempt"]) == ("failed", "dagster-b", 1)


def test_tags_and_parent_come_from_all_attempts(stores: Stores) -> None:
    stores.run("first")
    one = Story("dagster-a", 1)
    one.add(EventKind.RUN_QUEUED, created_at=one.begins, tags=["a=1", "b=2"], parent_run_id="old")
    two = Story("dagster-b", 2, "2026-01-02T05:00:00+00:00")
    two.add(EventKind.RUN_QUEUED, created_at=two.begins, tags=["b=2", "c=3"])

    row = run_row(facts_of(stores, "first", one, two))

    assert (row["tags"], row["parent_run_id"]) == (["a=1", "b=2", "c=3"], "old")
