"""Decoding: frames in presentation order with exact timestamps, one pass at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from screenalytics_core.vision.models.protocols import Image


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What the container says, checked against what decodes.

    Attributes:
        frame_count: The container's count or an estimate; the truth is known after a scan.
        rotation_deg: Display rotation, already applied to the frames given out.
    """

    width_px: int
    height_px: int
    fps: Fraction
    frame_count: int
    duration_s: float
    codec: str
    pixel_format: str
    container: str
    has_audio: bool
    rotation_deg: int = 0


class Frame(Protocol):
    """One decoded frame; pixels are converted only when asked for."""

    frame_idx: int
    timestamp_s: float
    duration_s: float

    def bgr(self) -> Image:
        """Return the picture as shown, (H, W, 3) BGR, converted once."""
        ...

    def small_bgr(self, max_side_px: int) -> Image:
        """Return a picture scaled down so that its longer side is at most `max_side_px`."""
        ...


class VideoSource(Protocol):
    """A video that can be read several times; each iteration decodes anew."""

    @property
    def facts(self) -> VideoFacts:
        """Facts of the video stream."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Yield every frame in presentation order."""
        ...

    def frames_at(self, frame_idxs: Iterable[int]) -> Iterator[Frame]:
        """Yield the frames with the given ascending indices, skipping what lies between."""
        ...

    def check_unchanged(self) -> None:
        """Raise VideoChangedError if the file is no longer the one that was opened."""
        ...
