"""Which boxes are on which frame."""

from __future__ import annotations

import pytest

from screenalytics_core.overlay.people import UNKNOWN_COLOUR
from screenalytics_core.overlay.scene import BODY, FACE, Scene
from tests.unit.overlay.findings import association, found, identity, named, times, track_row

TIMES = times(40)


def test_between_two_looks_a_box_moves_in_a_straight_line() -> None:
    scene = Scene(found(TIMES, {7: track_row({4: (0, 0, 10, 10), 8: (40, 20, 50, 30)}, TIMES)}))

    boxes = {i: scene.marks(i, TIMES[i]) for i in range(12)}

    assert [i for i, marks in boxes.items() if marks] == [4, 5, 6, 7, 8]
    assert boxes[5][0].bbox_xyxy == pytest.approx((10, 5, 20, 15))
    assert boxes[8][0].bbox_xyxy == pytest.approx((40, 20, 50, 30))


def test_time_and_not_frames_says_how_far_a_box_has_moved() -> None:
    uneven = [0.0, 0.1, 0.4, 0.5]
    scene = Scene(found(uneven, {1: track_row({0: (0, 0, 10, 10), 2: (40, 0, 50, 10)}, uneven)}))

    assert [scene.marks(i, uneven[i])[0].bbox_xyxy[0] for i in range(3)] == pytest.approx(
        [0, 10, 40]
    )


def test_a_box_is_observed_between_two_detections_and_not_beside_a_miss() -> None:
    box = (0.0, 0.0, 10.0, 10.0)
    row = track_row(dict.fromkeys((0, 3, 6, 9, 10), box), TIMES, unseen=(6, 10))
    scene = Scene(found(TIMES, {1: row}))

    observed = [scene.marks(i, TIMES[i])[0].is_observed for i in range(11)]

    assert observed == [True] * 4 + [False] * 5 + [True, False]


def test_tracks_that_begin_and_end_at_different_times_come_and_go() -> None:
    box = (0.0, 0.0, 10.0, 10.0)
    spans = {3: (0, 20), 1: (5, 9), 2: (9, 30), 9: (35, 35)}
    rows = {i: track_row(dict.fromkeys({a, b}, box), TIMES) for i, (a, b) in spans.items()}
    scene = Scene(found(TIMES, rows))

    for frame in range(40):
        drawn = [mark.detail for mark in scene.marks(frame, TIMES[frame])]
        assert drawn == [f"t{i}" for i, (a, b) in sorted(spans.items()) if a <= frame <= b]


def test_a_pass_may_begin_in_the_middle() -> None:
    box = (0.0, 0.0, 10.0, 10.0)
    rows = {1: track_row({0: box, 5: box}, TIMES), 2: track_row({3: box, 30: box}, TIMES)}

    assert [m.detail for m in Scene(found(TIMES, rows)).marks(20, TIMES[20])] == ["t2"]


def test_a_face_tells_who_and_the_ids_to_look_for() -> None:
    box = (0.0, 0.0, 10.0, 10.0)
    rows = {i: track_row({0: box}, TIMES) for i in (1, 2, 3)}
    scene = Scene(
        found(
            TIMES,
            rows,
            identities=[identity("id_0001", 1), identity("id_0002", 2)],
            cast=[named("id_0001", "anna", "Anna")],
        )
    )

    marks = scene.marks(0, 0.0)

    assert [(m.name, m.detail) for m in marks] == [
        ("Anna", "id_0001 t1"),
        ("id_0002", "t2"),
        ("", "t3"),
    ]
    assert marks[2].colour == UNKNOWN_COLOUR


def test_a_body_has_its_persons_colour_and_tells_the_evidence() -> None:
    box = (0.0, 0.0, 10.0, 10.0)
    row = track_row({0: box, 20: box}, TIMES)
    scene = Scene(
        found(
            TIMES,
            {1: row},
            identities=[identity("id_0001", 1), identity("id_0002")],
            bodies={4: row},
            associations=[
                association(4, "id_0002", start_s=TIMES[10], end_s=9.0, evidence="appearance"),
                association(4, "id_0001", end_s=TIMES[9]),
                association(4, None, start_s=TIMES[9], end_s=TIMES[10], evidence="none"),
            ],
        )
    )

    marks = {i: scene.marks(i, TIMES[i]) for i in (8, 9, 10)}

    assert [m.kind for m in marks[8]] == [BODY, FACE]
    assert marks[8][0].colour == marks[8][1].colour
    assert [(marks[i][0].name, marks[i][0].detail) for i in (8, 9, 10)] == [
        ("id_0001", "b4 by face"),
        ("", "b4"),
        ("id_0002", "b4 by appearance"),
    ]
    assert marks[9][0].colour == UNKNOWN_COLOUR


def test_each_frame_knows_its_shot() -> None:
    scene = Scene(found(TIMES, {}, shot_starts=(0, 10, 11)))

    assert [scene.shot_id(i) for i in (0, 9, 10, 11, 39)] == [0, 0, 1, 2, 2]


def test_an_episode_in_which_nothing_was_found_has_no_marks() -> None:
    assert Scene(found(TIMES, {}, bodies={})).marks(0, 0.0) == []
