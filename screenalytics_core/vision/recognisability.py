"""What an embedder says of a face that nobody could tell, and how far others stand out of it.

Faces that show too little (blurred, dark, far away) are not spread over an embedder's space:
they gather around one direction, so strangers who are out of focus look more alike than two
good views of one person (Deng et al. 2023, "Harnessing Unrecognizable Faces for Improving Face
Recognition", who measure how recognisable a face is by its distance to that place). Where it
lies depends on the embedder and a little on the light, so it is asked: some of the episode's
own faces are made unrecognisable and embedded. Their mean is taken off every vector, and how
far they lie around it is the noise that a face's vector has to exceed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.models.protocols import FloatArray, Image

# At 6 to 14 px across the same people are told apart equally well afterwards; below, the
# episode's light is lost, and from about 20 px on people begin to be recognised.
_UNKNOWABLE_PX: Final = 10
# Their mean is as good as that of ten times as many.
_MAX_REFERENCES: Final = 16
_LIGHT_PERCENTILE: Final = 99.0
_LIGHT_ENOUGH: Final = 128.0  # half of white


@dataclass(frozen=True, slots=True)
class Unknowable:
    """Where an embedder puts faces that cannot be told.

    Attributes:
        vector: (D,) mean of such faces, as long as the embedder gives it.
        noise: Root mean square of their distances to it.
    """

    vector: FloatArray
    noise: float

    @classmethod
    def of(cls, vectors: FloatArray) -> Unknowable:
        """Measure it on (N, D) vectors of unrecognisable faces; of none, it is nowhere."""
        if len(vectors) == 0:
            return cls(np.zeros(vectors.shape[1], np.float32), 0.0)
        middle = vectors.mean(axis=0, dtype=np.float64)
        noise = np.sqrt(((vectors - middle) ** 2).sum(axis=1).mean())
        return cls(middle.astype(np.float32), float(noise))

    def taken_off(self, vectors: FloatArray) -> FloatArray:
        """Return (N, D) vectors as seen from here; one that lies here stays as it was."""
        rest = vectors - self.vector
        return np.asarray(np.where(rest.any(axis=1, keepdims=True), rest, vectors), np.float32)


def clarity(length: float, noise: float) -> float:
    """Return how much of a vector of this length is signal, 0 to 1: `l / sqrt(l^2 + noise^2)`.

    Times the cosine to a clear vector it is the cosine to expect of the two: noise is at right
    angles to everything in so many dimensions. Where nothing is known of the noise, it is 1.
    """
    total = float(np.hypot(length, noise))
    return length / total if total > 0 else 0.0


def reference_rows(count: int) -> NDArray[np.int64]:
    """Return which of `count` faces are made unrecognisable: at most 16, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, _MAX_REFERENCES)).round().astype(int))


def unrecognisable(crops_bgr: Image) -> Image:
    """Return (N, 112, 112, 3) crops with the detail of faces 10 px across."""
    made = [_shrunk(crop) for crop in crops_bgr]
    return np.asarray(made, np.uint8).reshape(crops_bgr.shape)


def _shrunk(crop_bgr: Image) -> Image:
    tiny = cv2.resize(crop_bgr, (_UNKNOWABLE_PX, _UNKNOWABLE_PX), interpolation=cv2.INTER_AREA)
    size = (crop_bgr.shape[1], crop_bgr.shape[0])
    return np.asarray(cv2.resize(tiny, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def lit(crops_bgr: Image) -> Image:
    """Return (N, H, W, 3) crops, the dark ones brightened; embedders were trained on day light.

    A crop whose 99th percentile of grey lies below half of white is multiplied until it does
    not; hue and contrast within the face stay.
    """
    made = [_lit(crop) for crop in crops_bgr]
    return np.asarray(made, np.uint8).reshape(crops_bgr.shape)


def _lit(crop_bgr: Image) -> Image:
    grey = cv2.cvtColor(crop_bgr, cv2.COLOR_BGR2GRAY)
    light = float(np.percentile(grey, _LIGHT_PERCENTILE))
    if light >= _LIGHT_ENOUGH or light <= 0:
        return crop_bgr
    return np.asarray(cv2.convertScaleAbs(crop_bgr, alpha=_LIGHT_ENOUGH / light), np.uint8)
