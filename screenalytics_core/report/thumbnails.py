"""Small versions of face crops: what is shown a few millimetres wide need not weigh 7 kB."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

# Twice what a face is shown at on a screen, 200 dots per inch in print.
SIDE_PX: Final = 96
_JPEG_PARAMS: Final = (cv2.IMWRITE_JPEG_QUALITY, 80, cv2.IMWRITE_JPEG_OPTIMIZE, 1)


def thumbnail(jpeg: bytes | None) -> bytes | None:
    """Return a square JPEG of `SIDE_PX`; None if there is no picture, or a broken one."""
    if not jpeg:
        return None
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        return None
    small = cv2.resize(picture, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", small, list(_JPEG_PARAMS))
    return encoded.tobytes()
