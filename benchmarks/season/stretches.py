"""Stretches of the material that show one person, and how a camera may look at each.

Nothing that is drawn here takes the person out of the picture: a window is laid around all
places where the face is, and who is cut out of a picture stands well inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

import numpy as np

from benchmarks.composed.camera import Lens
from benchmarks.composed.clips import Excerpt
from benchmarks.composed.stage import staged, standing
from benchmarks.composed.takes import Take
from screenalytics_core.demo_scenes import WIDTH_PX, Box, View

# As in the other composed episodes: nearer than 1.7 times, 640 px of a clip become coarse.
_LARGEST_ZOOM: Final = 1.7
# Room around the face's places, parts of the picture, so that none is cut by the edge.
_ROOM: Final = 0.04
_MIRRORED_SHARE: Final = 0.4
# Heights (px of 720) and places (parts of the width) of those who stand alone in a picture.
_FACE_PX: Final = (130.0, 280.0)
_PLACES: Final = (0.3, 0.7)

Range = tuple[float, float]


class Stretch(Protocol):
    """A part of the material in which a person is seen clearly all the time."""

    @property
    def key(self) -> str:
        """What it is called; no other stretch of the person has a frame of it."""
        ...

    @property
    def frame_count(self) -> int:
        """How many frames there are."""
        ...

    @property
    def company(self) -> frozenset[str]:
        """Who else is visible in it, by the names that a truth uses."""
        ...

    def shown(self, random: np.random.Generator) -> tuple[Take, Lens]:
        """Return its pictures and a random view of them with the person in it."""
        ...


@dataclass(frozen=True)
class Filmed:
    """Frames of a labelled clip that show `name`, whom its truth calls `person`."""

    name: str
    person: str
    excerpt: Excerpt

    @property
    def key(self) -> str:
        """As `avenger2 175-210`: frames, both included."""
        return f"{self.excerpt.clip.path.stem} {self.excerpt.first}-{self.excerpt.last}"

    @property
    def frame_count(self) -> int:
        """How many frames there are."""
        return self.excerpt.frame_count

    @cached_property
    def company(self) -> frozenset[str]:
        """Everybody else whose face is visible."""
        faces = (f for at in self._frames for f in self.excerpt.clip.faces_at(at))
        return frozenset(f.person for f in faces if f.is_visible) - {self.name}

    @cached_property
    def face_xyxy(self) -> Box:
        """The box, px of the clip, that the face does not leave."""
        faces = (f for at in self._frames for f in self.excerpt.clip.faces_at(at))
        boxes = np.array([f.bbox_xyxy for f in faces if f.person == self.name])
        (x0, y0), (x1, y1) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
        return float(x0), float(y0), float(x1), float(y1)

    def shown(self, random: np.random.Generator) -> tuple[Take, Lens]:
        """Return the excerpt and a window of it, mirrored now and then."""
        x0, y0, x1, y1 = self.face_xyxy
        width, height = self.excerpt.size_px
        across = max(0.0, x0 / width - _ROOM), min(1.0, x1 / width + _ROOM)
        down = max(0.0, y0 / height - _ROOM), min(1.0, y1 / height + _ROOM)
        largest = 1 / max(across[1] - across[0], down[1] - down[0])
        zoom = float(random.uniform(1.0, max(1.0, min(_LARGEST_ZOOM, largest))))
        centre = _window(random, across, zoom), _window(random, down, zoom)
        is_mirrored = bool(random.random() < _MIRRORED_SHARE)
        return self.excerpt, Lens((zoom, zoom), (centre, centre), is_mirrored)

    @property
    def _frames(self) -> range:
        return range(self.excerpt.first, self.excerpt.last + 1)


@dataclass(frozen=True)
class Pictured:
    """Somebody cut out of a picture of the demo, before the background `number`."""

    name: str
    number: int
    view: View
    frame_count: int

    @property
    def key(self) -> str:
        """As `astronaut, background 3`; the face itself is one picture's everywhere."""
        return f"{self.name}, background {self.number}"

    @property
    def company(self) -> frozenset[str]:
        """Nobody: backgrounds are out of focus."""
        return frozenset()

    def shown(self, random: np.random.Generator) -> tuple[Take, Lens]:
        """Return the person standing somewhere, nearer or farther."""
        face_px = float(random.uniform(*_FACE_PX))
        x = float(random.uniform(*_PLACES)) * WIDTH_PX
        zoom = (1.0, float(random.uniform(1.0, 1.1)))
        take = staged(self.frame_count, self.view, standing(self.name, face_px, x), zoom=zoom)
        return take, Lens(is_mirrored=bool(random.random() < _MIRRORED_SHARE))


def _window(random: np.random.Generator, inside: Range, zoom: float) -> float:
    """Return a window's centre along one side, parts of it, so that `inside` lies in it."""
    half = 0.5 / zoom
    least, most = max(half, inside[1] - half), min(1 - half, inside[0] + half)
    # Equal where the window is just as large as what must lie in it.
    return float(random.uniform(least, most)) if least < most else least
