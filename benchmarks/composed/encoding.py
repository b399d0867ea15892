"""An episode's frames into a file: rate, quality, and time stamps that need not be even."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from screenalytics_core.demo_render import Image

_TICKS_PER_S: Final = 90_000
# How long a frame of uneven time stands, in frames of the nominal rate, and how often: phones
# and screen recorders drop frames in the dark or under load, and jitter by a few milliseconds.
_LENGTHS: Final = ((1.0, 0.62), (2.0, 0.22), (3.0, 0.08), (0.5, 0.08))
_JITTER: Final = 0.2


@dataclass(frozen=True, slots=True)
class Encoding:
    """How an episode is written.

    Attributes:
        fps: Frames per second; nominal where `uneven_seed` is given.
        size_px: Width and height, even.
        crf: x264's quality, 0 (exact) to 51; unused with a bitrate.
        bitrate_kbps: Bits per second / 1000, held by a small buffer, instead of `crf`.
        uneven_seed: Variable frame rate, drawn from this seed.
        keyframe_every: Frames between key frames at most.
    """

    fps: Fraction = Fraction(25)
    size_px: tuple[int, int] = (640, 360)
    crf: int = 20
    bitrate_kbps: int | None = None
    uneven_seed: int | None = None
    keyframe_every: int = 50

    def times_s(self, frame_count: int) -> list[float]:
        """Return when each frame begins, and when the last one ends: `frame_count` + 1 times."""
        return [float(t) / _TICKS_PER_S for t in self.ticks(frame_count)]

    def ticks(self, frame_count: int) -> list[int]:
        """Return the same in 1/90,000 s."""
        one = Fraction(_TICKS_PER_S) / self.fps
        if self.uneven_seed is None:
            return [round(i * one) for i in range(frame_count + 1)]
        random = np.random.default_rng(self.uneven_seed)
        lengths, shares = zip(*_LENGTHS, strict=True)
        drawn = random.choice(lengths, size=frame_count, p=shares)
        drawn = drawn * (1 + random.uniform(-_JITTER, _JITTER, frame_count))
        # Containers do not say how long the last frame stands.
        drawn[-1:] = 1.0
        ticks = np.maximum(1, np.round(drawn * float(one))).astype(np.int64)
        return [0, *np.cumsum(ticks).tolist()]

    def options(self) -> dict[str, str]:
        """Return x264's options; one thread, on whose number its decisions depend."""
        # An open GOP could not be repeated by copying packets.
        shared = {"preset": "superfast", "threads": "1", "x264-params": "open-gop=0"}
        shared["g"] = str(self.keyframe_every)
        if self.bitrate_kbps is None:
            return shared | {"crf": str(self.crf)}
        rate = f"{self.bitrate_kbps}k"
        return shared | {"b": rate, "maxrate": rate, "bufsize": rate}


def write_video(path: Path, images: Iterable[Image], encoding: Encoding, frame_count: int) -> None:
    """Encode `images`, one at a time, as H.264 in MP4."""
    ticks = encoding.ticks(frame_count)
    base = Fraction(1, _TICKS_PER_S)
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream: Any = container.add_stream("libx264", rate=encoding.fps, options=encoding.options())
        stream.width, stream.height = encoding.size_px
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = base
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = ticks[index], base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
