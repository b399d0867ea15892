"""Which identities may be one person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from screenalytics_core.vision.alike import Alike, alike_groups
from screenalytics_core.vision.identities import TrackVectors
from screenalytics_core.vision.pooling import normalised


def alike(
    rows: Sequence[Sequence[float]],
    groups: Sequence[Sequence[int]],
    apart: Sequence[tuple[int, int]] = (),
    least: float = 0.3,
) -> list[Alike]:
    """Tracks 0, 1, 2 ... with these directions."""
    vectors = TrackVectors(
        np.arange(len(rows)), normalised(np.array(rows, np.float32)), np.ones(len(rows))
    )
    return alike_groups(groups, vectors, np.array(apart, np.int64).reshape(-1, 2), least)


def test_two_that_resemble_each_other_may_be_one() -> None:
    (pair,) = alike([[1, 0, 0], [0.4, 0.9165, 0], [0, 0, 1]], [[0], [1], [2]])

    assert (pair.first, pair.second) == (0, 1)
    assert pair.similarity == pytest.approx(0.4, abs=1e-3)


def test_a_group_is_as_alike_as_the_mean_of_its_tracks() -> None:
    rows = [[1, 0, 0], [0.6, 0.8, 0], [0, 0, 1]]

    assert [round(a.similarity, 2) for a in alike(rows, [[0], [1, 2]])] == [0.42]
    assert alike(rows, [[0], [1, 2]], least=0.43) == []


def test_who_was_seen_beside_somebody_is_not_them() -> None:
    assert alike([[1, 0], [1, 0.1], [1, 0.2]], [[0, 1], [2]], apart=[(2, 1), (1, 99)]) == []


@pytest.mark.parametrize("groups", [[], [[0]]])
def test_one_or_nobody_resembles_nobody(groups: list[list[int]]) -> None:
    assert alike([[1, 0]], groups) == []
