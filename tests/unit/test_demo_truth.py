"""Seconds against truth: who is matched to whom, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from screenalytics_core.demo_truth import NOBODY, compare_with_truth, iou, track_box

LEFT, RIGHT = [0.0, 0.0, 10.0, 10.0], [50.0, 0.0, 60.0, 10.0]
FRAMES = [0, 30, 60, 90]


def truth() -> dict[str, Any]:
    """Ana at the left all the time, Bo at the right in the first half; 100 frames at 10/s."""
    faces = [{"frame_idx": f, "person": "ana", "bbox_xyxy": LEFT} for f in FRAMES]
    faces += [{"frame_idx": f, "person": "bo", "bbox_xyxy": RIGHT} for f in (0, 30)]
    return {
        "fps": 10.0, "frames": 100, "persons": {"ana": {}, "bo": {}}, "faces": faces,
        "visible": {"ana": [[0, 99]], "bo": [[0, 49]]},
    }  # fmt: skip


def track(track_id: int, box: list[float], last: int) -> dict[str, Any]:
    return {"track_id": track_id, "frame_idxs": [0, last], "bboxes_xyxy": [box, box]}


def run(
    people: dict[str, float], tracks: list[dict[str, Any]], ids: dict[str, list[int]]
) -> list[dict[str, Any]]:
    screen_time = {"people": [{"identity_id": i, "face_s": s} for i, s in people.items()]}
    identities = {"identities": [{"identity_id": i, "track_ids": t} for i, t in ids.items()]}
    return compare_with_truth(truth(), screen_time, tracks, identities)


def said(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(r["person"], r["identity_id"], r["error_s"]) for r in rows]


BOTH = [track(1, LEFT, 99), track(2, RIGHT, 49)]


@pytest.mark.parametrize(
    ("people", "tracks", "ids", "expected"),
    [
        pytest.param(
            {"id_0001": 10.0, "id_0002": 5.0}, BOTH, {"id_0001": [1], "id_0002": [2]},
            [("ana", "id_0001", 0.0), ("bo", "id_0002", 0.0)], id="exact",
        ),
        pytest.param(
            {"id_0001": 4.8, "id_0002": 10.3}, BOTH, {"id_0001": [2], "id_0002": [1]},
            [("ana", "id_0002", 0.3), ("bo", "id_0001", -0.2)], id="place decides, not the order",
        ),
        pytest.param(
            {"id_0001": 10.0}, BOTH[:1], {"id_0001": [1]},
            [("ana", "id_0001", 0.0), ("bo", None, -5.0)], id="one not found",
        ),
        pytest.param(
            {"id_0001": 10.0}, BOTH, {"id_0001": [1, 2]},
            [("ana", "id_0001", 0.0), ("bo", None, -5.0)], id="two merged into one",
        ),
        pytest.param(
            {"id_0001": 6.0, "id_0002": 4.0, "id_0003": 5.0},
            [track(1, LEFT, 60), {**track(3, LEFT, 99), "frame_idxs": [61, 99]}, BOTH[1]],
            {"id_0001": [1], "id_0002": [3], "id_0003": [2]},
            [("ana", "id_0001", -4.0), ("bo", "id_0003", 0.0), (NOBODY, "id_0002", 4.0)],
            id="one split into two",
        ),
        pytest.param(
            {"id_0001": 3.0}, [track(1, [90.0, 90.0, 99.0, 99.0], 99)], {"id_0001": [1]},
            [("ana", None, -10.0), ("bo", None, -5.0), (NOBODY, "id_0001", 3.0)],
            id="somewhere else",
        ),
        pytest.param(
            {}, [], {}, [("ana", None, -10.0), ("bo", None, -5.0)], id="nothing measured",
        ),
        pytest.param(
            {}, BOTH, {}, [("ana", None, -10.0), ("bo", None, -5.0)], id="tracks without identity",
        ),
    ],
)  # fmt: skip
def test_people_are_matched_by_where_they_are(
    people: dict[str, float],
    tracks: list[dict[str, Any]],
    ids: dict[str, list[int]],
    expected: list[tuple[Any, ...]],
) -> None:
    assert said(run(people, tracks, ids)) == expected


def test_more_matches_go_before_better_ones() -> None:
    def at(left: float) -> list[float]:
        return [left, 0.0, left + 10.0, 10.0]

    ana, bo = (
        {"frame_idx": 0, "person": p, "bbox_xyxy": at(x)} for p, x in (("ana", 0.5), ("bo", -4.1))
    )
    tracks = [track(1, at(0.0), 9), track(2, at(4.6), 9)]
    identities = {"identities": [{"identity_id": f"id_{t}", "track_ids": [t]} for t in (1, 2)]}

    rows = compare_with_truth({**truth(), "faces": [ana, bo]}, {}, tracks, identities)

    assert [r["identity_id"] for r in rows] == ["id_2", "id_1"]


def test_the_error_is_a_part_of_the_clips_length() -> None:
    first = run({"id_0001": 9.5}, BOTH, {"id_0001": [1]})[0]

    assert first["error_percent_of_length"] == -5.0
    assert (first["true_s"], first["measured_s"]) == (10.0, 9.5)


def test_an_empty_screen_time_is_no_error() -> None:
    assert len(compare_with_truth(truth(), {}, BOTH, {"identities": []})) == 2


@pytest.mark.parametrize(
    ("frame", "box"),
    [(9, None), (10, [0, 0, 4, 4]), (15, [5, 0, 9, 4]), (20, [10, 0, 14, 4]), (21, None)],
)
def test_a_tracks_box_is_linear_between_its_frames(frame: int, box: list[float] | None) -> None:
    moving = {"frame_idxs": [10, 20], "bboxes_xyxy": [[0, 0, 4, 4], [10, 0, 14, 4]]}

    assert track_box(moving, frame) == box


@pytest.mark.parametrize(
    ("a", "b", "value"),
    [
        ((0, 0, 2, 2), (0, 0, 2, 2), 1.0),
        ((0, 0, 2, 2), (1, 0, 3, 2), 1 / 3),
        ((0, 0, 1, 1), (2, 2, 3, 3), 0.0),
        ((0, 0, 0, 0), (0, 0, 0, 0), 0.0),
    ],
)
def test_iou(a: tuple[float, ...], b: tuple[float, ...], value: float) -> None:
    assert iou(a, b) == pytest.approx(value)
