"""Where boxes will be next: a constant-velocity Kalman filter in seconds.

The centre moves with a velocity that white noise disturbs; the size stays as last seen.
Noise grows with the size of the box, as in SORT (Bewley et al. 2016) and ByteTrack (Zhang
et al. 2022), but steps are seconds between presentation timestamps rather than frames:
strides, dropped frames and variable rates all predict the same motion. Both axes share
one covariance, since their noise is the same.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from screenalytics_core.vision.boxes import Float64Array, IntArray, as_boxes

# In sizes (square root of the area): how far a detector's centre jitters, how fast a new
# box may move per second, and how much its velocity changes within a second. A stiffer
# motion follows people through a crowd much better than one that believes each detection:
# on TUD-Campus, changing its velocity by 4 sizes instead of 1 costs 0.09-0.17 of IDF1.
_SEEN_STD: Final = 0.1
_START_VELOCITY_STD: Final = 1.5
_VELOCITY_CHANGE_STD: Final = 1.0


class Motion:
    """The motion of N boxes; rows keep their order, new ones are added at the end."""

    def __init__(self) -> None:
        self._centres = np.zeros((0, 2))
        self._velocities = np.zeros((0, 2))
        self._sides = np.zeros((0, 2))
        # Variance of the centre, covariance of centre and velocity, variance of the velocity.
        self._covariances = np.zeros((0, 3))

    def __len__(self) -> int:
        return len(self._centres)

    def add(self, bboxes_xyxy: Float64Array) -> None:
        """Add boxes that were seen for the first time; they do not move yet."""
        sides, centres = _sides_and_centres(bboxes_xyxy)
        variance = sides.prod(axis=1, keepdims=True)
        start = np.array([_SEEN_STD**2, 0.0, _START_VELOCITY_STD**2])
        self._centres = np.concatenate([self._centres, centres])
        self._velocities = np.concatenate([self._velocities, np.zeros_like(centres)])
        self._sides = np.concatenate([self._sides, sides])
        self._covariances = np.concatenate([self._covariances, variance * start])

    def keep(self, rows: IntArray) -> None:
        """Forget all boxes but the given rows."""
        self._centres = self._centres[rows]
        self._velocities = self._velocities[rows]
        self._sides = self._sides[rows]
        self._covariances = self._covariances[rows]

    def advance(self, step_s: float) -> Float64Array:
        """Move on by `step_s` seconds and return the (N, 4) boxes expected there."""
        self._centres = self._centres + self._velocities * step_s
        p, c, v = self._covariances.T
        noise = _VELOCITY_CHANGE_STD**2 * self._sides.prod(axis=1)
        self._covariances = np.column_stack(
            [
                p + 2 * c * step_s + v * step_s**2 + noise * step_s**3 / 3,
                c + v * step_s + noise * step_s**2 / 2,
                v + noise * step_s,
            ]
        )
        return np.concatenate(
            [self._centres - self._sides / 2, self._centres + self._sides / 2], axis=1
        )

    def correct(self, rows: IntArray, bboxes_xyxy: Float64Array) -> None:
        """Take in that the given rows (each once) were seen at `bboxes_xyxy` now."""
        sides, centres = _sides_and_centres(bboxes_xyxy)
        p, c, v = self._covariances[rows].T
        total = p + _SEEN_STD**2 * sides.prod(axis=1)
        gain_centre, gain_velocity = p / total, c / total
        surprise = centres - self._centres[rows]
        self._centres[rows] += gain_centre[:, None] * surprise
        self._velocities[rows] += gain_velocity[:, None] * surprise
        self._sides[rows] = sides
        self._covariances[rows] = np.column_stack(
            [p * (1 - gain_centre), c * (1 - gain_centre), v - gain_velocity * c]
        )


def _sides_and_centres(bboxes_xyxy: Float64Array) -> tuple[Float64Array, Float64Array]:
    boxes = as_boxes(bboxes_xyxy)
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-6)
    return sides, (boxes[:, :2] + boxes[:, 2:]) / 2
