"""episode_status.json says what the run's folder says, and labels what was only concluded."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.layout import status_key
from screenalytics_core.ledger.derived_status import derived_episode_status
from screenalytics_core.ledger.events import EventKind
from screenalytics_core.ledger.status import (
    THRESHOLDS,
    git_facts,
    read_status,
    status_document,
)
from tests.stores import EP, MODEL_SHA256, Stores
from tests.unit.ledger.view_samples import (
    DETECT_FACTS,
    Kind,
    Stage,
    Story,
    detect_facts,
    facts_of,
    hold,
)

NOW = datetime(2026, 1, 2, 5, tzinfo=UTC)


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    stores = Stores(tmp_path)
    stores.run("r1", device="cpu")
    return stores


def status(stores: Stores, *stories: Story, run_id: str = "r1") -> dict[str, Any]:
    return status_document(facts_of(stores, run_id, *stories), NOW)


def test_a_completed_run_is_told_stage_by_stage(stores: Stores) -> None:
    hold(stores, "r1", Stage.DETECT_TRACK, **detect_facts())
    story = Story().launched().finished(Stage.DETECT_TRACK, facts=DETECT_FACTS).completed()

    document = status(stores, story)

    assert {k: v for k, v in document.items() if k != "stages"} == {
        "schema_version": 1,
        "sequence": 10,
        "episode_id": EP,
        "ep_id": EP,
        "run_id": "r1",
        "state": "completed",
        "is_derived": False,
        "derived_from": [],
        "stage_plan": [
            "detect", "faces", "cluster", "body_tracking", "track_fusion", "screentime", "pdf",
        ],
        "error": None,
        "dagster_run_ids": ["dagster-a"],
        "git": {"commit": None, "is_dirty": None},
        "environment": {
            "host": "studio", "pid": 42, "device": "cpu", "embed_device": "cpu",
            "model_pack": "fake", "trace_id": "trace-7",
        },
        "generated_at": "2026-01-02T05:00:00.000000+00:00",
    }  # fmt: skip
    assert document["stages"]["detect"] == {
        "status": "success",
        "attempt": 1,
        "started_at": "2026-01-02T04:00:03.000000+00:00",
        "ended_at": "2026-01-02T04:00:08.000000+00:00",
        "duration_s": 5.0,
        "progress": None,
        "source": "computed",
        "notes": [],
        "artifacts": {
            kind: f"manifests/{EP}/runs/r1/{name}"
            for kind, name in {
                "shots": "shots.json", "detections": "detections.jsonl",
                "tracks": "tracks.jsonl", "track_metrics": "track_metrics.json",
            }.items()
        },
        "counts": {"shots": 3, "detections": 3, "tracks": 3, "track_metrics": 3},
        "thresholds": {"det_thresh": 0.65},
        "models": {"face_detector": {"name": None, "sha256": MODEL_SHA256}},
        "error": None,
        "blocked_reason": None,
        "is_derived": False,
        "derived_from": [],
    }  # fmt: skip


def test_a_stage_that_no_step_makes_yet_has_not_started(stores: Stores) -> None:
    document = status(stores, Story().launched().finished(Stage.DETECT_TRACK).completed())

    assert document["stages"]["body_tracking"]["status"] == "not_started"
    assert document["stages"]["track_fusion"]["status"] == "not_started"


def test_progress_is_shown_with_percent_rate_and_message(stores: Stores) -> None:
    story = Story().launched().started(Stage.DETECT_TRACK)
    story.progressed(Stage.DETECT_TRACK, 30, 90, "frame 30 of 90")

    document = status(stores, story)

    assert document["state"] == "running"
    assert document["stages"]["detect"]["progress"] == {
        "step": "detect", "done": 30, "total": 90, "pct": 33.3, "rate_per_s": 30.0,
        "message": "frame 30 of 90", "updated_at": "2026-01-02T04:00:04.000000+00:00",
    }  # fmt: skip


def test_a_stage_that_succeeded_is_not_shown_where_its_last_report_left_it(
    stores: Stores,
) -> None:
    story = Story().launched().started(Stage.DETECT_TRACK).progressed(Stage.DETECT_TRACK, 35, 60)
    story.add(EventKind.STEP_SUCCEEDED, Stage.DETECT_TRACK)

    assert status(stores, story)["stages"]["detect"]["progress"] is None


def test_a_failure_names_its_code_and_what_it_blocked(stores: Stores) -> None:
    story = Story().launched().planned(Stage.DETECT_TRACK, Stage.FACES_EMBED)
    story.started(Stage.DETECT_TRACK).failed(Stage.DETECT_TRACK, message="«Folge 14» ist kaputt")

    document = status(stores, story)

    error = {"code": "video_unusable", "message": "«Folge 14» ist kaputt"}
    assert (document["state"], document["error"]) == ("failed", error)
    assert document["stages"]["detect"]["error"] == error
    assert document["stages"]["faces"]["status"] == "blocked"
    assert "detect failed" in document["stages"]["faces"]["blocked_reason"]


def test_a_run_without_events_is_labelled_as_derived(stores: Stores) -> None:
    hold(stores, "r1", Stage.DETECT_TRACK)

    document = status(stores)

    assert (document["is_derived"], document["derived_from"]) == (True, ["manifest.json"])
    assert document["state"] == "unknown", "it may have failed, or been asked for no more"
    detect, faces = document["stages"]["detect"], document["stages"]["faces"]
    assert (detect["status"], detect["is_derived"]) == ("success", True)
    assert detect["derived_from"] == ["manifest.json"]
    assert (faces["status"], faces["is_derived"]) == ("not_started", False)


def test_a_run_that_is_only_reserved_is_not_called_running(stores: Stores) -> None:
    assert status(stores)["state"] == "unknown"


def test_reuse_and_why_is_shown(stores: Stores) -> None:
    hold(stores, "r1", kinds=(Kind.SHOTS,), source="inherited", note="other settings")
    story = Story().launched().finished(Stage.FACES_EMBED, "checkpoint", note="asked for reuse")

    stages = status(stores, story.completed())["stages"]

    assert (stages["faces"]["source"], stages["faces"]["notes"]) == (
        "checkpoint",
        ["asked for reuse"],
    )
    assert stages["detect"]["status"] == "success"
    assert stages["detect"]["source"] == "inherited"
    assert stages["detect"]["notes"] == ["from run earlier", "other settings"]
    assert stages["detect"]["is_derived"] is False


def test_every_threshold_is_a_setting() -> None:
    assert set(THRESHOLDS) <= EpisodeRunConfig.model_fields.keys()


def test_a_code_ref_is_a_commit_and_a_flag() -> None:
    assert git_facts("abc-dirty") == {"commit": "abc", "is_dirty": True}
    assert git_facts("abc") == {"commit": "abc", "is_dirty": False}
    assert git_facts("unknown") == {"commit": None, "is_dirty": None}


def test_a_damaged_status_file_reads_as_none_and_is_logged(
    stores: Stores, caplog: pytest.LogCaptureFixture
) -> None:
    assert read_status(stores.storage, EP, "r1") is None
    assert caplog.text == ""

    for content in (b'{"state": "comp', b"[]", b"\xff"):
        stores.storage.write_atomic(status_key(EP, "r1"), content)
        with caplog.at_level(logging.WARNING):
            assert read_status(stores.storage, EP, "r1") is None

    assert caplog.text.count("runs sync") == 3


# An episode of the seeds: no run of ours, but their files.


def legacy(stores: Stores, name: str, content: object = "") -> None:
    key = f"manifests/old-s01e01/{name}"
    text = content if isinstance(content, str) else json.dumps(content)
    stores.storage.write_atomic(key, text.encode())


def legacy_status(stores: Stores) -> dict[str, Any]:
    document = derived_episode_status(stores.storage, "old-s01e01", NOW)
    assert document is not None
    return document


def test_an_episode_of_which_nothing_is_left_has_no_status(stores: Stores) -> None:
    assert derived_episode_status(stores.storage, "old-s01e01", NOW) is None
    assert derived_episode_status(stores.storage, EP, NOW) is None


def test_legacy_artifacts_give_a_labelled_status(stores: Stores) -> None:
    for name in ("detections.jsonl", "tracks.jsonl", "faces.jsonl", "faces_embeddings.npy"):
        legacy(stores, name)

    document = legacy_status(stores)

    assert document["run_id"] is None
    assert document["is_derived"] is True
    assert document["derived_from"][0] == "manifests/old-s01e01/detections.jsonl"
    assert document["state"] == "unknown"
    words = {name: stage["status"] for name, stage in document["stages"].items()}
    assert [name for name, word in words.items() if word == "success"] == ["detect", "faces"]
    assert document["stages"]["cluster"]["status"] == "not_started"

    legacy(stores, "identities.json")
    assert legacy_status(stores)["state"] == "completed"


@pytest.mark.parametrize("word", ["complete", "completed", "succeeded", "success", " Complete "])
def test_complete_and_completed_mean_the_same(stores: Stores, word: str) -> None:
    times = {"started_at": "2025-12-01T10:00:00Z", "finished_at": "2025-12-01T10:00:30"}
    legacy(stores, "runs/cluster.json", {"phase": "cluster", "status": word, **times})

    stage = legacy_status(stores)["stages"]["cluster"]

    assert (stage["status"], stage["is_derived"]) == ("success", True)
    assert stage["derived_from"] == ["manifests/old-s01e01/runs/cluster.json"]
    assert stage["duration_s"] == 30.0, "a time without a zone is UTC"


def test_a_legacy_marker_outranks_the_artifacts(stores: Stores) -> None:
    legacy(stores, "identities.json")
    legacy(stores, "runs/cluster.json", {"status": "error", "error": "out of memory"})

    document = legacy_status(stores)

    assert document["state"] == "failed"
    assert document["error"] == {"code": "failed", "message": "out of memory"}


def test_a_legacy_marker_with_a_word_of_nobody_counts_for_nothing(
    stores: Stores, caplog: pytest.LogCaptureFixture
) -> None:
    legacy(stores, "identities.json")
    legacy(stores, "runs/cluster.json", {"phase": "cluster", "status": "fine, I think"})
    legacy(stores, "runs/faces_embed.json", '{"status": "comple')

    with caplog.at_level(logging.WARNING):
        document = legacy_status(stores)

    assert document["stages"]["cluster"]["status"] == "success"
    assert document["stages"]["faces"]["status"] == "not_started"
    assert "fine, I think" in caplog.text
    assert "faces_embed.json" in caplog.text


def test_a_marker_that_one_of_our_runs_wrote_is_no_legacy(stores: Stores) -> None:
    marker = {"phase": "cluster", "status": "success", "run_id": "r1"}
    key = f"manifests/{EP}/runs/cluster.json"
    stores.storage.write_atomic(key, json.dumps(marker).encode())

    assert derived_episode_status(stores.storage, EP, NOW) is None
