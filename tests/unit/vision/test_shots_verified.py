"""What looks like a cut and is none, and what is one though it does not look like it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from screenalytics_core.vision.models.protocols import Image
from screenalytics_core.vision.shots import CutFinder, settle_cuts
from tests.shot_pictures import HEIGHT_PX, WIDTH_PX, blended, dissolved, lit, scene


def cuts_of(frames: list[Image]) -> list[int]:
    finder = CutFinder("pyscenedetect", scene_threshold=27.0, adaptive_threshold=3.0)
    places = [p for i, picture in enumerate(frames) for p in finder.push(i, picture)]
    return settle_cuts(places + finder.finish(), len(frames))


def test_a_plain_cut_is_exact() -> None:
    assert cuts_of([*scene(1, 20), *scene(2, 20), *scene(3, 20)]) == [20, 40]


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_a_flash_is_no_cut(length: int) -> None:
    frames = scene(1, 40)
    for i in range(20, 20 + length):
        frames[i] = lit(frames[i], 2.5, 60)

    assert cuts_of(frames) == []


@pytest.mark.parametrize("length", [1, 2, 4])
def test_a_white_or_black_frame_is_no_cut(length: int) -> None:
    frames = scene(1, 60)
    for i in range(length):
        frames[15 + i] = np.full_like(frames[0], 250)
        frames[40 + i] = np.zeros_like(frames[0])

    assert cuts_of(frames) == []


@pytest.mark.parametrize("length", [1, 2])
def test_a_strange_picture_for_a_frame_or_two_is_no_cut(length: int) -> None:
    frames = scene(1, 40)
    frames[20 : 20 + length] = scene(2, length)

    assert cuts_of(frames) == []


@pytest.mark.parametrize("length", [3, 5])
def test_another_picture_for_three_frames_is_a_shot(length: int) -> None:
    frames = scene(1, 40)
    frames[20 : 20 + length] = scene(2, length)

    assert cuts_of(frames) == [20, 20 + length]


def test_light_that_is_switched_off_and_on_is_no_cut() -> None:
    frames = [lit(f, 0.3) if 20 <= i < 45 else f for i, f in enumerate(scene(1, 60))]

    assert cuts_of(frames) == []


def test_brightness_that_drifts_from_a_tenth_to_threefold_is_no_cut() -> None:
    gains = 10 ** np.linspace(-1, 0.477, 30)
    frames = [lit(f, g) for f, g in zip(scene(1, 30), gains, strict=True)]

    assert cuts_of(frames) == []


def test_a_cut_between_two_dark_shots_is_found() -> None:
    frames = [lit(f, 0.1) for f in [*scene(1, 20), *scene(2, 20)]]

    assert cuts_of(frames) == [20]


def test_a_whip_pan_is_no_cut() -> None:
    frames = scene(1, 20, pan_px=0)
    whip = scene(1, 12, pan_px=30)
    rest = [whip[-1]] * 20

    assert cuts_of([*frames, *whip, *rest]) == []


def test_a_cut_between_two_pans_is_found() -> None:
    assert cuts_of([*scene(1, 20, pan_px=6), *scene(2, 20, pan_px=9)]) == [20]


def test_something_that_passes_close_to_the_camera_is_no_cut() -> None:
    frames = scene(1, 40)
    for i, left in enumerate(range(-160, WIDTH_PX, 50)):
        a, b = max(0, left), min(WIDTH_PX, left + 160)
        frames[15 + i][:, a:b] = scene(2, 1)[0][:, a:b]

    assert cuts_of(frames) == []


def test_repeated_frames_make_no_cuts_of_a_motion() -> None:
    frames = [f for f in scene(1, 30, pan_px=14) for _ in range(2)]

    assert cuts_of(frames) == []


@pytest.mark.parametrize("count", [1, 2])
def test_blended_frames_belong_to_the_shot_before(count: int) -> None:
    frames = [*scene(1, 20), *scene(2, 20)]
    for i in range(count):
        frames[20 - count + i] = blended(frames[19], frames[20], (i + 1) / (count + 1))

    assert cuts_of(frames) == [20]


@pytest.mark.parametrize("length", [5, 9, 14, 20])
def test_a_dissolve_is_one_cut_within_it(length: int) -> None:
    frames = dissolved(scene(1, 30 + length), scene(2, 30 + length), length)

    (cut,) = cuts_of(frames)

    assert 30 <= cut <= 30 + length


@pytest.mark.parametrize("pan_px", [1.0, 1.5])
def test_a_dissolve_between_two_pans_is_found(pan_px: float) -> None:
    old, new = scene(1, 38, pan_px=pan_px), scene(2, 38, pan_px=pan_px)

    (cut,) = cuts_of(dissolved(old, new, 8))

    assert 30 <= cut <= 38


def before_one_background(seed: int, frames: int, *, step_px: float = 0.0) -> list[Image]:
    """Somebody, here a part of another scene, before what is everybody's background."""
    whole = [picture.copy() for picture in scene(1, 1) * frames]
    person = cv2.resize(scene(seed, 1)[0], (100, 130), interpolation=cv2.INTER_AREA)
    for i, picture in enumerate(whole):
        left = 50 + round(i * step_px)
        picture[-130:, left : left + 100] = person
    return whole


