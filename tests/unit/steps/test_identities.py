"""The identities step and the cast step: who is one person, in which order, who is nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from screenalytics_core.artifacts import FACES, IDENTITIES, TRACK_REPS, ArtifactKind
from screenalytics_core.steps.identities import METHOD, STEP
from tests.face_fakes import Face, run_step, tracks_table

LEFT, RIGHT = (40, 20, 100, 100), (200, 20, 260, 100)
ANNA, BEN, CLEO = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


@dataclass
class Seen:
    """A track: who, which frames, where; `reasons` has one entry per accepted face."""

    track_id: int
    who: tuple[float, ...] | None
    frames: Sequence[int]
    bbox: tuple[int, int, int, int] = LEFT
    reasons: Sequence[str | None] = (None, None)
    quality: float = 0.5
    interpolated: int | None = None
    refused: int = 0
    clarity: float = 1.0
    mean_confidence: float = 0.9


def upstream(seen: Sequence[Seen]) -> dict[ArtifactKind, dict[str, Any]]:
    boxes: list[Face] = []
    members: dict[int, list[int]] = {}
    between = {}
    faces, reps = [], []
    for track in seen:
        members[track.track_id] = list(range(len(boxes), len(boxes) + len(track.frames)))
        boxes += [Face(f, track.bbox) for f in track.frames]
        if track.interpolated is not None:
            between[track.track_id] = (track.interpolated, *track.bbox)
        ids = []
        for reason in track.reasons if track.who else ("too_small",):
            ids.append(len(faces))
            faces.append(face_row(len(faces), track, reason))
        for _ in range(track.refused):
            faces.append(face_row(len(faces), track, "blurred", accepted=False))
        if track.who:
            reps.append(rep_row(track, ids))
    tables = [tracks_table(boxes, {t: m}, {t: between[t]} if t in between else None)
              for t, m in members.items()]  # fmt: skip
    tracks = pa.concat_tables(tables or [tracks_table([], {})])
    place = tracks.schema.get_field_index("mean_confidence")
    sure = pa.array([track.mean_confidence for track in seen], pa.float32())
    return {
        ArtifactKind.TRACKS: {"tracks": tracks.set_column(place, tracks.schema.field(place), sure)},
        ArtifactKind.FACES: {"faces": FACES.from_rows(faces)},
        ArtifactKind.FACES_EMBEDDINGS: {"embeddings": np.zeros((len(faces), 512), np.float32)},
        ArtifactKind.TRACK_REPS: {"track_reps": TRACK_REPS.from_rows(reps)},
    }


def face_row(
    face_id: int, track: Seen, reason: str | None, accepted: bool = True
) -> dict[str, Any]:
    accepted = accepted and track.who is not None
    return {
        "face_id": face_id, "track_id": track.track_id, "detection_id": face_id,
        "frame_idx": track.frames[0], "timestamp_s": 0.0, "bbox_xyxy": track.bbox,
        "confidence": 0.9, "size_px": 60, "quality": track.quality, "accepted": accepted,
        "reject_reason": reason, "embedding_row": face_id if accepted else None,
    }  # fmt: skip


def rep_row(track: Seen, ids: Sequence[int]) -> dict[str, Any]:
    vector = np.zeros(512, np.float32)
    vector[: len(track.who or ())] = track.who
    return {
        "track_id": track.track_id, "representative_face_id": ids[0], "face_ids": ids,
        "embedding": vector / np.linalg.norm(vector), "spread": 0.05,
        "clarity": track.clarity,
    }  # fmt: skip


def identify(seen: Sequence[Seen], **settings: Any) -> dict[str, Any]:
    out = run_step(STEP, upstream(seen), **settings)
    document = out[ArtifactKind.IDENTITIES]["identities"]
    assert IDENTITIES.conform(document) == document
    return dict(document)


def groups(document: Mapping[str, Any]) -> list[list[int]]:
    return [identity["track_ids"] for identity in document["identities"]]


def test_tracks_of_one_face_are_one_person_most_seen_first() -> None:
    document = identify(
        [
            Seen(0, BEN, [0, 10]),
            Seen(1, ANNA, [0, 20], RIGHT),
            Seen(2, ANNA, [100, 150]),
            Seen(3, CLEO, [200, 205]),
        ]
    )

    assert groups(document) == [[1, 2], [0], [3]]
    assert [i["identity_id"] for i in document["identities"]] == ["id_0001", "id_0002", "id_0003"]
    assert {i["label"] for i in document["identities"]} == {None}
    assert document["unassigned_track_ids"] == []
    assert document["method"] == METHOD
    assert document["cannot_link_pairs"] == 1


def test_time_in_two_tracks_at_once_counts_once_in_the_order() -> None:
    """Two tracks of one face (a duplicate) must not lift a person above somebody seen longer."""
    twice = [Seen(1, ANNA, [0, 50]), Seen(2, ANNA, [0, 50], (42, 22, 102, 102))]

    assert groups(identify([*twice, Seen(3, BEN, [100, 170])])) == [[3], [1, 2]]


def test_equal_time_goes_to_who_was_first() -> None:
    assert groups(identify([Seen(1, ANNA, [100, 120]), Seen(2, BEN, [0, 20])])) == [[2], [1]]


def test_two_faces_in_one_frame_are_two_people_however_alike() -> None:
    twins = [Seen(1, ANNA, [0, 10, 20]), Seen(2, ANNA, [20, 30], RIGHT)]

    document = identify(twins)

    assert groups(document) == [[1], [2]]
    assert document["cannot_link_pairs"] == 1


def test_a_guessed_box_forbids_nothing() -> None:
    """Between two looks the face may have left its interpolated place to the other track."""
    seen = [Seen(1, ANNA, [0, 20], interpolated=10), Seen(2, ANNA, [10, 11], RIGHT)]

    assert groups(identify(seen)) == [[1, 2]]


def test_a_track_without_a_usable_face_is_unassigned() -> None:
    document = identify([Seen(5, None, [0, 10]), Seen(2, ANNA, [30, 40])])

    assert groups(document) == [[2]]
    assert document["unassigned_track_ids"] == [5]


@pytest.mark.parametrize(
    ("reasons", "clarity", "is_person"),
    [
        pytest.param([None] * 9, 0.7, False, id="not above the noise, however often"),
        pytest.param([None], 0.71, True, id="one face above the noise"),
        pytest.param(["blurred"], 0.9, True, id="soft, but the embedder knows it"),
        pytest.param(["low_confidence"] * 8, 1.0, False, id="perhaps no face"),
        pytest.param(["low_confidence", None], 1.0, True, id="once surely a face"),
    ],
)
def test_a_new_person_needs_enough_to_be_seen(
    reasons: list[str | None], clarity: float, is_person: bool
) -> None:
    anna = Seen(1, ANNA, [0, 10], reasons=reasons, clarity=clarity)

    document = identify([anna, Seen(2, BEN, [20, 50])])

    assert groups(document) == ([[2], [1]] if is_person else [[2]])
    assert document["unassigned_track_ids"] == ([] if is_person else [1])


def test_what_the_detector_was_unsure_of_on_average_is_nobody() -> None:
    """Cloth and hands: now and then taken for a face, as sharp and as clear as any."""
    cloth = Seen(1, ANNA, [0, 10], reasons=[None] * 6, mean_confidence=0.4)
    face = Seen(4, BEN, [20, 30], reasons=[None] * 6, mean_confidence=0.6)

    assert groups(identify([cloth, face], det_thresh=0.5)) == [[4]]
    assert groups(identify([face, cloth], det_thresh=0.5)) == [[4]]
    assert groups(identify([cloth, face], det_thresh=0.3)) == [[1], [4]]


def test_doubtful_tracks_that_are_alike_are_somebody() -> None:
    twice = [Seen(t, ANNA, [t, t + 10], reasons=[None] * 2, clarity=0.7) for t in (0, 100)]

    assert groups(identify(twice, cluster_thresh=0.4)) == [[0, 100]]


def test_a_doubtful_track_still_joins_whom_it_resembles() -> None:
    seen = [Seen(1, ANNA, [0, 50]), Seen(2, ANNA, [60, 70], clarity=0.6)]

    assert groups(identify(seen)) == [[1, 2]]


def test_unclear_tracks_must_be_more_alike_to_be_joined() -> None:
    """Noise has no likeness: the same cosine says less of what was hardly seen."""
    clear = [Seen(1, ANNA, [0, 50]), Seen(2, (0.7, 0.7, 0.0), [60, 80], RIGHT)]
    unclear = [Seen(1, ANNA, [0, 50]), Seen(2, (0.7, 0.7, 0.0), [60, 80], RIGHT, clarity=0.8)]

    assert groups(identify(clear, cluster_thresh=0.6)) == [[1, 2]]
    assert groups(identify(unclear, cluster_thresh=0.6)) == [[1], [2]]


def test_the_threshold_to_join_is_the_setting() -> None:
    seen = [Seen(1, ANNA, [0, 50]), Seen(2, (0.6, 0.8, 0.0), [60, 80], RIGHT)]

    assert groups(identify(seen, cluster_thresh=0.59)) == [[1, 2]]
    assert groups(identify(seen, cluster_thresh=0.61)) == [[1], [2]]


@pytest.mark.parametrize(
    ("frames", "place", "is_one"),
    [([60, 80], LEFT, True), ([60, 80], RIGHT, False), ([110, 120], LEFT, False)],
    ids=["soon, at the same place", "elsewhere", "later"],
)
def test_a_face_lost_and_found_needs_less_to_be_one(
    frames: Sequence[int], place: tuple[int, int, int, int], is_one: bool
) -> None:
    seen = [Seen(1, ANNA, [0, 50]), Seen(2, (0.6, 0.8, 0.0), frames, place)]

    assert groups(identify(seen, cluster_thresh=0.7)) == ([[1, 2]] if is_one else [[1], [2]])


def test_a_track_too_far_from_its_centre_leaves_and_stands_alone() -> None:
    near = [Seen(t, (1.0, 0.1 * t, 0.0), [50 * t, 50 * t + 20]) for t in range(1, 5)]
    far = Seen(9, (0.5, 0.0, 0.9), [500, 505])

    assert groups(identify([*near, far], cluster_thresh=0.3)) == [[1, 2, 3, 4, 9]]
    assert groups(identify([*near, far], cluster_thresh=0.3, min_identity_sim=0.75)) == [
        [1, 2, 3, 4], [9],
    ]  # fmt: skip


def test_a_person_counts_its_faces_and_shows_the_best() -> None:
    seen = [
        Seen(1, ANNA, [0, 5], reasons=[None] * 3, quality=0.4),
        Seen(2, ANNA, [10, 15], reasons=[None] * 2, quality=0.7, refused=4),
        Seen(3, ANNA, [20, 25], reasons=[None], quality=0.7),
    ]

    person = identify(seen)["identities"][0]

    assert person["face_count"] == 6
    assert person["representative_face_id"] == 3
    assert person["cohesion"] == pytest.approx(1)
    # The best seen one of 3 faces, and two that are twice as alike as the threshold of 0.5.
    of_tracks = [15 / 16, *[1 / (1 + np.exp(-1.77 * (2 - 1.19)))] * 2]
    assert person["confidence"] == pytest.approx(np.average(of_tracks, weights=[3, 2, 1]), abs=1e-6)


@pytest.mark.parametrize(
    ("similarity", "may_be_one"), [(0.655, True), (0.62, False)], ids=["above 1.1", "below"]
)
def test_who_resembles_a_whole_person_more_than_joins_may_be_the_same(
    similarity: float, may_be_one: bool
) -> None:
    """Each of the person's looks alone is not alike enough to be joined with them."""
    ben = similarity * np.array([2.0, 1.0]) / 5**0.5
    other = (*ben.tolist(), float(1 - similarity**2) ** 0.5)
    seen = [
        Seen(1, ANNA, [0, 50]),
        Seen(2, (0.6, 0.8, 0.0), [60, 80], RIGHT),
        Seen(3, other, [300, 320]),
    ]

    document = identify(seen, cluster_thresh=0.59)

    assert groups(document) == [[1, 2], [3]]
    pairs = [(row["identity_id"], row["other_id"]) for row in document["alike"]]
    assert pairs == ([("id_0001", "id_0002")] if may_be_one else [])


