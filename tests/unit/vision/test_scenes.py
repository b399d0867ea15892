"""Scenes: shots that the same faces hold together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screenalytics_core.vision.scenes import Scene, ShotSpan, find_scenes

ANNA, BEN, CLEO = 0, 1, 2


def shots(*lengths_s: float) -> list[ShotSpan]:
    ends = [sum(lengths_s[: n + 1]) for n in range(len(lengths_s))]
    return [ShotSpan(n, end - lengths_s[n], end) for n, end in enumerate(ends)]


TENS = shots(*[10.0] * 6)


@pytest.mark.parametrize(
    ("appearances", "expected"),
    [
        pytest.param([], [], id="nobody, no scene"),
        pytest.param([(2, ANNA)], [(2, 2)], id="one shot with a face is a scene"),
        pytest.param([(0, ANNA), (1, ANNA)], [(0, 1)], id="the same face in the next shot"),
        pytest.param([(0, ANNA), (1, BEN)], [(0, 0), (1, 1)], id="another face"),
        pytest.param([(0, ANNA), (2, ANNA)], [(0, 2)], id="back after a reverse shot"),
        pytest.param([(0, ANNA), (3, ANNA)], [(0, 3)], id="back after just the longest time"),
        pytest.param(
            [(0, ANNA), (2, ANNA), (5, ANNA)], [(0, 5)], id="time counts from the last shot with it"
        ),
        pytest.param([(0, ANNA), (4, ANNA)], [(0, 0), (4, 4)], id="back too late"),
        pytest.param(
            [(0, ANNA), (2, ANNA), (1, BEN), (4, BEN)], [(0, 4)], id="links that overlap are one"
        ),
        pytest.param(
            [(0, ANNA), (1, ANNA), (2, BEN), (3, BEN)], [(0, 1), (2, 3)], id="links that touch"
        ),
        pytest.param(
            [(0, ANNA), (2, ANNA), (2, BEN), (4, BEN)], [(0, 4)], id="links that share a shot"
        ),
        pytest.param(
            [(1, ANNA), (1, ANNA), (2, ANNA)], [(1, 2)], id="two tracks of a face in one shot"
        ),
    ],
)  # fmt: skip
def test_shots_are_held_together_by_faces_that_come_back(
    appearances: list[tuple[int, int]], expected: list[tuple[int, int]]
) -> None:
    scenes = find_scenes(TENS, appearances, max_link_s=20)

    assert [(s.first_shot_id, s.last_shot_id) for s in scenes] == expected


def test_a_scene_has_the_time_of_its_shots() -> None:
    found = find_scenes(shots(1, 2, 3, 4), [(1, ANNA), (2, ANNA)])

    assert found == [Scene(1, 2, 1, 6)]


@given(
    st.lists(st.floats(0.1, 30), min_size=1, max_size=12).flatmap(
        lambda lengths: st.tuples(
            st.just(lengths),
            st.lists(st.tuples(st.integers(0, len(lengths) - 1), st.integers(0, 3))),
        )
    )
)
def test_scenes_share_no_shot_and_hold_every_face(
    case: tuple[list[float], list[tuple[int, int]]],
) -> None:
    lengths, appearances = case

    scenes = find_scenes(shots(*lengths), appearances)

    held = [n for s in scenes for n in range(s.first_shot_id, s.last_shot_id + 1)]
    assert held == sorted(set(held))
    assert {shot for shot, _ in appearances} <= set(held)
    assert scenes == find_scenes(shots(*lengths), appearances[::-1])
