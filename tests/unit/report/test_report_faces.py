"""Which faces the report shows: from all over a person's tracks, the best of each first."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from screenalytics_core.artifacts import FACES
from screenalytics_core.report.faces import FaceIndex
from tests.report_rows import face


def index_of(rows: Sequence[tuple[int, float, float]], **changed: object) -> FaceIndex:
    """Index faces of (track, timestamp in s, quality), numbered in this order."""
    faces = [
        {**face(n, track, at_s), "quality": quality, **changed}
        for n, (track, at_s, quality) in enumerate(rows)
    ]
    return FaceIndex(FACES.from_rows(faces))


def test_the_best_face_of_a_segment_is_one_seen_during_it() -> None:
    index = index_of([(1, 0.0, 0.9), (1, 1.0, 0.5), (1, 2.0, 0.7), (2, 1.5, 0.6)])

    assert index.best_of([1, 2]) == "000000.jpg"
    assert index.best_of([1, 2], (1.0, 2.0)) == "000003.jpg", "half-open: 2.0 s is outside"
    assert index.best_of([1], (5.0, 6.0)) is None


@pytest.mark.parametrize("unfit", [{"accepted": False}, {"crop": None}])
def test_a_face_that_was_refused_or_has_no_picture_is_not_shown(unfit: dict[str, object]) -> None:
    index = index_of([(1, 0.0, 0.9)], **unfit)

    assert index.best_of([1]) is None
    assert index.sheet_of([1]) == []


def test_every_track_gives_a_face_before_any_gives_a_second() -> None:
    index = index_of([(1, 0.0, 0.9), (1, 1.0, 0.8), (2, 5.0, 0.2)])

    assert [f.face_id for f in index.sheet_of([1, 2], 2)] == [0, 2]
    assert [f.face_id for f in index.sheet_of([1, 2], 3)] == [0, 1, 2]


def test_a_sheet_of_many_tracks_covers_the_episode_and_stands_best_first() -> None:
    # The first half of the episode has the better faces.
    index = index_of([(t, 10.0 * t, 0.9 if t < 50 else 0.3 + t / 1000) for t in range(100)])

    sheet = index.sheet_of(range(100))

    assert len(sheet) == 12
    assert sum(f.timestamp_s >= 500 for f in sheet) == 6
    assert [f.quality for f in sheet] == sorted((f.quality for f in sheet), reverse=True)


def test_the_order_of_the_tracks_does_not_matter() -> None:
    index = index_of([(t, float(t), 0.5) for t in range(30)])

    assert index.sheet_of(list(range(30))) == index.sheet_of(list(reversed(range(30))))
