"""Cuts are found online, early, and the same however the video is cut into pieces."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screenalytics_core.vision.decode import open_video
from screenalytics_core.vision.models.protocols import Image
from screenalytics_core.vision.shots import (
    MIN_SHOT_FRAMES,
    SMALL_SIDE_PX,
    CutFinder,
    SceneDetectorName,
    Shot,
    settle_cuts,
    shots_between,
)
from tests.shot_pictures import dissolved, lit, scene
from tests.videos import make_video

COLOURS = ((200, 60, 30), (30, 240, 240), (90, 20, 60), (180, 250, 40), (30, 60, 220))
# Small: what is tested with them is where the finder looks, not what it sees.
SCENES = [[cv2.resize(f, (64, 36)) for f in scene(seed, 40, pan_px=3)] for seed in range(4)]
DETECTORS: tuple[SceneDetectorName, ...] = ("pyscenedetect", "content")


def finder(name: SceneDetectorName) -> CutFinder:
    return CutFinder(name, scene_threshold=27.0, adaptive_threshold=3.0)


def pictures(*lengths: int, size: tuple[int, int] = (54, 96)) -> list[Image]:
    """A moving grey square before another colour per shot."""
    made: list[Image] = []
    for shot, length in enumerate(lengths):
        for _ in range(length):
            picture = np.full((*size, 3), COLOURS[shot % len(COLOURS)], np.uint8)
            left = len(made) % (size[1] - 8)
            picture[10:18, left : left + 8] = 128
            made.append(picture)
    return made


def places_of(name: SceneDetectorName, frames: list[Image]) -> list[int]:
    cut_finder = finder(name)
    places = [p for i, picture in enumerate(frames) for p in cut_finder.push(i, picture)]
    return places + cut_finder.finish()


@pytest.mark.parametrize("name", DETECTORS)
def test_a_cut_is_the_first_frame_of_the_new_shot(name: SceneDetectorName) -> None:
    frames = pictures(12, 20, 9)

    assert settle_cuts(places_of(name, frames), len(frames)) == [12, 32]


@pytest.mark.parametrize("name", DETECTORS)
def test_a_shot_of_six_frames_is_found(name: SceneDetectorName) -> None:
    frames = pictures(12, 6, 12, 6)

    assert settle_cuts(places_of(name, frames), len(frames)) == [12, 18, 30]


@pytest.mark.parametrize("name", DETECTORS)
def test_a_blended_frame_belongs_to_the_shot_before(name: SceneDetectorName) -> None:
    frames = pictures(12, 12)
    frames[11] = ((frames[10].astype(np.uint16) + frames[12]) // 2).astype(np.uint8)

    assert settle_cuts(places_of(name, frames), len(frames)) == [12]


def test_off_finds_nothing_and_wants_no_picture() -> None:
    cut_finder = finder("off")

    assert not cut_finder.reads_pictures
    assert [cut_finder.push(i, None) for i in range(30)] == [[]] * 30


@pytest.mark.parametrize("name", DETECTORS)
def test_a_place_is_known_as_soon_as_promised(name: SceneDetectorName) -> None:
    cut_finder = finder(name)
    frames = pictures(12, 20)

    known_at = {p: i for i, picture in enumerate(frames) for p in cut_finder.push(i, picture)}

    assert known_at == {12: 12 + cut_finder.look_ahead}


@pytest.mark.parametrize("name", DETECTORS)
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_a_piece_with_its_run_up_finds_the_places_of_the_whole(
    name: SceneDetectorName, data: st.DataObject
) -> None:
    frames = data.draw(stories())
    start = data.draw(st.integers(0, len(frames) - 1))
    end = data.draw(st.integers(start, len(frames)))
    cut_finder = finder(name)

    found = []
    first = max(0, start - cut_finder.look_back)
    last = min(len(frames), end + cut_finder.look_ahead)
    for i in range(first, last):
        found += cut_finder.push(i, frames[i])
    if last == len(frames):
        found += cut_finder.finish()

    assert [p for p in found if start <= p < end] == [
        p for p in places_of(name, frames) if start <= p < end
    ]


@st.composite
def stories(draw: st.DrawFn) -> list[Image]:
    """Cuts, dissolves, flashes and repeated frames one after another."""
    frames: list[Image] = SCENES[0][:2]
    for _ in range(draw(st.integers(1, 5))):
        coming = SCENES[draw(st.integers(0, len(SCENES) - 1))]
        length = draw(st.integers(1, 20))
        match draw(st.sampled_from(("cut", "dissolve", "flash", "repeat"))):
            case "cut":
                frames = [*frames, *coming[:length]]
            case "dissolve":
                overlap = min(length, len(frames))
                frames = dissolved(frames, coming[:length], overlap)
            case "flash":
                frames = [*frames[:-2], *(lit(f, 3, 40) for f in frames[-2:]), *coming[:length]]
            case "repeat":
                frames = [*frames, *[frames[-1]] * length]
    return frames


def test_frames_must_follow_each_other() -> None:
    cut_finder = finder("content")
    cut_finder.push(4, pictures(1)[0])

    with pytest.raises(ValueError, match="frame 6 does not follow frame 4"):
        cut_finder.push(6, pictures(1)[0])


@pytest.mark.parametrize(
    ("places", "frame_count", "cuts"),
    [
        pytest.param([], 100, [], id="none"),
        pytest.param([80, 141], 450, [80, 141], id="plain"),
        pytest.param([79, 80], 450, [80], id="a blended frame"),
        pytest.param([40, 42, 60], 100, [40, 60], id="too soon after a cut"),
        pytest.param([2, 20], 100, [20], id="too soon after the start"),
        pytest.param([20, 98], 100, [20], id="too close to the end"),
        pytest.param([20, 97], 100, [20, 97], id="just long enough at the end"),
        pytest.param([3, 6], 9, [3, 6], id="just long enough"),
        pytest.param([3, 4], 100, [4], id="the second of two"),
    ],
)
def test_places_become_cuts_by_rule(places: list[int], frame_count: int, cuts: list[int]) -> None:
    assert settle_cuts(places, frame_count) == cuts


@given(st.sets(st.integers(1, 120)), st.integers(1, 130))
def test_no_shot_is_shorter_than_the_shortest(places: set[int], frame_count: int) -> None:
    cuts = settle_cuts(sorted(p for p in places if p < frame_count), frame_count)

    shots = shots_between(cuts, frame_count)
    assert shots[0].start_frame == 0
    assert shots[-1].end_frame == frame_count
    assert all(a.end_frame == b.start_frame for a, b in itertools.pairwise(shots))
    if len(shots) > 1:
        assert min(s.end_frame - s.start_frame for s in shots) >= MIN_SHOT_FRAMES


def test_a_video_without_cuts_is_one_shot() -> None:
    assert shots_between([], 7) == [Shot(0, 7)]


@pytest.mark.parametrize("name", DETECTORS)
def test_cuts_of_a_real_video_are_exact(name: SceneDetectorName, tmp_path: Path) -> None:
    video = open_video(make_video(tmp_path / "v.mp4", pictures(25, 18, 40, size=(360, 640))))

    small = [f.small_bgr(SMALL_SIDE_PX) for f in video.frames()]

    assert small[0].shape == (144, 256, 3)
    assert settle_cuts(places_of(name, small), len(small)) == [25, 43]
