"""What a body looks like, without a network: colours in horizontal stripes.

Clothing and hair lie in bands from top to bottom, and a band's colours change little when
a person turns. This is appearance, not identity: two people in the same shirt look alike,
and a person whose box reaches further down looks different.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.models.boxes import whole_pixels
from screenalytics_core.vision.models.protocols import FloatArray, Image

STRIPES: Final = 5
HUES: Final = 16
GREYS: Final = 8
DIMENSIONS: Final = STRIPES * (HUES + GREYS)

_WIDTH_PX: Final = 16
_HEIGHT_PX: Final = 50
# On each side of the box there is more background than body.
_LEFT_OUT: Final = 0.1
# Below this value a saturation is mostly noise of the camera and the codec.
_DARK: Final = 64.0
# A pale colour tells more than the grey that it is mixed with.
_COLOUR_WEIGHT: Final = 3.0
_OPENCV_HUES: Final = 180
# Larger batches leave the processor's cache and cost three times as much a body.
_BATCH: Final = 8

_Bins = NDArray[np.int64]
_Weights = NDArray[np.float32]


class HsvStripes:
    """`PersonEmbedder` by colours; keeps no state between calls.

    Each stripe is a histogram of hues, weighted by saturation, and of greys, relative to the
    body's mean brightness. Their square roots are L2-normalised, so that the dot product of
    two vectors is the mean over the stripes of the Bhattacharyya coefficient (Bhattacharyya
    1943), 0 to 1.
    """

    appearance: Final = "hsv_stripes"

    def embed(self, image_bgr: Image, bboxes_xyxy: FloatArray) -> FloatArray:
        """Map (N, 4) px boxes of an (H, W, 3) image to (N, 120) L2-normalised vectors.

        Boxes may reach past the picture's edges; of one that lies outside, the nearest
        pixels are taken.
        """
        vectors = np.zeros((len(bboxes_xyxy), DIMENSIONS), np.float32)
        for start in range(0, len(bboxes_xyxy), _BATCH):
            boxes = bboxes_xyxy[start : start + _BATCH]
            bodies = np.stack([_body(image_bgr, box) for box in boxes])
            vectors[start : start + _BATCH] = _vectors(_histograms(bodies))
        return vectors


def _vectors(histograms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (N, 120) vectors of length one of (N, stripes, hues + greys) weights."""
    roots = np.sqrt(histograms / histograms.sum(axis=2, keepdims=True))
    # Every stripe's roots have a length of one.
    return np.asarray(roots.reshape(len(roots), DIMENSIONS) / np.sqrt(STRIPES), np.float64)


def _body(image: Image, box: FloatArray) -> Image:
    """Cut a box out and bring it to one size.

    Pixels are picked, not averaged: averaging a large body costs more than all the rest, and
    a histogram does not alias.
    """
    margin = (box[2] - box[0]) * _LEFT_OUT
    inner = np.array([box[0] + margin, box[1], box[2] - margin, box[3]], np.float32)
    left, top, right, bottom = whole_pixels(inner, image.shape)
    crop = image[top:bottom, left:right]
    scaled = cv2.resize(crop, (_WIDTH_PX, _HEIGHT_PX), interpolation=cv2.INTER_LINEAR)
    return np.asarray(scaled, np.uint8)


def _histograms(bodies: Image) -> NDArray[np.float64]:
    """Return (N, stripes, hues + greys) weights of (N, height, width, 3) pictures."""
    count, height, width = bodies.shape[:3]
    stacked = cv2.cvtColor(bodies.reshape(count * height, width, 3), cv2.COLOR_BGR2HSV)
    hsv = np.asarray(stacked, np.float32).reshape(bodies.shape)
    hue, saturation, value = hsv[..., 0], hsv[..., 1] / 255, hsv[..., 2]

    colour = saturation * np.minimum(value / _DARK, 1)
    mean = value.mean(axis=(1, 2), keepdims=True)
    grey = np.minimum(value / np.maximum(2 * mean, 1), 1)
    parts = (
        *_shared(hue * (HUES / _OPENCV_HUES), colour * _COLOUR_WEIGHT, HUES, first=0),
        *_shared(grey * (GREYS - 1), 1 - colour, GREYS, first=HUES),
    )
    stripe = np.arange(height) * STRIPES // height
    start = (np.arange(count)[:, None] * STRIPES + stripe)[:, :, None] * (HUES + GREYS)
    bins = np.concatenate([(start + found).ravel() for found, _ in parts])
    weights = np.concatenate([weight.ravel() for _, weight in parts])
    total = np.asarray(np.bincount(bins, weights, count * DIMENSIONS), np.float64)
    return total.reshape(count, STRIPES, HUES + GREYS)


def _shared(
    position: _Weights, weight: _Weights, bins: int, *, first: int
) -> tuple[tuple[_Bins, _Weights], tuple[_Bins, _Weights]]:
    """Share each weight between the two bins beside its position.

    Hues are a circle, so the last bin's neighbour is the first; the brightest grey lies on
    the last bin and gives its neighbour nothing.
    """
    below = np.floor(position)
    part = position - below
    low = below.astype(np.int64) % bins
    return (first + low, weight * (1 - part)), (first + (low + 1) % bins, weight * part)
