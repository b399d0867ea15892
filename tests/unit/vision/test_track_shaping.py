"""What becomes of sightings: confirmed, joined, filled, and ended half-way to a miss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from screenalytics_core.vision.track_shaping import NOT_SEEN, merge_duplicates
from screenalytics_core.vision.tracking import Detections, ShotFrames, Sighting
from tests.tracking_scenes import (
    FPS,
    SETTINGS,
    during,
    people_in,
    scene,
    seconds,
    span,
    spans,
    standing,
    walking,
)


def test_one_detection_is_no_track_two_are() -> None:
    once = scene(during(standing(), range(30, 31)))
    twice = scene(during(standing(), range(30, 32)))

    assert once.tracks() == []
    assert spans(twice.tracks()) == [(30, 31)]


def test_a_track_counts_from_its_first_detection() -> None:
    made = scene(during(standing(), range(30, 100)))

    (track,) = made.tracks(replace(SETTINGS, min_samples=10))

    assert track.first_frame_idx == 30


@pytest.mark.parametrize("length", [1, 2, 3, 5, 6])
def test_a_face_seen_in_every_look_of_a_short_shot_is_not_lost(length: int) -> None:
    made = scene(standing(), shots=(40, length, 40), stride=6)

    tracks = made.tracks(replace(SETTINGS, min_samples=5))

    assert spans(tracks) == [(0, 39), (40, 39 + length), (40 + length, 79 + length)]


def test_a_face_missed_in_one_look_of_a_short_shot_is_not_excused() -> None:
    made = scene(during(standing(), range(1)), shots=(6,), stride=6)

    assert made.tracks() == []


def test_gaps_are_filled_on_a_straight_line_in_time() -> None:
    person = during(walking(100, 5), range(31), range(39, 100))
    times = np.arange(101) / FPS
    times[35:] += 0.16  # four frames' worth between frames 34 and 35

    (track,) = scene(person, stride=3, frame_times_s=times).tracks()

    gap = (track.frame_idxs > 30) & (track.frame_idxs < 39)
    assert track.frame_idxs[gap].tolist() == [33, 36]
    assert track.detection_ids[gap].tolist() == [NOT_SEEN, NOT_SEEN]
    left = track.bboxes_xyxy[:, 0]
    walked = left[track.frame_idxs == 39] - left[track.frame_idxs == 30]
    expected = left[track.frame_idxs == 30] + walked * np.array([3, 10]) / 13
    assert left[gap] == pytest.approx(expected, abs=1e-3)


def test_boxes_stand_on_looks_only_and_keep_the_bytes_of_their_detections() -> None:
    made = scene(walking(100.1, 1.3), stride=3)

    (track,) = made.tracks()

    assert track.frame_idxs.tolist() == [*range(0, 100, 3)]
    assert track.bboxes_xyxy.dtype == np.float32
    assert (track.bboxes_xyxy == made.detections.bboxes_xyxy).all()


@pytest.mark.parametrize(
    ("stride", "ends"),
    [
        pytest.param(1, (30, 59), id="every frame is looked at, nothing is open"),
        pytest.param(2, (29, 58), id="stride 2"),
        pytest.param(3, (29, 58), id="stride 3"),
        pytest.param(6, (27, 56), id="stride 6"),
    ],
)
def test_an_end_goes_half_way_to_the_look_that_missed(stride: int, ends: tuple[int, int]) -> None:
    (track,) = scene(during(standing(), range(30, 60)), stride=stride).tracks()

    assert span(track) == ends
    if stride > 2:
        assert track.detection_ids[[0, -1]].tolist() == [NOT_SEEN, NOT_SEEN]
        assert track.bboxes_xyxy[0].tolist() == track.bboxes_xyxy[1].tolist()
        assert track.bboxes_xyxy[-1].tolist() == track.bboxes_xyxy[-2].tolist()


def test_an_end_at_a_cut_is_not_extended() -> None:
    made = scene(during(standing(), range(31, 60)), shots=(31, 29, 40), stride=6)

    assert spans(made.tracks()) == [(31, 59)]


def test_the_gap_before_the_last_frame_of_a_shot_is_the_one_that_is_halved() -> None:
    """Looks at 12 and 13, the shot's last: a face last seen at 12 was not there at 13."""
    made = scene(during(standing(), range(13)), shots=(14,), stride=6)

    assert spans(made.tracks()) == [(0, 12)]


@pytest.mark.parametrize("stride", [3, 6, 10])
def test_extended_ends_are_right_on_average(stride: int) -> None:
    """Over all phases of appearing and leaving, the seconds have no bias."""
    errors = [
        seconds(made, made.tracks()) - length / FPS
        for start in range(30, 30 + stride)
        for length in range(40, 40 + stride)
        for made in [scene(during(standing(), range(start, start + length)), stride=stride)]
    ]

    assert np.mean(errors) == pytest.approx(0, abs=1e-9)
    assert np.max(np.abs(errors)) <= stride / FPS