def test_every_track_has_a_membership_that_names_its_rival() -> None:
    document = identify(
        [
            Seen(1, (1.0, 0.1, 0.0), [0, 50]),
            Seen(7, ANNA, [60, 90]),
            Seen(3, BEN, [100, 120]),
            Seen(9, None, [130, 140]),
            Seen(8, (0.3, 1.0, 0.0), [300, 301], reasons=["low_confidence"]),
        ],
        cluster_thresh=0.96,
    )
    rows = {row["track_id"]: row for row in document["memberships"]}

    assert list(rows) == [1, 3, 7, 8, 9]
    assert (rows[7]["identity_id"], rows[7]["rival_id"]) == ("id_0001", "id_0002")
    assert rows[7]["confidence"] > 0.3
    assert (rows[8]["identity_id"], rows[8]["rival_id"]) == (None, "id_0002")
    assert rows[8]["confidence"] == 0
    assert rows[9] == {
        "track_id": 9, "identity_id": None, "similarity": None,
        "rival_id": None, "rival_similarity": None, "confidence": 0.0,
    }  # fmt: skip


def test_two_seen_at_once_are_not_each_others_rivals() -> None:
    document = identify([Seen(1, ANNA, [0, 10, 20]), Seen(2, ANNA, [20, 30], RIGHT)])

    assert [row["rival_id"] for row in document["memberships"]] == [None, None]


