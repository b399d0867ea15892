"""Random episodes that a seed repeats: for calibration, where named ones would be learnt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.composed.camera import Lens, Occluder, Pace, Path2d
from benchmarks.composed.clips import Clip, Excerpt, labelled_clips
from benchmarks.composed.compose import Episode
from benchmarks.composed.encoding import Encoding
from benchmarks.composed.mixing import CUT, Join
from benchmarks.composed.shots import EpisodeShot
from benchmarks.composed.stage import (
    ASTRONAUT,
    BACKGROUNDS,
    CUT_OUTS,
    EVERYBODY,
    TWO_AT_THE_TABLE,
    staged,
    walking,
)
from benchmarks.composed.takes import Take
from screenalytics_core.demo_scenes import Actor, View

# Shares are of shots, guessed from what is usual in television: most cuts are hard, most light
# is even, most heads move slowly. Length and frame rates are the issue's.
_LENGTH_S: Final = (8.0, 15.0)
_SHOT_S: Final = (1.0, 3.5)
_RATES: Final = (Fraction(24), Fraction(25), Fraction(30_000, 1001), Fraction(30))
_JOINS: Final = (CUT, Join("blend", 1), Join("dissolve", 8), Join("flash", 1), Join("fade", 10))
_JOIN_SHARES: Final = (0.74, 0.08, 0.06, 0.06, 0.06)
_SHARP_VIEWS: Final = (EVERYBODY, TWO_AT_THE_TABLE, ASTRONAUT)
_OUTSIDE_PX: Final = 420.0
# Two transitions fit in, and some frames between.
_LEAST_FRAMES: Final = 24


def sampled_episode(seed: int, clips_dir: Path | None = None, *, pictures: bool = True) -> Episode:
    """Return the random episode of a seed: 8 to 15 s, 640x360.

    Args:
        clips_dir: Labelled clips to draw shots from, with their `truth/`.
        pictures: Whether to draw from the demo's pictures too; without clips they are all.

    Raises:
        ValueError: There is nothing to draw from.
    """
    clips = labelled_clips(clips_dir) if clips_dir else ()
    if not clips and not pictures:
        raise ValueError("no labelled clips and no pictures: nothing to draw an episode from")
    random = np.random.default_rng(seed)
    encoding = _encoding(random)
    set_ups = _set_ups(random, clips, pictures)
    aspect = float(random.choice([2.39, 4 / 3])) if random.random() < 0.15 else None
    wanted = random.uniform(*_LENGTH_S) * float(encoding.fps)
    shots: list[EpisodeShot] = []
    last = -1
    while sum(shot.frame_count - shot.join.frames for shot in shots) < wanted:
        # Never twice the same set-up in a row: its cut would show nothing new.
        others = [i for i in range(len(set_ups)) if i != last]
        last = int(random.choice(others))
        shots.append(_shot(random, set_ups[last], float(encoding.fps), aspect, not shots))
    source = "" if not clips else "mixed_" if pictures else "clips_"
    return Episode(f"sample_{source}{seed:04d}", tuple(shots), encoding)


SetUp = Callable[[np.random.Generator, int], Take]


def _encoding(random: np.random.Generator) -> Encoding:
    fps = _RATES[int(random.integers(len(_RATES)))]
    return Encoding(
        fps=fps,
        crf=int(random.integers(18, 33)),
        bitrate_kbps=int(random.integers(90, 250)) if random.random() < 0.15 else None,
        uneven_seed=int(random.integers(1 << 30)) if random.random() < 0.15 else None,
    )


def _set_ups(random: np.random.Generator, clips: Sequence[Clip], pictures: bool) -> list[SetUp]:
    """Return the few places that the episode cuts between, so that A/B/A comes by itself."""
    found: list[SetUp] = []
    if pictures:
        cast = random.permutation(np.array(CUT_OUTS))[: int(random.integers(4, 8))].tolist()
        found += [_studio(random, cast) for _ in range(int(random.integers(3, 6)))]
        if random.random() < 0.5:
            found.append(partial(_wide, _SHARP_VIEWS[int(random.integers(len(_SHARP_VIEWS)))]))
    if clips:
        known = [(clip, shot) for clip in clips for shot in clip.shots]
        long = [(clip, shot) for clip, shot in known if shot[1] - shot[0] + 1 >= _LEAST_FRAMES]
        count = min(len(long), int(random.integers(3, 6)))
        chosen = random.choice(len(long), size=count, replace=False)
        found += [partial(_excerpt, *long[int(i)]) for i in sorted(chosen)]
    return found


def _excerpt(clip: Clip, shot: tuple[int, int], random: np.random.Generator, frames: int) -> Take:
    first, last = shot
    count = min(frames, last - first + 1)
    start = int(random.integers(first, last - count + 2))
    return Excerpt(clip, start, start + count - 1)


def _wide(view: View, random: np.random.Generator, frames: int) -> Take:
    pan = float(random.uniform(-25, 25))
    return staged(frames, view, pan_px=((pan, 0.0), (-pan, 0.0)), zoom=(1.05, 1.05))


def _studio(random: np.random.Generator, cast: Sequence[str]) -> SetUp:
    """Return a place where one to three of the cast always stand."""
    view = BACKGROUNDS[int(random.integers(len(BACKGROUNDS)))]
    people = random.permutation(np.array(cast))[
        : int(random.choice([1, 2, 3], p=[0.4, 0.45, 0.15]))
    ]
    room_px = 1280 / len(people)
    stands = tuple(
        (
            str(person),
            float(random.uniform(150, 280 if len(people) == 1 else 230 - 20 * len(people))),
            room_px * (i + 0.5 + float(random.uniform(-0.12, 0.12))),
        )
        for i, person in enumerate(people)
    )
    return partial(_play, view, stands)


def _play(
    view: View,
    stands: tuple[tuple[str, float, float], ...],
    random: np.random.Generator,
    frames: int,
) -> Take:
    actors = [_act(random, *stand, frames) for stand in stands]
    zoom = (1.0, float(random.uniform(1.0, 1.12)))
    return staged(frames, view, *actors, zoom=zoom if random.random() < 0.5 else zoom[::-1])


def _act(
    random: np.random.Generator, person: str, face_height_px: float, x: float, frames: int
) -> Actor:
    """Return somebody who stands, drifts, walks in or out, leaves and returns, or dashes."""
    kind = random.choice(
        ["stand", "drift", "enter", "leave", "return", "dash"], p=[0.42, 0.25, 0.1, 0.1, 0.06, 0.07]
    )
    outside = -_OUTSIDE_PX if x < 640 else 1280 + _OUTSIDE_PX
    early, late = int(frames * random.uniform(0.1, 0.35)), int(frames * random.uniform(0.6, 0.85))
    other = x + float(random.uniform(-160, 160))
    path: dict[str, tuple[tuple[int, float], ...]] = {
        "stand": ((0, x),),
        "drift": ((0, x), (frames, other)),
        "enter": ((0, outside), (early, outside), (late, x)),
        "leave": ((0, x), (early, x), (late, outside)),
        "return": ((0, x), (early, outside), (late, outside), (frames, x)),
        "dash": tuple((f, x if f // 9 % 2 == 0 else other) for f in range(0, frames + 9, 9)),
    }
    return walking(person, face_height_px, path[str(kind)])


def _shot(
    random: np.random.Generator, set_up: SetUp, fps: float, aspect: float | None, is_first: bool
) -> EpisodeShot:
    frames = max(_LEAST_FRAMES, round(random.uniform(*_SHOT_S) * fps))
    speed = float(random.choice([0.5, 1.0, 2.0], p=[0.05, 0.88, 0.07]))
    take = set_up(random, max(_LEAST_FRAMES, round(frames * speed)))
    still = (int(take.frame_count * 0.4), int(random.integers(5, 25)))
    pace = Pace(speed, (still,) if random.random() < 0.05 else ())
    shown = len(pace.frames(take.frame_count))
    return EpisodeShot(
        take,
        _lens(random, aspect),
        pace,
        _gain(random),
        (_occluder(random),) if random.random() < 0.15 else (),
        (int(random.integers(2, shown - 2)),) if random.random() < 0.05 else (),
        CUT if is_first else _JOINS[int(random.choice(len(_JOINS), p=_JOIN_SHARES))],
    )


def _lens(random: np.random.Generator, aspect: float | None) -> Lens:
    zoom = (1.0, 1.0)
    centre = ((0.5, 0.5), (0.5, 0.5))
    if random.random() < 0.4:
        start, end = (float(v) for v in random.uniform(1.0, 1.7, 2))
        zoom = (start, end) if random.random() < 0.5 else (start, start)
        # As far from the middle as the window may go without showing the take's edge.
        shares = random.uniform(-1, 1, (2, 2))
        room = [0.5 - 0.5 / z for z in zoom]
        centre = tuple(  # type: ignore[assignment]
            (0.5 + float(x) * r, 0.5 + float(y) * r * 0.5)
            for (x, y), r in zip(shares, room, strict=True)
        )
    elif random.random() < 0.08:
        zoom = (0.7, 0.7)
    return Lens(zoom, centre, bool(random.random() < 0.25), aspect)


def _gain(random: np.random.Generator) -> tuple[tuple[float, float], ...]:
    if random.random() < 0.7:
        return ((0.0, 1.0),)
    # Even in the eye's sense: as often a third of the light as three times as much.
    start, end = (float(np.exp(v)) for v in random.uniform(np.log(0.1), np.log(3.0), 2))
    return ((0.0, start),) if random.random() < 0.6 else ((0.0, start), (1.0, end))


def _occluder(random: np.random.Generator) -> Occluder:
    is_bar = random.random() < 0.5
    size = (float(random.uniform(0.12, 0.35)), 1.2 if is_bar else float(random.uniform(0.4, 0.8)))
    outside, x = -size[0], float(random.uniform(0.25, 0.75))
    y = 0.5 if is_bar else float(random.uniform(0.35, 0.65))
    path: Path2d = ((0.0, outside, y), (0.3, x, y), (0.6, x, y), (1.0, outside, y))
    if random.random() < 0.6:
        path = ((0.0, outside, y), (1.0, 1.0 + size[0], y))
    shade = int(random.integers(15, 90))
    return Occluder("bar" if is_bar else "blob", size, path, (shade, shade + 6, shade + 12))
