"""Stated bounds: how often they hold, how wide they are, and what that is worth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screenalytics_core.evaluation.bounds import BoundsSample, Calibration, calibration


def judged(*samples: tuple[float, float, float, float], level: float = 0.9) -> Calibration:
    found = calibration([BoundsSample(*s) for s in samples], level)
    assert found is not None
    return found


def test_bounds_that_hold_cost_their_width() -> None:
    found = judged((10, 8, 12, 10), (20, 19, 20, 20))

    assert (found.samples, found.coverage) == (2, 1.0)
    assert found.interval_score_s == pytest.approx((4 + 1) / 2)
    assert found.median_relative_width == pytest.approx((4 / 10 + 1 / 20) / 2)


@pytest.mark.parametrize("truth_s", [7.5, 12.5])
def test_a_truth_outside_costs_twenty_times_its_distance_at_ninety_percent(truth_s: float) -> None:
    found = judged((truth_s, 8, 12, 10))

    assert found.coverage == 0.0
    assert found.interval_score_s == pytest.approx(4 + 2 / 0.1 * 0.5)
    assert judged((truth_s, 8, 12, 10), level=0.5).interval_score_s == pytest.approx(4 + 4 * 0.5)


def test_a_bound_that_is_the_truth_holds_though_it_was_rounded() -> None:
    third, two_thirds = 10 / 3, 20 / 3

    assert judged((two_thirds, round(two_thirds, 6), 9, 7)).coverage == 1.0
    assert judged((third, 0, round(third, 6), third)).coverage == 1.0
    assert judged((third, 0, third - 0.001, third)).coverage == 0.0


def test_people_who_are_not_there_have_no_relative_width() -> None:
    assert judged((0, 0, 3, 1), (10, 9, 11, 10)).median_relative_width == pytest.approx(0.2)
    assert judged((0, 0, 3, 1)).median_relative_width is None


def test_the_baseline_is_the_best_one_width_for_these_samples() -> None:
    errors_s = [0.0] * 8 + [1.0, 5.0]
    base = judged(*((50 + e, 50, 50, 50) for e in errors_s), level=0.8).baseline

    # One in five outside costs as much as it spares; of equal costs the narrowest.
    assert base.half_width_s in (0.0, 1.0)
    assert base.interval_score_s == pytest.approx(2 * 1.0 + 10 * 4.0 / 10)


def test_the_baseline_states_no_negative_seconds() -> None:
    base = judged((0, 0, 0, 2), (2, 2, 2, 2)).baseline

    assert base.half_width_s == 2.0
    assert base.coverage == 1.0
    assert base.interval_score_s == pytest.approx(4.0)


SECONDS = st.floats(0, 100)


@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=20), st.floats(0.5, 0.95))
def test_no_other_width_scores_better_than_the_baselines(
    pairs: list[tuple[float, float]], level: float
) -> None:
    base = judged(*((t, e, e, e) for t, e in pairs), level=level).baseline

    for width in np.linspace(0, 100, 41):
        stated = [(t, max(0.0, e - width), e + width, e) for t, e in pairs]
        assert base.interval_score_s <= judged(*stated, level=level).interval_score_s + 1e-9


def test_bounds_made_for_each_person_can_beat_one_width_for_all() -> None:
    samples = [(10.0, 9.9, 10.1, 10.0)] * 9 + [(60.0, 40.0, 61.0, 50.0)]
    found = judged(*samples)

    assert found.interval_score_s < found.baseline.interval_score_s


def test_without_samples_there_is_nothing_to_judge() -> None:
    assert calibration([]) is None


@pytest.mark.parametrize("level", [0.0, 1.0, 90.0])
def test_a_level_is_a_probability(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        calibration([], level)
