"""The demo episode: what its truth says is what its pictures show."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from screenalytics_core import demo, demo_render, demo_scenes
from screenalytics_core.demo import DemoEpisode, compose_demo
from screenalytics_core.demo_render import Placement, load_pictures, placements
from screenalytics_core.demo_scenes import PEOPLE, STORYBOARD, Actor, Picture, Shot
from screenalytics_core.demo_truth import truth_of
from screenalytics_core.errors import VideoError

# Short, but with every kind of shot: sharp view, actor who leaves, dimmed, empty.
SHORT = tuple(
    dataclasses.replace(STORYBOARD[i], frame_count=n) for i, n in ((0, 6), (6, 56), (4, 5))
)


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> DemoEpisode:
    return compose_demo(tmp_path_factory.mktemp("demo"), SHORT)


@pytest.fixture(scope="module")
def truth(episode: DemoEpisode) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(episode.truth_path.read_text(encoding="utf-8"))
    return document


def frames(path: Path) -> Iterator[np.ndarray[Any, Any]]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="bgr24").astype(np.float32)


def test_the_video_has_the_frames_size_and_cuts_of_its_truth(
    episode: DemoEpisode, truth: dict[str, Any]
) -> None:
    pictures = list(frames(episode.video_path))

    assert len(pictures) == truth["frames"]
    assert {p.shape for p in pictures} == {(truth["height"], truth["width"], 3)}
    change = [float(np.abs(b - a).mean()) for a, b in pairwise(pictures)]
    cuts = [i + 1 for i, c in enumerate(change) if c > 25]
    assert cuts == truth["cuts"]


def test_the_same_libraries_give_the_same_bytes(episode: DemoEpisode, tmp_path: Path) -> None:
    again = compose_demo(tmp_path, SHORT)

    assert again.truth_path.read_bytes() == episode.truth_path.read_bytes()
    assert again.video_path.read_bytes() == episode.video_path.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == [demo.VIDEO_NAME, demo.TRUTH_NAME]


def test_the_storyboard_holds_what_a_demo_must_show() -> None:
    truth = truth_of(STORYBOARD, "demo.mp4")

    assert 25 <= truth["frames"] / truth["fps"] <= 35
    assert len(truth["persons"]) >= 5
    people_at = [
        {p for p, spans in truth["visible"].items() if any(a <= f <= b for a, b in spans)}
        for f in range(truth["frames"])
    ]
    shots = [0, *truth["cuts"], truth["frames"]]
    per_shot = [people_at[a:b] for a, b in pairwise(shots)]
    assert any(not any(s) for s in per_shot), "an empty shot"
    assert any(all(len(f) == 2 for f in s) for s in per_shot), "a shot of two"
    assert any(s[0] and not s[-1] for s in per_shot), "somebody leaves in a shot"
    assert any(len(s[-1]) > len(s[0]) for s in per_shot), "somebody joins in a shot"
    assert any(len(spans) > 1 for spans in truth["visible"].values()), "somebody returns"
    assert any(s.gain[0] != s.gain[1] for s in STORYBOARD), "the light changes"


def test_every_labelled_box_lies_in_the_picture(truth: dict[str, Any]) -> None:
    for face in truth_of(STORYBOARD, "demo.mp4")["faces"] + truth["faces"]:
        x0, y0, x1, y1 = face["bbox_xyxy"]
        assert 0 <= x0 < x1 <= truth["width"]
        assert 0 <= y0 < y1 <= truth["height"]
        assert face["away"] <= face["hard"]


def test_labelled_frames_are_every_third_and_the_ends_of_shots() -> None:
    assert truth_of(SHORT, "x")["labelled_frames"] == sorted(
        {*range(0, 67, 3), 0, 5, 6, 61, 62, 66}
    )


def test_who_leaves_is_visible_until_half_of_the_face_is_out() -> None:
    path = ((0, 1180.0, 360.0), (50, 1430.0, 360.0))
    shot = Shot(51, STORYBOARD[6].view, (Actor("red shirt", 142.0, path),))

    visible = truth_of([shot], "x")["visible"]["red shirt"]
    clear = truth_of([shot], "x")["visible_clear"]["red shirt"]

    last = visible[0][1]
    inside = [placements(shot, f)[0].inside for f in (last, last + 1)]
    assert inside[0] >= 0.5 > inside[1]
    assert clear[0][1] < last


def test_a_person_in_front_is_drawn_where_the_truth_says(episode: DemoEpisode) -> None:
    with_actor = SHORT[1]
    without = dataclasses.replace(with_actor, actors=())
    pictures = load_pictures()
    shown = next(demo_render.draw_shot(with_actor, pictures)).astype(int)
    empty = next(demo_render.draw_shot(without, pictures)).astype(int)

    (face,) = placements(with_actor, 0)

    x0, y0, x1, y1 = (round(v) for v in face.bbox_xyxy)
    changed = np.abs(shown - empty).sum(2) > 30
    assert changed[y0:y1, x0:x1].mean() > 0.9
    assert not changed[:, : x0 - 350].any()


def test_a_blurred_background_shows_no_face() -> None:
    blurred = dataclasses.replace(STORYBOARD[7], actors=())
    sharp = dataclasses.replace(blurred, view=dataclasses.replace(blurred.view, blur_px=0.0))

    assert placements(blurred, 0) == ()
    assert placements(sharp, 0)


def test_moves_start_and_end_slowly() -> None:
    (actor,) = STORYBOARD[6].actors
    still = dataclasses.replace(STORYBOARD[6], actors=(actor,), zoom=(1.0, 1.0))
    left = [p[0].bbox_xyxy[0] for f in range(24, 48) if (p := placements(still, f))]
    steps = [b - a for a, b in pairwise(left)]

    assert steps[0] < 0.2 * max(steps)


@pytest.mark.parametrize("name", PEOPLE)
def test_a_face_lies_inside_its_outline_and_picture(name: str) -> None:
    person = PEOPLE[name]
    x0, y0, x1, y1 = person.face_xyxy
    width, height = demo_scenes.PICTURES[person.picture].size_px
    xs, ys = zip(*person.outline, strict=True)

    assert 0 <= x0 < x1 <= width
    assert 0 <= y0 < y1 <= height
    assert min(xs) <= (x0 + x1) / 2 <= max(xs)
    assert min(ys) <= y0 + 0.2 * (y1 - y0)
    assert y1 - 0.2 * (y1 - y0) <= max(ys)


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        pytest.param(Picture("no_such_package", "a.jpg", (1, 1)), "is not there", id="package"),
        pytest.param(Picture("numpy", "no/such.jpg", (1, 1)), "is not there", id="file"),
        pytest.param(Picture("numpy", "__init__.py", (1, 1)), "is unreadable", id="no picture"),
        pytest.param(
            Picture("skimage", "data/astronaut.png", (9, 9)), "has 512x512 px", id="other picture"
        ),
    ],
)
def test_a_picture_that_is_not_the_measured_one_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, picture: Picture, reason: str
) -> None:
    monkeypatch.setattr(demo_render, "PICTURES", {"x": picture})

    with pytest.raises(VideoError, match=picture.path) as raised:
        compose_demo(tmp_path / "demo", SHORT)

    assert reason in str(raised.value)
    assert not (tmp_path / "demo").exists()


def test_without_an_encoder_nothing_earlier_is_lost(
    monkeypatch: pytest.MonkeyPatch, episode: DemoEpisode
) -> None:
    before = episode.video_path.read_bytes()
    monkeypatch.setattr(demo, "_ENCODER", "no-such-encoder")

    with pytest.raises(VideoError, match=r"H\.264"):
        compose_demo(episode.video_path.parent, SHORT)

    assert episode.video_path.read_bytes() == before


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        ((0, 0, 10, 10), 1.0),
        ((-5, 0, 5, 10), 0.5),
        ((1275, 715, 1285, 725), 0.25),
        ((-9, 0, -1, 5), 0),
    ],
)
def test_part_inside_the_picture(box: tuple[float, ...], inside: float) -> None:
    assert Placement("x", box).inside == pytest.approx(inside)  # type: ignore[arg-type]
