"""What is left of a shot's faces behind a cut keeps nobody apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from screenalytics_core.artifacts import TRACKS
from screenalytics_core.vision.cannot_link import cannot_link_of
from screenalytics_core.vision.ghosts import ghost_tracks

LEFT, RIGHT = [0.0, 0.0, 40.0, 40.0], [100.0, 0.0, 140.0, 40.0]
MOST_FRAMES = 8


def track(track_id: int, shot_id: int, first: int, last: int, box: list[float]) -> dict[str, Any]:
    frames = list(range(first, last + 1))
    return {
        "track_id": track_id,
        "shot_id": shot_id,
        "first_frame_idx": first,
        "last_frame_idx": last,
        "start_s": first / 25,
        "end_s": (last + 1) / 25,
        "frame_idxs": frames,
        "bboxes_xyxy": [box] * len(frames),
        "detection_ids": [1000 * track_id + frame for frame in frames],
        "mean_confidence": 0.9,
    }


def table(*rows: dict[str, Any]) -> pa.Table:
    return TRACKS.from_rows(list(rows))


BEFORE = track(0, 0, 0, 49, LEFT)
AFTER = track(2, 1, 50, 99, RIGHT)


def test_a_face_that_goes_on_over_a_cut_for_some_frames_is_a_ghost() -> None:
    tracks = table(BEFORE, track(1, 1, 50, 49 + MOST_FRAMES, LEFT), AFTER)

    assert ghost_tracks(tracks).tolist() == [1]
    assert cannot_link_of(tracks).tolist() == []


def test_so_is_one_that_is_there_before_its_shot() -> None:
    early = track(1, 0, 50 - MOST_FRAMES, 49, RIGHT)

    assert ghost_tracks(table(BEFORE, early, AFTER)).tolist() == [1]


@pytest.mark.parametrize(
    "beside",
    [
        pytest.param(track(1, 1, 50, 50 + MOST_FRAMES, LEFT), id="there for longer"),
        pytest.param(track(1, 1, 51, 54, LEFT), id="not from the cut on"),
        pytest.param(track(1, 1, 50, 54, [0.0, 60.0, 40.0, 100.0]), id="in another place"),
        pytest.param(track(1, 1, 50, 54, [12.0, 0.0, 52.0, 40.0]), id="a little aside"),
    ],
)
def test_other_faces_of_the_shot_keep_apart(beside: dict[str, Any]) -> None:
    tracks = table(BEFORE, beside, AFTER)

    assert ghost_tracks(tracks).tolist() == []
    assert cannot_link_of(tracks).tolist() == [[1, 2]]


def test_who_is_there_as_long_as_a_short_shot_is_no_ghost() -> None:
    tracks = table(BEFORE, track(1, 1, 50, 54, LEFT), track(2, 1, 50, 54, RIGHT))

    assert ghost_tracks(tracks).tolist() == []


def test_a_face_that_is_lost_within_its_shot_is_no_ghost() -> None:
    tracks = table(track(0, 0, 0, 49, LEFT), track(1, 0, 50, 53, LEFT), track(2, 0, 50, 99, RIGHT))

    assert ghost_tracks(tracks).tolist() == []


def test_without_tracks_there_are_none() -> None:
    assert ghost_tracks(table()).dtype == np.int64
    assert cannot_link_of(table()).shape == (0, 2)
