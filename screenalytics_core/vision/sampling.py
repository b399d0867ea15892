"""Which frames the detectors look at. Pure; the scan and the tracker must agree on it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def sampled_frames(shots: Iterable[tuple[int, int]], stride: int) -> NDArray[np.int64]:
    """Return the frames that are looked at, ascending.

    Every `stride`-th frame of the whole video (so that it does not matter where a part of it
    starts), and the first and last frame of every shot, so that no face is missed at a cut.

    Args:
        shots: (start_frame, end_frame) of each shot, end exclusive, in order, touching.
        stride: At least 1.

    Example:
        >>> sampled_frames([(0, 5), (5, 8)], 3).tolist()
        [0, 3, 4, 5, 6, 7]
    """
    if stride < 1:
        raise ValueError(f"stride must be at least 1, not {stride}")
    bounds = np.array(list(shots), np.int64).reshape(-1, 2)
    if len(bounds) == 0:
        return np.empty(0, np.int64)
    start, end = int(bounds[0, 0]), int(bounds[-1, 1])
    first_regular = start + -start % stride
    regular = np.arange(first_regular, end, stride, dtype=np.int64)
    return np.unique(np.concatenate([regular, bounds[:, 0], bounds[:, 1] - 1]))
