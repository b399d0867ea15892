"""The screen time step: three files of one measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from screenalytics_core.artifacts import (
    BODY_TRACKS,
    SCREEN_TIME,
    SCREEN_TIME_CSV,
    SEGMENTS,
    TRACKS,
)
from screenalytics_core.artifacts import ArtifactKind as Kind
from screenalytics_core.config import SettingsView
from screenalytics_core.steps.base import StepInput
from screenalytics_core.steps.screen_time import STEP
from tests.report_samples import SampleArtifact

FPS = 10
FRAMES = 200


def track(
    track_id: int, start_s: float, end_s: float, id_column: str = "track_id"
) -> dict[str, Any]:
    first, last = round(start_s * FPS), round(end_s * FPS) - 1
    return {
        id_column: track_id, "shot_id": 0, "first_frame_idx": first, "last_frame_idx": last,
        "start_s": start_s, "end_s": end_s, "frame_idxs": [first, last], "detection_ids": [0, 1],
        "bboxes_xyxy": [[0, 0, 9, 9]] * 2, "mean_confidence": 0.9,
    }  # fmt: skip


def identity(name: str, *track_ids: int) -> dict[str, Any]:
    return {"identity_id": name, "label": None, "track_ids": list(track_ids)}


def cast_row(identity_id: str, cast_id: str) -> dict[str, Any]:
    return {
        "identity_id": identity_id, "track_id": None, "cast_id": cast_id,
        "label": cast_id.title(), "source": "decision", "confidence": 1.0,
    }  # fmt: skip


def association(body_track_id: int, start_s: float, end_s: float, *voters: int) -> dict[str, Any]:
    return {
        "body_track_id": body_track_id, "start_s": start_s, "end_s": end_s,
        "identity_id": "id_0001", "evidence": "face_in_body", "track_ids": list(voters),
        "shared_frames": 9, "similarity": None, "gap_s": None, "confidence": 0.8,
    }  # fmt: skip


def run(
    tracks: Sequence[dict[str, Any]],
    identities: Sequence[dict[str, Any]],
    cast: Sequence[dict[str, Any]] = (),
    associations: Sequence[dict[str, Any]] | None = None,
    trims: Mapping[str, Any] | None = None,
    notes: list[str] | None = None,
) -> Mapping[str, Any]:
    owned = {t: i["identity_id"] for i in identities for t in i["track_ids"]}
    members = [
        {"track_id": t["track_id"], "identity_id": owned.get(t["track_id"]),
         "confidence": 0.9 * (t["track_id"] in owned),
         "rival_id": None, "rival_similarity": None}
        for t in tracks
    ]  # fmt: skip
    bodies = [
        track(a["body_track_id"], a["start_s"], a["end_s"], "body_track_id")
        for a in associations or ()
    ]
    shot = {"shot_id": 0, "start_frame": 0, "end_frame": FRAMES, "start_s": 0.0, "end_s": 20.0}
    values: dict[Kind, Mapping[str, Any]] = {
        Kind.SHOTS: {
            "shots": {"start_s": 0.0, "duration_s": 20.0, "shots": [shot]},
            "frame_times": np.arange(FRAMES + 1) / FPS,
        },
        Kind.TRACKS: {"tracks": TRACKS.from_rows(list(tracks))},
        Kind.IDENTITIES: {
            "identities": {
                "identities": identities, "memberships": members, "alike": [],
                "cluster_thresh": 0.3,
            }
        },
        Kind.CAST: {"cast": {"people": cast}},
        Kind.BODY_TRACKS: {"body_tracks": BODY_TRACKS.from_rows(bodies)},
        Kind.TRACK_FUSION: {
            "track_fusion": {
                "has_bodies": associations is not None, "associations": associations or [],
            }
        },
    }  # fmt: skip
    step = StepInput(
        ep_id="show-s01e01",
        run_id="r",
        settings=SettingsView({}),
        artifacts={k: SampleArtifact(k, v) for k, v in values.items()},
        trims=trims or {},
        note=lambda kind, sentence: (notes if notes is not None else []).append(sentence),
    )
    made: Mapping[str, Any] = STEP.run(step)[Kind.SCREEN_TIME]
    return made


TRACKS_OF_THREE = [track(0, 1.0, 3.0), track(1, 2.5, 6.0), track(2, 8.0, 9.0), track(3, 4.0, 5.0)]
IDENTITIES = [identity("id_0001", 0, 1), identity("id_0002", 2)]
BODIES = [association(5, 5.0, 8.5, 1), association(6, 0.0, 2.0)]


def test_the_three_files_fit_their_specs() -> None:
    made = run(TRACKS_OF_THREE, IDENTITIES, [cast_row("id_0001", "anna")], BODIES)

    assert SCREEN_TIME.conform(made["screen_time"]) == made["screen_time"]
    assert made["csv"].schema == SCREEN_TIME_CSV.arrow_schema()
    assert made["segments"].schema == SEGMENTS.arrow_schema()


def test_a_person_has_seconds_share_and_segments() -> None:
    document = run(TRACKS_OF_THREE, IDENTITIES, [cast_row("id_0001", "anna")])["screen_time"]

    assert document["people"][0] == {
        "identity_id": "id_0001", "cast_id": "anna", "label": "Anna",
        "face_s": 5.0, "body_only_s": None, "total_s": 5.0, "low_s": 4.656,
        # A frame and a tenth of a second beyond the last look.
        "high_s": 5.3,
        "share": 0.25, "first_s": 1.0, "last_s": 6.0, "track_count": 2, "body_track_count": 0,
        "segments": [{"start_s": 1.0, "end_s": 6.0, "source": "face"}],
    }  # fmt: skip
    assert document["duration_s"] == document["counted_s"] == 20.0
    assert document["covered_s"] == 6.0
    assert document["unknown_s"] == 1.0
    assert (document["has_bodies"], document["co_appearances"], document["trims"]) == (
        False,
        [],
        [],
    )


def test_bodies_add_the_time_without_a_face() -> None:
    document = run(TRACKS_OF_THREE, IDENTITIES, [], BODIES)["screen_time"]
    person = document["people"][0]

    assert document["has_bodies"] is True
    assert (person["face_s"], person["body_only_s"], person["total_s"]) == (5.0, 3.5, 8.5)
    assert [(s["start_s"], s["end_s"], s["source"]) for s in person["segments"]] == [
        (0.0, 1.0, "body"), (1.0, 6.0, "face"), (6.0, 8.5, "body"),
    ]  # fmt: skip
    assert (person["first_s"], person["last_s"], person["body_track_count"]) == (0.0, 8.5, 2)
    # What only bodies show is not sure.
    assert (person["low_s"], person["high_s"]) == (4.656, 8.755)
    assert document["people"][1]["body_only_s"] == 0.0
    assert document["overlap_s"] == 0.5
    assert document["co_appearances"] == [
        {"person_id": "id_0001", "other_id": "id_0002", "together_s": 0.5}
    ]


def test_the_spreadsheet_has_the_people_in_the_same_order_without_segments() -> None:
    made = run(TRACKS_OF_THREE, IDENTITIES)
    people = [
        {k: v for k, v in person.items() if k != "segments"}
        for person in made["screen_time"]["people"]
    ]

    assert made["csv"].to_pylist() == people
    assert [p["total_s"] for p in people] == [5.0, 1.0]


def test_every_segment_names_the_tracks_behind_it() -> None:
    made = run(TRACKS_OF_THREE, IDENTITIES, [cast_row("id_0002", "bob")], BODIES)
    rows = made["segments"].to_pylist()

    assert [(r["track_ids"], r["body_track_ids"], r["confidence"]) for r in rows] == [
        ([], [6], 0.8), ([0, 1], [], 0.9), ([], [5], 0.8), ([2], [], 0.9),
    ]  # fmt: skip
    assert rows[3] == {
        "ep_id": "show-s01e01", "identity_id": "id_0002", "cast_id": "bob", "label": "Bob",
        "start_s": 8.0, "end_s": 9.0, "source": "face", "track_ids": [2], "body_track_ids": [],
        "confidence": 0.9,
    }  # fmt: skip


def test_an_episode_without_a_face_has_a_valid_empty_result() -> None:
    made = run([], [])

    document = made["screen_time"]
    assert (document["covered_s"], document["unknown_s"], document["people"]) == (0.0, 0.0, [])
    assert made["csv"].num_rows == made["segments"].num_rows == 0


def test_sums_of_timestamps_do_not_end_in_noise() -> None:
    document = run([track(0, 0.1, 0.3), track(1, 0.7, 1.1)], [identity("id_0001", 0, 1)])

    assert document["screen_time"]["people"][0]["total_s"] == 0.6


# --- trims ---------------------------------------------------------------------------------


def test_trimmed_stretches_count_for_nothing() -> None:
    trims = {"recap": [0.0, 2.0], "credits": [8.0, 99.0]}

    document = run(TRACKS_OF_THREE, IDENTITIES, [], BODIES, trims)["screen_time"]

    (person,) = document["people"]  # the other one is only seen in the credits
    assert (person["face_s"], person["body_only_s"]) == (4.0, 2.0)
    assert (document["duration_s"], document["counted_s"], person["share"]) == (20.0, 6.0, 1.0)
    assert document["trims"] == [
        {"name": "recap", "start_s": 0.0, "end_s": 2.0},
        {"name": "credits", "start_s": 8.0, "end_s": 20.0},
    ]


def test_an_episode_that_is_trimmed_away_has_nobody_and_says_so() -> None:
    notes: list[str] = []
    made = run(TRACKS_OF_THREE, IDENTITIES, trims={"recap": [0, 30]}, notes=notes)

    assert (made["screen_time"]["counted_s"], made["screen_time"]["people"]) == (0.0, [])
    assert notes == ["Trims leave nothing of the episode to be counted."]


def test_a_trim_that_leaves_less_than_a_tick_divides_by_nothing() -> None:
    made = run([track(0, 1.0, 20.0)], [identity("id_0001", 0)], trims={"recap": [0, 20 - 1e-7]})

    assert [p["share"] for p in made["screen_time"]["people"]] == [0.0]


def test_a_trim_outside_the_video_leaves_nothing_out_and_says_so() -> None:
    notes: list[str] = []
    made = run(TRACKS_OF_THREE, IDENTITIES, trims={"credits": [20.0, 30.0]}, notes=notes)

    assert made["screen_time"] == run(TRACKS_OF_THREE, IDENTITIES)["screen_time"]
    assert notes == [
        "The trim of credits lies outside the video, which lasts from 0 s to 20 s, and leaves "
        "nothing out."
    ]


def test_one_trim_that_does_nothing_does_not_hide_that_the_other_leaves_nothing() -> None:
    notes: list[str] = []
    trims = {"recap": [0.0, 99.0], "credits": [100.0, 200.0]}
    run(TRACKS_OF_THREE, IDENTITIES, trims=trims, notes=notes)

    assert len(notes) == 2
    assert notes[1] == "Trims leave nothing of the episode to be counted."


@pytest.mark.parametrize(
    "kind",
    [Kind.SHOTS, Kind.TRACKS, Kind.IDENTITIES, Kind.CAST, Kind.BODY_TRACKS, Kind.TRACK_FUSION],
)
def test_it_depends_on_what_it_reads(kind: Kind) -> None:
    assert kind in STEP.inputs
    assert STEP.settings == ()
    assert all(output.reads_trims for output in STEP.outputs)


def test_times_are_written_in_microseconds_and_segments_stay_apart() -> None:
    noisy = 0.1 + 0.2
    tracks = [track(0, noisy, 1.3959999999999999)]
    bodies = [association(5, noisy, 2.1000000000000014, 0)]

    made = run(tracks, [identity("id_0001", 0)], (), bodies)

    (person,) = made["screen_time"]["people"]
    times = [(s["start_s"], s["end_s"], s["source"]) for s in person["segments"]]
    assert times == [(0.3, 1.396, "face"), (1.396, 2.1, "body")]
    assert (person["first_s"], person["last_s"]) == (0.3, 2.1)
    assert made["csv"].to_pylist()[0]["last_s"] == 2.1
    rows = made["segments"].to_pylist()
    assert [(r["start_s"], r["end_s"], r["source"]) for r in rows] == times


def test_a_sliver_that_a_trim_leaves_is_no_segment() -> None:
    trims = {"recap": [0.0, 2.9999999]}

    made = run([track(0, 1.0, 3.0), track(1, 5.0, 6.0)], [identity("id_0001", 0, 1)], trims=trims)

    (person,) = made["screen_time"]["people"]
    assert [(s["start_s"], s["end_s"]) for s in person["segments"]] == [(5.0, 6.0)]
