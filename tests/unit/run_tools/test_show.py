"""One run as plain data, from the log that tells its story."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.ledger.events import EventKind, LedgerEvent
from screenalytics_core.manifest import EntryFacts, Manifest, ManifestEntry
from screenalytics_core.run_record import RunRecord
from screenalytics_core.run_tools.show import changed_settings, run_overview
from screenalytics_core.stages import PipelineStage
from screenalytics_core.steps.base import FileFacts
from tests.report_samples import RUN_RECORD
from tests.run_samples import seen_person
from tests.run_stories import EP, Story

DETECT, FACES, CLUSTER = (
    PipelineStage.DETECT_TRACK,
    PipelineStage.FACES_EMBED,
    PipelineStage.CLUSTER,
)


def resumed() -> Story:
    """Tell of a run that failed in its second stage and was resumed an hour later."""
    story = Story().begin(tags=["season=5"], parent_run_id="parent", trace_id="abc")
    story.stage(DETECT, 4, rows_out=7, frames=60)
    story.fail(FACES, 2, "disk_space", "the disk is full")
    story.now += timedelta(hours=1)
    story.begin().stage(DETECT, 0.1, "checkpoint", rows_out=7)
    story.stage(FACES, 3).stage(CLUSTER, 1)
    return story.complete()


def overview(story: Story, gone: tuple[int, ...] = (), **known: Any) -> dict[str, Any]:
    return run_overview(story.facts(**known), gone, story.now)


def manifest(source: str = "computed") -> Manifest:
    files = (FileFacts("shots.json", "5" * 64, 812, 3),)
    entry = ManifestEntry.computed(ArtifactKind.SHOTS, files, EntryFacts("print", "1"), 1)
    taken = entry if source == "computed" else entry.taken("inherited", "parent", 1, None)
    return Manifest(EP, Story().run_id).with_entry(taken)


def test_a_run_speaks_by_its_newest_attempt_and_keeps_what_its_first_was_told() -> None:
    run = overview(resumed())["run"]

    assert (run["status"], run["attempt"], run["error"]) == ("completed", 2, None)
    assert run["tags"] == ["season=5"]
    assert (run["parent_run_id"], run["trace_id"]) == ("parent", "abc")


def test_every_attempt_keeps_its_own_error_and_stages() -> None:
    first, second = overview(resumed())["attempts"]

    assert first["error"] == {"code": "disk_space", "message": "the disk is full"}
    assert {s["stage"]: s["status"] for s in first["stages"]}["cluster"] == "blocked"
    assert {s["stage"]: s["source"] for s in second["stages"]}["detect"] == "checkpoint"
    assert second["host"] == "box"


def test_the_stages_of_the_run_are_those_of_their_newest_attempt() -> None:
    stages = {s["stage"]: s for s in overview(resumed())["stages"]}

    assert list(stages) == [stage.value for stage in PipelineStage]
    assert (stages["detect"]["source"], stages["detect"]["attempt"]) == ("checkpoint", 2)
    assert stages["faces"]["duration_s"] == 3
    assert stages["pdf"]["status"] == "not_started"


def test_a_running_attempt_whose_process_is_gone_says_so() -> None:
    story = Story().begin().start(DETECT)

    alive, dead = overview(story), overview(story, gone=(1,))

    assert not alive["run"]["is_process_gone"]
    assert dead["run"]["is_process_gone"]
    assert dead["attempts"][0]["stages"][0]["is_process_gone"]
    assert {s["stage"]: s["is_process_gone"] for s in dead["stages"]}["detect"]


def test_a_finished_attempt_is_not_gone_although_its_process_is() -> None:
    shown = overview(resumed(), gone=(1, 2))

    assert not shown["run"]["is_process_gone"]
    assert not any(a["is_process_gone"] for a in shown["attempts"])
    assert not any(s["is_process_gone"] for s in shown["stages"])


def test_a_refused_launch_is_shown_and_does_not_count() -> None:
    story = resumed()
    story.attempt = 3
    story.tell(EventKind.RUN_QUEUED, tags=[], created_at=story.now.isoformat())
    error = {"code": "run_busy", "message": "attempt 2 is running"}
    story.tell(EventKind.STEP_FAILED, DETECT, error=error)
    story.tell(EventKind.RUN_CANCELED)
    # It never claimed, so its events carry no number.
    story.events[-3:] = [_unclaimed(event) for event in story.events[-3:]]

    shown = overview(story)

    assert shown["run"]["status"] == "completed"
    assert [a["is_refused"] for a in shown["attempts"]] == [False, False, True]


def _unclaimed(event: LedgerEvent) -> LedgerEvent:

    return replace(event, attempt=None)


def test_settings_that_differ_from_the_profile_are_named() -> None:
    record = RunRecord.from_dict({**RUN_RECORD, "created_at": "2026-11-21T10:30:00+00:00"})

    shown = overview(resumed(), record=record)

    assert [(row["name"], row["value"]) for row in changed_settings(shown)] == [("stride", "5")]
    assert shown["models"]["pack"] == "lite"
    assert {"name": "codec", "value": "h264"} in shown["video"]


def test_a_run_without_run_json_is_shown_by_what_there_is() -> None:
    shown = overview(Story(), manifest=manifest())

    assert shown["settings"] is None
    assert changed_settings(shown) == []
    assert shown["run"]["is_derived"]
    assert shown["artifacts"][0]["path"] == "shots.json"


def test_an_inherited_artifact_names_its_run() -> None:
    [artifact] = overview(resumed(), manifest=manifest("inherited"))["artifacts"]

    assert (artifact["source"], artifact["from_run_id"]) == ("inherited", "parent")


def test_people_come_most_seconds_first_by_the_best_name_they_have() -> None:
    people = [seen_person("id_0002", (0, 1)), seen_person("id_0001", (0, 5), (6, 9), label="Ana")]

    shown = overview(resumed(), screen_time={"people": people})["people"]

    assert [(p["name"], p["total_s"], p["segments"]) for p in shown] == [
        ("Ana", 8, 2),
        ("id_0002", 1, 1),
    ]


@pytest.mark.parametrize("story", [Story(), resumed()], ids=["nothing known", "resumed"])
def test_the_overview_is_json(story: Story) -> None:
    assert json.loads(json.dumps(overview(story), allow_nan=False))["run"]["run_id"] == story.run_id
