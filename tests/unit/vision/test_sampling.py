"""The scan and the tracker must agree on which frames were looked at."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screenalytics_core.vision.sampling import sampled_frames

lengths = st.lists(st.integers(1, 40), min_size=1, max_size=12)


def shots_of(frame_counts: list[int]) -> list[tuple[int, int]]:
    starts = [sum(frame_counts[:i]) for i in range(len(frame_counts) + 1)]
    return list(pairwise(starts))


def test_the_stride_counts_from_the_start_of_the_video_not_of_the_shot() -> None:
    assert sampled_frames([(0, 5), (5, 8)], 3).tolist() == [0, 3, 4, 5, 6, 7]


def test_no_shots_no_frames() -> None:
    assert sampled_frames([], 3).tolist() == []


def test_a_stride_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="stride must be at least 1, not 0"):
        sampled_frames([(0, 5)], 0)


@given(lengths, st.integers(1, 50))
def test_first_and_last_frame_of_every_shot_and_every_nth_frame_and_no_other(
    frame_counts: list[int], stride: int
) -> None:
    shots = shots_of(frame_counts)

    sampled = sampled_frames(shots, stride).tolist()

    edges = {f for start, end in shots for f in (start, end - 1)}
    assert sampled == sorted(edges | set(range(0, sum(frame_counts), stride)))


@given(lengths, st.integers(1, 50), st.data())
def test_shots_taken_apart_give_the_same_frames(
    frame_counts: list[int], stride: int, data: st.DataObject
) -> None:
    shots = shots_of(frame_counts)
    cut = data.draw(st.integers(0, len(shots)))

    apart = [*sampled_frames(shots[:cut], stride), *sampled_frames(shots[cut:], stride)]

    assert apart == sampled_frames(shots, stride).tolist()
