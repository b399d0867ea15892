"""The assignment problem for the few boxes of one frame.

Shortest augmenting paths after Crouse 2016, "On implementing 2D rectangular assignment
algorithms", and, so that equal gains are settled alike, in the order of SciPy's
`linear_sum_assignment`. Importing SciPy's takes half a second of a run that may need no
more than a second for everything else; for a frame's boxes this is as quick.
"""

from __future__ import annotations

from math import inf

import numpy as np

from screenalytics_core.vision.boxes import Float64Array, IntArray


def greatest_gain(gains: Float64Array) -> tuple[IntArray, IntArray]:
    """Pair each row with a column, or each column with a row where these are fewer.

    Args:
        gains: (N, M), finite.

    Returns:
        Rows, ascending, and their columns, min(N, M) of each: of all such pairs those whose
        gains add up to the most.
    """
    is_tall = gains.shape[0] > gains.shape[1]
    costs: list[list[float]] = (-(gains.T if is_tall else gains)).tolist()
    columns = np.array(_Paths(costs, gains.shape[0] if is_tall else gains.shape[1]).solve(), int)
    if not is_tall:
        return np.arange(len(columns)), columns
    order = np.argsort(columns)
    return columns[order], order


class _Paths:
    """Rows are given a column one after the other; those before may have to change theirs."""

    def __init__(self, costs: list[list[float]], column_count: int) -> None:
        self._costs = costs
        self._column_count = column_count
        self._row_prices = [0.0] * len(costs)
        self._column_prices = [0.0] * column_count
        self._columns = [-1] * len(costs)
        self._rows = [-1] * column_count

    def solve(self) -> list[int]:
        """Return the column of each row."""
        for row in range(len(self._costs)):
            self._give_column(row)
        return self._columns

    def _give_column(self, row: int) -> None:
        lengths = [inf] * self._column_count
        before = [-1] * self._column_count
        reached_rows, reached_columns, length = self._shortest_path(row, lengths, before)
        self._row_prices[row] += length
        for other in reached_rows[1:]:
            self._row_prices[other] += length - lengths[self._columns[other]]
        for column in reached_columns:
            self._column_prices[column] -= length - lengths[column]
        column = reached_columns[-1]
        while True:
            at = before[column]
            self._rows[column] = at
            self._columns[at], column = column, self._columns[at]
            if at == row:
                return

    def _shortest_path(
        self, row: int, lengths: list[float], before: list[int]
    ) -> tuple[list[int], list[int], float]:
        """Search from a row for the nearest free column; fills `lengths` and `before`.

        Returns:
            Rows and columns in the order in which they were reached, and the path's length.
        """
        left = list(range(self._column_count - 1, -1, -1))
        reached_rows: list[int] = []
        reached_columns: list[int] = []
        length = 0.0
        while row >= 0:
            reached_rows.append(row)
            costs, price = self._costs[row], self._row_prices[row]
            nearest, length_before, length = -1, length, inf
            for place, column in enumerate(left):
                through = length_before + costs[column] - price - self._column_prices[column]
                if through < lengths[column]:
                    before[column], lengths[column] = row, through
                reached = lengths[column]
                if reached < length or (reached == length and self._rows[column] < 0):
                    nearest, length = place, reached
            column = left[nearest]
            reached_columns.append(column)
            left[nearest] = left[-1]
            left.pop()
            row = self._rows[column]
        return reached_rows, reached_columns, length