@pytest.mark.parametrize("blend", [0, 1])
def test_somebody_else_before_the_same_background_is_another_shot(blend: int) -> None:
    first, second = before_one_background(4, 20), before_one_background(7, 20)
    between = [blended(first[-1], second[0], 0.5)] * blend

    assert cuts_of([*first, *between, *second]) == [20 + blend]


def test_somebody_who_flashes_up_before_the_background_is_no_shot() -> None:
    frames = before_one_background(4, 40)
    frames[20:24] = [lit(f, 0.3) for f in before_one_background(7, 4)]

    assert cuts_of(frames) == []


def test_somebody_who_jumps_where_pictures_were_dropped_is_no_cut() -> None:
    frames = before_one_background(4, 40, step_px=2.0)
    frames[18:21] = [frames[17]] * 3

    assert cuts_of(frames) == []


@pytest.mark.parametrize("black", [0, 4, 20])
def test_a_fade_through_black_is_one_cut_within_it(black: int) -> None:
    levels = np.linspace(1, 0, 10)[1:]
    frames = [
        *scene(1, 30),
        *(lit(f, level) for f, level in zip(scene(1, 9), levels, strict=True)),
        *[np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8)] * black,
        *(lit(f, level) for f, level in zip(scene(2, 9), levels[::-1], strict=True)),
        *scene(2, 30),
    ]

    (cut,) = cuts_of(frames)

    assert 30 <= cut <= 48 + black


def test_a_fade_out_at_the_end_is_no_cut() -> None:
    levels = np.linspace(1, 0, 12)
    frames = [*scene(1, 30), *(lit(scene(1, 1)[0], level) for level in levels)]

    assert cuts_of([*frames, *[frames[-1]] * 10]) == []


def test_the_bars_of_a_letterbox_do_not_hide_a_cut() -> None:
    frames = [*scene(1, 20), *scene(2, 20)]
    for frame in frames:
        frame[:36] = frame[-36:] = 0

    assert cuts_of(frames) == [20]


def test_a_cut_to_a_closer_view_of_the_same_scene_is_found() -> None:
    wide = scene(1, 40)
    closer = [
        cv2.resize(f[30:102, 60:188], (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_LINEAR)
        for f in wide[20:]
    ]

    assert cuts_of([*wide[:20], *closer]) == [20]


def test_the_last_shot_may_be_shorter_than_the_finder_looks_ahead() -> None:
    assert cuts_of([*scene(1, 30), *scene(2, 3)]) == [30]
