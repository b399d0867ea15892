"""The people of a composed season, and the stretches of the material that show each of them.

A stretch of a clip is so cut that its person's face is clear from its first frame to its last:
then the seconds of every showing are exact, whatever an eye may have labelled a frame too late.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Final

from benchmarks.composed.clips import Clip, Excerpt, labelled_clips
from benchmarks.composed.stage import BACKGROUNDS, CUT_OUTS
from benchmarks.season.stretches import Filmed, Pictured, Stretch

# A second, as in the other composed episodes: two transitions fit in and some frames between.
LEAST_FRAMES: Final = 24
# Long enough for a shot of television, short enough that a clip of ten seconds gives several.
USUAL_FRAMES: Final = 36
# Who is seen clearly for less cannot look different from episode to episode.
_LEAST_CLEAR_FRAMES: Final = 90


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, and where they are seen; no two stretches have a frame in common."""

    name: str
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class People:
    """The shared cast, and strangers who occur now and then."""

    cast: tuple[Person, ...]
    strangers: tuple[Person, ...]

    @property
    def names(self) -> frozenset[str]:
        """Names of the cast."""
        return frozenset(person.name for person in self.cast)


def people_of(clips_dir: Path | None, cast_size: int, pictured_cast: int) -> People:
    """Return the people of a season.

    The clips take turns in giving a lead, those first who are seen clearly for longest.

    Args:
        clips_dir: Labelled clips with their `truth/`; None = everybody is from the pictures.
        cast_size: How many recur.
        pictured_cast: How many of them at least are from the demo's pictures.

    Raises:
        ValueError: The material does not show so many people.
    """
    filmed = _filmed(labelled_clips(clips_dir)) if clips_dir else []
    pictured = [_pictured(name) for name in CUT_OUTS]
    leads = filmed[: cast_size - pictured_cast]
    missing = cast_size - len(leads)
    if missing > len(pictured):
        raise ValueError(
            f"a cast of {cast_size} was asked for, and the material shows "
            f"{len(leads) + len(pictured)} people for long enough"
        )
    # From the end: the first of them sit close together in one picture.
    return People(
        (*leads, *pictured[len(pictured) - missing :]), tuple(pictured[: -missing or None])
    )


def _filmed(clips: Sequence[Clip]) -> list[Person]:
    """Return the clips' leads, in turns."""
    of_clips = [sorted(_leads(clip), key=lambda p: -_clear_frames(p)) for clip in clips]
    turns = (person for turn in zip_longest(*of_clips) for person in turn)
    return [person for person in turns if person is not None]


def _leads(clip: Clip) -> Iterator[Person]:
    for name, facts in clip.truth["persons"].items():
        person = Person(name, tuple(_stretches(clip, name)))
        if facts["main"] and _clear_frames(person) >= _LEAST_CLEAR_FRAMES:
            yield person


def _clear_frames(person: Person) -> int:
    return sum(stretch.frame_count for stretch in person.stretches)


def _stretches(clip: Clip, person: str) -> Iterator[Filmed]:
    """Yield a person's clear frames, shot by shot, in pieces of about the usual length."""
    for first, last in clip.shots:
        for start, end in clip.truth["visible_clear"].get(person, ()):
            begin, frames = max(first, start), min(last, end) - max(first, start) + 1
            pieces = max(1, round(frames / USUAL_FRAMES))
            edges = [begin + frames * i // pieces for i in range(pieces + 1)]
            for a, b in pairwise(edges):
                if b - a >= LEAST_FRAMES:
                    yield Filmed(clip.name_of(person), person, Excerpt(clip, a, b - 1))


def _pictured(name: str) -> Person:
    rooms = enumerate(BACKGROUNDS, start=1)
    return Person(name, tuple(Pictured(name, n, room, USUAL_FRAMES) for n, room in rooms))
