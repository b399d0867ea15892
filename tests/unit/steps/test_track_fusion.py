"""The track fusion step: from five artifacts to one document, by its spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from screenalytics_core.artifacts import BODY_TRACKS, TRACK_FUSION, TRACKS
from screenalytics_core.artifacts import ArtifactKind as Kind
from screenalytics_core.errors import InputConflictError
from screenalytics_core.steps.track_fusion import METHOD, STEP
from tests.face_fakes import run_step
from tests.fusion_scenes import FPS, Seen, bodies_table, body_at, face_at, faces_table

RED, GREEN = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
LEFT, RIGHT = 200, 500
SHOT_ENDS = (100, 200, 300)
FACES = [
    Seen(1, 0, 39, face_at(LEFT)),
    Seen(2, 0, 39, face_at(RIGHT)),
    Seen(3, 50, 59, face_at(800)),
    Seen(4, 250, 259, face_at(LEFT), shot_id=2),
]
BODIES = [
    Seen(7, 0, 39, body_at(LEFT), looks=RED),
    Seen(5, 40, 79, body_at(LEFT), looks=RED),
    Seen(6, 0, 39, body_at(RIGHT), looks=GREEN),
    Seen(9, 120, 139, body_at(LEFT), looks=RED, shot_id=1),
]
Members = Mapping[str, Mapping[int, float]]
# By identity, how sure each of its face tracks is; track 3 is nobody's.
PEOPLE: Members = {"id_0001": {1: 0.8}, "id_0002": {2: 0.6, 4: 0.1}}


def memberships(faces: Sequence[Seen], people: Members) -> list[dict[str, Any]]:
    owned = {t: (name, sure) for name, of in people.items() for t, sure in of.items()}
    track_ids = sorted({*owned, *(face.track_id for face in faces)})
    rows = [(track_id, *owned.get(track_id, (None, 0.0))) for track_id in track_ids]
    return [{"track_id": t, "identity_id": name, "confidence": sure} for t, name, sure in rows]


def upstream(
    faces: Sequence[Seen] = FACES,
    bodies: Sequence[Seen] = BODIES,
    people: Members = PEOPLE,
    looked_at: Sequence[int] = (0, 2, 4),
) -> dict[Kind, dict[str, Any]]:
    starts = [0, *SHOT_ENDS[:-1]]
    shots = [
        {"shot_id": n, "start_frame": start, "end_frame": end,
         "start_s": start / FPS, "end_s": end / FPS}
        for n, (start, end) in enumerate(zip(starts, SHOT_ENDS, strict=True))
    ]  # fmt: skip
    table, vectors = bodies_table(bodies)
    return {
        Kind.SHOTS: {"shots": {"shots": shots}, "frame_times": np.arange(SHOT_ENDS[-1] + 1) / FPS},
        Kind.TRACKS: {"tracks": faces_table(faces)},
        Kind.IDENTITIES: {
            "identities": {
                "identities": [
                    {"identity_id": name, "track_ids": list(tracks)}
                    for name, tracks in people.items()
                ],
                "memberships": memberships(faces, people),
                "alike": [],
            }
        },
        Kind.BODY_DETECTIONS: {"body_sampled_frames": np.array(looked_at, np.int64)},
        Kind.BODY_TRACKS: {"body_tracks": table, "body_embeddings": vectors},
    }


def fused(artifacts: dict[Kind, dict[str, Any]] | None = None, **settings: Any) -> dict[str, Any]:
    given = {"body_bridge_s": 6.0, **settings}
    out = run_step(STEP, artifacts or upstream(), **given)[Kind.TRACK_FUSION]["track_fusion"]
    return dict(out)


def test_the_document_fits_its_spec_and_says_how_it_was_made() -> None:
    document = fused()

    assert TRACK_FUSION.conform(document) == document
    assert (document["method"], document["has_bodies"], document["body_bridge_s"]) == (
        METHOD, True, 6.0,
    )  # fmt: skip


def test_faces_name_bodies_looks_bridge_and_the_rest_is_nobodys() -> None:
    rows = {row["body_track_id"]: row for row in fused()["associations"]}

    assert list(rows) == [5, 6, 7, 9]
    assert rows[7] == {
        "body_track_id": 7, "start_s": 0.0, "end_s": 4.0, "identity_id": "id_0001",
        "evidence": "face_in_body", "track_ids": [1], "shared_frames": 40,
        "similarity": None, "gap_s": None, "confidence": pytest.approx(0.8 * 40 / 41, abs=1e-6),
    }  # fmt: skip
    assert (rows[6]["identity_id"], rows[6]["evidence"]) == ("id_0002", "face_in_body")
    assert rows[6]["confidence"] == pytest.approx(0.6 * 40 / 41, abs=1e-6)
    assert rows[5] == {
        "body_track_id": 5, "start_s": 4.0, "end_s": 8.0, "identity_id": "id_0001",
        "evidence": "appearance", "track_ids": [], "shared_frames": 0,
        "similarity": 1.0, "gap_s": 0.0, "confidence": pytest.approx(0.4 * 40 / 41, abs=1e-6),
    }  # fmt: skip
    assert rows[9] == {
        "body_track_id": 9, "start_s": 12.0, "end_s": 14.0, "identity_id": None,
        "evidence": "none", "track_ids": [], "shared_frames": 0,
        "similarity": None, "gap_s": None, "confidence": 0.0,
    }  # fmt: skip


def test_scenes_are_numbered_in_time() -> None:
    assert fused()["scenes"] == [
        {"scene_id": 0, "first_shot_id": 0, "last_shot_id": 2, "start_s": 0.0, "end_s": 30.0}
    ]
    alone = {"id_0001": {1: 0.8}, "id_0002": {4: 0.6}}
    assert [
        (s["scene_id"], s["first_shot_id"], s["last_shot_id"])
        for s in fused(upstream(people=alone))["scenes"]
    ] == [(0, 0, 0), (1, 2, 2)]


def test_the_longest_gap_is_the_setting() -> None:
    rows = [row for row in fused(body_bridge_s=1.0)["associations"] if row["body_track_id"] == 5]

    assert [(row["start_s"], row["end_s"], row["evidence"]) for row in rows] == [
        (4.0, 5.0, "appearance"), (5.0, 8.0, "none"),
    ]  # fmt: skip


def test_the_order_of_rows_does_not_matter() -> None:
    artifacts = upstream(people=dict(reversed(list(PEOPLE.items()))))
    table = artifacts[Kind.BODY_TRACKS]["body_tracks"]
    artifacts[Kind.BODY_TRACKS]["body_tracks"] = BODY_TRACKS.conform(table.take([2, 0, 3, 1]))
    faces = artifacts[Kind.TRACKS]["tracks"]
    artifacts[Kind.TRACKS]["tracks"] = TRACKS.conform(faces.take([3, 1, 0, 2]))

    assert fused(artifacts) == fused()


def test_without_a_person_detector_there_are_scenes_and_no_bodies() -> None:
    document = fused(upstream(bodies=[], looked_at=()))

    assert document["has_bodies"] is False
    assert document["associations"] == []
    assert len(document["scenes"]) == 1


def test_a_detector_that_found_nobody_has_looked_all_the_same() -> None:
    assert fused(upstream(bodies=[]))["has_bodies"] is True


def test_bodies_without_a_face_in_the_episode_are_nobodys() -> None:
    document = fused(upstream(faces=[], people={}))

    assert {row["evidence"] for row in document["associations"]} == {"none"}
    assert document["scenes"] == []


def test_identities_of_other_tracks_are_refused() -> None:
    with pytest.raises(InputConflictError) as raised:
        fused(upstream(people={"id_0001": {1: 0.8, 77: 0.8}}))

    assert "77" in str(raised.value)


def test_identities_that_do_not_know_a_track_are_refused() -> None:
    artifacts = upstream()
    del artifacts[Kind.IDENTITIES]["identities"]["memberships"][1]

    with pytest.raises(InputConflictError, match="the first is 2"):
        fused(artifacts)


@pytest.mark.parametrize("kinds", [["hsv_stripes", "reid"], ["guess", "guess"]])
def test_vectors_that_nobody_can_compare_are_refused(kinds: list[str]) -> None:
    artifacts = upstream()
    rows = artifacts[Kind.BODY_TRACKS]["body_tracks"].to_pylist()
    for row, kind in zip(rows, [*kinds, *kinds], strict=True):
        row["appearance"] = kind
    artifacts[Kind.BODY_TRACKS]["body_tracks"] = BODY_TRACKS.from_rows(rows)

    with pytest.raises(InputConflictError, match="cannot be compared"):
        fused(artifacts)


def test_it_depends_on_what_it_reads() -> None:
    assert set(STEP.inputs) == {
        Kind.SHOTS, Kind.TRACKS, Kind.IDENTITIES, Kind.BODY_DETECTIONS, Kind.BODY_TRACKS,
    }  # fmt: skip
    assert STEP.settings == ("body_bridge_s",)
