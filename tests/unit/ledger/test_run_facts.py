"""Where the log is silent, the manifest alone tells what became of a run and its stages."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from screenalytics_core.ledger.run_facts import RunFacts
from screenalytics_core.ledger.vocabulary import RunStatus, StageStatus
from tests.stores import EP, Stores
from tests.unit.ledger.view_samples import Kind, Stage, Story, facts_of, hold, publish_screen_time


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    stores = Stores(tmp_path)
    stores.run("r1")
    return stores


def test_a_reserved_run_of_which_nobody_tells_has_no_status(stores: Stores) -> None:
    facts = facts_of(stores, "r1")

    assert facts.status is None
    assert not facts.is_derived
    assert {k.state.status for k in facts.stages.values()} == {StageStatus.NOT_STARTED}


def test_a_whole_run_without_its_log_has_completed(stores: Stores) -> None:
    hold(stores, "r1", *Stage)

    facts = facts_of(stores, "r1")

    assert facts.is_derived
    assert facts.status is RunStatus.COMPLETED


def test_part_of_a_run_without_its_log_may_have_ended_in_any_way(stores: Stores) -> None:
    hold(stores, "r1", Stage.DETECT_TRACK, Stage.FACES_EMBED)

    facts = facts_of(stores, "r1")

    assert facts.status is None
    assert facts.stages[Stage.FACES_EMBED].state.status is StageStatus.SUCCESS
    assert facts.stages[Stage.FACES_EMBED].derived_from == ("manifest.json",)
    assert facts.stages[Stage.CLUSTER].state.status is StageStatus.NOT_STARTED
    assert facts.stages[Stage.CLUSTER].derived_from == ()


def test_a_stage_of_which_some_kinds_are_missing_did_not_succeed(stores: Stores) -> None:
    hold(stores, "r1", kinds=(Kind.SHOTS, Kind.DETECTIONS))

    stage = facts_of(stores, "r1").stages[Stage.DETECT_TRACK]

    assert stage.state.status is StageStatus.NOT_STARTED
    assert "track_metrics, tracks not published" in stage.state.notes[0]


def test_the_log_outranks_the_manifest(stores: Stores) -> None:
    hold(stores, "r1", *Stage)
    story = Story().launched().started(Stage.DETECT_TRACK).failed(Stage.DETECT_TRACK)

    facts = facts_of(stores, "r1", story)

    assert facts.status is RunStatus.FAILED
    assert facts.stages[Stage.DETECT_TRACK].state.status is StageStatus.FAILED
    assert facts.stages[Stage.DETECT_TRACK].derived_from == ()


def test_a_stage_that_came_along_from_another_run_succeeded_there(stores: Stores) -> None:
    # An input's upstream comes along and nothing else: track_metrics is nobody's input.
    hold(stores, "r1", kinds=(Kind.SHOTS, Kind.DETECTIONS, Kind.TRACKS), source="inherited")
    story = Story().launched().finished(Stage.FACES_EMBED).completed()

    stage = facts_of(stores, "r1", story).stages[Stage.DETECT_TRACK]

    assert stage.state.status is StageStatus.SUCCESS
    assert stage.state.source == "inherited"
    assert stage.state.notes == ("from run earlier",)
    assert stage.state.facts.rows_out == 9
    assert stage.state.facts.input_fingerprint is not None
    assert stage.derived_from == (), "inheritance is recorded in the manifest, not guessed"


def test_a_damaged_manifest_leaves_what_the_log_says(
    stores: Stores, caplog: pytest.LogCaptureFixture
) -> None:
    stores.publish_detections("r1")
    stores.file("r1", "manifest.json").write_text("{")
    stores.file("r1", "run.json").write_text("[]")

    with caplog.at_level(logging.WARNING):
        facts = facts_of(stores, "r1", Story().launched())

    assert (facts.record, facts.manifest.entries) == (None, {})
    assert facts.status is RunStatus.RUNNING
    assert "without its manifest" in caplog.text


def test_the_report_can_be_opened_by_its_url(stores: Stores) -> None:
    publish_screen_time(stores, "r1")
    before: RunFacts = facts_of(stores, "r1")
    stores.publish("r1", Kind.REPORT, {"pdf": b"%PDF-1.4", "html": b"<html>"})
    after = facts_of(stores, "r1")

    path = stores.file("r1", "report.pdf")
    assert (before.report_url, after.report_url) == (None, path.absolute().as_uri())
    assert after.screen_time is not None
    assert after.ep_id == EP
