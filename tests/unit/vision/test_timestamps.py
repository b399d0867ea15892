"""Times must only go forward, whatever the file says, and must not drift from it."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screenalytics_core.vision.timestamps import FrameClock, last_frame_ticks, ticks_to_s

TICK = Fraction(1, 1000)


def placed(stamps: list[int | None]) -> list[int]:
    clock = FrameClock(TICK, Fraction(25))
    return [clock.place(pts) for pts in stamps]


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        pytest.param([852, 885, 919], [852, 885, 919], id="good ones stand, the first too"),
        pytest.param([0, 40, 3000, 3040], [0, 40, 3000, 3040], id="a long still stands"),
        pytest.param([0, 40, 40, 120], [0, 40, 41, 120], id="a duplicate comes a tick later"),
        pytest.param([0, 80, 40, 120], [0, 80, 81, 120], id="jitter does not drift"),
        pytest.param([None, None, 80], [0, 40, 80], id="missing ones are a frame apart"),
        pytest.param([0, None, None, 120], [0, 40, 80, 120], id="missing ones in between"),
        pytest.param(
            [5000, 5040, 0, 40, 80], [5000, 5040, 5080, 5120, 5160], id="a splice goes on"
        ),
        pytest.param(
            [9000, 0, 5000, 100, 900], [9000, 9040, 14040, 14080, 14880], id="two splices add up"
        ),
        pytest.param([-80, -40, 0], [-80, -40, 0], id="before zero"),
    ],
)
def test_a_frame_is_placed_by_rule(stamps: list[int | None], times: list[int]) -> None:
    assert placed(stamps) == times


@given(st.lists(st.none() | st.integers(-(10**9), 10**9), max_size=60))
def test_times_are_strictly_ascending_whatever_the_file_says(stamps: list[int | None]) -> None:
    assert all(a < b for a, b in pairwise(placed(stamps)))


def test_repairs_are_counted() -> None:
    clock = FrameClock(TICK, Fraction(25))

    for pts in (0, 40, 40, None, 160):
        clock.place(pts)

    assert clock.repaired == 2


def test_seconds_are_rounded_once() -> None:
    assert ticks_to_s(30030, Fraction(1, 30000)) == 1.001
    assert ticks_to_s(1, Fraction(1001, 30000)) == 1001 / 30000


@pytest.mark.parametrize(
    ("pts", "stream_end", "own", "ticks"),
    [
        pytest.param(960, 1000, 80, 40, id="up to the stream's end"),
        pytest.param(960, 2000, 80, 80, id="a stream cut before its stated end"),
        pytest.param(1000, 1000, 80, 80, id="a stated end too early"),
        pytest.param(960, None, 80, 80, id="no stated end"),
        pytest.param(None, 1000, 80, 80, id="no time stamp"),
        pytest.param(960, None, 0, 33, id="nothing stated"),
    ],
)
def test_the_last_frame_ends_by_rule(
    pts: int | None, stream_end: int | None, own: int, ticks: int
) -> None:
    assert ticks == last_frame_ticks(pts, stream_end=stream_end, own=own, before=33, time_base=TICK)
