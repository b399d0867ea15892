"""What is done to a long array a few rows at a time is what is done to it at once."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from screenalytics_core.vision.pooling import normalised
from screenalytics_core.vision.recognisability import Unknowable
from screenalytics_core.vision.row_blocks import lengths, replace_rows, row_blocks


def vectors(count: int) -> np.ndarray:
    return np.random.default_rng(count).normal(size=(count, 512)).astype(np.float32)


@pytest.mark.parametrize("count", [0, 1, 1024, 1025, 2500])
def test_blocks_cover_every_row_once(count: int) -> None:
    rows = [row for block in row_blocks(count) for row in range(count)[block]]

    assert rows == list(range(count))


@pytest.mark.parametrize("count", [0, 3, 2500])
def test_rows_come_out_the_same_to_the_last_bit(count: int) -> None:
    given, place = vectors(count), Unknowable.of(vectors(16))
    wanted = place.taken_off(given)

    replace_rows(given, place.taken_off)

    assert given.tobytes() == wanted.tobytes()
    assert lengths(given).tobytes() == np.linalg.norm(wanted, axis=1).tobytes()
    replace_rows(given, normalised)
    assert given.tobytes() == normalised(wanted).tobytes()


def test_lengths_of_half_precision_are_reckoned_in_single() -> None:
    assert lengths(np.full((1, 4), 300, np.float16)).tolist() == [600.0]


def test_no_second_copy_of_a_long_array_is_made() -> None:
    given = vectors(20_000)

    tracemalloc.start()
    lengths(given)
    replace_rows(given, normalised)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak_bytes < given.nbytes / 3
