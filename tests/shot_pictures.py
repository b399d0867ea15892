"""Pictures with structure, as films have it, for what is judged by structure."""

from __future__ import annotations

import cv2
import numpy as np

from screenalytics_core.vision.models.protocols import Image

HEIGHT_PX, WIDTH_PX = 144, 256


def scene(seed: int, frames: int, *, pan_px: float = 0.5) -> list[Image]:
    """A landscape of coloured blobs, large and small, over which the camera pans.

    Args:
        seed: Another seed is another place.
        pan_px: So far a frame, and back at the edge.
    """
    rng = np.random.default_rng(seed)
    wide = np.zeros((HEIGHT_PX, 3 * WIDTH_PX, 3), np.float32)
    for blob_px in (12, 32, 96):
        size = (3 * WIDTH_PX // blob_px, max(2, HEIGHT_PX // blob_px))
        noise = rng.uniform(-1, 1, (size[1], size[0], 3)).astype(np.float32)
        wide += cv2.resize(noise, (3 * WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC)
    landscape = np.clip(120 + 45 * wide, 0, 255).astype(np.uint8)
    span = 2 * WIDTH_PX
    lefts = [round(i * pan_px) % (2 * span) for i in range(frames)]
    return [
        np.ascontiguousarray(landscape[:, left : left + WIDTH_PX])
        for left in (min(at, 2 * span - at) for at in lefts)
    ]


def lit(picture: Image, gain: float, offset: float = 0.0) -> Image:
    """The picture in another light, clipped as cameras clip."""
    made: Image = np.clip(picture.astype(np.float32) * gain + offset, 0, 255).astype(np.uint8)
    return made


def blended(old: Image, new: Image, new_share: float) -> Image:
    """Both pictures on top of each other."""
    return cv2.addWeighted(old, 1 - new_share, new, new_share, 0.0)


def dissolved(old: list[Image], new: list[Image], frames: int) -> list[Image]:
    """`old` passing into `new` within its last `frames` frames."""
    shares = [(i + 1) / (frames + 1) for i in range(frames)]
    pairs = zip(old[-frames:], new[:frames], shares, strict=True)
    return [*old[:-frames], *(blended(a, b, share) for a, b, share in pairs), *new[frames:]]
