"""Box arithmetic and picture fitting that the detectors share; pure numpy and OpenCV."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.models.protocols import FloatArray, Image

STRIDE_PX: Final = 32
_MAX_SHRINKING: Final = 1 / 16
# What stands in bars and nothing that can be seen: video black, and what coding makes of it.
_DARK_LEVEL: Final = 20


@dataclass(frozen=True, slots=True)
class FittedImage:
    """A picture scaled into a network's input.

    Attributes:
        pixels: (h, w, 3) uint8; the picture stands at the top left, the rest is black.
        scale: Input pixels per pixel of the source.
    """

    pixels: Image
    scale: float


def input_size(
    shape: tuple[int, ...], max_side_px: int, *, max_shrinking: float = _MAX_SHRINKING
) -> tuple[int, int]:
    """Return (height, width) of a network input that fits a (height, width, ..) picture.

    The longer side is `max_side_px` rounded down to a multiple of 32, the other follows the
    picture: down to the multiple below it where that makes the picture smaller by at most
    `max_shrinking` (1/16), else up. 1920x1080 at 640 gives 640x352, which costs 8 % less
    than 640x384.
    """
    height, width = shape[:2]
    longer = max(max_side_px // STRIDE_PX, 1) * STRIDE_PX
    wanted = longer * min(height, width) / max(height, width)
    shorter = int(wanted) // STRIDE_PX * STRIDE_PX
    if shorter < wanted * (1 - max_shrinking):
        shorter += STRIDE_PX
    return (shorter, longer) if width >= height else (longer, shorter)


def fit_image(image_bgr: Image, size: tuple[int, int]) -> FittedImage:
    """Scale a picture into `size` (height, width), keeping its aspect ratio."""
    height, width = image_bgr.shape[:2]
    scale = min(size[0] / height, size[1] / width)
    scaled = _scale(image_bgr, max(round(height * scale), 1), max(round(width * scale), 1))
    if scaled.shape[:2] == size:
        return FittedImage(scaled, scale)
    pixels = np.zeros((*size, 3), np.uint8)
    pixels[: scaled.shape[0], : scaled.shape[1]] = scaled
    return FittedImage(pixels, scale)


def _scale(image: Image, height: int, width: int) -> Image:
    """Resize at a tenth of the cost of `resize` by a ratio that is not whole.

    Halving averages over areas and is cheap; between one and two, bilinear weights reach
    every pixel, so that nothing aliases either.
    """
    while image.shape[0] >= 2 * height and image.shape[1] >= 2 * width:
        image = resize(image, image.shape[0] // 2, image.shape[1] // 2)
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def resize(image: Image, height: int, width: int) -> Image:
    """Resize; averages over areas when shrinking, so that fine texture does not alias."""
    if image.shape[:2] == (height, width):
        return image
    shrinking = height < image.shape[0]
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=method), np.uint8)


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a network's input that is worth looking at, px of the input."""

    left: int
    top: int
    width: int
    height: int

    def cut(self, pixels: Image) -> Image:
        """Return the part of an (H, W, 3) input."""
        return pixels[self.top : self.top + self.height, self.left : self.left + self.width]


def window_of(fitted: FittedImage, within: FloatArray | None = None) -> Window | None:
    """Return the least window that holds what is lit of the input and lies in `within`.

    Bars above, below and beside a picture show nothing. Window and input are multiples of 32
    in place and size: a network finds the same in the same cells as in the whole input.

    Args:
        within: (4,) px of the source, not all of it outside; None = all of it.

    Returns:
        None if all is dark.
    """
    height, width = fitted.pixels.shape[:2]
    lit = cv2.inRange(fitted.pixels.max(axis=2), _DARK_LEVEL + 1, 255)
    left, top, lit_width, lit_height = cv2.boundingRect(lit)
    if lit_width == 0:
        return None
    box = np.array([left, top, left + lit_width, top + lit_height], np.float32)
    if within is not None:
        wanted = np.asarray(within, np.float32) * np.float32(fitted.scale)
        box = np.concatenate([np.maximum(box[:2], wanted[:2]), np.minimum(box[2:], wanted[2:])])
    x, x_end = _whole_strides(box[0], box[2], width)
    y, y_end = _whole_strides(box[1], box[3], height)
    return Window(x, y, x_end - x, y_end - y)


def _whole_strides(low: float, high: float, length: int) -> tuple[int, int]:
    """Return the multiples of 32 that hold low..high, at least one stride, inside 0..length."""
    first = min(max(math.floor(low / STRIDE_PX), 0), length // STRIDE_PX - 1)
    last = min(max(math.ceil(high / STRIDE_PX), first + 1), length // STRIDE_PX)
    return first * STRIDE_PX, last * STRIDE_PX


def nms(
    bboxes_xyxy: FloatArray,
    confidences: FloatArray,
    max_overlap: float,
    *,
    over_smaller: bool = False,
) -> NDArray[np.intp]:
    """Return the indices that survive greedy non-maximum suppression, best first.

    Equal confidences keep their order, so that the result never depends on the sort.

    Args:
        max_overlap: Highest overlap of two survivors, 0..1.
        over_smaller: Measure the overlap against the smaller box instead of the union, so
            that a box inside another goes too.
    """
    order = np.argsort(-confidences, kind="stable")
    x1, y1, x2, y2 = bboxes_xyxy.T
    areas = np.maximum(x2 - x1, 0) * np.maximum(y2 - y1, 0)
    kept: list[int] = []
    while order.size:
        best, rest = int(order[0]), order[1:]
        kept.append(best)
        w = np.minimum(x2[best], x2[rest]) - np.maximum(x1[best], x1[rest])
        h = np.minimum(y2[best], y2[rest]) - np.maximum(y1[best], y1[rest])
        shared = np.maximum(w, 0) * np.maximum(h, 0)
        if over_smaller:
            whole = np.minimum(areas[best], areas[rest])
        else:
            whole = areas[best] + areas[rest] - shared
        order = rest[shared <= max_overlap * whole]
    return np.asarray(kept, np.intp)


def whole_pixels(box: FloatArray, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return (left, top, right, bottom) of the pixels that a box touches, at least one.

    Args:
        box: (4,) px; it may reach past the picture's edges or lie outside.
        shape: (height, width, ..) of the picture.
    """
    left, right = _span(box[0], box[2], shape[1])
    top, bottom = _span(box[1], box[3], shape[0])
    return left, top, right, bottom


def _span(low: float, high: float, length: int) -> tuple[int, int]:
    first = min(max(math.floor(low), 0), length - 1)
    return first, min(max(math.ceil(high), first + 1), length)
