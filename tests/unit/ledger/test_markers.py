"""The seeds' markers are renderings of the run's state, with a schema."""

from __future__ import annotations

from pathlib import Path

import pytest

from screenalytics_core.ledger.markers import is_newer, marker
from tests.stores import EP, Stores
from tests.unit.ledger.view_samples import DETECT_FACTS, Stage, Story, facts_of, hold


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    stores = Stores(tmp_path)
    stores.run("r1", device="cuda", embed_device="cpu")
    return stores


def test_a_stage_that_ended_well_has_a_whole_marker(stores: Stores) -> None:
    hold(stores, "r1", Stage.DETECT_TRACK)
    story = Story().launched().finished(Stage.DETECT_TRACK, facts=DETECT_FACTS).completed()

    assert marker(facts_of(stores, "r1", story), Stage.DETECT_TRACK) == {
        "phase": "detect_track",
        "status": "success",
        "run_id": "r1",
        "ep_id": EP,
        "attempt": 1,
        "started_at": "2026-01-02T04:00:03.000000+00:00",
        "finished_at": "2026-01-02T04:00:08.000000+00:00",
        "version": {"shots": "2", "detections": "2", "tracks": "2", "track_metrics": "2"},
        "git": {"commit": "c0de", "is_dirty": True},
        "device": "cuda",
        "counts": {"shots": 3, "detections": 3, "tracks": 3, "track_metrics": 3},
        "error": None,
        "source": "computed",
        "is_derived": False,
        "sequence": 10,
    }


def test_nothing_that_happened_means_no_marker(stores: Stores) -> None:
    facts = facts_of(stores, "r1", Story().launched().planned(*Stage))

    assert [marker(facts, stage) for stage in Stage] == [None] * len(Stage)


def test_screen_time_has_no_phase_of_the_seeds(stores: Stores) -> None:
    facts = facts_of(stores, "r1", Story().launched().finished(Stage.SCREEN_TIME))

    assert marker(facts, Stage.SCREEN_TIME) is None


def test_the_device_of_faces_is_the_embedders(stores: Stores) -> None:
    facts = facts_of(stores, "r1", Story().launched().started(Stage.FACES_EMBED))

    document = marker(facts, Stage.FACES_EMBED)

    assert document is not None
    assert (document["status"], document["device"]) == ("running", "cpu")


def test_a_failure_says_why_and_so_does_what_it_blocked(stores: Stores) -> None:
    story = Story().launched().planned(Stage.DETECT_TRACK, Stage.FACES_EMBED)
    facts = facts_of(
        stores, "r1", story.started(Stage.DETECT_TRACK).failed(Stage.DETECT_TRACK, message="broken")
    )

    detect, faces = marker(facts, Stage.DETECT_TRACK), marker(facts, Stage.FACES_EMBED)

    assert detect is not None
    assert detect["error"] == {"code": "video_unusable", "message": "broken"}
    assert faces is not None
    assert (faces["status"], faces["started_at"]) == ("blocked", None)
    assert faces["error"] == {"code": "blocked", "message": "stage detect failed: broken"}


def test_a_marker_of_a_run_without_its_log_is_labelled(stores: Stores) -> None:
    hold(stores, "r1", Stage.CLUSTER)

    document = marker(facts_of(stores, "r1"), Stage.CLUSTER)

    assert document is not None
    assert (document["status"], document["is_derived"]) == ("success", True)


@pytest.mark.parametrize(
    ("held", "is_kept"),
    [
        pytest.param({"run_id": "r2", "started_at": "2026-01-03T00:00:00Z"}, True, id="later"),
        pytest.param({"run_id": "r2", "started_at": "2026-01-01T00:00:00Z"}, False, id="earlier"),
        pytest.param({"run_id": "r1", "started_at": "2026-01-03T00:00:00Z"}, False, id="same run"),
        pytest.param({"status": "complete"}, False, id="the seeds'"),
    ],
)
def test_a_marker_of_a_later_start_in_another_run_is_newer(
    held: dict[str, str], is_kept: bool
) -> None:
    ours = {"run_id": "r1", "started_at": "2026-01-02T00:00:00Z"}

    assert is_newer(held, ours) is is_kept
