"""From groups to people: strangers, weak evidence, cohesion and confidence."""

from __future__ import annotations

import numpy as np
import pytest

from screenalytics_core.vision.identities import (
    TrackVectors,
    evidence,
    part_strangers,
    people_of,
    strong_groups,
)
from screenalytics_core.vision.pooling import normalised


def vectors(
    rows: list[list[float]], spreads: list[float] | None = None, seen: list[float] | None = None
) -> TrackVectors:
    """Tracks 10, 20, 30 ... with these directions."""
    n = len(rows)
    return TrackVectors(
        track_ids=np.arange(1, n + 1) * 10,
        embeddings=normalised(np.array(rows, np.float32).reshape(n, -1)),
        spreads=np.array(spreads or [0.0] * n, np.float32),
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


def test_four_doubtful_faces_count_like_a_clear_one() -> None:
    assert evidence(np.array([0, 1, 2]), np.array([4, 0, 2])).tolist() == [1, 1, 2.5]


def test_what_was_barely_seen_is_no_person_but_adds_up_with_others() -> None:
    tracks = vectors([[1, 0]] * 3, seen=[0.5, 0.5, 0.75])

    assert strong_groups([[10], [20], [30]], tracks) == []
    assert strong_groups([[10, 20], [30]], tracks) == [[10, 20]]


def test_cohesion_is_the_mean_similarity_to_the_centre() -> None:
    person = people_of([[10, 20]], vectors([[1, 0.5], [1, -0.5]]))[0]

    assert person.track_ids == (10, 20)
    assert person.cohesion == pytest.approx(1 / np.hypot(1, 0.5))


def confidence(rival: list[float], **changed: list[float]) -> float:
    tracks = vectors([[1, 0, 0], [1, 0.2, 0], rival], **changed)
    return people_of([[10, 20], [30]], tracks)[0].confidence


def test_confidence_falls_with_a_rival_that_looks_alike() -> None:
    assert 0 < confidence([1, 0, 1]) < confidence([0, 0, 1])
    assert confidence([1, 0.1, 0]) == 0


def test_a_rival_that_looks_opposite_is_no_help() -> None:
    assert confidence([-1, 0, 0]) == pytest.approx(confidence([0, 0, 1]))


def test_confidence_falls_with_scattered_faces_beside_a_rival() -> None:
    assert confidence([1, 0, 1], spreads=[0.3, 0.3, 0]) < confidence([1, 0, 1])


def test_confidence_grows_with_what_was_seen() -> None:
    alone = people_of([[10]], vectors([[1, 0]], seen=[1.0]))[0]
    often = people_of([[10]], vectors([[1, 0]], seen=[9.0]))[0]

    assert (alone.confidence, often.confidence) == (0.5, pytest.approx(0.9))
    assert alone.cohesion == pytest.approx(1)


def test_no_groups_are_no_people() -> None:
    assert people_of([], vectors([[1, 0]])) == []
