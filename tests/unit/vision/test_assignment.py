"""The assignment is SciPy's, to the last tie, so that it can stand in for it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from screenalytics_core.vision.assignment import greatest_gain


def gains_of(seed: int) -> np.ndarray:
    """Return gains of up to 8 x 8 boxes: any, with many equal ones, mostly none, or both."""
    random = np.random.default_rng(seed)
    gains = random.uniform(0, 1, random.integers(1, 9, 2))
    if seed % 2:
        gains = np.round(gains * 3) / 3
    return np.where(gains > 0.6, gains, 0.0) if seed % 4 > 1 else gains


@pytest.mark.parametrize("seeds", [range(start, start + 200) for start in range(0, 800, 200)])
def test_rows_and_columns_are_those_of_scipy_where_gains_are_equal_too(seeds: range) -> None:
    for seed in seeds:
        gains = gains_of(seed)
        rows, columns = linear_sum_assignment(gains, maximize=True)

        found_rows, found_columns = greatest_gain(gains)

        assert (found_rows.tolist(), found_columns.tolist()) == (rows.tolist(), columns.tolist())


def test_a_crowd_is_assigned_as_by_scipy() -> None:
    random = np.random.default_rng(0)
    gains = np.where(random.uniform(size=(40, 60)) > 0.9, random.uniform(size=(40, 60)), 0.0)

    for shape in (gains, gains.T):
        rows, columns = greatest_gain(shape)

        expected = shape[linear_sum_assignment(shape, maximize=True)].sum()
        assert shape[rows, columns].sum() == pytest.approx(expected)
        assert len(set(rows.tolist())) == len(set(columns.tolist())) == 40
