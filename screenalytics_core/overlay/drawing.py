"""Draws marks on pictures, sized to the picture."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from screenalytics_core.overlay.lettering import Lettering
from screenalytics_core.overlay.people import Colour
from screenalytics_core.overlay.scene import FACE, Mark
from screenalytics_core.vision.models.protocols import Image

_WHITE: Final[Colour] = (255, 255, 255)
_LETTERS_PER_HEIGHT: Final = 32
_MIN_LETTERS_PX: Final = 11
_LINES_PER_HEIGHT: Final = 240
_DASHES_PER_LINE: Final = 4
_WHITE_IN_LETTERS: Final = 0.6
# A longer name is cut; what stands beside it should still be seen.
_MAX_LABEL_PART: Final = 0.3


class Drawing:
    """Draws on pictures of one size; pictures are changed in place.

    A face box is thick and named above; a body box has half its thickness and is named in
    small letters in its lower left corner. What was not detected is dashed.
    """

    def __init__(self, width_px: int, height_px: int) -> None:
        letters_px = max(_MIN_LETTERS_PX, round(height_px / _LETTERS_PER_HEIGHT))
        self._big = Lettering(letters_px, is_bold=True)
        self._small = Lettering(max(_MIN_LETTERS_PX, round(0.7 * letters_px)))
        self._line_px = max(3, round(height_px / _LINES_PER_HEIGHT))
        self._label_px = _MAX_LABEL_PART * width_px

    def draw(self, picture: Image, marks: Iterable[Mark], corner: str) -> None:
        """Draw marks in their order, then their texts and the one in the corner.

        Args:
            picture: (H, W, 3) BGR.
            corner: Written at the top left.
        """
        marks = list(marks)
        for mark in marks:
            line_px = self._line_px if mark.kind == FACE else (self._line_px + 1) // 2
            draw_box(picture, mark.bbox_xyxy, mark.colour, line_px, is_dashed=not mark.is_observed)
        for mark in marks:
            if mark.kind == FACE:
                self._name_face(picture, mark)
            else:
                self._name_body(picture, mark)
        edge = self._line_px
        self._small.write(picture, corner, edge, edge, _WHITE, is_lasting=False)

    def _name_face(self, picture: Image, mark: Mark) -> None:
        name = self._big.fitted(mark.name, self._label_px) if mark.name else ""
        gap = self._line_px
        name_px = round(self._big.width_px(name)) + gap if name else 0
        total_px = name_px + round(self._small.width_px(mark.detail))
        left, top = _inside(picture, mark, total_px)
        above = top - self._big.height_px
        top = above if above >= 0 else top + self._line_px
        self._big.write(picture, name, left, top, _light(mark.colour))
        baseline = top + self._big.height_px - self._small.height_px
        self._small.write(picture, mark.detail, left + name_px, baseline, _WHITE)

    def _name_body(self, picture: Image, mark: Mark) -> None:
        name = self._small.fitted(mark.name, self._label_px) if mark.name else ""
        text = f"{name} {mark.detail}" if name else mark.detail
        gap = self._line_px
        left, _ = _inside(picture, mark, round(self._small.width_px(text)) + gap)
        bottom = min(round(mark.bbox_xyxy[3]), picture.shape[0]) - gap
        top = bottom - self._small.height_px
        self._small.write(picture, text, left + gap, top, _light(mark.colour))


def _light(colour: Colour) -> Colour:
    """Return a colour for letters: video keeps little of the hue of lines so fine."""
    blue, green, red = (round(c + (255 - c) * _WHITE_IN_LETTERS) for c in colour)
    return blue, green, red


def _inside(picture: Image, mark: Mark, width_px: int) -> tuple[int, int]:
    """Return the box's left and top, moved so that a text of a width stays in the picture."""
    left = min(round(mark.bbox_xyxy[0]), picture.shape[1] - width_px)
    return max(0, left), max(0, round(mark.bbox_xyxy[1]))


def draw_box(
    picture: Image,
    bbox_xyxy: tuple[float, float, float, float],
    colour: Colour,
    line_px: int,
    *,
    is_dashed: bool = False,
) -> None:
    """Draw a box, its lines inside it; a box that leaves the picture is cut."""
    height, width = picture.shape[:2]
    left, right = (min(max(0, round(x)), width) for x in (bbox_xyxy[0], bbox_xyxy[2]))
    top, bottom = (min(max(0, round(y)), height) for y in (bbox_xyxy[1], bbox_xyxy[3]))
    if right - left < 1 or bottom - top < 1:
        return
    across, down = np.arange(left, right), np.arange(top, bottom)
    if is_dashed:
        dash_px = _DASHES_PER_LINE * line_px
        across = across[(across - left) // dash_px % 2 == 0]
        down = down[(down - top) // dash_px % 2 == 0]
    for y in (slice(top, min(top + line_px, bottom)), slice(max(bottom - line_px, top), bottom)):
        picture[y, across] = colour
    for x in (slice(left, min(left + line_px, right)), slice(max(right - line_px, left), right)):
        picture[down, x] = colour
