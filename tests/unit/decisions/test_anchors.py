"""Tracks are found again by when and where they were seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from screenalytics_core.artifacts import TRACKS
from screenalytics_core.decisions.anchors import SIGHTINGS, TrackFinder, anchors_of
from screenalytics_core.decisions.records import TrackAnchor

FPS = 25
FRAME_TIMES_S = np.arange(501) / FPS
WIDTH = 40.0


def track(
    track_id: int, first: int, last: int, left: float = 0.0, *, every: int = 1, speed: float = 0.0
) -> dict[str, Any]:
    """A face from a frame to another, seen at every n-th; it moves by `speed` px a frame."""
    frames = list(range(first, last + 1, every))
    lefts = [left + speed * f for f in frames]
    return {
        "track_id": track_id, "shot_id": 0, "first_frame_idx": first, "last_frame_idx": last,
        "start_s": FRAME_TIMES_S[first], "end_s": FRAME_TIMES_S[last + 1], "frame_idxs": frames,
        "bboxes_xyxy": [[x, 10.0, x + WIDTH, 60.0] for x in lefts],
        "detection_ids": list(range(len(frames))), "mean_confidence": 0.9,
    }  # fmt: skip


def table(*tracks: dict[str, Any]) -> pa.Table:
    return TRACKS.from_rows(list(tracks))


def anchor(seen: dict[str, Any], sha256: str = "then") -> TrackAnchor:
    [only] = anchors_of([seen["track_id"]], table(seen), FRAME_TIMES_S, sha256)
    return only


def found(wanted: dict[str, Any], *now: dict[str, Any]) -> set[int]:
    finder = TrackFinder(table(*now), FRAME_TIMES_S, "now")
    return set(finder.find([anchor(wanted)]))


def test_a_track_is_named_by_sightings_from_all_over_it() -> None:
    times_s = [s.timestamp_s for s in anchor(track(7, 0, 99)).sightings]

    assert len(times_s) == SIGHTINGS
    assert times_s == [0.4, 1.2, 2.0, 2.8, 3.6]


def test_only_what_was_observed_is_a_sighting() -> None:
    seen = track(7, 0, 9)
    seen["detection_ids"] = [None] * 8 + [3, None]

    assert [s.timestamp_s for s in anchor(seen).sightings] == [8 / FPS]


def test_a_short_track_is_named_by_all_that_there_is() -> None:
    assert len(anchor(track(7, 0, 1)).sightings) == 2


def test_anchors_stand_in_the_order_of_their_numbers() -> None:
    tracks = table(track(3, 0, 9), track(1, 10, 19))

    assert [a.track_id for a in anchors_of([3, 1, 3], tracks, FRAME_TIMES_S, "then")] == [1, 3]


def test_in_the_same_tracks_the_number_decides() -> None:
    here, elsewhere = track(1, 0, 49), track(2, 0, 49, 200)
    finder = TrackFinder(table(track(1, 0, 49, 200), track(2, 0, 49)), FRAME_TIMES_S, "same")

    assert finder.find([anchor(here, "same")]) == {1}
    assert finder.find([anchor(here, "other")]) == {2}
    assert finder.find([anchor({**elsewhere, "track_id": 9}, "same")]) == set()


CASES = [
    pytest.param(track(1, 0, 99), [track(5, 0, 99)], {5}, id="the same"),
    pytest.param(
        track(1, 0, 99, speed=2), [track(5, 0, 99, every=12, speed=2)], {5},
        id="between two looks a box moves on",
    ),
    pytest.param(track(1, 0, 99), [track(5, 0, 44), track(6, 45, 99)], {5, 6}, id="cut in two"),
    pytest.param(
        track(1, 0, 99), [track(5, 0, 99, 60), track(6, 0, 99, 4)], {6}, id="beside somebody else"
    ),
    pytest.param(track(1, 0, 99), [track(5, 0, 99, 30)], set(), id="somebody else's place"),
    pytest.param(track(1, 0, 99), [track(5, 200, 299)], set(), id="another time"),
    pytest.param(track(1, 0, 99), [], set(), id="nothing left"),
    pytest.param(
        track(1, 0, 20), [track(5, 0, 200)], {5}, id="part of a longer track"
    ),
    pytest.param(
        track(1, 0, 99), [track(5, 0, 99, -60, speed=1)], set(),
        id="somebody who only passes is not it",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("then", "now", "expected"), CASES)
def test_found_again(then: dict[str, Any], now: list[dict[str, Any]], expected: set[int]) -> None:
    assert found(then, *now) == expected


def test_the_order_of_the_tracks_does_not_matter() -> None:
    now = [track(5, 0, 44), track(6, 45, 99), track(7, 0, 99, 8)]

    assert found(track(1, 0, 99), *now) == found(track(1, 0, 99), *now[::-1])
