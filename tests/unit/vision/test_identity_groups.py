"""From groups to people: strangers, weak evidence, cohesion and confidence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screenalytics_core.vision.identities import (
    TrackVectors,
    evidence,
    part_strangers,
    people_of,
    strong_groups,
)
from screenalytics_core.vision.pooling import normalised


def vectors(rows: list[list[float]], seen: list[float] | None = None) -> TrackVectors:
    """Tracks 10, 20, 30 ... with these directions."""
    n = len(rows)
    return TrackVectors(
        track_ids=np.arange(1, n + 1) * 10,
        embeddings=normalised(np.array(rows, np.float32).reshape(n, -1)),
        evidence=np.array(seen or [8.0] * n, np.float32),
    )


def test_a_track_unlike_its_group_stands_alone() -> None:
    tracks = vectors([[1, 0], [1, 0.1], [1, -0.1], [0.1, 1]])

    assert part_strangers([[10, 20, 30, 40]], tracks, 0.5) == [[10, 20, 30], [40]]
    assert part_strangers([[10, 20, 30, 40]], tracks, 0.2) == [[10, 20, 30, 40]]


def test_a_group_without_any_likeness_falls_apart() -> None:
    tracks = vectors([[1, 0, 0], [0, 1, 0], [0, 0, 1]])

    assert part_strangers([[10, 20, 30]], tracks, 0.9) == [[10], [20], [30]]


def test_a_single_track_is_never_a_stranger_to_itself() -> None:
    assert part_strangers([[20]], vectors([[1, 0], [0, 1]]), 0.99) == [[20]]


@pytest.mark.parametrize(
    ("faces", "clarity", "confidence", "worth"),
    [
        pytest.param(3, 0.9, 0.8, 3, id="clear"),
        pytest.param(3, 0.71, 0.5, 3, id="just longer than the noise, just sure"),
        pytest.param(1, 0.70, 0.8, 0.25, id="noise"),
        pytest.param(9, 0.70, 0.8, 0.5, id="much noise"),
        pytest.param(9, 0.9, 0.49, 0.5, id="the detector unsure"),
        pytest.param(0, 0.9, 0.8, 0, id="no usable face"),
    ],
)
def test_evidence_is_faces_of_clear_tracks(
    faces: int, clarity: float, confidence: float, worth: float
) -> None:
    found = evidence(
        np.array([faces]), np.array([clarity], np.float32), np.array([confidence], np.float32), 0.5
    )

    assert found.tolist() == [worth]


def test_what_was_barely_seen_is_no_person_but_adds_up_with_others() -> None:
    tracks = vectors([[1, 0]] * 3, seen=[0.5, 0.5, 0.75])

    assert strong_groups([[10], [20], [30]], tracks) == []
    assert strong_groups([[10, 20], [30]], tracks) == [[10, 20]]


def test_cohesion_is_the_mean_similarity_to_the_centre() -> None:
    person = people_of([[10, 20]], vectors([[1, 0.5], [1, -0.5]]), np.ones(2))[0]

    assert person.track_ids == (10, 20)
    assert person.cohesion == pytest.approx(1 / np.hypot(1, 0.5))


def test_a_person_is_as_sure_as_the_tracks_that_show_most_of_them() -> None:
    tracks = vectors([[1, 0]] * 4, seen=[1.0, 5.0, 3.0, 0.0])

    anna, ben = people_of([[10, 30, 40], [20]], tracks, np.array([0.2, 0.7, 0.6, 0.0]))

    assert anna.confidence == pytest.approx((0.2 + 3 * 0.6) / 4)
    assert ben.confidence == 0.7


@given(st.lists(st.tuples(st.floats(1, 100, width=32), st.floats(0, 1)), min_size=1, max_size=9))
def test_no_person_is_surer_than_the_surest_of_their_tracks(
    tracks: list[tuple[float, float]],
) -> None:
    seen, sure = [n for n, _ in tracks], [c for _, c in tracks]
    everything = vectors([[1, 0]] * len(tracks), seen=seen)

    person = people_of([everything.track_ids.tolist()], everything, np.array(sure))[0]

    assert min(sure) - 1e-9 <= person.confidence <= max(sure) + 1e-9


def test_no_groups_are_no_people() -> None:
    assert people_of([], vectors([[1, 0]]), np.zeros(1)) == []
