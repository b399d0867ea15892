"""The named difficulties once more, built from whatever labelled clips a folder holds.

Nothing here knows a clip: places are taken from the truth, so that other clips serve as well.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Final

from benchmarks.composed.camera import Lens, Occluder, Pace
from benchmarks.composed.clips import Clip, Excerpt, labelled_clips
from benchmarks.composed.compose import Episode
from benchmarks.composed.encoding import Encoding
from benchmarks.composed.mixing import Join
from benchmarks.composed.shots import EpisodeShot
from screenalytics_core.errors import VideoError

_FRAMES: Final = 50
_LEAST_FRAMES: Final = 24
_EPISODE_SHOTS: Final = 5


def clip_episodes(clips_dir: Path) -> dict[str, Callable[[], Episode]]:
    """Return name -> episode; each cuts between all clips of the folder, four at a time.

    Raises:
        VideoError: The folder holds no labelled clip with a long enough shot.
    """
    parts = best_parts(labelled_clips(clips_dir))
    if not parts:
        raise VideoError(
            thing=f"folder {clips_dir}",
            reason="holds no labelled clip with a clear face for a second",
            way_out="Give a folder with NAME.mp4 and truth/NAME.json.",
        )
    kinds = (
        _aba_cutting, _leave_and_return, _occlusion, _zooms, _dark_and_bright, _low_bitrate,
        _variable_frame_rate, _letterbox, _blends_and_flashes, _fast_heads,
    )  # fmt: skip
    return {f"clips{kind.__name__}": partial(kind, parts) for kind in kinds}


def best_parts(clips: tuple[Clip, ...]) -> list[Excerpt]:
    """Return up to two parts of each clip, of two shots, those with most clear faces first.

    The clips take turns, so the first few parts are of different clips.
    """
    ranked = [sorted(_parts(clip), key=_clear_faces, reverse=True)[:2] for clip in clips]
    turns = (parts[turn : turn + 1] for turn in range(2) for parts in ranked)
    return [part for turn in turns for part in turn]


def _parts(clip: Clip) -> list[Excerpt]:
    """Return the middle of each shot that is long enough and shows somebody clearly."""
    found = []
    for first, last in clip.shots:
        spare = max(0, last - first + 1 - _FRAMES) // 2
        part = Excerpt(clip, first + spare, min(last, first + spare + _FRAMES - 1))
        if part.frame_count >= _LEAST_FRAMES and _clear_faces(part) > 0:
            found.append(part)
    return found


def _clear_faces(part: Excerpt) -> int:
    faces = (f for frame in range(part.first, part.last + 1) for f in part.clip.faces_at(frame))
    return sum(face.is_clear for face in faces)


def _aimed(part: Excerpt, zoom: tuple[float, float], *, is_mirrored: bool = False) -> Lens:
    """Return a lens that closes in on the largest clear face, or comes from there."""
    faces = [f for f in part.clip.faces_at((part.first + part.last) // 2) if f.is_clear]
    box = max((f.bbox_xyxy for f in faces), key=lambda b: b[3] - b[1], default=(0.0,) * 4)
    width, height = part.size_px
    aim = (box[0] + box[2]) / 2 / width, (box[1] + box[3]) / 2 / height
    ends = tuple(_kept_inside(aim, factor) for factor in zoom)
    return Lens(zoom, (ends[0], ends[1]), is_mirrored)


def _kept_inside(aim: tuple[float, float], zoom: float) -> tuple[float, float]:
    """Return the centre nearest to `aim` with which the window does not leave the picture."""
    half = min(0.5, 0.5 / zoom)
    return min(max(aim[0], half), 1 - half), min(max(aim[1], half), 1 - half)


def _some(parts: list[Excerpt], count: int = _EPISODE_SHOTS) -> list[Excerpt]:
    return list(islice(cycle(parts), count))


def _short(part: Excerpt, frames: int, from_end: bool = False) -> Excerpt:
    if from_end:
        return Excerpt(part.clip, max(part.first, part.last - frames + 1), part.last)
    return Excerpt(part.clip, part.first, min(part.last, part.first + frames - 1))


def _aba_cutting(parts: list[Excerpt]) -> Episode:
    """Between two clips and back, some returns nearer and mirrored."""
    first, second = _some(parts, 2)
    shots = []
    for index, frames in enumerate((40, 34, 30, 24, 24, 24, 30, 40)):
        part = _short(first if index % 2 == 0 else second, frames, from_end=index > 3)
        lens = _aimed(part, (1.0 + 0.1 * (index // 2),) * 2, is_mirrored=index in (4, 5))
        shots.append(EpisodeShot(part, lens))
    return Episode("clips_aba_cutting", tuple(shots), Encoding())


def _leave_and_return(parts: list[Excerpt]) -> Episode:
    """The camera turns away from somebody and back; the others are seen meanwhile."""
    first, second, third = _some(parts, 3)
    away = Lens((2.0, 2.0), ((0.3, 0.5), (0.7, 0.5)))
    back = Lens((2.0, 2.0), ((0.7, 0.5), (0.3, 0.5)))
    shots = (
        EpisodeShot(first), EpisodeShot(second, away), EpisodeShot(third),
        EpisodeShot(second, back), EpisodeShot(_short(first, 30), Lens(is_mirrored=True)),
    )  # fmt: skip
    return Episode("clips_leave_and_return", shots, Encoding())


def _occlusion(parts: list[Excerpt]) -> Episode:
    """A bar that passes and a blob that stays for a while, in turns."""
    bar = Occluder("bar", (0.2, 1.2), ((0.0, -0.2, 0.5), (1.0, 1.2, 0.5)))
    blob = Occluder(
        "blob", (0.3, 0.7), ((0.0, 1.3, 0.4), (0.35, 0.55, 0.4), (0.65, 0.55, 0.4), (1.0, 1.3, 0.4))
    )
    shots = tuple(
        EpisodeShot(part, occluders=(blob if index % 2 else bar,))
        for index, part in enumerate(_some(parts))
    )
    return Episode("clips_occlusion", shots, Encoding())


def _zooms(parts: list[Excerpt]) -> Episode:
    """Onto a face and away from it."""
    zooms = ((1.0, 2.2), (2.0, 1.0), (1.0, 1.6), (0.6, 1.0), (1.8, 1.8))
    shots = tuple(
        EpisodeShot(part, _aimed(part, zoom, is_mirrored=zoom[0] > zoom[1]))
        for part, zoom in zip(_some(parts), zooms, strict=True)
    )
    return Episode("clips_zooms", shots, Encoding())


def _dark_and_bright(parts: list[Excerpt]) -> Episode:
    """From a tenth of the light to three times as much."""
    glide = ((0.0, 1.0), (0.3, 0.1), (0.7, 3.0), (1.0, 1.0))
    gains = (((0.0, 0.1),), ((0.0, 3.0),), ((0.0, 0.3),), ((0.0, 2.0),), glide)
    shots = tuple(
        EpisodeShot(part, gain=gain) for part, gain in zip(_some(parts), gains, strict=True)
    )
    return Episode("clips_dark_and_bright", shots, Encoding())


def _low_bitrate(parts: list[Excerpt]) -> Episode:
    """Few bits for real motion."""
    shots = tuple(EpisodeShot(part) for part in _some(parts))
    return Episode("clips_low_bitrate", shots, Encoding(bitrate_kbps=130))


def _variable_frame_rate(parts: list[Excerpt]) -> Episode:
    """Frames that stand from half to three times their time."""
    shots = tuple(EpisodeShot(part, _aimed(part, (1.0, 1.2))) for part in _some(parts))
    return Episode("clips_variable_frame_rate", shots, Encoding(fps=Fraction(30), uneven_seed=11))


def _letterbox(parts: list[Excerpt]) -> Episode:
    """Black bars above and below, at the sides, and all around."""
    lenses = (Lens(aspect=2.39), Lens(aspect=4 / 3), Lens((0.62, 0.62)), Lens((0.8, 1.0)), Lens())
    shots = tuple(EpisodeShot(part, lens) for part, lens in zip(_some(parts), lenses, strict=True))
    return Episode("clips_letterbox", shots, Encoding())


def _blends_and_flashes(parts: list[Excerpt]) -> Episode:
    """Cuts over mixed, white and black frames, and flashes that are no cuts."""
    joins = (Join(), Join("blend", 1), Join("flash", 1), Join("dissolve", 8), Join("fade", 10))
    flashes = ((12,), (), (11, 12), (), ())
    shots = tuple(
        EpisodeShot(part, join=join, flashes=flash)
        for part, join, flash in zip(_some(parts), joins, flashes, strict=True)
    )
    return Episode("clips_blends_and_flashes", shots, Encoding())


def _fast_heads(parts: list[Excerpt]) -> Episode:
    """Three frames at a time, through a camera that swings as well."""
    swing = (Lens((1.5, 1.5), ((0.35, 0.5), (0.65, 0.5))), Lens((1.5, 1.5), ((0.65, 0.5),) * 2))
    shots = tuple(
        EpisodeShot(part, swing[index % 2], Pace(2.0 if part.frame_count > _LEAST_FRAMES else 1.0))
        for index, part in enumerate(_some(parts, 8))
    )
    return Episode("clips_fast_heads", shots, Encoding())
