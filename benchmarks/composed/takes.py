"""Where a shot's pictures come from, and those of the demo's pictures and people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np

from benchmarks.composed.looks import Body, Face, Look, map_box
from screenalytics_core.demo_render import draw_shot, figures, load_pictures
from screenalytics_core.demo_scenes import HEIGHT_PX, WIDTH_PX, Shot

# Enlarging a half-size take by a fifth is not seen.
_HALF_IS_ENOUGH: Final = 0.6


class Take(Protocol):
    """Pictures of one size, with what is known about each."""

    @property
    def frame_count(self) -> int:
        """How many frames there are."""
        ...

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        ...

    @property
    def is_exact(self) -> bool:
        """Whether the boxes of every frame are exact, so that any may be labelled."""
        ...

    def main_people(self) -> frozenset[str]:
        """Return those whose name and face are certain."""
        ...

    def drawn_for(self, scale: float) -> Take:
        """Return the take in the size that a picture `scale` times as large needs."""
        ...

    def looks(self) -> Iterator[Look]:
        """Yield the frames in order."""
        ...


@dataclass(frozen=True, slots=True)
class Staged:
    """A take of the demo's pictures and people; each person may stand in it once.

    Attributes:
        scale: Of the demo's size, 1280x720.
    """

    shot: Shot
    scale: float = 1.0

    @property
    def frame_count(self) -> int:
        """How many frames there are."""
        return self.shot.frame_count

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return round(WIDTH_PX * self.scale), round(HEIGHT_PX * self.scale)

    @property
    def is_exact(self) -> bool:
        """Geometry is."""
        return True

    def main_people(self) -> frozenset[str]:
        """Return everybody."""
        return frozenset(f.person for f in figures(self.shot, 0))

    def drawn_for(self, scale: float) -> Staged:
        """Return it in half the size if that is enough: a quarter of the work.

        Cut-outs are then about as large as in their pictures. Sharp backgrounds are drawn
        whole and made smaller afterwards, without jagged edges.
        """
        is_enough = scale <= _HALF_IS_ENOUGH and self.shot.view.blur_px > 0
        return replace(self, scale=0.5) if is_enough else self

    def looks(self) -> Iterator[Look]:
        """Yield the frames in order."""
        to_size = np.diag([self.scale, self.scale, 1.0])
        for frame, image in enumerate(draw_shot(self.shot, load_pictures(), self.scale)):
            drawn = figures(self.shot, frame)
            yield Look(
                image,
                tuple(Face(f.person, map_box(f.face_xyxy, to_size), f.depth) for f in drawn),
                tuple(Body(f.person, f.outline_xy * self.scale, f.depth) for f in drawn),
            )
