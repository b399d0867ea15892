"""A picture and what is known about it: the one shape that sources give and shots pass on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.demo_render import Image, Matrix
from screenalytics_core.demo_scenes import Box
from screenalytics_core.demo_truth import CLEAR_PART, VISIBLE_PART

Mask = NDArray[np.uint8]

# Faces lower than this are `small`: no labelled clip has one, so nothing was judged on them.
SMALL_PX: Final = 20
# Of two mixed pictures, what weighs less than half is no longer seen; the labelled clips count
# a face in a one-frame blend as visible.
VISIBLE_WEIGHT: Final = 0.5


@dataclass(frozen=True, slots=True)
class Face:
    """A person's face in a picture, and how well it can be seen there.

    Attributes:
        bbox_xyxy: px of the picture; may reach past its edges.
        depth: Bodies of greater depth stand in front of it.
        is_visible, is_clear, is_doubtful: The person is in `visible`, `visible_clear`, `maybe`.
        is_hard, is_away: Flags that the source's own label carries.
        part: Part of the box that lies in the picture with nothing in front, 0 to 1.
        weight: Of the picture it lies in, where several are mixed, 0 to 1.
    """

    person: str
    bbox_xyxy: Box
    depth: int = 0
    is_visible: bool = True
    is_clear: bool = True
    is_doubtful: bool = False
    is_hard: bool = False
    is_away: bool = False
    part: float = 1.0
    weight: float = 1.0

    @property
    def is_small(self) -> bool:
        """Whether the box is lower than any that was labelled by eye."""
        return self.bbox_xyxy[3] - self.bbox_xyxy[1] < SMALL_PX

    @property
    def seen(self) -> bool:
        """Whether the person counts as visible through this face."""
        return self.is_visible and self.part >= VISIBLE_PART and self.weight >= VISIBLE_WEIGHT

    @property
    def seen_clearly(self) -> bool:
        """Whether nothing about it is hard."""
        whole = self.part >= CLEAR_PART and self.weight == 1.0
        return self.seen and self.is_clear and whole and not self.is_small

    @property
    def seen_perhaps(self) -> bool:
        """Whether it is in doubt: doubtful in the source, or faint among mixed pictures."""
        doubtful = self.is_doubtful or self.is_visible
        return doubtful and self.part >= VISIBLE_PART and self.weight > 0 and not self.seen


@dataclass(frozen=True, slots=True)
class Body:
    """A whole person, as far as they are drawn: polygon (n, 2), px of the picture."""

    person: str
    outline_xy: NDArray[np.float64]
    depth: int


@dataclass(frozen=True, slots=True)
class Look:
    """One frame of a source.

    Attributes:
        image: (H, W, 3) BGR.
        faces: All that are known in it.
        bodies: Where the whole people are known too.
        ignored: Regions (px) in which not every face is known.
        is_labelled: The boxes are exact, not interpolated.
        is_cut: Another shot of the source begins here.
    """

    image: Image
    faces: tuple[Face, ...]
    bodies: tuple[Body, ...] = ()
    ignored: tuple[Box, ...] = ()
    is_labelled: bool = True
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """One frame of an episode.

    Attributes:
        image: (H, W, 3) BGR, in the episode's size.
        faces: With boxes clipped to the picture, and `part` and `weight` worked out.
        present: People of whom the face or a good part is in the picture, where that is known.
        ignored: As in `Look`, px of the episode's frame.
        is_labelled: Its faces stand in the truth.
        is_cut: A shot begins here.
        mixed: Kind of the transition or flash that this frame belongs to, or None.
    """

    image: Image
    faces: tuple[Face, ...]
    present: frozenset[str] = frozenset()
    ignored: tuple[Box, ...] = ()
    is_labelled: bool = False
    is_cut: bool = False
    mixed: str | None = None


def map_box(box: Box, matrix: Matrix) -> Box:
    """Return the box that `box` becomes under a scaling, shift or mirroring (3, 3)."""
    x0, y0, x1, y1 = box
    corners = np.array([[x0, y0], [x1, y1]]) @ matrix[:2, :2].T + matrix[:2, 2]
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def clip_box(box: Box, frame: Box) -> Box:
    """Return the part of `box` inside `frame`; of no area if they do not meet."""
    x0, y0 = max(box[0], frame[0]), max(box[1], frame[1])
    return x0, y0, max(x0, min(box[2], frame[2])), max(y0, min(box[3], frame[3]))


def area(box: Box) -> float:
    """Return a box's area, px²."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
