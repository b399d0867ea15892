"""What the truth says lies where the decoded picture shows it, whatever the camera does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.composed.camera import Lens, Occluder, Pace
from benchmarks.composed.shots import EpisodeShot
from screenalytics_core.evaluation.truth import read_truth
from tests.composed_scenes import (
    ENCODING,
    SIZE,
    Boxes,
    coloured,
    found_box,
    made_of,
    pictures,
)

TWO = (("red", (60.0, 50.0, 100.0, 110.0)), ("green", (200.0, 60.0, 250.0, 130.0)))


@pytest.mark.parametrize(
    "lens",
    [
        pytest.param(Lens(), id="as it is"),
        pytest.param(Lens((1.5, 1.5)), id="nearer"),
        pytest.param(Lens((1.0, 1.7), ((0.5, 0.5), (0.4, 0.45))), id="zooming in"),
        pytest.param(Lens((0.6, 0.6)), id="smaller than the picture"),
        pytest.param(Lens((1.3, 1.3), ((0.4, 0.5), (0.6, 0.5))), id="panned"),
        pytest.param(Lens(is_mirrored=True), id="mirrored"),
        pytest.param(Lens((1.2, 1.4), is_mirrored=True, aspect=2.39), id="mirrored in letterbox"),
        pytest.param(Lens(aspect=4 / 3), id="pillarbox"),
    ],
)
def test_every_labelled_box_is_where_its_colour_is(lens: Lens, tmp_path: Path) -> None:
    made = made_of(EpisodeShot(Boxes(TWO, step_px=1.0), lens), folder=tmp_path)
    shown = pictures(made.video_path)

    faces = made.truth()["faces"]
    assert {f["person"] for f in faces} == {"red", "green"}
    for face in faces:
        found = found_box(shown[face["frame_idx"]], face["person"])
        assert found is not None
        assert found == pytest.approx(face["bbox_xyxy"], abs=1.6)


def test_a_picture_in_another_size_carries_its_boxes_along(tmp_path: Path) -> None:
    large = tuple((p, (4 * b[0], 4 * b[1], 4 * b[2], 4 * b[3])) for p, b in TWO)

    made = made_of(EpisodeShot(Boxes(large, size_px=(1280, 720))), folder=tmp_path)

    face = next(f for f in made.truth()["faces"] if f["person"] == "red")
    assert face["bbox_xyxy"] == pytest.approx(TWO[0][1])
    assert found_box(pictures(made.video_path)[0], "red") == pytest.approx(TWO[0][1], abs=1.1)


def test_bars_are_black_and_outside_every_box(tmp_path: Path) -> None:
    tall = (("red", (60.0, 0.0, 100.0, 180.0)),)

    made = made_of(EpisodeShot(Boxes(tall), Lens(aspect=2.39)), folder=tmp_path)

    picture = pictures(made.video_path)[0]
    assert picture[:20].max() < 12
    assert picture[-20:].max() < 12
    face = made.truth()["faces"][0]
    assert face["bbox_xyxy"][1::2] == [23, 157]
    assert face["hard"], "134 of 180 rows are seen: less than nine tenths"
    assert not face["away"]


def test_a_pillarbox_has_the_middle_of_the_take_in_the_middle(tmp_path: Path) -> None:
    middle = (("red", (140.0, 60.0, 180.0, 120.0)),)

    made = made_of(EpisodeShot(Boxes(middle), Lens(aspect=4 / 3)), folder=tmp_path)

    picture = pictures(made.video_path)[0]
    assert picture[:, :36].max() < 12
    assert picture[:, -36:].max() < 12
    assert picture[60:120, 44:130].min() > 60, "no black inside"
    assert found_box(picture, "red") == pytest.approx(middle[0][1], abs=1.1)


def test_what_lies_outside_a_take_is_outside_a_smaller_picture_of_it_too(tmp_path: Path) -> None:
    cut_off = Boxes((("red", (-28.0, 50.0, 12.0, 110.0)),))

    truth = made_of(EpisodeShot(cut_off, Lens((0.7, 0.7))), folder=tmp_path).truth()

    assert truth["visible"]["red"] == []
    assert truth["faces"][0]["bbox_xyxy"][0] == pytest.approx(48.0)


def test_what_is_painted_before_a_frozen_frame_moves_on(tmp_path: Path) -> None:
    bar = Occluder("bar", (0.2, 1.2), ((0.0, 0.1, 0.5), (1.0, 0.9, 0.5)))
    take = Boxes((), frame_count=2)

    made = made_of(EpisodeShot(take, pace=Pace(1.0, ((0, 10),)), occluders=(bar,)), folder=tmp_path)

    shown = pictures(made.video_path)
    assert [bool(p[:, :30].mean() < 60) for p in (shown[0], shown[-1])] == [True, False]


def test_who_is_half_outside_the_window_is_hard_and_who_is_more_is_away(tmp_path: Path) -> None:
    takes = [Boxes((("red", (x, 50.0, x + 40, 110.0)),)) for x in (-15.0, -22.0)]

    made = made_of(*(EpisodeShot(take) for take in takes), folder=tmp_path)

    truth = made.truth()
    flags = {(f["frame_idx"] >= 12, f["hard"], f["away"]) for f in truth["faces"]}
    assert flags == {(False, True, False), (True, True, True)}
    assert truth["visible"]["red"] == [[0, 11]]
    assert truth["visible_clear"]["red"] == []


@pytest.mark.parametrize("kind", ["bar", "blob"])
def test_a_face_is_away_while_more_than_half_of_it_is_covered(kind: str, tmp_path: Path) -> None:
    passing = Occluder(kind, (0.3, 1.2), ((0.0, -0.2, 0.5), (1.0, 1.2, 0.5)))  # type: ignore[arg-type]
    take = Boxes((("red", (140.0, 50.0, 180.0, 110.0)),), frame_count=60)

    made = made_of(EpisodeShot(take, occluders=(passing,)), folder=tmp_path)

    shares = [coloured(p, "red").sum() / (40 * 60) for p in pictures(made.video_path)]
    seen = {f for a, b in made.truth()["visible"]["red"] for f in range(a, b + 1)}
    assert len(made.truth()["visible"]["red"]) == 2, "before and after"
    # A pixel's width of blurred edge is neither colour.
    assert all(share > 0.45 for frame, share in enumerate(shares) if frame in seen)
    assert all(share < 0.52 for frame, share in enumerate(shares) if frame not in seen)
    clear = {f for a, b in made.truth()["visible_clear"]["red"] for f in range(a, b + 1)}
    assert all(shares[frame] > 0.85 for frame in clear)
    assert len(clear) >= 20


def test_somebody_in_front_hides_the_face_behind_and_stays_clear(tmp_path: Path) -> None:
    behind, front = ("red", (100.0, 50.0, 140.0, 110.0)), ("green", (112.0, 40.0, 180.0, 170.0))

    truth = made_of(EpisodeShot(Boxes((behind, front))), folder=tmp_path).truth()

    assert truth["visible"] == {"green": [[0, 11]], "red": []}
    assert truth["visible_clear"]["green"] == [[0, 11]]
    assert {f["person"] for f in truth["faces"] if f["away"]} == {"red"}
    assert truth["present"] == {"green": [[0, 11]], "red": [[0, 11]]}, "an arm is still to be seen"


@pytest.mark.parametrize(
    ("gain", "is_hard"), [(0.1, True), (0.3, False), (1.0, False), (2.0, False), (3.0, True)]
)
def test_brightness_multiplies_and_the_extremes_are_hard(
    gain: float, is_hard: bool, tmp_path: Path
) -> None:
    take = Boxes(TWO, background=(100, 100, 100))

    made = made_of(EpisodeShot(take, gain=((0.0, gain),)), folder=tmp_path)

    corner = pictures(made.video_path)[5][:30, :30].mean()
    assert corner == pytest.approx(min(255, 100 * gain), abs=5)
    assert {f["hard"] for f in made.truth()["faces"]} == {is_hard}
    assert made.truth()["visible"]["red"] == [[0, 11]], "hard, but to be seen"


def test_a_face_that_the_dark_swallows_is_not_visible_but_in_doubt(tmp_path: Path) -> None:
    take = Boxes(TWO, background=(100, 100, 100))

    truth = made_of(EpisodeShot(take, gain=((0.0, 0.04),)), folder=tmp_path).truth()

    assert truth["visible"]["red"] == []
    assert truth["maybe"]["red"] == [[0, 11]]
    assert all(face["away"] for face in truth["faces"])


def test_light_that_glides_is_dim_in_the_middle_only(tmp_path: Path) -> None:
    glide = ((0.0, 1.0), (0.5, 0.1), (1.0, 1.0))
    take = Boxes(TWO, frame_count=21, background=(200, 200, 200))

    made = made_of(EpisodeShot(take, gain=glide), folder=tmp_path)

    light = [p[:30, :30].mean() for p in pictures(made.video_path)]
    assert [light[0], light[10], light[20]] == pytest.approx([200, 20, 200], abs=4)
    assert made.truth()["visible_clear"]["red"] == [[0, 9], [11, 20]]


@pytest.mark.parametrize(
    ("pace", "order"),
    [
        pytest.param(Pace(), [0, 1, 2, 3, 4, 5], id="as it is"),
        pytest.param(Pace(2.0), [0, 2, 4], id="every other frame"),
        pytest.param(Pace(0.5), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5], id="each twice"),
        pytest.param(Pace(1.0, ((2, 3),)), [0, 1, 2, 2, 2, 2, 3, 4, 5], id="frozen"),
    ],
)
def test_pace_shows_frames_of_the_take_in_this_order(
    pace: Pace, order: list[int], tmp_path: Path
) -> None:
    take = Boxes((("red", (20.0, 50.0, 60.0, 110.0)),), frame_count=6, step_px=20.0)

    made = made_of(EpisodeShot(take, pace=pace), folder=tmp_path)

    places = [found_box(p, "red") for p in pictures(made.video_path)]
    assert [round((box[0] - 20) / 20) for box in places if box] == order
    for face in made.truth()["faces"]:
        assert places[face["frame_idx"]] == pytest.approx(face["bbox_xyxy"], abs=1.1)


def test_a_face_lower_than_any_labelled_one_is_small_and_not_clear(tmp_path: Path) -> None:
    take = Boxes((("red", (20.0, 50.0, 40.0, 80.0)),))

    truth = made_of(EpisodeShot(take, Lens((0.6, 0.6))), folder=tmp_path).truth()

    assert {f["small"] for f in truth["faces"]} == {True}
    assert truth["visible"]["red"] == [[0, 11]]
    assert truth["visible_clear"]["red"] == []


def test_only_people_seen_for_half_a_second_are_main(tmp_path: Path) -> None:
    brief = Boxes((("red", TWO[0][1]),), frame_count=12)
    long = Boxes((("green", TWO[1][1]),), frame_count=13)

    truth = made_of(EpisodeShot(brief), EpisodeShot(long), folder=tmp_path).truth()

    assert {n: p["main"] for n, p in truth["persons"].items()} == {"red": False, "green": True}


def test_the_truth_is_one_that_the_evaluation_reads(tmp_path: Path) -> None:
    made = made_of(EpisodeShot(Boxes(TWO)), EpisodeShot(Boxes(TWO[:1])), folder=tmp_path)

    truth = read_truth(made.truth())

    assert (truth.frame_count, truth.cuts) == (24, (12,))
    assert (truth.width_px, truth.height_px) == SIZE
    assert float(np.round(truth.fps, 6)) == float(ENCODING.fps)
