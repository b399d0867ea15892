"""How much one picture differs from another, whatever the light and wherever things moved.

A pixel difference takes a flash, a pan and a dark cut for what they are not. Here blocks of
the one picture are looked for near their place in the other one by normalised correlation,
which does not see gain and offset; and a picture is explained as a blend of two others.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.models.protocols import FloatArray, Image

# Large enough for the structure of a scene, small enough that noise averages out.
_THUMB_WIDTH_PX: Final = 64
# A block must hold more structure than chance explains when it is shifted about (8 px do
# not: unrelated pictures then look half alike), and there should be a dozen of them.
_BLOCK_PX: Final = 12
_REACH_PX: Final = 4
# Grey levels. Below it a block holds nothing but noise; above the other one all blocks count
# the same, so that one bright sign does not outweigh a face.
_MIN_TEXTURE: Final = 1.0
_MAX_TEXTURE: Final = 20.0
# Of the picture, so much must have changed: an explosion or somebody passing changes a part.
CHANGED_SHARE: Final = 0.65
# Brighter than what stands in the bars of a letterbox (video black is 16).
_BAR_LEVEL: Final = 20.0
# Pictures so alike pixel by pixel need no search.
_ALIKE: Final = 0.04
# Levels by which each mean colour of one and the same picture may differ.
_SAME_COLOUR: Final = 24.0
_TINY: Final = 1e-6

_Bars = tuple[int, int, int, int]


class _Blocks(NamedTuple):
    """A picture without its bars, cut up: corners, blocks, their surroundings, their texture."""

    blocks: list[FloatArray]
    surroundings: list[FloatArray]
    textures: NDArray[np.float64]


class Thumb:
    """A frame as small grey picture.

    Attributes:
        grey: (h, w) grey levels, w = 64 (or the picture's shape if it is flat: h >= 12).
        mean: Mean level.
        colour: (3,) mean levels of blue, green and red.
        texture: Standard deviation of the levels.
    """

    __slots__ = ("_bars", "_blocks", "centred", "colour", "grey", "mean", "texture")

    def __init__(self, small_bgr: Image) -> None:
        height, width = small_bgr.shape[:2]
        size = (_THUMB_WIDTH_PX, max(_BLOCK_PX, round(height * _THUMB_WIDTH_PX / width)))
        grey = cv2.cvtColor(small_bgr, cv2.COLOR_BGR2GRAY).astype(np.float32)
        small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        self.grey = np.asarray(small, np.float32)
        self.mean = float(self.grey.mean())
        self.colour = np.array(cv2.mean(small_bgr)[:3])
        self.centred: FloatArray = (self.grey - np.float32(self.mean)).ravel()
        self.texture = float(np.sqrt(_dot(self.centred, self.centred) / len(self.centred)))
        self._bars: _Bars | None = None
        self._blocks: dict[_Bars, _Blocks] = {}

    @property
    def is_black(self) -> bool:
        """Whether nothing is to be seen."""
        return self.texture < 1.5 * _MIN_TEXTURE and self.mean <= _BAR_LEVEL

    @property
    def is_flat(self) -> bool:
        """Whether there is too little structure to compare."""
        return self.texture < 4 * _MIN_TEXTURE

    @property
    def has_no_structure(self) -> bool:
        """Whether what there is to see is nothing but noise."""
        return self.texture < _MIN_TEXTURE

    def bars(self) -> _Bars:
        """Return how many rows and columns are black: top, bottom, left, right."""
        if self._bars is None:
            lit = self.grey > _BAR_LEVEL
            rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
            height, width = lit.shape
            self._bars = (0, 0, 0, 0)
            if len(rows) >= _BLOCK_PX and len(columns) >= _BLOCK_PX:
                top, left = int(rows[0]), int(columns[0])
                self._bars = (top, height - 1 - int(rows[-1]), left, width - 1 - int(columns[-1]))
        return self._bars

    def blocks(self, bars: _Bars) -> _Blocks:
        """Return the blocks of the picture between `bars`."""
        if bars not in self._blocks:
            self._blocks[bars] = _cut_up(self.grey, bars)
        return self._blocks[bars]


def _cut_up(grey: FloatArray, bars: _Bars) -> _Blocks:
    top, bottom, left, right = bars
    height, width = grey.shape
    inner = np.ascontiguousarray(grey[top : height - bottom, left : width - right])
    wide = np.pad(inner, _REACH_PX, mode="edge")
    around = _BLOCK_PX + 2 * _REACH_PX
    corners = [(y, x) for y in _starts(inner.shape[0]) for x in _starts(inner.shape[1])]
    blocks = [inner[y : y + _BLOCK_PX, x : x + _BLOCK_PX] for y, x in corners]
    textures = np.stack(blocks).reshape(len(blocks), -1).std(axis=1, dtype=np.float64)
    return _Blocks(blocks, [wide[y : y + around, x : x + around] for y, x in corners], textures)


def _starts(length_px: int) -> list[int]:
    """Spread blocks evenly from one edge to the other."""
    count = max(1, round(length_px / _BLOCK_PX))
    return [int(start) for start in np.linspace(0, length_px - _BLOCK_PX, count)]


def pixel_change(a: Thumb, b: Thumb) -> float:
    """Return 1 - correlation of two pictures pixel by pixel, in [0, 2]: quick, blind to motion."""
    if min(a.texture, b.texture) < _MIN_TEXTURE / 2:
        return 0.0 if max(a.texture, b.texture) < _MIN_TEXTURE else 1.0
    product = _dot(a.centred, b.centred) / len(a.centred)
    return 1.0 - product / (a.texture * b.texture)


def _dot(a: FloatArray, b: FloatArray) -> float:
    # Not `@`: how BLAS adds up depends on its threads.
    return float(np.einsum("i,i->", a, b))


def structural_change(a: Thumb, b: Thumb, share: float = CHANGED_SHARE) -> float:
    """Return in [0, 1] by how much at least `share` of the picture's texture changed.

    A block that is found again within 4 px (6 % of the width) has not changed, whatever its
    brightness and contrast. Blocks count by the texture that they hold in either picture.
    """
    if pixel_change(a, b) < _ALIKE:
        return 0.0
    shared = zip(a.bars(), b.bars(), strict=True)
    top, bottom, left, right = (min(pair) for pair in shared)
    before, after = (t.blocks((top, bottom, left, right)) for t in (a, b))
    weights = np.minimum(np.maximum(before.textures, after.textures), _MAX_TEXTURE)
    weights[weights < _MIN_TEXTURE] = 0.0
    total = weights.sum()
    if total == 0.0:
        return 0.0
    changes = np.array(
        [
            _block_change(block, around) if weight and texture >= _MIN_TEXTURE / 2 else 1.0
            for block, around, texture, weight in zip(
                before.blocks, after.surroundings, before.textures, weights, strict=True
            )
        ]
    )
    order = np.argsort(-changes, kind="stable")
    reached = np.searchsorted(weights[order].cumsum(), share * total)
    return float(changes[order[min(int(reached), len(order) - 1)]])


def _block_change(block: FloatArray, around: FloatArray) -> float:
    found = cv2.matchTemplate(around, block, cv2.TM_CCOEFF_NORMED)
    return float(1.0 - max(0.0, cv2.minMaxLoc(found)[1]))


def same_colour(a: Thumb, b: Thumb) -> bool:
    """Whether two pictures are about as red, green and blue as each other on the whole."""
    return bool(np.abs(a.colour - b.colour).max() <= _SAME_COLOUR)


class Blend(NamedTuple):
    """Pictures explained as `old` times the first plus `new` times the last plus a constant.

    Attributes:
        old, new: (n,) factors.
        unexplained: (n,) what is left, as share of the mean variance of the first and the last one.
    """

    old: FloatArray
    new: FloatArray
    unexplained: FloatArray

    @property
    def new_share(self) -> FloatArray:
        """(n,) the last picture's share in the blend."""
        total: FloatArray = np.maximum(self.old + self.new, np.float32(_TINY))
        return self.new / total


def blend_of(thumbs: list[Thumb]) -> Blend:
    """Explain all pictures but the first and last one as blends of these two (least squares)."""
    rows = np.stack([t.centred for t in thumbs])
    with_ends = np.einsum("ik,jk->ij", rows, rows[[0, -1]])
    first, both, last = with_ends[0, 0], with_ends[0, 1], with_ends[-1, 1]
    # Two pictures that are nearly the same explain nothing apart.
    scale = max(first * last - both * both, 1e-3 * first * last + _TINY)
    by_first, by_last = with_ends[1:-1, 0], with_ends[1:-1, 1]
    old = (by_first * last - by_last * both) / scale
    new = (by_last * first - by_first * both) / scale
    own = np.einsum("ij,ij->i", rows[1:-1], rows[1:-1])
    left = np.maximum(own - old * by_first - new * by_last, 0.0)
    return Blend(old, new, left / ((first + last) / 2 + _TINY))


def is_relit(picture: Thumb, others: list[Thumb]) -> bool:
    """Whether all `others` are `picture` with light added everywhere, or taken everywhere."""
    return any(
        all(np.mean(sign * (o.grey - picture.grey) >= -6.0) >= 0.97 for o in others)
        for sign in (1.0, -1.0)
    )
