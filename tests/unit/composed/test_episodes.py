"""Named, random and long episodes: repeatable, long enough, with the people they promise."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks.composed.camera import Lens
from benchmarks.composed.compose import Episode, compose
from benchmarks.composed.encoding import Encoding
from benchmarks.composed.episodes import EPISODES
from benchmarks.composed.long_episode import long_episode
from benchmarks.composed.sampling import sampled_episode
from benchmarks.composed.shots import EpisodeShot
from benchmarks.composed.stage import CUT_OUTS, LAMP, lowest_y, staged, standing
from benchmarks.composed.takes import Staged
from screenalytics_core.demo_render import figures
from screenalytics_core.demo_scenes import HEIGHT_PX
from screenalytics_core.evaluation.truth import read_truth
from tests.composed_scenes import ENCODING, Boxes, labelled_clip, pictures

RED = Boxes((("red", (60.0, 50.0, 100.0, 110.0)),), frame_count=30, step_px=2.0)
GREEN = Boxes((("green", (200.0, 60.0, 250.0, 130.0)),), frame_count=20)


@pytest.mark.parametrize("name", EPISODES)
def test_a_named_episode_is_six_to_twelve_seconds(name: str) -> None:
    episode = EPISODES[name]()

    assert episode.name == name
    length_s = episode.encoding.times_s(episode.frame_count)[-1]
    assert 6 <= length_s <= 12
    assert episode.encoding.size_px == (640, 360)


def test_the_same_seed_gives_the_same_episode_and_another_one_another() -> None:
    assert sampled_episode(4) == sampled_episode(4)
    assert sampled_episode(4).shots != sampled_episode(5).shots


def test_sixty_seeds_give_two_hundred_people_and_eight_to_fifteen_seconds_each() -> None:
    episodes = [sampled_episode(seed) for seed in range(60)]

    # The last shot and a slow rate may reach beyond.
    lengths = [e.frame_count / float(e.encoding.fps) for e in episodes]
    assert min(lengths) >= 8
    assert max(lengths) < 19
    assert sum(len(episode.main_people) for episode in episodes) > 240
    kinds = {shot.join.kind for episode in episodes for shot in episode.shots}
    assert kinds == {"cut", "blend", "dissolve", "flash", "fade"}


def test_a_random_episode_never_cuts_from_a_place_to_itself() -> None:
    for seed in range(20):
        views = [
            s.take.shot.view for s in sampled_episode(seed).shots if isinstance(s.take, Staged)
        ]
        stands = [s.take.main_people() for s in sampled_episode(seed).shots]
        pairs = zip(
            zip(views, stands, strict=True), zip(views[1:], stands[1:], strict=True), strict=False
        )
        assert all(a != b for a, b in pairs)


def test_random_episodes_draw_from_clips_alone_or_beside_the_pictures(tmp_path: Path) -> None:
    labelled_clip(tmp_path)
    with pytest.raises(ValueError, match="nothing to draw"):
        sampled_episode(1, pictures=False)

    mixed = sampled_episode(1, tmp_path)

    assert mixed.name == "sample_mixed_0001"
    assert {isinstance(shot.take, Staged) for shot in mixed.shots} >= {True}


def test_the_same_episode_gives_the_same_bytes(tmp_path: Path) -> None:
    whole = sampled_episode(3)
    short = replace(whole, shots=tuple(s for s in whole.shots if s.frame_count < 60)[:2])

    first, second = (compose(short, tmp_path / name) for name in ("a", "b"))

    assert first.video_path.read_bytes() == second.video_path.read_bytes()
    assert first.truth_path.read_bytes() == second.truth_path.read_bytes()


@pytest.mark.parametrize("person", CUT_OUTS)
def test_no_cut_out_ends_above_the_lower_edge(person: str) -> None:
    take = staged(50, LAMP, standing(person, 160, 640), zoom=(1.0, 1.1))

    lowest = [figures(take.shot, f)[0].outline_xy[:, 1].max() for f in range(50)]

    assert min(lowest) > HEIGHT_PX
    assert lowest_y(person, 160) < HEIGHT_PX - 80, "and the face is well inside"


def test_staged_faces_lie_where_the_cut_out_is_drawn(tmp_path: Path) -> None:
    """With and without the person, only what lies around the box differs."""
    with_her = EpisodeShot(
        staged(3, LAMP, standing("lace dress", 240, 500)), Lens(is_mirrored=True)
    )
    without = EpisodeShot(staged(3, LAMP), Lens(is_mirrored=True))
    made = [
        compose(Episode(name, (shot,), replace(Encoding(), crf=8)), tmp_path)
        for name, shot in (("with", with_her), ("without", without))
    ]

    shown, empty = (pictures(m.video_path)[0].astype(int) for m in made)
    difference = np.abs(shown - empty).max(axis=2)
    x0, y0, x1, y1 = (round(v) for v in made[0].truth()["faces"][0]["bbox_xyxy"])
    assert (difference[y0:y1, x0:x1] > 15).mean() > 0.8
    assert difference[:, : x0 - 120].max() < 40
    assert difference[:, x1 + 120 :].max() < 40
    assert abs((x0 + x1) / 2 - (640 - 250)) < 3, "mirrored: from 250 px left to 250 px right"


def test_a_long_episode_repeats_pictures_times_and_truth(tmp_path: Path) -> None:
    base = Episode("two", (EpisodeShot(RED), EpisodeShot(GREEN)), ENCODING)

    made = long_episode(0.09, tmp_path, base)

    once = pictures(tmp_path / "two.mp4")
    truth = read_truth(json.loads(made.truth_path.read_text()))
    assert truth.frame_count == 150, "5.4 s are two rounds of 2 s and one more"
    assert truth.cuts == (30, 50, 80, 100, 130)
    assert [f for a, b in truth.visible["green"] for f in (a, b)] == [30, 49, 80, 99, 130, 149]
    with av.open(str(made.video_path)) as container:
        frames = [(float(f.time), f.to_ndarray(format="bgr24")) for f in container.decode(video=0)]
    assert [t for t, _ in frames] == pytest.approx(np.arange(150) / 25, abs=1e-4)
    assert all(np.array_equal(p, once[i % 50]) for i, (_, p) in enumerate(frames))
    later = [f for f in truth.faces if f.frame_idx >= 100]
    first = [f for f in truth.faces if f.frame_idx < 50]
    assert [replace(f, frame_idx=f.frame_idx - 100) for f in later] == first


def test_an_uneven_episode_is_not_repeated(tmp_path: Path) -> None:
    base = Episode("uneven", (EpisodeShot(RED),), replace(ENCODING, uneven_seed=1))

    with pytest.raises(ValueError, match="variable frame rate"):
        long_episode(1, tmp_path, base)