def test_a_person_of_one_track_is_as_sure_as_that_track() -> None:
    """Also next to somebody just as alike who was in the same picture."""
    document = identify(
        [
            Seen(4, ANNA, [0, 10, 20]),
            Seen(2, ANNA, [20, 30], RIGHT),
            Seen(7, (0.4, 0.9, 0.0), [160, 260], reasons=[None] * 5),
        ]
    )
    sure = {row["identity_id"]: row["confidence"] for row in document["memberships"]}

    found = {i["identity_id"]: i["confidence"] for i in document["identities"]}
    assert found == pytest.approx(sure)
    assert sorted(sure) == ["id_0001", "id_0002", "id_0003"]
    assert min(sure.values()) > 0.1


def test_the_order_of_rows_does_not_matter() -> None:
    seen = [Seen(t, (ANNA, BEN, CLEO)[t % 3], [t * 40, t * 40 + 9]) for t in range(9)]

    straight = upstream(seen)
    reversed_ = {
        kind: {part: rows[::-1] for part, rows in parts.items()} for kind, parts in straight.items()
    }

    assert run_step(STEP, reversed_) == run_step(STEP, straight)


def test_an_episode_without_a_face_has_no_people() -> None:
    document = identify([])

    assert (document["identities"], document["unassigned_track_ids"]) == ([], [])


