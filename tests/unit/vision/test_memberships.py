"""How sure a track's identity is, and who its rival is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screenalytics_core.vision.identities import TrackVectors
from screenalytics_core.vision.memberships import Membership, memberships_of, stranger_similarity
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
        evidence=np.array(seen or [9.0] * n, np.float32),
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


def test_nobody_is_sure_of_a_track_that_two_people_resemble() -> None:
    between = [[1, 0], [1, 0], [1, 1], [0, 1], [0, 1]]

    clear, _, torn, *_ = memberships(between, [[10, 20, 30], [40, 50]])

    assert torn.confidence == 0
    assert clear.confidence > 0.6


def test_its_own_vector_does_not_speak_for_a_track() -> None:
    """Two tracks that hardly resemble each other both lie near the middle of the two."""
    one, _ = memberships([[1, 0.6], [1, -0.6]], [[10, 20]])

    assert one.similarity == pytest.approx(0.857, abs=0.001)
    # They resemble each other by 0.47, strangers by half of 0.4.
    assert one.confidence == pytest.approx((1 - 0.2 / 0.4706) * 0.9, abs=0.001)


def test_who_stands_alone_is_the_surer_the_less_anybody_resembles_them() -> None:
    def alone(likeness: float) -> float:
        rows = [[1, 0], [1, 0], [likeness, np.sqrt(1 - likeness**2)]]
        return memberships(rows, [[10, 20], [30]])[2].confidence

    assert alone(0.0) == pytest.approx(0.9)
    assert alone(-0.9) == pytest.approx(0.9)
    assert alone(0.2) == pytest.approx(0.45)
    assert alone(0.4) == pytest.approx(0, abs=1e-6)
    assert alone(0.7) == 0


def test_confidence_grows_with_what_was_seen_of_the_track() -> None:
    rows = [[1, 0], [1, 0], [1, 0]]

    once, thrice, never = memberships(rows, [[10, 20, 30]], seen=[1, 3, 0])

    assert thrice.confidence == pytest.approx(1.5 * once.confidence)
    assert never.confidence == 0


def test_somebody_who_was_elsewhere_at_the_time_is_no_rival() -> None:
    rows = [[1, 0, 0], [0.9, 0.4, 0], [0.2, 1, 0.5]]

    free = memberships(rows, [[10], [20], [30]])
    bound = memberships(rows, [[10], [20], [30]], apart=[(10, 20)])

    assert [m.rival for m in free] == [1, 0, 1]
    assert [m.rival for m in bound] == [2, 2, 1]
    assert bound[0].confidence > free[0].confidence


def test_one_such_track_keeps_its_whole_group_away() -> None:
    (_, _, lone) = memberships(
        [[1, 0], [1, 0.1], [1, 0.2]], [[10, 20], [30]], apart=[(20, 30), (10, 99)]
    )

    assert (lone.rival, lone.rival_similarity) == (None, None)
    assert lone.confidence == pytest.approx(0.9)


def test_a_track_without_a_group_has_a_rival_and_no_confidence() -> None:
    *_, nobody = memberships([[1, 0], [0, 1], [0.3, 1]], [[10], [20]])

    assert (nobody.group, nobody.similarity, nobody.confidence) == (None, None, 0)
    assert nobody.rival == 1


def test_without_people_nobody_has_a_rival() -> None:
    assert memberships([[1, 0]], []) == [Membership(10, None, None, None, None, 0.0)]


def test_strangers_may_look_half_as_alike_as_what_joins() -> None:
    assert stranger_similarity(0.3) == pytest.approx(0.15)


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
