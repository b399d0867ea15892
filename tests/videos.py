"""Small real videos, made with PyAV in the test: whole ones and broken ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

# Encoders that take no B-frame count.
_NO_B_FRAMES = {"libvpx-vp9", "libsvtav1", "mjpeg", "ffv1"}


def solid(colour_bgr: tuple[int, int, int], *, width: int = 160, height: int = 96) -> Picture:
    """A picture of one colour, (H, W, 3) BGR."""
    return np.full((height, width, 3), colour_bgr, np.uint8)


def with_rectangle(
    picture: Picture, bbox_xyxy: tuple[int, int, int, int], colour_bgr: tuple[int, int, int]
) -> Picture:
    """A copy of `picture` with a filled rectangle: a "face" for fake detectors."""
    left, top, right, bottom = bbox_xyxy
    copy = picture.copy()
    copy[max(0, top) : bottom, max(0, left) : right] = colour_bgr
    return copy


def numbered(
    count: int, *, width: int = 160, height: int = 96, bits: int = 12
) -> Iterator[Picture]:
    """Pictures that carry their index as black and white bars; see `read_number`."""
    bar = width // bits
    for index in range(count):
        picture = np.full((height, width, 3), 96, np.uint8)
        for bit in range(bits):
            picture[:, bit * bar : (bit + 1) * bar] = 235 if index >> bit & 1 else 20
        yield picture


def read_number(picture: Picture, *, bits: int = 12) -> int:
    """The index that `numbered` drew, also after lossy coding and scaling."""
    height, width, _ = picture.shape
    bar = width / bits
    row = picture[height // 2]
    return sum(1 << b for b in range(bits) if row[int((b + 0.5) * bar)].mean() > 128)


def make_video(
    path: Path,
    frames: Iterable[Picture],
    fps: Fraction | int = 25,
    *,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    gop: int = 12,
    b_frames: int = 2,
    rotation_deg: int | None = None,
    sample_aspect: Fraction | None = None,
    audio_s: float = 0.0,
    container_format: str | None = None,
    options: dict[str, str] | None = None,
    muxer_options: dict[str, str] | None = None,
) -> Path:
    """Encode `frames` into `path`; its suffix chooses the container.

    Args:
        pts: Time stamps in `time_base` (default 1/fps); default 0, 1, 2 ...
        options: Of the encoder, e.g. {"x264-params": "keyint=5"}.
        muxer_options: Of the container, e.g. {"movflags": "faststart"}.
    """
    base = time_base or 1 / Fraction(fps)
    container = av.open(str(path), "w", format=container_format, options=dict(muxer_options or {}))
    with container:
        stream: Any = container.add_stream(codec, rate=Fraction(fps), options=dict(options or {}))
        stream.pix_fmt = pixel_format
        stream.gop_size = gop
        stream.codec_context.time_base = base
        stream.codec_context.thread_count = 1
        if codec not in _NO_B_FRAMES:
            stream.max_b_frames = b_frames
        if sample_aspect is not None:
            stream.codec_context.sample_aspect_ratio = sample_aspect
        if rotation_deg is not None:
            stream.set_display_rotation(rotation_deg)
        sound: Any = container.add_stream("aac", rate=44100) if audio_s else None
        for index, picture in enumerate(frames):
            if index == 0:
                stream.height, stream.width = picture.shape[:2]
                if sound is not None:
                    _add_silence(container, sound, audio_s)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
            frame.pts = index if pts is None else pts[index]
            frame.time_base = base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _add_silence(container: Any, stream: Any, seconds: float) -> None:
    for start in range(0, round(seconds * 44100), 1024):
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate = 44100
        frame.pts = start
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def make_audio_only(path: Path, seconds: float = 1.0) -> Path:
    """A file with sound and no pictures."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("aac", rate=44100)
        _add_silence(container, stream, seconds)
    return path


def make_truncated(path: Path, *, keep: float = 0.6, **video: Any) -> Path:
    """A video of 60 frames of which only the first `keep` of the bytes are there.

    The index stands first (faststart), so the file opens.
    """
    noise = np.random.default_rng(0)
    pictures = [noise.integers(0, 255, (96, 160, 3), np.uint8) for _ in range(60)]
    make_video(path, pictures, **{"muxer_options": {"movflags": "faststart"}, **video})
    cut_file(path, keep)
    return path


def cut_file(path: Path, keep: float) -> None:
    """Keep only the first part of a file's bytes."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])


def make_zero_frame(path: Path) -> Path:
    """A file with a video stream that holds no picture (and sound, so that it opens).

    Matroska whatever the suffix: FFmpeg's MP4 writer leaves empty streams out.
    """
    with av.open(str(path), "w", format="matroska") as container:
        stream: Any = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        sound: Any = container.add_stream("aac", rate=44100)
        _add_silence(container, sound, 1.0)
    return path


def make_not_a_video(path: Path) -> Path:
    """A text file with the name of a video."""
    path.write_text("this is not a video\n" * 50)
    return path
