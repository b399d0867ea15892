"""How much an embedder can make of a face: measures, gates, and the choice of the best.

Hard gates refuse a face for good: it has too few pixels to tell anybody apart. Soft gates
(confidence, sharpness, pose) say that it is doubtful. A track takes the best of its faces
that pass every gate; where none does, it takes the best of its doubtful ones instead, so a
person who is only seen blurred or from the side still has an embedding, marked as doubtful.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.models.protocols import FloatArray, Image

_FULL_SIZE_PX: Final = 112.0  # an aligned crop gains nothing from more pixels
_HALF_SHARPNESS: Final = 50.0  # variance of the Laplacian that counts one half
_PROFILE_WORTH: Final = 0.1  # what a full profile counts, so that it can still be chosen
_NOSE_DEPTH: Final = 0.8  # of half the distance of the pupils
_UNKNOWN_FRONTALITY: Final = 0.5  # a face without landmarks


class RejectReason(StrEnum):
    """Why a face is not used, or, of an accepted one, why it is doubtful."""

    TOO_SMALL = "too_small"
    LOW_CONFIDENCE = "low_confidence"
    BLURRED = "blurred"
    PROFILE = "profile"
    NOT_AMONG_BEST = "not_among_best"


@dataclass(frozen=True, slots=True)
class Gates:
    """Limits below which a face is refused (size) or doubtful (the others).

    Attributes:
        min_size_px: Shorter side of the box; the only hard gate.
        min_confidence: 0..1.
        min_sharpness: Variance of the Laplacian of the aligned grey crop.
        min_frontality: 0..1.
    """

    min_size_px: float
    min_confidence: float
    min_sharpness: float
    min_frontality: float


def sizes_px(bboxes_xyxy: FloatArray) -> FloatArray:
    """Return the shorter side of each of (N, 4) boxes, px."""
    sides = bboxes_xyxy[:, 2:] - bboxes_xyxy[:, :2]
    return np.asarray(sides.min(axis=1), np.float32)


def frontalities(landmarks_xy: FloatArray) -> FloatArray:
    """Return how frontal each face is: 1 = straight at the camera, 0 = profile.

    `(1 - yaw / 90°) * (1 - pitch / 90°)`. The nose's tip stands out of the plane of eyes and
    mouth, so it moves along a line when the head turns: for yaw the line from eye to eye, for
    pitch the one from between the eyes to between the mouth corners. Off the line's middle
    by `x` halves of its length, the angle is `atan(x / 0.8)`, as the tip of an average nose
    stands out by 0.8 of half the distance of the pupils. In the ArcFace template both are 0
    to within 1°; neither depends on size or on how the head is tilted.

    Args:
        landmarks_xy: (N, 10) px; not finite where a face has none.

    Returns:
        (N,), NaN where a face has no landmarks; 0 where they are one point.
    """
    points = np.asarray(landmarks_xy, np.float64).reshape(-1, 5, 2)
    eye, other_eye, nose = points[:, 0], points[:, 1], points[:, 2]
    eyes_mid, mouth_mid = (eye + other_eye) / 2, (points[:, 3] + points[:, 4]) / 2
    values = _facing(nose, eye, other_eye) * _facing(nose, eyes_mid, mouth_mid)
    values[~np.isfinite(points).all(axis=(1, 2))] = np.nan
    return np.asarray(values, np.float32)


def _facing(
    nose: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return `1 - angle / 90°` by where the nose falls on each line; 0 for a line of no length."""
    half = (end - start) / 2
    length2 = (half**2).sum(axis=1)
    along = ((nose - (start + end) / 2) * half).sum(axis=1)
    off = np.abs(along) / np.where(length2 > 0, length2, 1.0)
    facing = 1 - np.arctan(off / _NOSE_DEPTH) / (np.pi / 2)
    return np.where(length2 > 0, facing, 0.0)


