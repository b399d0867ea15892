"""How one shot gives way to the next, and what a flash does: pictures and truth mixed alike."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, Literal, Protocol

import cv2
import numpy as np

from benchmarks.composed.looks import Shown

Kind = Literal["cut", "blend", "dissolve", "flash", "fade"]

FLASH: Final = "flash"
_WHITE_PART: Final = 0.85


@dataclass(frozen=True, slots=True)
class Join:
    """The first frames of a shot lie over the last of the one before.

    Attributes:
        kind: blend = both by halves, dissolve = one grows as the other fades, flash = almost
            white, fade = through black.
        frames: How many are mixed; 0 for a cut.
    """

    kind: Kind = "cut"
    frames: int = 0

    @property
    def until_cut(self) -> int:
        """Mixed frames before the first that belongs to the new shot.

        That is the first in which the new picture weighs more than half, so a one-frame blend
        lies before the cut, as in the labelled clips.
        """
        return (self.frames + 1) // 2

    def weights(self, index: int) -> tuple[float, float, float]:
        """Return the weights of the old picture, the new one and white in a mixed frame."""
        at = (index + 1) / (self.frames + 1)
        is_old = index < self.until_cut
        if self.kind == "blend":
            return 0.5, 0.5, 0.0
        if self.kind == "dissolve":
            return 1 - at, at, 0.0
        rest = 1 - _WHITE_PART if self.kind == "flash" else abs(1 - 2 * at)
        white = _WHITE_PART if self.kind == "flash" else 0.0
        return (rest, 0.0, white) if is_old else (0.0, rest, white)


CUT: Final = Join()


class JoinedShot(Protocol):
    """What is needed of a shot to join it."""

    @property
    def join(self) -> Join:
        """How it begins."""
        ...

    @property
    def frame_count(self) -> int:
        """How many frames it has, mixed ones included."""
        ...

    def frames(self, size_px: tuple[int, int]) -> Iterator[Shown]:
        """Yield its frames."""
        ...


def join_shots(shots: Iterable[JoinedShot], size_px: tuple[int, int]) -> Iterator[Shown]:
    """Yield an episode's frames; never more than one transition's are in memory.

    Raises:
        ValueError: A shot is too short for the transitions at its ends.
    """
    sequence = list(shots)
    tail: deque[Shown] = deque()
    for number, shot in enumerate(sequence):
        follows = sequence[number + 1].join.frames if number + 1 < len(sequence) else 0
        if shot.frame_count <= len(tail) + follows:
            raise ValueError(f"shot {number} has {shot.frame_count} frames: too few for its ends")
        frames = shot.frames(size_px)
        join = shot.join
        for index, old in enumerate(tail):
            yield mix(old, next(frames), join, index)
        own = shot.frame_count - len(tail) - follows
        for index, shown in enumerate(islice(frames, own)):
            starts = number > 0 and index == 0 and join.until_cut == join.frames
            yield replace(shown, is_cut=True) if starts else shown
        tail = deque(frames)


def mix(old: Shown, new: Shown, join: Join, index: int) -> Shown:
    """Return the mixed frame `index` of a join."""
    first, second, white = join.weights(index)
    image = cv2.addWeighted(old.image, first, new.image, second, 255 * white)
    faces = [replace(f, weight=f.weight * first) for f in old.faces if first > 0]
    faces += [replace(f, weight=f.weight * second) for f in new.faces if second > 0]
    present = (old.present if first > 0 else frozenset()) | (
        new.present if second > 0 else frozenset()
    )
    return Shown(
        np.asarray(image, np.uint8),
        tuple(faces),
        present,
        _whole(old),
        is_labelled=old.is_labelled and new.is_labelled,
        is_cut=index == join.until_cut and join.until_cut < join.frames,
        mixed=join.kind,
    )


def whiten(shown: Shown, kind: str) -> Shown:
    """Return the frame as a flash lights it."""
    rest = 1 - _WHITE_PART
    image = cv2.addWeighted(shown.image, rest, shown.image, 0.0, 255 * _WHITE_PART)
    return replace(
        shown,
        image=np.asarray(image, np.uint8),
        faces=tuple(replace(f, weight=f.weight * rest) for f in shown.faces),
        ignored=_whole(shown),
        mixed=kind,
    )


def _whole(shown: Shown) -> tuple[tuple[float, float, float, float]]:
    height, width = shown.image.shape[:2]
    return ((0.0, 0.0, float(width), float(height)),)
