"""Text on pictures: outlined, so that it can be read on any ground, in the report's fonts.

OpenCV's own letters are ASCII; names may hold any character. A label stays for many frames, so
what Pillow set is kept for a while.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from screenalytics_core.overlay.people import Colour
from screenalytics_core.report.fonts import BOLD, REGULAR, displayable, fit, font_path
from screenalytics_core.vision.models.protocols import Image

# More than are on screen at once. Each lies between the big pictures that come and go in
# memory, whose room it splits: thousands of them would cost a gigabyte.
_KEPT: Final = 96
_OPAQUE: Final = 255


class _Patch(NamedTuple):
    """Letters with their outline: what they add, and what they leave of the picture."""

    ink: NDArray[np.uint16]
    rest: NDArray[np.uint16]


class Lettering:
    """Writes texts of one size."""

    def __init__(self, size_px: int, *, is_bold: bool = False) -> None:
        path = font_path(BOLD if is_bold else REGULAR)
        self._font = ImageFont.truetype(str(path), size_px)
        self._outline_px = max(1, round(size_px / 9))
        ascent, descent = self._font.getmetrics()
        self.height_px = ascent + descent + 2 * self._outline_px
        self._set = lru_cache(maxsize=_KEPT)(self._render)
        self._fitted = lru_cache(maxsize=_KEPT)(self._fit)

    def fitted(self, text: str, max_width_px: float) -> str:
        """Return the text as it can be shown, shortened if it would be wider."""
        return self._fitted(text, max_width_px)

    def _fit(self, text: str, max_width_px: float) -> str:
        return fit(displayable(text), max_width_px, self.width_px)

    def width_px(self, text: str) -> float:
        """Return how wide a text gets, its outline included."""
        return self._font.getlength(text) + 2 * self._outline_px

    def write(
        self,
        picture: Image,
        text: str,
        left: int,
        top: int,
        colour: Colour,
        *,
        is_lasting: bool = True,
    ) -> None:
        """Write a text that is displayable; what lies outside the picture is left out.

        Args:
            is_lasting: It will be written again.
        """
        if not text:
            return
        patch = (self._set if is_lasting else self._render)(text, colour)
        height, width = patch.rest.shape[:2]
        y0, x0 = max(0, top), max(0, left)
        y1, x1 = min(picture.shape[0], top + height), min(picture.shape[1], left + width)
        if y0 >= y1 or x0 >= x1:
            return
        inside = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
        ground = picture[y0:y1, x0:x1]
        ground[:] = (ground * patch.rest[inside] + patch.ink[inside]) // _OPAQUE

    def _render(self, text: str, colour: Colour) -> _Patch:
        size = (int(self.width_px(text)) + 2, self.height_px)
        place, edge = (self._outline_px, self._outline_px), self._outline_px
        letters, both = PillowImage.new("L", size), PillowImage.new("L", size)
        ImageDraw.Draw(letters).text(place, text, fill=_OPAQUE, font=self._font)
        ImageDraw.Draw(both).text(place, text, fill=_OPAQUE, font=self._font, stroke_width=edge)
        inked = np.asarray(letters, np.uint16)[..., None]
        covered = np.maximum(np.asarray(both, np.uint16)[..., None], inked)
        # The outline is black, so it adds nothing.
        return _Patch(inked * np.array(colour, np.uint16), _OPAQUE - covered)
