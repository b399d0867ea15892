"""The screen time step: three files of one measurement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from screenalytics_core.artifacts import SCREEN_TIME, SCREEN_TIME_CSV, SEGMENTS, TRACKS
from screenalytics_core.artifacts import ArtifactKind as Kind
from screenalytics_core.config import SettingsView
from screenalytics_core.steps.base import StepInput
from screenalytics_core.steps.screen_time import STEP
from tests.report_samples import SampleArtifact


def track(track_id: int, start_s: float, end_s: float) -> dict[str, Any]:
    return {
        "track_id": track_id, "shot_id": 0, "first_frame_idx": 0, "last_frame_idx": 1,
        "start_s": start_s, "end_s": end_s, "frame_idxs": [0, 1], "detection_ids": [0, 1],
        "bboxes_xyxy": [[0, 0, 9, 9]] * 2, "mean_confidence": 0.9,
    }  # fmt: skip


def identity(name: str, *track_ids: int) -> dict[str, Any]:
    return {"identity_id": name, "label": None, "track_ids": list(track_ids)}


def cast_row(identity_id: str, cast_id: str) -> dict[str, Any]:
    return {
        "identity_id": identity_id, "track_id": None, "cast_id": cast_id,
        "label": cast_id.title(), "source": "decision", "confidence": 1.0,
    }  # fmt: skip


def run(
    tracks: list[dict[str, Any]],
    identities: list[dict[str, Any]],
    cast: list[dict[str, Any]] | None = None,
) -> Mapping[str, Any]:
    values: dict[Kind, Any] = {
        Kind.SHOTS: {"duration_s": 20.0},
        Kind.TRACKS: TRACKS.from_rows(tracks),
        Kind.IDENTITIES: {"identities": identities},
        Kind.CAST: {"people": cast or []},
    }
    artifacts = {k: SampleArtifact(k, {"primary": v}) for k, v in values.items()}
    step = StepInput(
        ep_id="show-s01e01", run_id="r", settings=SettingsView({}), artifacts=artifacts
    )
    made: Mapping[str, Any] = STEP.run(step)[Kind.SCREEN_TIME]
    return made


TRACKS_OF_THREE = [track(0, 1.0, 3.0), track(1, 2.5, 6.0), track(2, 8.0, 9.0), track(3, 4.0, 5.0)]
IDENTITIES = [identity("id_0001", 0, 1), identity("id_0002", 2)]


def test_the_three_files_fit_their_specs() -> None:
    made = run(TRACKS_OF_THREE, IDENTITIES, [cast_row("id_0001", "anna")])

    assert SCREEN_TIME.conform(made["screen_time"]) == made["screen_time"]
    assert made["csv"].schema == SCREEN_TIME_CSV.arrow_schema()
    assert made["segments"].schema == SEGMENTS.arrow_schema()


def test_a_person_has_seconds_share_and_segments() -> None:
    document = run(TRACKS_OF_THREE, IDENTITIES, [cast_row("id_0001", "anna")])["screen_time"]

    assert document["people"][0] == {
        "identity_id": "id_0001", "cast_id": "anna", "label": "Anna",
        "face_s": 5.0, "body_only_s": None, "total_s": 5.0, "low_s": None, "high_s": None,
        "share": 0.25, "first_s": 1.0, "last_s": 6.0, "track_count": 2,
        "segments": [{"start_s": 1.0, "end_s": 6.0, "source": "face"}],
    }  # fmt: skip
    assert document["duration_s"] == 20.0
    assert document["covered_s"] == 6.0
    assert document["unknown_s"] == 1.0


def test_the_spreadsheet_has_the_people_in_the_same_order_without_segments() -> None:
    made = run(TRACKS_OF_THREE, IDENTITIES)
    people = [
        {k: v for k, v in person.items() if k != "segments"}
        for person in made["screen_time"]["people"]
    ]

    assert made["csv"].to_pylist() == people
    assert [p["total_s"] for p in people] == [5.0, 1.0]


def test_every_segment_names_the_tracks_behind_it() -> None:
    rows = run(TRACKS_OF_THREE, IDENTITIES, [cast_row("id_0002", "bob")])["segments"].to_pylist()

    assert rows[0]["track_ids"] == [0, 1]
    assert rows[1] == {
        "ep_id": "show-s01e01", "identity_id": "id_0002", "cast_id": "bob", "label": "Bob",
        "start_s": 8.0, "end_s": 9.0, "source": "face", "track_ids": [2],
    }  # fmt: skip


def test_an_episode_without_a_face_has_a_valid_empty_result() -> None:
    made = run([], [])

    document = SCREEN_TIME.conform(made["screen_time"])
    assert (document["covered_s"], document["unknown_s"], document["people"]) == (0.0, 0.0, [])
    assert made["csv"].num_rows == made["segments"].num_rows == 0


def test_sums_of_timestamps_do_not_end_in_noise() -> None:
    document = run([track(0, 0.1, 0.3), track(1, 0.7, 1.1)], [identity("id_0001", 0, 1)])

    assert document["screen_time"]["people"][0]["total_s"] == 0.6


@pytest.mark.parametrize("kind", [Kind.SHOTS, Kind.TRACKS, Kind.IDENTITIES, Kind.CAST])
def test_it_depends_on_what_it_reads(kind: Kind) -> None:
    assert kind in STEP.inputs
    assert STEP.settings == ()