def test_the_step_depends_on_what_an_inheriting_run_needs() -> None:
    """A run that takes over track_reps must get the faces' vectors too, or it is not whole."""
    assert set(STEP.inputs) == {
        ArtifactKind.TRACKS, ArtifactKind.FACES, ArtifactKind.FACES_EMBEDDINGS,
        ArtifactKind.TRACK_REPS,
    }  # fmt: skip
    assert STEP.settings == ("cluster_thresh", "det_thresh", "min_identity_sim")


def test_whom_a_part_of_a_track_shows_is_its_rival() -> None:
    values = upstream([Seen(1, ANNA, [0, 10], reasons=[None] * 4), Seen(2, BEN, [20, 30])])
    reps = values[ArtifactKind.TRACK_REPS]["track_reps"].to_pylist()
    reps[0]["left_out_embedding"] = reps[1]["embedding"]
    values[ArtifactKind.TRACK_REPS] = {"track_reps": TRACK_REPS.from_rows(reps)}

    document = run_step(STEP, values)[ArtifactKind.IDENTITIES]["identities"]

    mixed, other = document["memberships"]
    assert (mixed["identity_id"], mixed["rival_id"]) == ("id_0001", "id_0002")
    assert mixed["rival_similarity"] == pytest.approx(1.0)
    assert other["rival_similarity"] == pytest.approx(0.0)
