"""PyAV behind the `VideoSource` protocol: exact times, pictures as shown, two kinds of pass.

`frames` decodes everything; `frames_at` gives chosen frames of the same pass and jumps over
the others where it can. What a picture looks like is up to `pictures`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from screenalytics_core.errors import VideoError
from screenalytics_core.vision import demux
from screenalytics_core.vision.models.protocols import Image
from screenalytics_core.vision.pictures import Converter, Shape, shape_of
from screenalytics_core.vision.seeking import InexactSeekError, SeekPlan, make_plan
from screenalytics_core.vision.timestamps import FrameClock, last_frame_ticks, ticks_to_s
from screenalytics_core.vision.video import VideoFacts


class PyAvFrame:
    """One decoded picture; see `video.Frame`."""

    __slots__ = (
        "__weakref__",
        "_bgr",
        "_converter",
        "_picture",
        "duration_s",
        "frame_idx",
        "timestamp_s",
    )

    def __init__(
        self,
        frame_idx: int,
        timestamp_s: float,
        duration_s: float,
        picture: VideoFrame,
        converter: Converter,
    ) -> None:
        self.frame_idx = frame_idx
        self.timestamp_s = timestamp_s
        self.duration_s = duration_s
        self._picture = picture
        self._converter = converter
        self._bgr: Image | None = None

    def bgr(self) -> Image:
        """Return the picture as shown, (H, W, 3) BGR, converted once."""
        if self._bgr is None:
            self._bgr = self._converter.convert(self._picture, None)
        return self._bgr

    def small_bgr(self, max_side_px: int) -> Image:
        """Return a picture whose longer side is at most `max_side_px`, scaled from YUV."""
        return self._converter.convert(self._picture, max_side_px)


class PyAvVideo:
    """A video file; each pass opens it anew. Make it with `open_video`."""

    def __init__(self, path: Path, stamp: demux.FileStamp, facts: VideoFacts, shape: Shape) -> None:
        self.path = path
        self._stamp = stamp
        self._facts = facts
        self._converter = Converter(shape)

    @property
    def facts(self) -> VideoFacts:
        """Facts of the video stream, as the container states them."""
        return self._facts

    def frames(self) -> Iterator[PyAvFrame]:
        """Yield every frame in presentation order.

        A frame lasts until the next one starts; the last one: `timestamps.last_frame_ticks`.
        Broken time stamps: `timestamps.FrameClock`.

        Raises:
            VideoChangedError: The file was replaced since it was opened.
            VideoError: It ends early, or cannot be decoded at some point.
        """
        self.check_unchanged()
        with demux.open_container(self.path) as (container, stream):
            reader = demux.PictureReader(container, stream, self.path)
            clock = FrameClock(demux.time_base(stream), self._facts.fps)
            yield from self._timed(reader.pictures(), clock, stream)
            reader.check_complete()
        self.check_unchanged()

    def _timed(
        self, pictures: Iterator[VideoFrame], clock: FrameClock, stream: VideoStream
    ) -> Iterator[PyAvFrame]:
        tick_s = demux.time_base(stream)
        waiting: tuple[int, VideoFrame] | None = None
        lasted = clock.step_ticks
        frame_idx = 0
        for picture in pictures:
            ticks = clock.place(picture.pts)
            if waiting is not None:
                lasted = ticks - waiting[0]
                yield self._frame(frame_idx, waiting[0], lasted, waiting[1], tick_s)
                frame_idx += 1
            waiting = (ticks, picture)
        if waiting is not None:
            ticks, picture = waiting
            lasts = last_frame_ticks(
                picture.pts,
                stream_end=demux.stream_end(stream),
                own=picture.duration,
                before=lasted,
                time_base=tick_s,
            )
            yield self._frame(frame_idx, ticks, lasts, picture, tick_s)

    def _frame(
        self, frame_idx: int, ticks: int, lasts_ticks: int, picture: VideoFrame, tick_s: Fraction
    ) -> PyAvFrame:
        return PyAvFrame(
            frame_idx,
            ticks_to_s(ticks, tick_s),
            ticks_to_s(lasts_ticks, tick_s),
            picture,
            self._converter,
        )

    def frames_at(self, frame_idxs: Iterable[int]) -> Iterator[PyAvFrame]:
        """Yield the frames with the given ascending indices, exactly those of `frames()`.

        Where the packets prove which picture has which index, groups of pictures without a
        wanted frame are jumped over; else everything before the last wanted one is decoded.

        Raises:
            ValueError: The indices are negative or not strictly ascending.
            VideoError: As `frames`, or the video has no frame with one of the indices.
            VideoChangedError: As `frames`.
        """
        wanted = list(frame_idxs)
        if any(b <= a for a, b in pairwise([-1, *wanted])):
            raise ValueError("frame_idxs must be at least 0 and strictly ascending")
        if not wanted:
            return
        self.check_unchanged()
        done = 0
        plan = make_plan(self.path)
        if plan is not None and wanted[-1] < plan.frame_count:
            try:
                for frame in self._jump(plan, wanted):
                    done += 1
                    yield frame
            except InexactSeekError:
                # Decoding from the start gives the same frames, only slower.
                pass
        yield from self._forward(wanted[done:])

    def _jump(self, plan: SeekPlan, wanted: list[int]) -> Iterator[PyAvFrame]:
        for frame_idx, picture in plan.pictures(self.path, wanted):
            ticks, lasts = plan.ticks(frame_idx, picture.duration)
            yield self._frame(frame_idx, ticks, lasts, picture, plan.time_base)

    def _forward(self, wanted: list[int]) -> Iterator[PyAvFrame]:
        if not wanted:
            return
        left = set(wanted)
        for frame in self.frames():
            if frame.frame_idx in left:
                left.remove(frame.frame_idx)
                yield frame
                if not left:
                    return
        raise VideoError(
            thing=f"video {self.path}",
            reason=f"has no frame {min(left)}",
            way_out="The artifacts belong to another video: start a new run.",
        )

    def check_unchanged(self) -> None:
        """Raise VideoChangedError if the file is no longer the one that was opened."""
        demux.check_stamp(self.path, self._stamp)


def open_video(path: Path) -> PyAvVideo:
    """Open `path`, having decoded its first picture.

    Raises:
        VideoError: It is missing, empty, not a video, incomplete (as far as its index
            tells), without pictures, or its first picture does not decode.
    """
    stamp = demux.stamp(path)
    with demux.open_container(path) as (container, stream):
        demux.check_index(container, stream, path, stamp.size_bytes)
        first = demux.PictureReader(container, stream, path).first_picture()
        shape = shape_of(stream, first, path)
        facts = _facts_of(container, stream, shape, first)
    return PyAvVideo(path, stamp, facts, shape)


def probe_video(path: Path) -> VideoFacts:
    """Return the facts of `path`; raises as `open_video`."""
    return open_video(path).facts


def _facts_of(
    container: av.container.InputContainer, stream: VideoStream, shape: Shape, first: VideoFrame
) -> VideoFacts:
    fps = demux.frame_rate(stream)
    if stream.duration:
        duration_s = float(stream.duration * demux.time_base(stream))
    else:
        duration_s = (container.duration or 0) / av.time_base
    width, height = shape.shown()
    return VideoFacts(
        width_px=width,
        height_px=height,
        fps=fps,
        frame_count=demux.promised_packets(container, stream) or round(duration_s * fps),
        duration_s=duration_s,
        codec=demux.codec_name(stream),
        pixel_format=first.format.name,
        container=container.format.name,
        has_audio=bool(container.streams.audio),
        rotation_deg=first.rotation,
    )