def sharpness(crop_bgr: Image) -> float:
    """Return the variance of the Laplacian of an aligned crop, in grey levels squared.

    Pech-Pacheco et al. 2000. On the aligned crop, so that a face's size on screen counts
    only as far as it limits detail.
    """
    grey = cv2.cvtColor(crop_bgr, cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())


def qualities(
    confidences: FloatArray,
    size_px: FloatArray,
    frontality: FloatArray,
    sharpnesses: FloatArray | None = None,
) -> FloatArray:
    """Return the product of a face's parts, each 0 to 1.

    Confidence as it is; size against 112 px, at most 1; frontality from 0.1 (profile) to 1,
    unknown = half way; sharpness `s / (s + 50)`, left out where it is not measured yet.

    Args:
        confidences: (N,) 0..1. size_px: (N,). frontality: (N,), NaN = unknown.
        sharpnesses: (N,) variance of the Laplacian.
    """
    known = np.where(np.isnan(frontality), _UNKNOWN_FRONTALITY, frontality)
    pose = _PROFILE_WORTH + (1 - _PROFILE_WORTH) * known
    product = confidences * np.minimum(size_px / _FULL_SIZE_PX, 1) * pose
    if sharpnesses is not None:
        product = product * (sharpnesses / (sharpnesses + _HALF_SHARPNESS))
    return np.asarray(product, np.float32)


def gate(
    gates: Gates, *, size_px: float, confidence: float, sharpness: float, frontality: float
) -> RejectReason | None:
    """Return the first gate that a face fails, in the order of `RejectReason`, or None.

    Args:
        frontality: NaN = no landmarks; the pose gate is then not asked.
    """
    if size_px < gates.min_size_px:
        return RejectReason.TOO_SMALL
    if confidence < gates.min_confidence:
        return RejectReason.LOW_CONFIDENCE
    if sharpness < gates.min_sharpness:
        return RejectReason.BLURRED
    if frontality < gates.min_frontality:
        return RejectReason.PROFILE
    return None


def select_top_k(
    quality: FloatArray, timestamps_s: NDArray[np.float64], k: int
) -> NDArray[np.int64]:
    """Choose faces that are good and spread in time.

    Greedy: first the best, then again and again the one with the highest `quality * spread`,
    where spread is its distance to the nearest chosen one as a part of (last - first) / k, at
    most 1. Equal values go to the earlier face.

    Args:
        quality: (N,) above 0, with the pose in it.
        timestamps_s: (N,) ascending, s.

    Returns:
        Indices of at most `k` faces, ascending.
    """
    if len(quality) <= k:
        return np.arange(len(quality))
    wanted_gap_s = float(timestamps_s[-1] - timestamps_s[0]) / k
    chosen = [int(np.argmax(quality))]
    is_left = np.ones(len(quality), np.bool_)
    nearest_s = np.full(len(quality), np.inf)
    while True:
        is_left[chosen[-1]] = False
        if len(chosen) == k:
            return np.sort(np.array(chosen, np.int64))
        nearest_s = np.minimum(nearest_s, np.abs(timestamps_s - timestamps_s[chosen[-1]]))
        spread = np.minimum(nearest_s / wanted_gap_s, 1) if wanted_gap_s > 0 else 1.0
        chosen.append(int(np.argmax(np.where(is_left, quality * spread, -1.0))))


def choose_faces(
    reasons: Sequence[RejectReason | None],
    quality: FloatArray,
    timestamps_s: NDArray[np.float64],
    k: int,
) -> NDArray[np.int64]:
    """Choose a track's faces: the best that pass every gate, else the best doubtful ones.

    Args:
        reasons: What `gate` said of each face.

    Returns:
        Indices of at most `k` faces, ascending; empty only if every face fails a hard gate.
    """
    usable = [i for i, reason in enumerate(reasons) if reason is None] or [
        i for i, reason in enumerate(reasons) if reason is not RejectReason.TOO_SMALL
    ]
    rows = np.array(usable, np.int64)
    return rows[select_top_k(quality[rows], timestamps_s[rows], k)]
