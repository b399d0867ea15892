"""A picture that somebody gives of a cast member: read safely, its one face found and cut out.

Pictures come from anywhere. Their header is looked at first, so that nothing is decoded that
is no picture of a known kind or would fill the memory; a picture that breaks off is refused,
since what is missing would be grey.
"""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps, UnidentifiedImageError

from screenalytics_core.errors import GalleryError
from screenalytics_core.gallery.prototypes import Origin, PrototypeDraft
from screenalytics_core.vision.alignment import aligned_crop, face_transform
from screenalytics_core.vision.face_quality import (
    Gates,
    RejectReason,
    frontalities,
    gate,
    qualities,
    sharpness,
    sizes_px,
)
from screenalytics_core.vision.models.protocols import FaceBoxes, FaceDetector, Image

SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp")
MAX_FILE_BYTES: Final = 64 << 20
MAX_PIXELS: Final = 64_000_000
"""What the largest cameras that people carry take; 192 MB once decoded."""

_FORMATS: Final = ("JPEG", "PNG", "WEBP")
_EIGHT_BIT: Final = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"})
# What the readers raise for bytes that are not theirs, or that end too soon.
_UNREADABLE: Final = (
    UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError,
    TypeError, OverflowError, MemoryError, struct.error,
)  # fmt: skip
# A face this large beside the largest may be the one that is meant: half of its area.
_AS_LARGE: Final = 0.7
# Detectors want to see more than a face: a picture cut tightly gets a border of this part.
_BORDER: Final = 0.5
_SAID: Final = {
    RejectReason.TOO_SMALL: "its face is {size_px:.0f} px, {min_size_px:.0f} are needed",
    RejectReason.LOW_CONFIDENCE: "its face is doubtful: confidence {confidence:.2f}, "
    "{min_confidence:.2f} is needed",
    RejectReason.BLURRED: "its face is blurred: sharpness {sharpness:.1f}, "
    "{min_sharpness:.1f} is needed",
    RejectReason.PROFILE: "its face is turned away: frontality {frontality:.2f}, "
    "{min_frontality:.2f} is needed",
}


@dataclass(frozen=True, slots=True)
class _Found:
    """The face that a picture is about; `place` is its row."""

    image_bgr: Image
    faces: FaceBoxes
    place: int


def read_picture(content: bytes, name: str) -> Image:
    """Return the (H, W, 3) BGR picture of a JPEG, PNG or WebP file, turned as it is meant.

    Raises:
        GalleryError: It is too large, of another kind, or damaged.
    """
    if len(content) > MAX_FILE_BYTES:
        raise refused(name, f"is larger than {MAX_FILE_BYTES >> 20} MiB")
    try:
        with warnings.catch_warnings():
            # Its own limit is another one; ours is asked below.
            warnings.simplefilter("ignore", PillowImage.DecompressionBombWarning)
            with PillowImage.open(io.BytesIO(content), formats=_FORMATS) as picture:
                _check_header(picture, name)
                upright = ImageOps.exif_transpose(picture).convert("RGB")
    except PillowImage.DecompressionBombError as error:
        raise refused(name, f"has over {MAX_PIXELS // 10**6} million px") from error
    except _UNREADABLE as error:
        raise refused(name, f"is no whole JPEG, PNG or WebP picture ({error})") from error
    return np.ascontiguousarray(np.asarray(upright, np.uint8)[..., ::-1])


def _check_header(picture: PillowImage.Image, name: str) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise refused(name, f"has {width} x {height} px, over {MAX_PIXELS // 10**6} million")
    if picture.mode not in _EIGHT_BIT:
        raise refused(name, f"has pixels of kind {picture.mode}, not 8 bits a colour")


def draft_of(content: bytes, name: str, detector: FaceDetector, gates: Gates) -> PrototypeDraft:
    """Return the face that a picture shows.

    Args:
        content: Of the file.
        name: For people.
        detector: What it finds is a face; see `ModelPack.face_detector`.

    Raises:
        GalleryError: It cannot be read, shows nobody or several, or the face fails a gate.
    """
    found = _face(read_picture(content, name), name, detector)
    bboxes, landmarks = found.faces.bboxes_xyxy[[found.place]], found.faces.landmarks_xy
    points = np.full((1, 10), np.nan, np.float32) if landmarks is None else landmarks[[found.place]]
    confidences = found.faces.confidences[[found.place]]
    known = None if np.isnan(points).any() else points[0]
    crop = aligned_crop(found.image_bgr, face_transform(bboxes[0], known))
    size, frontal, sharp = sizes_px(bboxes), frontalities(points), sharpness(crop)
    measured = {
        "size_px": float(size[0]),
        "confidence": float(confidences[0]),
        "sharpness": sharp,
        "frontality": float(frontal[0]),
    }
    reason = gate(gates, **measured)
    if reason is not None:
        limits = {field: getattr(gates, field) for field in Gates.__slots__}
        raise refused(name, _SAID[reason].format(**measured, **limits))
    quality = qualities(confidences, size, frontal, np.array([sharp], np.float32))
    return PrototypeDraft(
        crop_bgr=crop,
        quality=float(quality[0]),
        origin=Origin.IMAGE,
        source=name,
        source_sha256=hashlib.sha256(content).hexdigest(),
    )


def _face(image_bgr: Image, name: str, detector: FaceDetector) -> _Found:
    faces = detector.detect(image_bgr)
    if not len(faces.confidences):
        sides = [round(_BORDER * side) for side in image_bgr.shape[:2]]
        image_bgr = np.asarray(
            cv2.copyMakeBorder(
                image_bgr, sides[0], sides[0], sides[1], sides[1], cv2.BORDER_CONSTANT
            ),
            np.uint8,
        )
        faces = detector.detect(image_bgr)
    if not len(faces.confidences):
        raise refused(name, "shows no face")
    heights = faces.bboxes_xyxy[:, 3] - faces.bboxes_xyxy[:, 1]
    place = int(np.argmax(heights))
    as_large = np.sort(heights[heights >= _AS_LARGE * heights[place]])[::-1]
    if len(as_large) > 1:
        sizes = " and ".join(f"{height:.0f}" for height in as_large[:3])
        raise refused(
            name,
            f"shows {len(as_large)} faces of similar size ({sizes} px high)",
            "Cut it to the one that is meant.",
        )
    return _Found(image_bgr, faces, place)


def refused(name: str, reason: str, way_out: str = "") -> GalleryError:
    """Return the error for a picture that cannot be taken."""
    return GalleryError(thing=f"picture {name}", reason=reason, way_out=way_out)
