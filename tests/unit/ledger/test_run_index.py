"""The run index has two owners: the fold and the callers' patches; neither loses a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.errors import SettingsError
from screenalytics_core.ledger.events import index_patched
from screenalytics_core.ledger.run_index import artifact_index_key, check_patch, run_index
from tests.stores import EP, Stores
from tests.unit.ledger.view_samples import (
    Kind,
    Stage,
    Story,
    facts_of,
    publish_screen_time,
)

DASHBOARD = "http://localhost:3000/"
RESERVED_AT = "2026-01-02T03:04:06.000000+00:00"


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    stores = Stores(tmp_path)
    stores.run("r1")
    return stores


def index(stores: Stores, *stories: Story) -> dict[str, Any]:
    return run_index(facts_of(stores, "r1", *stories), DASHBOARD)


def patched(stores: Stores, patch: dict[str, Any]) -> Story:
    """A patch as the ledger appends it, a minute after the one before."""
    stores.clock.pass_s(60)
    return Story(events=[index_patched(patch, stores.clock())])


def test_a_completed_run_is_completed_at_a_hundred_percent(stores: Stores) -> None:
    publish_screen_time(stores, "r1")
    stores.publish("r1", Kind.REPORT, {"pdf": b"%PDF-1.4", "html": b"<html>"})
    story = Story().launched().finished(Stage.SCREEN_TIME).finished(Stage.PDF_EXPORT).completed()

    run_folder = f"manifests/{EP}/runs/r1"
    assert index(stores, story) == {
        "projectId": EP,
        "runId": "r1",
        "status": "completed",
        "createdAt": RESERVED_AT,
        "updatedAt": story.events[-1].at,
        "step": "pdf",
        "message": "completed: 1 person on screen",
        "progress": 100.0,
        "screenTimeKey": f"{run_folder}/screen_time.json",
        "reportKey": f"{run_folder}/report.pdf",
        "pipelineMode": "live",
        "reportUrl": stores.file("r1", "report.pdf").absolute().as_uri(),
        "dashboardUrl": "http://localhost:3000/runs/dagster-a",
        "sequence": len(story.events),
    }


def test_a_queued_run_waits(stores: Stores) -> None:
    document = index(stores, Story(attempt=None).queued())

    assert document["status"] == "queued"
    assert (document["step"], document["progress"]) == ("queued", 0.0)


def test_a_run_that_nobody_tells_about_does_not_default_to_running(stores: Stores) -> None:
    document = index(stores)

    assert document["status"] == "unknown"
    assert document["updatedAt"] == document["createdAt"] == RESERVED_AT
    assert not {"step", "message", "progress", "error", "dashboardUrl"} & document.keys()


def test_progress_is_the_share_of_planned_stages(stores: Stores) -> None:
    story = Story().launched().planned(Stage.DETECT_TRACK, Stage.FACES_EMBED)
    story.finished(Stage.DETECT_TRACK).started(Stage.FACES_EMBED)

    between = index(stores, story)
    story.progressed(Stage.FACES_EMBED, 30, 60, "face 30 of 60")
    document = index(stores, story)

    assert (between["progress"], between["message"]) == (50.0, "faces is running")
    assert (document["progress"], document["message"]) == (75.0, "face 30 of 60")
    assert (document["status"], document["step"]) == ("running", "faces")


def test_a_stage_that_counted_to_its_end_does_not_complete_the_run(stores: Stores) -> None:
    story = Story().launched().started(Stage.DETECT_TRACK).progressed(Stage.DETECT_TRACK, 9, 9)

    document = index(stores, story)

    assert (document["status"], document["progress"]) == ("running", 99.0)


def test_a_failed_run_says_where_and_why(stores: Stores) -> None:
    story = Story().launched().started(Stage.DETECT_TRACK).failed(Stage.DETECT_TRACK)

    document = index(stores, story)

    assert (document["status"], document["step"]) == ("failed", "detect")
    assert document["error"] == document["message"] == "no frame"


def test_a_canceled_run_is_failed_with_the_error_canceled(stores: Stores) -> None:
    document = index(stores, Story().launched().started(Stage.DETECT_TRACK).canceled())

    assert (document["status"], document["error"]) == ("failed", "canceled")


def test_a_newer_attempt_clears_the_error_of_an_older_one(stores: Stores) -> None:
    first = Story().launched().started(Stage.DETECT_TRACK).failed(Stage.DETECT_TRACK)
    again = Story("dagster-b", 2, "2026-01-02T05:00:00+00:00").launched()

    document = index(stores, first, again.started(Stage.DETECT_TRACK))

    assert document["status"] == "running"
    assert "error" not in document


def test_patches_merge_and_survive_what_happens_next(stores: Stores) -> None:
    story = Story().launched()
    first = patched(stores, {"voice": {"voiceId": "rachel"}, "videoUrl": "https://v/ä.mp4"})
    second = patched(stores, {"voice": {"characters": 1500}, "pipelineMode": "placeholder"})

    document = index(stores, first, story, second, story.completed())

    assert document["voice"] == {"voiceId": "rachel", "characters": 1500}
    assert document["videoUrl"] == "https://v/ä.mp4"
    assert document["pipelineMode"] == "placeholder"
    assert document["status"] == "completed"


def test_updated_at_is_the_writers(stores: Stores) -> None:
    stores.clock.pass_s(7200)

    document = index(stores, Story().launched(), patched(stores, {"videoUrl": "x"}))

    assert document["updatedAt"] == "2026-01-02T05:05:06.000000+00:00"


def test_a_patch_that_got_into_the_log_moves_nothing_of_the_folds(stores: Stores) -> None:
    old = patched(stores, {"status": "completed", "error": "never", "shotsKey": "elsewhere"})

    document = index(stores, Story().launched(), old)

    assert document["status"] == "running"
    assert not {"error", "shotsKey"} & document.keys()


def test_keys_are_the_kinds_in_camel_case() -> None:
    assert artifact_index_key(ArtifactKind.FACES_EMBEDDINGS) == "facesEmbeddingsKey"
    assert artifact_index_key(ArtifactKind.SHOTS) == "shotsKey"


@pytest.mark.parametrize(
    "name",
    [
        "projectId", "runId", "status", "createdAt", "updatedAt", "step", "message", "progress",
        "error", "sequence", "screenTimeKey", "bodyTracksKey",
    ],
)  # fmt: skip
def test_a_patch_of_what_the_fold_owns_is_refused_by_name(name: str) -> None:
    with pytest.raises(SettingsError) as raised:
        check_patch({"videoUrl": "x", name: "mine"})

    assert name in raised.value.thing
    assert "videoUrl" not in raised.value.thing
    assert "Leave them out" in raised.value.way_out


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param({"cost": float("nan")}, id="NaN"),
        pytest.param({"path": Path("x")}, id="not JSON"),
        pytest.param({1: "x"}, id="number as a name"),
        pytest.param(["x"], id="list"),
    ],
)
def test_a_patch_that_is_no_json_object_is_refused(patch: Any) -> None:
    with pytest.raises(SettingsError, match="is no JSON"):
        check_patch(patch)


def test_any_other_patch_is_taken() -> None:
    check_patch({"exportBundleKey": "exports/r1.zip", "videoUrl": "https://x", "music": {}})
