"""Long arrays a few rows at a time, so that what is made of them on the way stays small."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.models.protocols import FloatArray

# 2 MB of vectors of 512.
_ROWS: Final = 1024


def row_blocks(count: int) -> Iterator[slice]:
    """Yield slices that cover `count` rows, one after the other."""
    return (slice(start, start + _ROWS) for start in range(0, count, _ROWS))


def replace_rows(vectors: FloatArray, made_of: Callable[[FloatArray], FloatArray]) -> None:
    """Put `made_of` some rows in their place; each row must depend on itself alone."""
    for rows in row_blocks(len(vectors)):
        vectors[rows] = made_of(vectors[rows])


def lengths(vectors: NDArray[Any]) -> FloatArray:
    """Return the (N,) L2 norms of (N, D) vectors, reckoned in float32."""
    norms = np.empty(len(vectors), np.float32)
    for rows in row_blocks(len(vectors)):
        norms[rows] = np.linalg.norm(np.asarray(vectors[rows], np.float32), axis=1)
    return norms
