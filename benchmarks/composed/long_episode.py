"""Episodes of many minutes for drift and memory: one is rendered, its packets are repeated.

Neither the video nor the truth is ever in memory as a whole.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TextIO

from benchmarks.composed.compose import Composed, Episode, compose
from benchmarks.composed.encoding import Encoding
from benchmarks.composed.episodes import EPISODES
from benchmarks.media import loop_video

_ONE_ROUND: Final = ("aba_cutting", "leave_and_return", "fast_heads", "zooms", "occlusion")
# Lists of the truth that grow with the episode, and how an entry of theirs is moved on.
_PER_PERSON: Final = ("visible", "visible_clear", "maybe", "present")
_FRAME_KEYS: Final = {
    "faces": ("frame_idx",),
    "ignore_regions": ("start", "end"),
    "transitions": ("first_frame", "last_frame"),
}


def one_round() -> Episode:
    """Return several named episodes after one another, about 50 s."""
    shots = tuple(shot for name in _ONE_ROUND for shot in EPISODES[name]().shots)
    return Episode("one_round", shots, Encoding())


def long_episode(minutes: float, folder: Path, base: Episode | None = None) -> Composed:
    """Write an episode of at least `minutes` into `folder`.

    Args:
        base: What is repeated, with an even frame rate; `one_round()` by default.

    Raises:
        ValueError: The base has uneven frame times, which do not add up when repeated.
    """
    base = base or one_round()
    if base.encoding.uneven_seed is not None:
        raise ValueError(f"episode {base.name} has a variable frame rate: it is not repeated")
    once = compose(base, folder)
    seconds = base.frame_count / float(base.encoding.fps)
    rounds = math.ceil(minutes * 60 / seconds)
    name = f"{base.name}_{minutes:g}_minutes"
    made = Composed(folder / f"{name}.mp4", folder / f"{name}.truth.json")
    loop_video(once.video_path, made.video_path, rounds)
    with made.truth_path.open("w", encoding="utf-8") as file:
        write_repeated(once.truth() | {"clip": made.video_path.name}, rounds, file)
    return made


def write_repeated(truth: dict[str, Any], rounds: int, file: TextIO) -> None:
    """Write the truth of an episode that is shown `rounds` times, each entry as it is made."""
    frames = int(truth["frames"])
    starts = range(0, rounds * frames, frames)
    streams: dict[str, Iterator[Any]] = {
        "cuts": (s + c for s in starts for c in ([0] if s else []) + truth["cuts"]),
        "labelled_frames": (s + f for s in starts for f in truth["labelled_frames"]),
    }
    streams |= {k: _moved(truth[k], moved, starts) for k, moved in _FRAME_KEYS.items()}
    file.write("{")
    for number, (key, value) in enumerate((truth | {"frames": rounds * frames}).items()):
        file.write(f"{', ' if number else ''}{json.dumps(key)}: ")
        if key in streams:
            _write_list(streams[key], file)
        elif key in _PER_PERSON:
            _write_intervals(value, starts, file)
        else:
            json.dump(value, file)
    file.write("}\n")


def _moved(
    entries: list[dict[str, Any]], keys: tuple[str, ...], starts: range
) -> Iterator[dict[str, Any]]:
    return (entry | {k: s + entry[k] for k in keys} for s in starts for entry in entries)


def _write_intervals(people: dict[str, list[list[int]]], starts: range, file: TextIO) -> None:
    file.write("{")
    for number, (person, intervals) in enumerate(people.items()):
        file.write(f"{', ' if number else ''}{json.dumps(person)}: ")
        _write_list(([s + a, s + b] for s in starts for a, b in intervals), file)
    file.write("}")


def _write_list(entries: Iterator[Any], file: TextIO) -> None:
    file.write("[")
    for number, entry in enumerate(entries):
        file.write(f"{', ' if number else ''}{json.dumps(entry)}")
    file.write("]")
