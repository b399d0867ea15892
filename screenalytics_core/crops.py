"""crops.zip: aligned face crops in one indexed file with reproducible bytes.

Entries are stored (JPEG does not compress further) with a fixed time stamp; the zip's
own central directory is the index, so one crop is read without touching the others.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from screenalytics_core.errors import ArtifactCorruptError

Image = NDArray[np.uint8]

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
# The embedder reads these, so they must lose almost nothing: 4:4:4 at quality 95.
_JPEG_PARAMS: Final = (
    cv2.IMWRITE_JPEG_QUALITY,
    95,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
)


class CropWriter:
    """Appends crops to a zip; `IO` may be a temporary file, so memory stays flat."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def add(self, name: str, crop_bgr: Image) -> None:
        """Append one (H, W, 3) crop under `name`."""
        _, encoded = cv2.imencode(".jpg", crop_bgr, list(_JPEG_PARAMS))
        info = zipfile.ZipInfo(name, date_time=_EPOCH)
        info.external_attr = 0o644 << 16
        self._archive.writestr(info, encoded.tobytes())


@contextmanager
def write_crops(file: IO[bytes]) -> Iterator[CropWriter]:
    """Write a crop archive into `file`, which is left open and rewound."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        yield CropWriter(archive)
    file.seek(0)


def read_jpegs(file: IO[bytes], names: Iterable[str]) -> Iterator[bytes]:
    """Yield the JPEG bytes of `names`, in their order.

    Raises:
        ArtifactCorruptError: A name is not in the archive.
    """
    with zipfile.ZipFile(file) as archive:
        for name in names:
            try:
                yield archive.read(name)
            except (KeyError, zipfile.BadZipFile) as error:
                raise ArtifactCorruptError(
                    thing=f"crop {name!r} of crops.zip",
                    reason=str(error),
                    way_out="Run the faces stage again in a new run.",
                ) from error


def decode_crop(jpeg: bytes) -> Image:
    """Return the BGR picture of one entry.

    Raises:
        ArtifactCorruptError: It is no picture.
    """
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
    if picture is None:
        raise ArtifactCorruptError(
            thing="crop of crops.zip",
            reason="is no picture",
            way_out="Run the faces stage again in a new run.",
        )
    return np.asarray(picture, np.uint8)
