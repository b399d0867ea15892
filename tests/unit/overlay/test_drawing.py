"""Boxes and letters on pictures."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from screenalytics_core.overlay.drawing import Drawing, draw_box
from screenalytics_core.overlay.lettering import Lettering
from screenalytics_core.overlay.scene import BODY, FACE, Mark

RED = (0, 0, 255)
Box = tuple[float, float, float, float]


def canvas(value: int = 0, *, width: int = 320, height: int = 180) -> NDArray[np.uint8]:
    return np.full((height, width, 3), value, np.uint8)


def mark(kind: str, box: Box, *, observed: bool = True, name: str = "", detail: str = "") -> Mark:
    return Mark(kind, box, observed, RED, name, detail)


def is_red(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray((picture == RED).all(axis=2))


def test_a_box_is_a_frame_of_its_colour_inside_its_bounds() -> None:
    picture = canvas()

    draw_box(picture, (10, 20, 60, 80), RED, 3)

    red = is_red(picture)
    assert red[20:23, 10:60].all()
    assert red[77:80, 10:60].all()
    assert red[20:80, 10:13].all()
    assert red[20:80, 57:60].all()
    assert not red[23:77, 13:57].any()
    assert red.sum() == 60 * 50 - 54 * 44


def test_a_dashed_box_has_gaps_on_every_side() -> None:
    picture = canvas()

    draw_box(picture, (10, 20, 60, 80), RED, 2, is_dashed=True)

    red = is_red(picture)
    for side in (red[20, 10:60], red[79, 10:60], red[20:80, 10], red[20:80, 59]):
        assert 0.3 < side.mean() < 0.7


@pytest.mark.parametrize(
    "box",
    [
        (-50, -50, 20, 20),
        (300, 170, 900, 900),
        (-9, -9, 999, 999),
        (400, 10, 500, 60),
        (5, 5, 5, 9),
    ],
)
def test_a_box_that_leaves_the_picture_is_cut(box: Box) -> None:
    picture = canvas()
    marks = [
        mark(kind, box, observed=o, name="Ann") for kind in (FACE, BODY) for o in (True, False)
    ]

    Drawing(320, 180).draw(picture, marks, "")


def test_a_face_box_is_thicker_than_a_body_box() -> None:
    face, body = canvas(height=1080, width=1920), canvas(height=1080, width=1920)
    drawing = Drawing(1920, 1080)

    drawing.draw(face, [mark(FACE, (100, 100, 300, 300))], "")
    drawing.draw(body, [mark(BODY, (100, 100, 300, 300))], "")

    assert is_red(face)[200].sum() == 2 * is_red(body)[200].sum()


@pytest.mark.parametrize("ground", [0, 128, 255])
def test_letters_are_seen_on_any_ground(ground: int) -> None:
    picture = canvas(ground)

    Lettering(18).write(picture, "Anna", 20, 20, (255, 255, 255))

    assert (picture == 255).all(axis=2).sum() > 60
    assert (picture < 40).all(axis=2).sum() > 60


def test_a_face_is_named_above_its_box_and_inside_it_at_the_top_of_the_picture() -> None:
    drawing = Drawing(320, 180)
    low, high = canvas(128), canvas(128)

    drawing.draw(low, [mark(FACE, (100, 90, 160, 150), name="Anna", detail="t1")], "")
    drawing.draw(high, [mark(FACE, (100, 0, 160, 60), name="Anna", detail="t1")], "")

    assert (low[70:88, 100:180] != 128).any()
    assert (high[4:30, 106:150] != 128).any()


def test_a_name_at_the_right_edge_is_moved_into_the_picture() -> None:
    lettering = Lettering(14)
    moved, plain = canvas(), canvas()

    Drawing(320, 180).draw(moved, [mark(FACE, (300, 60, 316, 80), name="Annabel", detail="t1")], "")
    lettering.write(plain, "Annabel", 0, 0, RED)

    assert (moved[40:60, 200:320] == 255).any()


def test_a_long_name_is_cut_to_a_part_of_the_picture() -> None:
    lettering = Lettering(14)

    short = lettering.fitted("A name that never ends " * 20, 100)

    assert short.endswith("…")
    assert lettering.width_px(short) <= 100


@pytest.mark.parametrize("name", ["Zoë", "Наталья", "小林", "سارة", "👩‍🚀", "a\u0301", "\u202eabc"])
def test_any_name_can_be_written(name: str) -> None:
    picture = canvas()
    lettering = Lettering(16)

    lettering.write(picture, lettering.fitted(name, 300), 5, 5, (255, 255, 255))

    assert picture.any()


@pytest.mark.parametrize(("left", "top"), [(-30, 5), (310, 5), (5, -8), (5, 175), (400, 5)])
def test_letters_that_leave_the_picture_are_cut(left: int, top: int) -> None:
    Lettering(16).write(canvas(), "Annabel", left, top, RED)


def test_the_corner_says_where_we_are() -> None:
    picture = canvas()

    Drawing(320, 180).draw(picture, [], "shot 3")

    assert picture[:20, :80].any()
    assert not picture[30:].any()
