"""Prediction in seconds: what is learned from sightings, and what is not made up."""

from __future__ import annotations

import numpy as np
import pytest

from screenalytics_core.vision.boxes import as_boxes
from screenalytics_core.vision.motion import Motion

ROW = np.array([0])


def box_at(x: float, y: float = 100.0, side: float = 50.0) -> np.ndarray:
    return as_boxes([[x - side / 2, y - side / 2, x + side / 2, y + side / 2]])


def followed(steps_s: list[float], px_per_s: float) -> tuple[Motion, float]:
    """A filter that saw a box at every step, and where the box is now."""
    motion, x = Motion(), 200.0
    motion.add(box_at(x))
    for step_s in steps_s:
        x += px_per_s * step_s
        motion.advance(step_s)
        motion.correct(ROW, box_at(x))
    return motion, x


def centre_x(boxes: np.ndarray) -> float:
    return float((boxes[0, 0] + boxes[0, 2]) / 2)


def test_a_new_box_is_expected_where_it_was() -> None:
    motion = Motion()
    motion.add(box_at(200))

    assert motion.advance(0.5).tolist() == box_at(200).tolist()


@pytest.mark.parametrize(
    "steps_s",
    [
        pytest.param([0.04] * 60, id="every frame"),
        pytest.param([0.12] * 20, id="every third"),
        pytest.param([0.04, 0.2] * 10, id="variable frame rate"),
    ],
)
def test_a_steady_velocity_is_learned_whatever_the_steps(steps_s: list[float]) -> None:
    motion, x = followed(steps_s, px_per_s=100.0)

    assert centre_x(motion.advance(0.3)) == pytest.approx(x + 30.0, abs=3.0)


def test_two_half_steps_are_one_whole_step() -> None:
    halves, _ = followed([0.1] * 5, 80.0)
    whole, x = followed([0.1] * 5, 80.0)

    halves.advance(0.2)
    assert halves.advance(0.2) == pytest.approx(whole.advance(0.4))
    halves.correct(ROW, box_at(x + 50))
    whole.correct(ROW, box_at(x + 50))
    assert halves.advance(0.1) == pytest.approx(whole.advance(0.1))


def test_motion_scales_with_the_size_of_the_picture() -> None:
    small, large = Motion(), Motion()
    small.add(box_at(200))
    large.add(3 * box_at(200))
    for k in range(1, 6):
        small.advance(0.1)
        large.advance(0.1)
        small.correct(ROW, box_at(200 + 7 * k))
        large.correct(ROW, 3 * box_at(200 + 7 * k))

    assert large.advance(0.1) == pytest.approx(3 * small.advance(0.1))


def test_the_size_stays_as_last_seen() -> None:
    motion = Motion()
    motion.add(box_at(200, side=50))
    motion.advance(0.1)
    motion.correct(ROW, box_at(200, side=60))

    left, _, right, _ = motion.advance(0.4)[0]
    assert right - left == pytest.approx(60)


def test_the_longer_a_box_was_away_the_more_its_next_sighting_counts() -> None:
    def believed(away_s: float) -> float:
        motion, x = followed([0.04] * 20, 0.0)
        motion.advance(away_s)
        motion.correct(ROW, box_at(x + 20))
        return centre_x(motion.advance(0.0)) - x

    assert 0 < believed(0.04) < believed(0.4) < 20


def test_rows_are_independent_and_keep_their_order() -> None:
    motion = Motion()
    motion.add(np.concatenate([box_at(100), box_at(300), box_at(500)]))
    motion.advance(0.1)
    motion.correct(np.array([2, 0]), np.concatenate([box_at(520), box_at(110)]))
    motion.keep(np.array([1, 2]))
    motion.add(box_at(700))

    expected = motion.advance(0.1)

    assert len(motion) == 3
    assert expected[0].tolist() == box_at(300)[0].tolist()
    assert centre_x(expected[1:]) > 515
    assert expected[2].tolist() == box_at(700)[0].tolist()
