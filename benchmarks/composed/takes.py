"""Where a shot's pictures come from, and those of the demo's pictures and people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from benchmarks.composed.looks import Body, Face, Look
from screenalytics_core.demo_render import draw_shot, figures, load_pictures
from screenalytics_core.demo_scenes import HEIGHT_PX, WIDTH_PX, Shot


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

    def looks(self) -> Iterator[Look]:
        """Yield the frames in order."""
        ...


@dataclass(frozen=True, slots=True)
class Staged:
    """A take of the demo's pictures and people; each person may stand in it once."""

    shot: Shot

    @property
    def frame_count(self) -> int:
        """How many frames there are."""
        return self.shot.frame_count

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return WIDTH_PX, HEIGHT_PX

    @property
    def is_exact(self) -> bool:
        """Geometry is."""
        return True

    def main_people(self) -> frozenset[str]:
        """Return everybody."""
        return frozenset(f.person for f in figures(self.shot, 0))

    def looks(self) -> Iterator[Look]:
        """Yield the frames in order."""
        for frame, image in enumerate(draw_shot(self.shot, load_pictures())):
            drawn = figures(self.shot, frame)
            yield Look(
                image,
                tuple(Face(f.person, f.face_xyxy, f.depth) for f in drawn),
                tuple(Body(f.person, f.outline_xy, f.depth) for f in drawn),
            )
