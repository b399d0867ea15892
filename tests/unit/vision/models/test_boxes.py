"""Fitting a picture into a network's input, and suppressing boxes."""

from __future__ import annotations

import numpy as np
import pytest

from screenalytics_core.vision.models.boxes import (
    FittedImage,
    Window,
    fit_image,
    input_size,
    nms,
    resize,
    window_of,
)


@pytest.mark.parametrize(
    ("shape", "max_side_px", "expected"),
    [
        pytest.param((1080, 1920, 3), 640, (352, 640), id="16:9, rounded down"),
        pytest.param((1920, 1080, 3), 640, (640, 352), id="portrait"),
        pytest.param((366, 640), 640, (352, 640), id="a twenty-sixth smaller"),
        pytest.param((380, 640), 640, (384, 640), id="a fourteenth smaller is too much"),
        pytest.param((480, 640), 640, (480, 640), id="4:3 fits without a rest"),
        pytest.param((500, 500), 500, (480, 480), id="square, rounded down"),
        pytest.param((360, 640), 1280, (704, 1280), id="enlarged"),
        pytest.param((10, 5000), 640, (32, 640), id="a ribbon keeps a height"),
        pytest.param((100, 100), 16, (32, 32), id="never below one stride"),
    ],
)
def test_the_input_fits_the_pictures_aspect_ratio(
    shape: tuple[int, ...], max_side_px: int, expected: tuple[int, int]
) -> None:
    assert input_size(shape, max_side_px) == expected


def test_only_the_rounding_rest_is_black() -> None:
    white = np.full((1080, 1920, 3), 255, np.uint8)

    fitted = fit_image(white, (384, 640))

    assert fitted.scale == pytest.approx(1 / 3)
    assert (fitted.pixels[:360] == 255).all()
    assert (fitted.pixels[360:] == 0).all()


@pytest.mark.parametrize("width", [33, 640, 854, 1279, 1920, 4096])
@pytest.mark.parametrize("height", [31, 270, 359, 480, 719, 1080, 2160])
def test_every_picture_fits_its_input_and_places_map_back(height: int, width: int) -> None:
    size = input_size((height, width), 640)
    picture = np.zeros((height, width, 3), np.uint8)
    picture[-(height // 4) :, -(width // 4) :] = 255

    fitted = fit_image(picture, size)

    assert fitted.pixels.shape == (*size, 3)
    for axis, length in ((0, height), (1, width)):
        lit = np.flatnonzero((fitted.pixels > 127).any(axis=(1 - axis, 2)))
        # Half a pixel of the input at either end, where the picture was rounded to whole ones.
        slack = 1.01 / fitted.scale + 1
        assert lit[0] / fitted.scale == pytest.approx(length - length // 4, abs=slack)
        assert (lit[-1] + 1) / fitted.scale == pytest.approx(length, abs=slack)


def lit_from(top: int, bottom: int, left: int = 0, right: int = 640) -> FittedImage:
    """An input of 640x352 that is black but for a part; its source is twice as large."""
    pixels = np.zeros((352, 640, 3), np.uint8)
    pixels[top:bottom, left:right] = (0, 0, 90)
    return FittedImage(pixels, 0.5)


@pytest.mark.parametrize(
    ("fitted", "within", "expected"),
    [
        pytest.param(lit_from(0, 352), None, Window(0, 0, 640, 352), id="no bars"),
        pytest.param(lit_from(40, 312), None, Window(0, 32, 640, 288), id="bars above and below"),
        pytest.param(lit_from(0, 352, 80, 560), None, Window(64, 0, 512, 352), id="bars beside"),
        pytest.param(lit_from(60, 61, 7, 8), None, Window(0, 32, 32, 32), id="a single light"),
        pytest.param(
            lit_from(0, 352), (140, 70, 180, 90), Window(64, 32, 32, 32), id="a place, in its px"
        ),
        pytest.param(
            lit_from(0, 352), (-90, -90, 140, 900), Window(0, 0, 96, 352), id="a place at an edge"
        ),
        pytest.param(
            lit_from(64, 288), (0, 0, 1280, 300), Window(0, 64, 640, 96), id="a place under a bar"
        ),
        pytest.param(
            lit_from(64, 288), (0, 0, 64, 64), Window(0, 64, 32, 32), id="a place in a bar"
        ),
        pytest.param(
            lit_from(0, 352),
            (2000, 2000, 2100, 2100),
            Window(608, 320, 32, 32),
            id="a place outside",
        ),
    ],
)
def test_a_window_holds_what_is_lit_and_wanted_in_whole_strides(
    fitted: FittedImage, within: tuple[float, ...] | None, expected: Window
) -> None:
    place = None if within is None else np.array(within, np.float32)

    assert window_of(fitted, place) == expected


@pytest.mark.parametrize(("level", "is_dark"), [(0, True), (20, True), (21, False)])
def test_of_a_dark_input_nothing_is_worth_looking_at(level: int, is_dark: bool) -> None:
    fitted = FittedImage(np.full((64, 96, 3), level, np.uint8), 1.0)

    assert (window_of(fitted) is None) is is_dark


def test_fine_texture_does_not_alias_when_a_picture_shrinks() -> None:
    stripes = np.zeros((1080, 1920, 3), np.uint8)
    stripes[:, ::2] = 255

    fitted = fit_image(stripes, input_size(stripes.shape, 640))

    inside = fitted.pixels[4:340, 4:600].astype(int)
    assert inside.min() > 100
    assert inside.max() < 155


def test_a_picture_of_the_right_size_is_not_touched() -> None:
    picture = np.zeros((64, 96, 3), np.uint8)

    assert fit_image(picture, (64, 96)).pixels is picture
    assert resize(picture, 64, 96) is picture


def test_nms_keeps_the_best_of_each_heap_best_first() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60], [0, 0, 9, 10]], np.float32)
    confidences = np.array([0.7, 0.8, 0.9, 0.6], np.float32)

    assert nms(boxes, confidences, 0.4).tolist() == [2, 1]


def test_nms_keeps_order_among_equals() -> None:
    boxes = np.array([[0, 0, 10, 10]] * 3, np.float32)

    assert nms(boxes, np.full(3, 0.5, np.float32), 0.4).tolist() == [0]


def test_a_box_inside_another_goes_only_when_measured_against_the_smaller() -> None:
    boxes = np.array([[0, 0, 100, 100], [40, 40, 50, 50]], np.float32)
    confidences = np.array([0.9, 0.8], np.float32)

    assert nms(boxes, confidences, 0.4).tolist() == [0, 1]
    assert nms(boxes, confidences, 0.4, over_smaller=True).tolist() == [0]


def test_nms_of_nothing_is_nothing() -> None:
    assert nms(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), 0.4).size == 0
