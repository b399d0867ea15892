"""Cuts stand where the picture changes, and what is mixed is not asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from benchmarks.composed.compose import Episode
from benchmarks.composed.encoding import Encoding
from benchmarks.composed.looks import Look
from benchmarks.composed.mixing import Join
from benchmarks.composed.shots import EpisodeShot
from tests.composed_scenes import SIZE, Boxes, made_of, pictures

RED = Boxes((("red", (60.0, 50.0, 100.0, 110.0)),), background=(60, 60, 60))
GREEN = Boxes((("green", (200.0, 60.0, 250.0, 130.0)),), background=(180, 180, 180))


def changes(path: Path) -> list[int]:
    """Frames whose background is another than the one before."""
    light = [float(p[:30, :30].mean()) for p in pictures(path)]
    return [i + 1 for i, step in enumerate(np.abs(np.diff(light))) if step > 20]


def joined(join: Join, folder: Path) -> tuple[dict[str, Any], Path]:
    made = made_of(EpisodeShot(RED), EpisodeShot(GREEN, join=join), folder=folder)
    return made.truth(), made.video_path


def test_hard_cuts_stand_where_the_picture_changes(tmp_path: Path) -> None:
    made = made_of(*(EpisodeShot(t) for t in (RED, GREEN, RED, GREEN)), folder=tmp_path)

    assert made.truth()["cuts"] == changes(made.video_path) == [12, 24, 36]
    assert made.truth()["cut_tolerance"] == 0


def test_the_same_person_keeps_the_name_when_cut_back_to(tmp_path: Path) -> None:
    truth = made_of(*(EpisodeShot(t) for t in (RED, GREEN, RED)), folder=tmp_path).truth()

    assert truth["visible"] == {"green": [[12, 23]], "red": [[0, 11], [24, 35]]}


@pytest.mark.parametrize(
    ("join", "mixed", "cut"),
    [
        pytest.param(Join("blend", 1), [11, 11], 12, id="one blended frame"),
        pytest.param(Join("blend", 2), [10, 11], 11, id="two blended frames"),
        pytest.param(Join("dissolve", 5), [7, 11], 10, id="dissolve"),
        pytest.param(Join("flash", 1), [11, 11], 12, id="flash frame"),
        pytest.param(Join("fade", 6), [6, 11], 9, id="through black"),
    ],
)
def test_the_cut_is_the_first_frame_that_is_mostly_of_the_new_shot(
    join: Join, mixed: list[int], cut: int, tmp_path: Path
) -> None:
    truth, video = joined(join, tmp_path)

    assert truth["frames"] == len(pictures(video)) == 24 - join.frames
    assert truth["cuts"] == [cut]
    assert truth["transitions"] == [
        {"kind": join.kind, "first_frame": mixed[0], "last_frame": mixed[1]}
    ]
    assert [(r["start"], r["end"]) for r in truth["ignore_regions"]] == [tuple(mixed)]
    assert truth["visible_clear"]["red"] == [[0, mixed[0] - 1]]
    assert truth["visible_clear"]["green"] == [[mixed[1] + 1, truth["frames"] - 1]]
    inside = [f for f in truth["faces"] if mixed[0] <= f["frame_idx"] <= mixed[1]]
    assert all(face["hard"] for face in inside)


def test_of_a_dissolve_each_shot_is_visible_while_it_weighs_half_and_in_doubt_below(
    tmp_path: Path,
) -> None:
    truth, _ = joined(Join("dissolve", 5), tmp_path)

    assert truth["visible"] == {"green": [[9, 18]], "red": [[0, 9]]}
    assert truth["maybe"] == {"green": [[7, 8]], "red": [[10, 11]]}


@pytest.mark.parametrize(
    ("join", "light"),
    [
        pytest.param(Join("blend", 1), [60, 120, 180], id="both by halves"),
        pytest.param(Join("dissolve", 3), [60, 90, 120, 150, 180], id="one grows"),
        pytest.param(Join("fade", 3), [60, 30, 0, 90, 180], id="to black and back"),
        pytest.param(Join("flash", 1), [60, 226, 180], id="almost white"),
    ],
)
def test_mixed_frames_look_like_their_kind(join: Join, light: list[int], tmp_path: Path) -> None:
    _, video = joined(join, tmp_path)

    first = 11 - join.frames
    shown = pictures(video)[first : first + len(light)]
    assert [p[:30, :30].mean() for p in shown] == pytest.approx(light, abs=5)


def test_a_flash_within_a_shot_is_no_cut(tmp_path: Path) -> None:
    made = made_of(EpisodeShot(RED, flashes=(5,)), folder=tmp_path)

    truth = made.truth()
    assert changes(made.video_path) == [5, 6]
    assert truth["cuts"] == []
    assert truth["visible"]["red"] == [[0, 4], [6, 11]]
    assert truth["maybe"]["red"] == [[5, 5]]


def test_a_shot_too_short_for_its_transitions_is_refused(tmp_path: Path) -> None:
    short = Boxes(RED.boxes, frame_count=8)

    with pytest.raises(ValueError, match="shot 1 has 8 frames"):
        made_of(
            EpisodeShot(RED),
            EpisodeShot(short, join=Join("dissolve", 5)),
            EpisodeShot(GREEN, join=Join("dissolve", 5)),
            folder=tmp_path,
        )


def test_uneven_frames_have_the_times_that_the_truth_names(tmp_path: Path) -> None:
    encoding = Encoding(fps=Fraction(30), size_px=SIZE, uneven_seed=3)

    made = made_of(EpisodeShot(RED), EpisodeShot(GREEN), folder=tmp_path, encoding=encoding)

    truth = made.truth()
    with av.open(str(made.video_path)) as container:
        stated = float(container.streams.video[0].average_rate)
        times = [float(f.time) for f in container.decode(video=0)]
    assert times == pytest.approx(truth["frame_times_s"], abs=1e-5)
    assert len({round(step, 4) for step in np.diff(times)}) > 12, "no two alike"
    assert truth["fps"] == pytest.approx(stated, abs=1e-5), "what a run is checked by"
    assert truth["cuts"] == [12], "frames are counted, not seconds"


class Noise(Boxes):
    """Pictures that no encoder can foresee."""

    def looks(self) -> Iterator[Look]:
        random = np.random.default_rng(0)
        for look in super().looks():
            coarse = random.integers(0, 255, look.image.shape, np.uint8)
            yield replace(look, image=cv2.GaussianBlur(coarse, (0, 0), 2))


def test_a_low_bitrate_is_kept_to(tmp_path: Path) -> None:
    noise = EpisodeShot(Noise(RED.boxes, frame_count=100))
    low = Encoding(size_px=SIZE, bitrate_kbps=100)

    few, many = (
        made_of(noise, folder=tmp_path / name, encoding=encoding).video_path.stat().st_size
        for name, encoding in (("few", low), ("many", Encoding(size_px=SIZE)))
    )

    assert few * 8 / 4 == pytest.approx(100_000, rel=0.3), "bits a second"
    assert many > 5 * few


def test_an_episode_knows_its_length_before_it_is_rendered(tmp_path: Path) -> None:
    shots = (EpisodeShot(RED), EpisodeShot(GREEN, join=Join("dissolve", 5)), EpisodeShot(RED))

    made = made_of(*shots, folder=tmp_path)

    episode = Episode("scene", shots, Encoding())
    assert episode.frame_count == made.truth()["frames"] == 31
    assert episode.cut_tolerance == 3
