"""Tracks of which some faces show somebody else."""

from __future__ import annotations

import numpy as np
import pytest

from screenalytics_core.vision.identities import TrackVectors
from screenalytics_core.vision.memberships import Membership, with_other
from screenalytics_core.vision.mixed_tracks import mixed_tracks
from screenalytics_core.vision.pooling import normalised

ANA, BO, CY = np.eye(3, dtype=np.float32)
VECTORS = TrackVectors(
    np.array([1, 2, 3]), np.array([ANA, ANA, 0.8 * BO], np.float32), np.ones(3, np.float32)
)
GROUPS = [[1, 2], [3]]


@pytest.mark.parametrize(
    ("left_out", "shown"),
    [
        pytest.param(BO, (1, 1.0), id="of somebody else"),
        pytest.param(CY, None, id="of nobody"),
        pytest.param((ANA + BO) / 2, None, id="of both"),
        pytest.param(0.59 * BO + 0.81 * CY, None, id="just not like somebody else"),
        pytest.param(0.61 * BO + 0.79 * CY, (1, 0.61), id="just like somebody else"),
    ],
)
def test_left_out_faces_tell_of_somebody_whom_they_surely_show(
    left_out: np.ndarray, shown: tuple[int, float] | None
) -> None:
    found = mixed_tracks({1: normalised(left_out[None])[0]}, GROUPS, VECTORS, 0.3)

    assert (1 in found) is (shown is not None)
    if shown is not None:
        assert found[1] == (shown[0], pytest.approx(shown[1], abs=0.01))


def test_faces_that_resemble_their_own_people_are_no_doubt() -> None:
    assert mixed_tracks({3: BO}, GROUPS, VECTORS, 0.3) == {}
    assert mixed_tracks({1: BO}, [[1, 3], [2]], VECTORS, 0.3) == {}
    assert mixed_tracks({1: BO}, [], VECTORS, 0.3) == {}


def test_the_other_one_of_a_track_of_two_people_is_its_rival() -> None:
    sure = Membership(1, 0, 0.9, None, None, 0.95)

    assert with_other(sure, (1, 0.7)) == Membership(1, 0, 0.9, 1, 0.7, 0.95)
    assert with_other(sure, None) == sure
    nobodys = Membership(1, None, None, None, None, 0.0)
    assert with_other(nobodys, (1, 0.7)) == nobodys
