"""What happens to a take's picture: window, mirror, bars, brightness, things in front, time.

Moves are linear between their start and end. Every place is in parts of the frame, 0 to 1,
so that the same shot can be rendered in any size.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, repeat
from typing import Final, Literal

import cv2
import numpy as np

from benchmarks.composed.looks import Mask
from screenalytics_core.demo_render import Matrix
from screenalytics_core.demo_scenes import Box

Path2d = tuple[tuple[float, float, float], ...]

# A band with soft stripes rather than one colour: what passes before a lens has some shading.
_SHADES: Final = 0.25


@dataclass(frozen=True, slots=True)
class Lens:
    """Which window of the take fills the picture, and which part of the frame is picture.

    Attributes:
        zoom: Magnification at start and end; 1 = the take covers the picture, below 1 it is
            smaller than the picture and black lies around it.
        centre: Place of the take in the picture's middle at start and end, parts of the take.
        is_mirrored: Left and right exchanged.
        aspect: Width over height of the picture; black bars fill the rest of the frame
            (2.39 = letterbox in 16:9, 4/3 = pillarbox). None = no bars.
    """

    zoom: tuple[float, float] = (1.0, 1.0)
    centre: tuple[tuple[float, float], tuple[float, float]] = ((0.5, 0.5), (0.5, 0.5))
    is_mirrored: bool = False
    aspect: float | None = None

    def picture_xyxy(self, size_px: tuple[int, int]) -> Box:
        """Return the part of the frame that is not bars, whole px."""
        width, height = size_px
        if self.aspect is None:
            return 0.0, 0.0, float(width), float(height)
        wide = min(width, 2 * round(height * self.aspect / 2))
        high = min(height, 2 * round(width / self.aspect / 2))
        left, top = (width - wide) // 2, (height - high) // 2
        return float(left), float(top), float(left + wide), float(top + high)

    def matrix(self, at: float, take_px: tuple[int, int], size_px: tuple[int, int]) -> Matrix:
        """Return take px -> frame px (3, 3) at the part `at` (0 to 1) of the shot."""
        x0, y0, x1, y1 = self.picture_xyxy(size_px)
        scale = max((x1 - x0) / take_px[0], (y1 - y0) / take_px[1]) * between(self.zoom, at)
        (ax, ay), (bx, by) = self.centre
        x, y = between((ax, bx), at) * take_px[0], between((ay, by), at) * take_px[1]
        sign = -1.0 if self.is_mirrored else 1.0
        return np.array(
            [
                [sign * scale, 0.0, (x0 + x1) / 2 - sign * scale * x],
                [0.0, scale, (y0 + y1) / 2 - scale * y],
                [0.0, 0.0, 1.0],
            ]
        )


@dataclass(frozen=True, slots=True)
class Occluder:
    """Something opaque that passes in front of everybody.

    Attributes:
        kind: A bar is a rectangle, a blob an ellipse.
        size: Width and height, parts of the frame's.
        path: (part of the shot, x, y) of its centre, in order; linear between.
        colour_bgr: 0 to 255.
    """

    kind: Literal["bar", "blob"]
    size: tuple[float, float]
    path: Path2d
    colour_bgr: tuple[int, int, int] = (38, 34, 30)

    def mask(self, at: float, size_px: tuple[int, int]) -> Mask:
        """Return (H, W), 255 where it is."""
        width, height = size_px
        ats, xs, ys = zip(*self.path, strict=True)
        x, y = np.interp(at, ats, xs) * width, np.interp(at, ats, ys) * height
        half = self.size[0] * width / 2, self.size[1] * height / 2
        drawn = np.zeros((height, width), np.uint8)
        if self.kind == "bar":
            ends = [round(float(v)) for v in (x - half[0], y - half[1], x + half[0], y + half[1])]
            x0, y0, x1, y1 = (max(0, v) for v in ends)
            drawn[y0:y1, x0:x1] = 255
        else:
            centre, axes = (round(float(x)), round(float(y))), (round(half[0]), round(half[1]))
            cv2.ellipse(drawn, centre, axes, 0, 0, 360, 255, -1)
        return drawn

    def paint(self, image: Mask, mask: Mask) -> None:
        """Draw it into `image` in place."""
        height, width = image.shape[:2]
        shade = 1 + _SHADES * np.sin(np.linspace(0, 9, width, dtype=np.float32))
        row = np.outer(shade, np.array(self.colour_bgr, np.float32)).astype(np.uint8)
        cv2.copyTo(np.repeat(row[None], height, axis=0), mask, image)


@dataclass(frozen=True, slots=True)
class Pace:
    """Which frame of the take is shown when.

    Attributes:
        speed: Frames of the take per frame of the shot; 2 drops every other one, 0.5 shows
            each twice.
        freezes: (frame of the take, how many more frames it stands still).
    """

    speed: float = 1.0
    freezes: tuple[tuple[int, int], ...] = ()

    def frames(self, count: int) -> list[int]:
        """Return, for each frame of the shot, the frame of a take of `count` frames."""
        shown = [int(i * self.speed) for i in range(int(np.ceil(count / self.speed)))]
        still = dict(self.freezes)
        # Only the first showing of a frame stands still.
        parts = (repeat(i, 1 + still.pop(i, 0)) for i in shown if i < count)
        return list(chain.from_iterable(parts))


STILL: Final = Lens()
STEADY: Final = Pace()


def between(ends: tuple[float, float], at: float) -> float:
    """Return the value at part `at` of the way."""
    return ends[0] + (ends[1] - ends[0]) * at
