"""How sure a track's identity is, and who its rival is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screenalytics_core.vision.identities import TrackVectors
from screenalytics_core.vision.memberships import Membership, memberships_of
from screenalytics_core.vision.pooling import normalised

THRESH = 0.4


def memberships(
    rows: Sequence[Sequence[float]],
    groups: Sequence[Sequence[int]],
    apart: Sequence[tuple[int, int]] = (),
    seen: Sequence[float] | None = None,
) -> list[Membership]:
    """Tracks 10, 20, 30 ... with these directions and 9 clear faces each."""
    n = len(rows)
    vectors = TrackVectors(
        track_ids=np.arange(1, n + 1) * 10,
        embeddings=normalised(np.array(rows, np.float32).reshape(n, -1)),
        evidence=np.array([9.0] * n if seen is None else seen, np.float32),
    )
    return memberships_of(groups, vectors, np.array(apart, np.int64).reshape(-1, 2), THRESH)


def test_a_track_names_its_group_and_the_likeliest_other_one() -> None:
    first, _, stranger, _ = memberships(
        [[1, 0, 0], [1, 0, 0], [0.1, 1, 0], [0, 0, 1]], [[10, 20], [30], [40]]
    )

    assert (first.group, first.rival) == (0, 1)
    assert first.similarity == pytest.approx(1)
    assert first.rival_similarity == pytest.approx(0.1, abs=0.001)
    assert (stranger.group, stranger.rival) == (1, 0)


def beside(own: float, seen: float = 5.0) -> Membership:
    """The less seen of two tracks that are one identity, with this similarity to the other."""
    rows = [[1, 0], [own, np.sqrt(1 - own**2)]]
    return memberships(rows, [[10, 20]], seen=[9, seen])[1]


@pytest.mark.parametrize(
    ("own", "confidence"),
    [(0.1, 0.159), (0.4, 0.417), (0.476, 0.5), (0.8, 0.807), (1.0, 0.910)],
)
def test_a_track_is_the_surer_the_more_the_rest_of_its_group_resembles_it(
    own: float, confidence: float
) -> None:
    assert beside(own).confidence == pytest.approx(confidence, abs=0.001)


def test_its_own_vector_does_not_speak_for_a_track() -> None:
    """Two tracks that hardly resemble each other both lie near the middle of the two."""
    found = beside(0.47)

    assert found.similarity == pytest.approx(0.857, abs=0.001)
    assert found.confidence == pytest.approx(0.495, abs=0.002)


def test_the_track_that_was_seen_best_stands_for_the_person_and_is_as_sure_as_it_was_seen() -> None:
    best, other = memberships([[1, 0], [0.5, 0.9]], [[10, 20]], seen=[3, 2])
    (alone,) = memberships([[1, 0]], [[10]], seen=[1])

    assert best.confidence == pytest.approx(15 / 16)
    assert other.confidence < 0.6
    assert alone.confidence == pytest.approx(0.75)


def test_what_nothing_was_seen_of_stands_for_nobody() -> None:
    (alone,) = memberships([[1, 0]], [[10]], seen=[0])

    assert alone.confidence == 0


def test_somebody_who_was_elsewhere_at_the_time_is_no_rival() -> None:
    rows = [[1, 0, 0], [0.9, 0.4, 0], [0.2, 1, 0.5]]

    free = memberships(rows, [[10], [20], [30]])
    bound = memberships(rows, [[10], [20], [30]], apart=[(10, 20)])

    assert [m.rival for m in free] == [1, 0, 1]
    assert [m.rival for m in bound] == [2, 2, 1]


def test_one_such_track_keeps_its_whole_group_away() -> None:
    (_, _, lone) = memberships(
        [[1, 0], [1, 0.1], [1, 0.2]], [[10, 20], [30]], apart=[(20, 30), (10, 99)]
    )

    assert (lone.rival, lone.rival_similarity) == (None, None)


def test_a_track_without_a_group_has_a_rival_and_no_confidence() -> None:
    *_, nobody = memberships([[1, 0], [0, 1], [0.3, 1]], [[10], [20]])

    assert (nobody.group, nobody.similarity, nobody.confidence) == (None, None, 0)
    assert nobody.rival == 1


def test_without_people_nobody_has_a_rival() -> None:
    assert memberships([[1, 0]], []) == [Membership(10, None, None, None, None, 0.0)]


@given(
    st.lists(st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3), min_size=1, max_size=8),
    st.lists(st.integers(0, 3), min_size=8, max_size=8),
)
def test_confidence_lies_between_0_and_1_and_the_rival_is_somebody_else(
    rows: list[list[float]], owner_of: list[int]
) -> None:
    ids = [10 * (i + 1) for i in range(len(rows))]
    groups = [[t for t, o in zip(ids, owner_of, strict=False) if o == k] for k in range(3)]
    groups = [g for g in groups if g]

    for m in memberships([[1e-3 + x for x in row] for row in rows], groups):
        assert 0 <= m.confidence <= 1
        assert m.rival is None or m.rival != m.group
        assert m.confidence == 0 or m.group is not None
