"""Following faces: who is kept apart, who is waited for, and where a track ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tracking_scenes import (
    FPS,
    SETTINGS,
    SIDE_PX,
    Seen,
    during,
    people_in,
    scene,
    seconds,
    seen_ids,
    spans,
    standing,
    walking,
    weak_in,
)


def test_a_face_that_stays_is_one_track_from_the_first_to_the_last_frame() -> None:
    made = scene(standing())

    tracks = made.tracks()

    assert spans(tracks) == [(0, 99)]
    assert seen_ids(tracks[0]) == list(range(100))
    assert seconds(made, tracks) == pytest.approx(4.0)


def test_a_track_is_not_carried_over_a_cut() -> None:
    made = scene(standing(), shots=(40, 25, 35))

    tracks = made.tracks()

    assert spans(tracks) == [(0, 39), (40, 64), (65, 99)]
    assert [t.shot_id for t in tracks] == [0, 1, 2]


def test_every_shot_begins_as_if_there_were_no_other() -> None:
    person = walking(80, 6)
    together = scene(person, shots=(30, 30)).tracks()
    alone = scene(lambda frame: person(frame + 30), shots=(30,)).tracks()

    assert together[1].bboxes_xyxy.tolist() == alone[0].bboxes_xyxy.tolist()
    assert (together[1].frame_idxs - 30).tolist() == alone[0].frame_idxs.tolist()


@pytest.mark.parametrize("stride", [1, 3, 6])
def test_faces_that_cross_at_different_heights_keep_their_tracks(stride: int) -> None:
    made = scene(walking(100, 4, y=180), walking(500, -4, y=230), stride=stride)

    tracks = made.tracks()

    assert [people_in(made, t) for t in tracks] == [{0}, {1}]
    assert spans(tracks) == [(0, 99), (0, 99)]


@pytest.mark.parametrize("stride", [1, 3])
def test_a_face_hidden_by_one_that_passes_is_found_again(stride: int) -> None:
    """Motion tells them apart: at the crossing both boxes are in the same place."""
    hidden = range(46, 55)
    behind = walking(500, -4)
    made = scene(walking(100, 4), during(behind, range(46), range(55, 100)), stride=stride)

    tracks = made.tracks()

    assert [people_in(made, t) for t in tracks] == [{0}, {1}]
    assert {f for f in tracks[1].frame_idxs.tolist() if f in hidden} != set()


def test_a_face_hidden_for_less_than_the_buffer_stays_one_track() -> None:
    made = scene(during(standing(), range(40), range(54, 100)))

    tracks = made.tracks()

    assert spans(tracks) == [(0, 99)]
    assert (tracks[0].detection_ids[40:54] == -1).all()


def test_a_face_hidden_for_longer_than_the_buffer_becomes_two_tracks() -> None:
    made = scene(during(standing(), range(40), range(56, 100)))

    assert spans(made.tracks()) == [(0, 39), (56, 99)]


def test_the_buffer_is_in_seconds_whatever_the_frame_rate() -> None:
    """Seen 15 frames later is 0.6 s later at 25 a second, but 1.2 s at half of that."""
    person = during(standing(), range(40), range(54, 100))
    slow = scene(person, frame_times_s=np.arange(101) / (FPS / 2))

    assert len(scene(person).tracks()) == 1
    assert len(slow.tracks()) == 2


def test_a_stride_beyond_the_buffer_still_joins_neighbouring_looks() -> None:
    made = scene(standing(), stride=30, shots=(120,))

    assert spans(made.tracks(replace(SETTINGS, buffer_s=0.1))) == [(0, 119)]


def test_weak_detections_keep_a_track_alive_beyond_the_buffer() -> None:
    person = weak_in(standing(), range(30, 70))
    made = scene(person)

    tracks = made.tracks()

    assert spans(tracks) == [(0, 99)]
    assert seen_ids(tracks[0]) == list(range(100))


def test_weak_detections_alone_begin_nothing() -> None:
    assert scene(standing(confidence=0.4)).tracks() == []


def test_a_track_begins_with_its_first_strong_detection() -> None:
    made = scene(weak_in(standing(), range(20), 0.4))

    assert spans(made.tracks()) == [(20, 99)]


def test_what_is_less_than_weak_is_not_looked_at() -> None:
    made = scene(weak_in(standing(), range(50, 100), 0.2))

    assert spans(made.tracks()) == [(0, 49)]
    assert spans(made.tracks(replace(SETTINGS, weak_confidence=0.1))) == [(0, 99)]


def test_a_weak_detection_does_not_take_a_track_that_was_lost_before() -> None:
    """What stands where a face was some looks ago is as likely what hides it."""
    person = during(weak_in(standing(), range(60, 70)), range(50), range(60, 70))

    assert spans(scene(person).tracks()) == [(0, 49)]


@pytest.mark.parametrize("stride", [1, 3, 6])
def test_a_steady_walk_is_one_track_at_any_stride(stride: int) -> None:
    """At stride 6 the face moves by 0.8 of its width between two looks."""
    made = scene(walking(60, 0.8 * SIDE_PX / 6), stride=stride)

    assert spans(made.tracks()) == [(0, 99)]


def test_motion_is_measured_in_seconds_so_a_long_frame_does_not_lose_a_walker() -> None:
    """Between frames 30 and 31 pass 0.4 s; the face goes on at the same speed meanwhile."""
    times = np.arange(101) / FPS
    times[31:] += 0.36

    def person(frame: int) -> Seen:
        return 100 + 150 * float(times[frame]), 200.0, 0.8

    made = scene(person, frame_times_s=times)

    assert spans(made.tracks(replace(SETTINGS, reach=0.0, match_iou=0.5))) == [(0, 99)]


def test_a_jump_without_overlap_is_bridged_within_reach_only() -> None:
    def jumps_by(px: float) -> list[tuple[int, int]]:
        person = lambda frame: (200 + px * (frame >= 50), 200.0, 0.8)  # noqa: E731
        return spans(scene(person).tracks())

    assert jumps_by(1.05 * SIDE_PX) == [(0, 99)]
    assert jumps_by(3 * SIDE_PX) == [(0, 49), (50, 99)]


def test_reach_does_not_take_a_detection_from_the_track_that_overlaps_it() -> None:
    """One of two neighbours leaves; the other must not be handed to the leaver's track."""
    made = scene(during(standing(x=200), range(50)), standing(x=262))

    tracks = made.tracks()

    assert [people_in(made, t) for t in tracks] == [{0}, {1}]


