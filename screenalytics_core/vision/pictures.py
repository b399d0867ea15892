"""From stored pixels to the picture as a player shows it.

Pictures are turned by the display matrix and get square pixels: where the file has others
(sample aspect ratio), the shorter direction is stretched, so no detail is lost and boxes are
in px of the picture as shown. HDR is not tone-mapped and interlaced pictures are not
deinterlaced.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from screenalytics_core.errors import VideoError
from screenalytics_core.vision.models.protocols import Image

# A sample aspect ratio that changes a side by less is a rounding of the encoder.
_SQUARE_ENOUGH: Final = 0.01


@dataclass(frozen=True, slots=True)
class Shape:
    """How stored pixels become the picture as shown: stretch to square pixels, then turn."""

    square_width_px: int
    square_height_px: int
    quarter_turns: int  # counter-clockwise

    def shown(self) -> tuple[int, int]:
        """Return (width, height) as shown."""
        size = (self.square_width_px, self.square_height_px)
        return size if self.quarter_turns % 2 == 0 else size[::-1]


class Converter:
    """Turns stored pictures into BGR arrays, in one pass of swscale."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        # A reformatter keeps its set-up for one size and must not be shared by threads.
        self._local = threading.local()

    def convert(self, picture: VideoFrame, max_side_px: int | None) -> Image:
        """Return (H, W, 3) BGR as shown, its longer side at most `max_side_px` if given."""
        shape = self._shape
        width, height = shape.square_width_px, shape.square_height_px
        longer = max(width, height)
        if max_side_px is not None and longer > max_side_px:
            width = max(1, round(width * max_side_px / longer))
            height = max(1, round(height * max_side_px / longer))
        scaled = self._reformatter(width, height).reformat(
            picture,
            width=width,
            height=height,
            format="bgr24",
            # Averages all pixels like the others when scaling down, at half their cost.
            interpolation=Interpolation.AREA if max_side_px is not None else None,
            threads=1,
        )
        # FFmpeg pads its lines, so even an upright array may have gaps.
        return np.ascontiguousarray(np.rot90(scaled.to_ndarray(), shape.quarter_turns), np.uint8)

    def _reformatter(self, width: int, height: int) -> VideoReformatter:
        known: dict[tuple[int, int], VideoReformatter] = getattr(self._local, "known", {})
        self._local.known = known
        if (width, height) not in known:
            known[width, height] = VideoReformatter()
        return known[width, height]


def shape_of(stream: VideoStream, first: VideoFrame, path: Path) -> Shape:
    """Return how the stream's pictures are to be shown.

    Raises:
        VideoError: They are to be turned by something else than quarter turns.
    """
    turns = round(first.rotation / 90)
    # PyAV cuts the angle down to whole degrees, so a quarter turn may read 89.
    if abs(first.rotation - 90 * turns) > 1:
        raise VideoError(
            thing=f"video {path}",
            reason=f"is to be shown rotated by {first.rotation} degrees, not a quarter turn",
            way_out="Encode it anew, upright.",
        )
    width, height = first.width, first.height
    aspect = stream.sample_aspect_ratio or Fraction(1)
    if abs(aspect - 1) >= _SQUARE_ENOUGH:
        width, height = (
            (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))
        )
    return Shape(width, height, turns % 4)
