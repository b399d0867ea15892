"""Faces brought into the position that ArcFace-style embedders were trained on.

The only definition of an aligned crop: 112x112 px, the five landmarks as near as a
similarity transform (turn, scale, shift) can bring them to the ArcFace template.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.models.protocols import FloatArray, Image

CROP_PX: Final = 112

# Deng et al. 2019, "ArcFace"; the same numbers as insightface's face_align.arcface_dst.
TEMPLATE_XY: Final = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)

# Where detectors' boxes lie in crops that were aligned by landmarks: medians over faces of
# SCRFD and MTCNN. The height is used because a turned head has a narrow box, not a low one.
_BOX_CENTRE_XY: Final = (56.0, 64.0)
_BOX_HEIGHT_PX: Final = 107.0

# Bilinear sampling reads two pixels a side: beyond this factor it skips some of the source.
_MAX_PLAIN_SHRINK: Final = 2.0

Affine = NDArray[np.float64]
"""(2, 3): source px -> crop px."""


def landmark_transform(landmarks_xy: FloatArray) -> Affine | None:
    """Return the similarity that brings five landmarks nearest to the template.

    Least squares over turn, scale and shift in closed form, points as complex numbers; the
    optimum of Umeyama 1991 for two dimensions, where a mirrored face stays mirrored.

    Args:
        landmarks_xy: (10,) x, y of eyes, nose and mouth corners, px of the source.

    Returns:
        (2, 3), or None where the landmarks are one point or fit no turn.
    """
    points = np.asarray(landmarks_xy, np.float64).reshape(5, 2)
    if not np.isfinite(points).all():
        return None
    source = points[:, 0] + 1j * points[:, 1]
    target = TEMPLATE_XY[:, 0] + 1j * TEMPLATE_XY[:, 1]
    source_mean, target_mean = source.mean(), target.mean()
    centred = source - source_mean
    spread = float((np.abs(centred) ** 2).sum())
    if spread <= 0:
        return None
    turn = complex((np.conj(centred) * (target - target_mean)).sum() / spread)
    if turn == 0:
        return None
    shift = complex(target_mean - turn * source_mean)
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def box_transform(bbox_xyxy: FloatArray) -> Affine:
    """Return the upright transform that puts a box where aligned faces have theirs.

    Args:
        bbox_xyxy: (4,) px of the source, of positive height.
    """
    left, top, right, bottom = np.asarray(bbox_xyxy, np.float64)
    scale = _BOX_HEIGHT_PX / (bottom - top)
    shift_x = _BOX_CENTRE_XY[0] - scale * (left + right) / 2
    shift_y = _BOX_CENTRE_XY[1] - scale * (top + bottom) / 2
    return np.array([[scale, 0.0, shift_x], [0.0, scale, shift_y]])


def face_transform(bbox_xyxy: FloatArray, landmarks_xy: FloatArray | None) -> Affine:
    """Return the transform by landmarks, or by the box where they are missing or useless."""
    by_landmarks = None if landmarks_xy is None else landmark_transform(landmarks_xy)
    return box_transform(bbox_xyxy) if by_landmarks is None else by_landmarks


def aligned_crop(image_bgr: Image, transform: Affine) -> Image:
    """Cut an aligned crop, black where the picture ends.

    Faces much larger than the crop are averaged down first: sampling them directly would
    skip pixels, which looks like sharpness and disturbs the embedding.

    Args:
        image_bgr: (H, W, 3).
        transform: (2, 3) from px of the picture to px of the crop.

    Returns:
        (112, 112, 3) BGR.
    """
    shrink = 1 / float(np.hypot(transform[0, 0], transform[1, 0]))
    if shrink > _MAX_PLAIN_SHRINK:
        factor = math.ceil(shrink / _MAX_PLAIN_SHRINK)
        image_bgr, transform = _averaged_down(image_bgr, transform, factor)
    crop = cv2.warpAffine(image_bgr, transform, (CROP_PX, CROP_PX), flags=cv2.INTER_LINEAR)
    return np.asarray(crop, np.uint8)


def _averaged_down(image_bgr: Image, transform: Affine, factor: int) -> tuple[Image, Affine]:
    """Shrink the part of a picture that the crop shows by a whole factor."""
    corners = np.array([[0, 0], [CROP_PX, 0], [0, CROP_PX], [CROP_PX, CROP_PX]], np.float64)
    inverse = cv2.invertAffineTransform(transform)
    seen = corners @ inverse[:, :2].T + inverse[:, 2]
    height, width = image_bgr.shape[:2]
    left, top = (int(v) for v in np.maximum(np.floor(seen.min(axis=0)) - factor, 0))
    right, bottom = (
        int(v) for v in np.minimum(np.ceil(seen.max(axis=0)) + factor, [width, height])
    )
    if right - left < factor or bottom - top < factor:
        return image_bgr, transform
    size = ((right - left) // factor, (bottom - top) // factor)
    part = image_bgr[top : top + size[1] * factor, left : left + size[0] * factor]
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    # Centre of a small pixel: left + factor * x + (factor - 1) / 2.
    offset = np.array([left, top]) + (factor - 1) / 2
    adjusted = np.hstack(
        [transform[:, :2] * factor, (transform[:, :2] @ offset + transform[:, 2])[:, None]]
    )
    return np.asarray(small, np.uint8), adjusted
