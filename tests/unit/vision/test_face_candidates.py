"""Which faces are decoded again, told from detections alone."""

from __future__ import annotations

import numpy as np

from screenalytics_core.vision.face_candidates import Candidates, choose_candidates
from screenalytics_core.vision.face_quality import Gates
from screenalytics_core.vision.observed import observed_boxes
from tests.face_fakes import Face, detections_table, tracks_table

GATES = Gates(min_size_px=20, min_confidence=0.5, min_sharpness=8, min_frontality=0.05)
SMALL = (0, 0, 15, 30)


def candidates(faces: list[Face], members: dict[int, list[int]]) -> Candidates:
    return Candidates.from_tables(tracks_table(faces, members), detections_table(faces))


def chosen(faces: list[Face], members: dict[int, list[int]], per_track: int = 4) -> list[int]:
    found = candidates(faces, members)
    return choose_candidates(found, GATES, per_track).detection_ids.tolist()


def test_faces_come_by_track_and_frame_whatever_the_order_of_the_tracks() -> None:
    faces = [Face(0), Face(0), Face(3), Face(3), Face(6)]

    found = candidates(faces, {7: [1, 3], 2: [0, 2, 4]})

    assert found.track_ids.tolist() == [2, 2, 2, 7, 7]
    assert found.detection_ids.tolist() == [0, 2, 4, 1, 3]
    assert found.frame_idxs.tolist() == [0, 3, 6, 0, 3]
    assert [rows.tolist() for rows in found.by_track()] == [[0, 1, 2], [3, 4]]


def test_interpolated_boxes_are_no_faces() -> None:
    faces = [Face(0), Face(6)]
    tracks = tracks_table(faces, {1: [0, 1]}, between={1: (3, 5, 5, 50, 50)})

    assert tracks["frame_idxs"].to_pylist() == [[0, 3, 6]]
    assert Candidates.from_tables(tracks, detections_table(faces)).frame_idxs.tolist() == [0, 6]
    assert observed_boxes(tracks).bboxes_xyxy.tolist() == [[40, 20, 100, 100]] * 2


def test_detections_are_found_by_id_not_by_place() -> None:
    faces = [Face(0, confidence=0.6), Face(3, confidence=0.7), Face(6, confidence=0.8)]
    reversed_rows = detections_table(faces).take([2, 1, 0])

    found = Candidates.from_tables(tracks_table(faces, {1: [1, 2]}), reversed_rows)

    assert found.confidences.tolist() == np.array([0.7, 0.8], np.float32).tolist()


def test_a_face_without_landmarks_has_an_unknown_pose() -> None:
    found = candidates([Face(0, has_landmarks=False), Face(3)], {1: [0, 1]})

    assert np.isnan(found.landmarks_xy[0]).all()
    assert np.isnan(found.frontality).tolist() == [True, False]
    assert chosen([Face(0, has_landmarks=False)], {1: [0]}) == [0]


def test_doubtful_faces_are_not_decoded_where_clear_ones_exist() -> None:
    faces = [Face(0, confidence=0.3), Face(3), Face(6, turned=30.0), Face(9)]

    assert chosen(faces, {1: [0, 1, 2, 3]}) == [1, 3]
    assert chosen(faces, {1: [0, 2]}) == [0, 2]


def test_a_track_of_tiny_faces_keeps_its_largest_to_say_so() -> None:
    faces = [Face(0, SMALL), Face(3, (0, 0, 18, 40)), Face(6, SMALL), Face(9)]

    assert chosen(faces, {1: [0, 1, 2], 2: [3]}) == [1, 3]


def test_a_long_track_gives_no_more_than_its_share_spread_over_its_time() -> None:
    faces = [Face(frame) for frame in range(0, 3000, 3)]

    found = choose_candidates(candidates(faces, {1: list(range(1000))}), GATES, 8)

    assert len(found) == 8
    assert np.diff(found.frame_idxs).min() >= 3000 / 8 / 2


def test_an_episode_without_a_track_has_no_candidates() -> None:
    assert chosen([], {}) == []
    assert chosen([Face(0)], {}) == []
