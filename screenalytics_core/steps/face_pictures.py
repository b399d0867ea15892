"""Loose pictures of faces for people who want to leaf through them; no artifact needs them."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np

from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.steps.base import StepInput
from screenalytics_core.vision.models.protocols import FloatArray, Image

SETTINGS: Final = ("save_crops", "save_frames", "thumb_size", "jpeg_quality")

# A thumbnail shows the hair and chin that a detector's box leaves out.
_THUMB_MARGIN: Final = 0.3


class FacePictures:
    """Saves what the settings ask for; does nothing without a sink."""

    def __init__(self, step: StepInput) -> None:
        self._sink = step.media
        self._wants_crops = bool(step.settings.save_crops) and self._sink is not None
        self._wants_frames = bool(step.settings.save_frames) and self._sink is not None
        self._thumb_px: int = step.settings.thumb_size
        self._params: tuple[Any, ...] = (cv2.IMWRITE_JPEG_QUALITY, step.settings.jpeg_quality)

    def thumb(self, image_bgr: Image, bbox_xyxy: FloatArray) -> bytes | None:
        """Return the face's thumbnail as JPEG if crops are to be saved.

        Made while the frame is at hand; whether it is saved is known later.
        """
        if not self._wants_crops:
            return None
        return self._jpeg(square_thumb(image_bgr, bbox_xyxy, self._thumb_px))

    def save_frame(self, frame_idx: int, image_bgr: Image) -> None:
        """Save a frame in which a face was looked at."""
        if self._wants_frames and self._sink is not None:
            name = f"frame_{frame_idx:08d}.jpg"
            self._sink.save(ArtifactKind.FRAMES_ROOT, name, self._jpeg(image_bgr))

    def save_face(self, name: str, crop_bgr: Image, thumb: bytes | None) -> None:
        """Save an accepted face: its aligned crop and its thumbnail."""
        if self._wants_crops and self._sink is not None and thumb is not None:
            self._sink.save(ArtifactKind.CROPS_DIR, name, self._jpeg(crop_bgr))
            self._sink.save(ArtifactKind.THUMBS_DIR, name, thumb)

    def _jpeg(self, image_bgr: Image) -> bytes:
        _, encoded = cv2.imencode(".jpg", image_bgr, list(self._params))
        return encoded.tobytes()


def square_thumb(image_bgr: Image, bbox_xyxy: FloatArray, side_px: int) -> Image:
    """Return the square around a box, with a margin, moved inside the picture where it fits.

    Args:
        image_bgr: (H, W, 3).
        bbox_xyxy: (4,) px.

    Returns:
        (side_px, side_px, 3).
    """
    height, width = image_bgr.shape[:2]
    left, top, right, bottom = (float(v) for v in bbox_xyxy)
    side = max(right - left, bottom - top) * (1 + 2 * _THUMB_MARGIN)
    side = max(1, min(round(side), height, width))
    x = min(max(0, round((left + right - side) / 2)), width - side)
    y = min(max(0, round((top + bottom - side) / 2)), height - side)
    part = image_bgr[y : y + side, x : x + side]
    how = cv2.INTER_AREA if side > side_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (side_px, side_px), interpolation=how), np.uint8)
