"""Bodies by their colours: what brings two vectors together, what must not, and odd boxes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from screenalytics_core.vision.models.appearance import DIMENSIONS, HsvStripes
from screenalytics_core.vision.models.protocols import FloatArray, Image

RED, GREEN, BLUE = (30, 30, 200), (40, 180, 40), (200, 60, 30)  # BGR
WHITE, BLACK, GREY = (240, 240, 240), (15, 15, 15), (120, 120, 120)
BODY = np.array([[60, 20, 140, 220]], np.float32)


def picture(shirt: object, trousers: object, background: object = GREY) -> Image:
    """A body of 80x200 px in the middle: the upper half one colour, the lower another."""
    image = np.empty((240, 200, 3), np.uint8)
    image[:] = background
    image[20:120, 60:140] = shirt
    image[120:220, 60:140] = trousers
    return image


def vector(image: Image, box: FloatArray = BODY) -> FloatArray:
    return HsvStripes().embed(image, box)[0]


def similarity(first: Image, second: Image) -> float:
    return float(vector(first) @ vector(second))


def test_the_same_clothes_are_more_alike_than_others() -> None:
    worn = picture(RED, BLUE)

    assert similarity(worn, worn) == pytest.approx(1)
    assert similarity(worn, picture(GREEN, BLUE)) < 0.6
    assert similarity(worn, picture(GREEN, WHITE)) < 0.2


def test_red_over_blue_is_not_blue_over_red() -> None:
    assert similarity(picture(RED, BLUE), picture(BLUE, RED)) < 0.3


def test_reds_on_both_sides_of_the_end_of_the_hue_circle_are_alike() -> None:
    a_little_blue, a_little_green = (25, 10, 200), (10, 25, 200)

    assert similarity(picture(a_little_blue, BLUE), picture(a_little_green, BLUE)) > 0.9


def test_darker_light_changes_little() -> None:
    bright = picture(RED, WHITE)
    dark = np.asarray(bright * 0.6, np.uint8)

    assert similarity(bright, dark) > 0.95


def test_white_and_black_clothes_differ_without_any_hue() -> None:
    assert similarity(picture(WHITE, BLACK), picture(BLACK, WHITE)) < 0.5


def test_hues_of_dark_and_pale_pixels_hardly_count() -> None:
    bluish_black, reddish_black = (12, 8, 8), (8, 8, 12)

    assert similarity(picture(bluish_black, WHITE), picture(reddish_black, WHITE)) > 0.9


def test_the_background_at_the_sides_of_a_box_is_left_out() -> None:
    box = BODY + np.array([-8, 0, 8, 0], np.float32)  # eight of 96 columns on each side

    on_green = vector(picture(RED, BLUE, background=GREEN), box)
    on_white = vector(picture(RED, BLUE, background=WHITE), box)

    assert float(on_green @ on_white) > 0.99


def test_the_size_of_a_body_does_not_matter() -> None:
    small = picture(RED, BLUE)
    large = np.repeat(np.repeat(small, 4, axis=0), 4, axis=1)

    assert float(vector(small) @ vector(large, BODY * 4)) > 0.999


@pytest.mark.parametrize(
    "box",
    [
        pytest.param([-50, -80, 90, 150], id="cut at the top left"),
        pytest.param([150, 200, 400, 900], id="cut at the bottom right"),
        pytest.param([70, 30, 71, 31], id="one pixel"),
        pytest.param([70.2, 30.2, 70.3, 30.3], id="less than a pixel"),
        pytest.param([70, 30, 70, 30], id="no area"),
        pytest.param([90, 80, 70, 30], id="inside out"),
        pytest.param([199.9, 239.9, 201, 241], id="last pixel"),
        pytest.param([500, 500, 600, 700], id="outside"),
        pytest.param([-90, -90, -10, -10], id="outside at the top left"),
        pytest.param([0, 0, 200, 240], id="the whole picture"),
    ],
)
def test_any_box_has_a_vector_of_length_one(box: list[float]) -> None:
    found = HsvStripes().embed(picture(RED, BLUE), np.array([box], np.float32))

    assert found.shape == (1, DIMENSIONS)
    assert found.dtype == np.float32
    assert np.linalg.norm(found) == pytest.approx(1)


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (0, 0, 255)])
def test_a_body_of_one_colour_has_a_vector(colour: tuple[int, int, int]) -> None:
    assert np.linalg.norm(vector(picture(colour, colour))) == pytest.approx(1)


def test_no_boxes_are_no_vectors_of_the_same_width() -> None:
    assert HsvStripes().embed(picture(RED, BLUE), np.zeros((0, 4), np.float32)).shape == (0, 120)


def test_a_picture_of_one_pixel_has_a_vector() -> None:
    assert np.linalg.norm(vector(np.full((1, 1, 3), 9, np.uint8))) == pytest.approx(1)


def test_a_body_has_the_same_bytes_alone_in_company_and_on_another_thread() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (240, 200, 3), np.uint8)
    boxes = np.array([[0, 0, 50, 100]], np.float32) + rng.integers(0, 100, (20, 1))
    boxes = boxes.astype(np.float32)
    together = HsvStripes().embed(image, boxes)

    with ThreadPoolExecutor(4) as pool:
        again = list(pool.map(lambda _: HsvStripes().embed(image, boxes).tobytes(), range(8)))

    assert set(again) == {together.tobytes()}
    for row, box in enumerate(boxes):
        assert vector(image, box[None]).tobytes() == together[row].tobytes()