def test_two_detections_of_one_face_in_a_frame_make_one_track() -> None:
    made = scene(standing(x=300), standing(x=304, confidence=0.7))

    tracks = made.tracks()

    assert spans(tracks) == [(0, 99)]
    assert people_in(made, tracks[0]) == {0}


def test_two_faces_cheek_to_cheek_stay_two() -> None:
    made = scene(standing(x=300), standing(x=300 + 0.45 * SIDE_PX))

    assert spans(made.tracks()) == [(0, 99), (0, 99)]


def test_nothing_seen_gives_no_track() -> None:
    assert scene(shots=(10, 20)).tracks() == []
    assert scene(shots=()).tracks() == []


ALONE = replace(SETTINGS, lone_returns=True)


def test_somebody_lost_for_a_moment_goes_on_where_nobody_else_can_be_meant() -> None:
    made = scene(during(standing(), range(40), range(46, 100)), standing(x=600.0))

    assert sorted(spans(made.tracks(ALONE))) == [(0, 99), (0, 99)]


def test_who_comes_back_where_two_were_lost_is_not_settled_by_place() -> None:
    # The second vanishes beside the first, and one of them comes back between both places.
    first = during(standing(x=300.0), range(40), range(46, 100))
    second = during(standing(x=350.0), range(42))

    by_place = scene(first, second).tracks(SETTINGS)
    alone = scene(first, second).tracks(ALONE)

    assert (0, 99) in spans(by_place)
    assert sorted(spans(alone)) == [(0, 39), (0, 41), (46, 99)]


def test_a_lost_track_does_not_take_the_box_of_a_track_that_goes_on() -> None:
    first = during(standing(x=300.0), range(40))
    passer_by = walking(x=100.0, px_per_frame=4.0)

    made = scene(first, passer_by)

    assert [people_in(made, t) for t in made.tracks(ALONE)] == [{1}, {0}]


def test_a_face_that_was_seen_a_look_ago_is_no_return() -> None:
    made = scene(walking(100.0, 2.0), walking(170.0, 2.0))

    assert spans(made.tracks(ALONE)) == [(0, 99), (0, 99)]
