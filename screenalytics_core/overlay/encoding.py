"""H.264 in MP4 with PyAV: pictures at the very times of the source, in its colours."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from screenalytics_core.errors import VideoError
from screenalytics_core.vision.models.protocols import Image

# The first that is there is taken. Only x264 has a constant quality worth relying on.
_ENCODERS: Final[dict[str, dict[str, str]]] = {
    "libx264": {"preset": "veryfast", "crf": "20"},
    "libopenh264": {"b": "8M"},
    "h264_videotoolbox": {"b": "8M"},
    "h264_mf": {"b": "8M"},
}
_PIXELS: Final = "yuv420p"
# What FFmpeg calls unspecified.
_UNSPECIFIED: Final = 2
# FFmpeg's numbers for the matrix of a stream; what states none was decoded as BT.601.
_MATRICES: Final = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
}


@dataclass(frozen=True, slots=True)
class Colours:
    """How a stream's numbers mean colours, as FFmpeg counts these things."""

    colorspace: int = _UNSPECIFIED
    primaries: int = _UNSPECIFIED
    transfer: int = _UNSPECIFIED


def find_encoder() -> str:
    """Return the H.264 encoder that this build of PyAV has.

    Raises:
        VideoError: It has none.
    """
    for name in _ENCODERS:
        try:
            av.codec.Codec(name, "w")
        except av.codec.codec.UnknownCodecError:
            continue
        return name
    raise VideoError(
        thing="PyAV",
        reason=f"has no H.264 encoder (none of {', '.join(_ENCODERS)})",
        way_out="Install PyAV from PyPI: its wheels bring libx264.",
    )


class PictureEncoder:
    """Encodes pictures of one size into the video stream of a container.

    Args:
        time_base: Seconds per tick of the times given; the source's, so that none is rounded.
        fps: Average rate, for the encoder's own planning.
    """

    def __init__(
        self,
        container: OutputContainer,
        size_px: tuple[int, int],
        fps: Fraction,
        time_base: Fraction,
        colours: Colours,
    ) -> None:
        self.encoder = find_encoder()
        self._container = container
        self._time_base = time_base
        self._colorspace = _MATRICES.get(colours.colorspace, Colorspace.DEFAULT)
        self._reformatter = VideoReformatter()
        width, height = size_px
        stream: Any = container.add_stream(
            self.encoder, rate=fps.limit_denominator(1001), options=_ENCODERS[self.encoder]
        )
        # 4:2:0 halves both sides.
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = _PIXELS
        context = stream.codec_context
        context.time_base = stream.time_base = time_base
        context.color_range = ColorRange.MPEG
        context.colorspace = colours.colorspace
        context.color_primaries = colours.primaries
        context.color_trc = colours.transfer
        self._stream = stream

    def add(self, picture: Image, ticks: int) -> None:
        """Encode a picture, (H, W, 3) BGR, that is shown at `ticks`."""
        height, width = picture.shape[:2]
        if height % 2 or width % 2:
            picture = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        frame = self._reformatter.reformat(
            VideoFrame.from_ndarray(picture, format="bgr24"),
            format=_PIXELS,
            dst_colorspace=self._colorspace,
            dst_color_range=ColorRange.MPEG,
        )
        frame.pts, frame.time_base = ticks, self._time_base
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what the encoder still holds back."""
        self._container.mux(self._stream.encode(None))


def colours_of(stream: Any) -> Colours:
    """Return what a video stream states of its colours."""
    context = stream.codec_context
    return Colours(int(context.colorspace), int(context.color_primaries), int(context.color_trc))


def open_output(path: Path) -> OutputContainer:
    """Open an MP4 file for writing; its index goes to the front, for players on the network."""
    return av.open(str(path), "w", format="mp4", options={"movflags": "faststart"})