def test_strides_agree_on_the_seconds_within_half_a_gap_per_end() -> None:
    person = during(walking(60, 2), range(17, 83))
    by_stride = {}
    for stride in (1, 3, 6):
        made = scene(person, shots=(50, 50), stride=stride)
        by_stride[stride] = seconds(made, made.tracks())

    assert by_stride[1] == pytest.approx(66 / FPS)
    for stride in (3, 6):
        assert abs(by_stride[stride] - by_stride[1]) <= 2 * (stride / 2) / FPS


def test_seconds_follow_the_timestamps_of_a_variable_frame_rate() -> None:
    times = np.arange(101) / FPS
    times[51:] += 2.0  # frame 50 stays for 2.04 s
    made = scene(during(standing(), range(40, 60)), frame_times_s=times)

    tracks = made.tracks(replace(SETTINGS, buffer_s=0.2))

    assert spans(tracks) == [(40, 59)]
    assert seconds(made, tracks) == pytest.approx(20 / FPS + 2.0)


def sighting(rows: list[int], frames: int = 40) -> Sighting:
    return Sighting(ShotFrames(0, np.arange(frames)), np.array(rows))


def at(*boxes: tuple[int, float]) -> Detections:
    """Boxes 60 px wide: (frame, left)."""
    left = np.array([x for _, x in boxes])
    return Detections(
        np.arange(len(boxes)) + 100,
        np.array([frame for frame, _ in boxes]),
        np.column_stack([left, left * 0, left + 60, left * 0 + 60]).astype(np.float32),
        np.full(len(boxes), 0.8, np.float32),
    )


TIMES = np.arange(41) / FPS


def test_a_track_that_fills_the_hole_of_another_is_part_of_it() -> None:
    """The first was lost from 10 to 20, a second one followed the same face meanwhile."""
    detections = at(*((f, 100.0 + f) for f in range(30)))
    long, within = sighting([*range(10), *range(20, 30)]), sighting([*range(10, 20)])

    (merged,) = merge_duplicates([long, within], detections, TIMES, SETTINGS)

    assert merged.rows.tolist() == list(range(30))


def test_of_two_tracks_on_one_face_the_longer_keeps_its_boxes() -> None:
    detections = at(*((f, 108.0) for f in range(15)), *((f, 100.0) for f in range(5, 25)))
    short, long = sighting([*range(15)]), sighting([*range(15, 35)])

    (merged,) = merge_duplicates([short, long], detections, TIMES, SETTINGS)

    assert merged.rows.tolist() == [*range(5), *range(15, 35)]


def test_a_face_that_a_detector_boxes_twice_in_every_frame_is_one_track() -> None:
    """The two boxes share half of what they cover: too little to drop one in a frame."""
    made = scene(standing(x=300), during(standing(x=320), range(20, 100)))

    (track,) = made.tracks()

    assert people_in(made, track) == {0}


@pytest.mark.parametrize(
    ("offset", "count"),
    [pytest.param(8.0, 1, id="on each other"), pytest.param(30.0, 2, id="side by side")],
)
def test_tracks_side_by_side_stay_two(offset: float, count: int) -> None:
    detections = at(*((f, 100.0) for f in range(20)), *((f, 100.0 + offset) for f in range(20)))

    merged = merge_duplicates(
        [sighting([*range(20)]), sighting([*range(20, 40)])], detections, TIMES, SETTINGS
    )

    assert len(merged) == count


def test_two_faces_once_seen_apart_are_never_one() -> None:
    """Nineteen frames on each other do not outweigh one in which there were two."""
    there = ((f, 100.0 if f else 300.0) for f in range(20))
    detections = at(*((f, 100.0) for f in range(20)), *there)

    merged = merge_duplicates(
        [sighting([*range(20)]), sighting([*range(20, 40)])], detections, TIMES, SETTINGS
    )

    assert len(merged) == 2


def test_tracks_one_after_the_other_are_not_merged() -> None:
    detections = at(*((f, 100.0) for f in range(20)))

    merged = merge_duplicates(
        [sighting([*range(10)]), sighting([*range(10, 20)])], detections, TIMES, SETTINGS
    )

    assert len(merged) == 2


@pytest.mark.parametrize("swapped", [False, True])
def test_what_could_join_either_of_two_joins_the_left_one_whatever_the_order(swapped: bool) -> None:
    """A row says only in which order a model happened to list its boxes."""
    left, right = ((f, 100.0) for f in range(10)), ((f, 140.0) for f in range(10))
    between = ((f, 120.0) for f in range(8, 12))
    detections = at(*(right if swapped else left), *(left if swapped else right), *between)
    two = [sighting([*range(10)]), sighting([*range(10, 20)])]

    merged = merge_duplicates([*two, sighting([*range(20, 24)])], detections, TIMES, SETTINGS)

    by_left = {detections.bboxes_xyxy[m.rows[0], 0]: len(m.rows) for m in merged}
    assert by_left == {100: 12, 140: 10}
