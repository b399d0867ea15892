"""Cuts found exactly and within a frame."""

from __future__ import annotations

import pytest

from screenalytics_core.evaluation.cuts import cut_scores, match_cuts


@pytest.mark.parametrize(
    ("truth", "predicted", "exact", "near"),
    [
        pytest.param([10, 20, 40], [10, 21, 50], 1, 2, id="one exact, one beside, one made up"),
        pytest.param([10], [9, 10], 1, 1, id="two near one cut: one counts"),
        pytest.param([10, 11], [10], 1, 1, id="one near two cuts"),
        pytest.param([10, 11], [9, 10], 1, 1, id="the nearest first"),
        pytest.param([10], [], 0, 0, id="none found"),
    ],
)
def test_cuts_are_matched_one_to_one(
    truth: list[int], predicted: list[int], exact: int, near: int
) -> None:
    scores = cut_scores(truth, predicted)

    assert (scores.tolerance_0.tp, scores.tolerance_1.tp) == (exact, near)
    assert scores.tolerance_1.fn == len(truth) - near
    assert scores.tolerance_1.fp == len(predicted) - near


def test_figures_of_a_middling_result() -> None:
    scores = match_cuts([10, 20, 40], [10, 21], 1)

    assert (scores.precision, scores.recall) == (1.0, 2 / 3)
    assert scores.f1 == pytest.approx(0.8)


def test_no_cut_where_there_is_none_is_right() -> None:
    assert match_cuts([], [], 0).f1 == 1.0
    assert match_cuts([], [5], 0).f1 == 0.0


def test_a_cut_said_twice_counts_once() -> None:
    assert cut_scores([10], [10, 10]).predicted == (10,)
