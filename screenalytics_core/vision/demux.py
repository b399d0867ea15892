"""Opening a video file, and noticing that it ends before it should.

What a container promises differs, and so does the rule:

- MP4/MOV: the index lists every sample. A packet cut short or missing is an error.
- Matroska/WebM: the header states the duration. It is an error if no stream comes within
  0.5 s of it.
- AVI: the header states the number of frames. Fewer packets are an error.
- Others (MPEG-TS ...): nothing is promised, so a clean cut goes unnoticed.

In all of them a packet that cannot be decoded is an error (except before the first picture
of a recording that starts in the middle of a group of pictures), as is a decoder that
swallows frames of a stream whose packets are known to hold one picture each. Damage that the
decoder conceals is not noticed.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, NamedTuple

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from screenalytics_core.errors import VideoChangedError, VideoError

REENCODE: Final = "Get a whole copy, or repair it by encoding it anew, and start again."
# Each packet of these holds exactly one shown picture (VP8, say, has hidden ones).
ONE_PICTURE_PER_PACKET: Final = frozenset({"h264", "hevc", "vp9", "av1"})
# A picture says whether any other leans on it (HEVC's: whether one of its temporal layer does).
_SAYS_UNREFERENCED: Final = frozenset({"h264"})
_DURATION_SLACK_S: Final = 0.5
# FFmpeg's own assumption for streams that state no frame rate.
_UNSTATED_FPS: Final = Fraction(25)


class FileStamp(NamedTuple):
    """What tells one version of a file from another without reading it."""

    size_bytes: int
    mtime_ns: int
    inode: int


def stamp(path: Path) -> FileStamp:
    """Return the stamp of `path`.

    Raises:
        VideoError: There is no such file, or it is a folder, or empty.
    """
    if not path.exists():
        raise VideoError(thing=f"video {path}", reason="does not exist", way_out="Check the path.")
    if not path.is_file():
        raise VideoError(
            thing=f"video {path}", reason="is not a file", way_out="Give a video file."
        )
    status = path.stat()
    if status.st_size == 0:
        raise VideoError(
            thing=f"video {path}", reason="is empty (0 bytes)", way_out="Get a whole copy."
        )
    return FileStamp(status.st_size, status.st_mtime_ns, status.st_ino)


def check_stamp(path: Path, opened: FileStamp) -> None:
    """Raise VideoChangedError if `path` is gone or no longer the file with stamp `opened`."""
    try:
        status = path.stat()
    except FileNotFoundError:
        reason = "was removed while it was being read"
    else:
        if opened == FileStamp(status.st_size, status.st_mtime_ns, status.st_ino):
            return
        reason = "was replaced or edited while it was being read"
    raise VideoChangedError(
        thing=f"video {path}",
        reason=reason,
        way_out="Leave the file alone during a run, and start again in a new run.",
    )


@contextmanager
def open_container(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open `path` and choose its video stream: the first that is not a cover picture.

    Raises:
        VideoError: It is not a video, or holds no video stream.
    """
    stamp(path)
    try:
        container = av.open(os.fspath(path))
    except (av.FFmpegError, OSError) as error:
        raise VideoError(
            thing=f"video {path}", reason=_why_not_open(path, error), way_out=REENCODE
        ) from error
    with container:
        yield container, _picture_stream(container, path)


def _why_not_open(path: Path, error: OSError | av.FFmpegError) -> str:
    if isinstance(error, PermissionError):
        return "may not be read by this user"
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] == b"ftyp":
        return "is an incomplete MP4: the index (moov) that stands at its end is missing"
    return "is not a video, or of a kind that FFmpeg cannot read"


def _picture_stream(container: InputContainer, path: Path) -> VideoStream:
    pictures = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if pictures:
        stream = pictures[0]
        # Frames are decoded ahead on all cores; the bytes do not depend on it.
        stream.thread_type = "AUTO"
        return stream
    kinds = ", ".join(sorted({s.type for s in container.streams})) or "none"
    raise VideoError(
        thing=f"video {path}",
        reason=f"has no video stream (streams: {kinds})",
        way_out="Give a file with a video stream.",
    )


def codec_name(stream: VideoStream) -> str:
    """Return the codec's own name (av1), whichever library decodes it (libdav1d)."""
    return stream.codec_context.codec.canonical_name


def frame_rate(stream: VideoStream) -> Fraction:
    """Return the average frame rate, 25 if the file states none."""
    return stream.average_rate or stream.guessed_rate or stream.base_rate or _UNSTATED_FPS


def stream_end(stream: VideoStream) -> int | None:
    """Return the end of the stream in ticks as the file states it, None if it does not."""
    return None if stream.duration is None else (stream.start_time or 0) + stream.duration


def time_base(stream: VideoStream) -> Fraction:
    """Return the seconds per tick of the stream's time stamps."""
    return stream.time_base or Fraction(1, 1000)


class PictureReader:
    """Decodes one stream from where the container stands, and keeps the books on it.

    Given the ticks of wanted pictures, it decodes of the others as few as these lean on.
    """

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        path: Path,
        wanted_pts: Container[int] | None = None,
    ) -> None:
        self._wanted_pts = wanted_pts if codec_name(stream) in _SAYS_UNREFERENCED else None
        self._container = container
        self._stream = stream
        self._thing = f"video {path}"
        self._is_matroska = "matroska" in container.format.name
        self._packets = 0
        self._frames = 0
        self._last_s = 0.0
        self._furthest_s = 0.0
        self._first_key_pts: int | None = None
        self._starts_mid_group = False
        self._is_countable = codec_name(stream) in ONE_PICTURE_PER_PACKET

    def pictures(self) -> Iterator[VideoFrame]:
        """Yield decoded pictures in presentation order.

        Raises:
            VideoError: The file is cut short or cannot be decoded at some point.
        """
        streams = () if self._is_matroska else (self._stream,)
        packets = self._container.demux(*streams)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, OSError) as error:
                raise self._broken(f"cannot be read ({error.strerror})") from error
            if packet is None:
                return
            self._furthest_s = max(self._furthest_s, _end_s(packet))
            if packet.stream.index == self._stream.index:
                if packet.size == 0 and packet.dts is not None:
                    continue  # an empty sample; only the flush at the end may reach the decoder
                self._note(packet)
                yield from self._decode(packet)

    def first_picture(self) -> VideoFrame:
        """Return the next picture; raises VideoError if there is none."""
        for picture in self.pictures():
            return picture
        raise self._no_frame()

    def _no_frame(self) -> VideoError:
        return VideoError(thing=self._thing, reason="holds no frame that decodes", way_out=REENCODE)

    def _note(self, packet: Packet[Any]) -> None:
        if packet.size == 0:  # the flush at the end
            return
        # MPEG-TS marks a packet so after any lost transport packet, which broadcasts have.
        if packet.is_corrupt and self._container.format.name != "mpegts":
            raise self._broken("is cut short")
        self._packets += 1
        if self._packets == 1 and not packet.is_keyframe:
            self._starts_mid_group = True
        if self._first_key_pts is None and packet.is_keyframe:
            self._first_key_pts = packet.pts
        first = self._first_key_pts
        if packet.is_discard or packet.pts is None or first is None or packet.pts < first:
            self._is_countable = False

    def _decode(self, packet: Packet[Any]) -> Iterator[VideoFrame]:
        if self._wanted_pts is not None:
            is_wanted = packet.pts is None or packet.pts in self._wanted_pts
            self._stream.codec_context.skip_frame = "DEFAULT" if is_wanted else "NONREF"
        try:
            pictures = packet.decode()
        except av.FFmpegError as error:
            if self._frames == 0 and self._starts_mid_group:
                return
            raise self._broken(f"cannot be decoded ({error.strerror})") from error
        for picture in pictures:
            self._frames += 1
            if picture.time is not None:
                self._last_s = picture.time
            yield picture

    def check_complete(self) -> None:
        """Compare what was read from start to end with what the container promised.

        Raises:
            VideoError: It holds no picture, or less than promised.
        """
        if self._frames == 0:
            raise self._no_frame()
        promised = promised_packets(self._container, self._stream)
        if promised is not None and self._packets < promised:
            raise self._broken(f"ends after {self._packets} of {promised} frames")
        duration_s = (self._container.duration or 0) / av.time_base
        if self._is_matroska and self._furthest_s < duration_s - _DURATION_SLACK_S:
            raise self._broken(f"ends at {self._furthest_s:.2f} of {duration_s:.2f} s")
        if self._is_countable and self._frames < self._packets:
            raise self._broken(f"gives {self._frames} pictures for {self._packets} frames")

    def _broken(self, reason: str) -> VideoError:
        return VideoError(
            thing=self._thing,
            reason=f"{reason}; the last good frame is at {self._last_s:.2f} s",
            way_out=REENCODE,
            last_good_s=self._last_s,
        )


def check_index(
    container: InputContainer, stream: VideoStream, path: Path, size_bytes: int
) -> None:
    """Notice at once, before hours of work, that an MP4's index points past the file's end.

    Raises:
        VideoError: It does.
    """
    if "mp4" not in container.format.name:
        return
    entries = stream.index_entries
    lost = [e.timestamp for e in entries if e.pos + e.size > size_bytes]
    if lost:
        second = float(min(lost) * time_base(stream))
        raise VideoError(
            thing=f"video {path}",
            reason=f"is cut short: {len(lost)} of {len(entries)} frames are missing, the first "
            f"at {second:.2f} s",
            way_out=REENCODE,
        )


def _end_s(packet: Packet[Any]) -> float:
    if packet.pts is None or packet.time_base is None:
        return 0.0
    return float((packet.pts + (packet.duration or 0)) * packet.time_base)


def promised_packets(container: InputContainer, stream: VideoStream) -> int | None:
    """Return how many packets the container says the stream has; None if it does not say."""
    if "mp4" in container.format.name:
        # Not `frames`: it also counts what an edit list cuts away.
        return sum(entry.size > 0 for entry in stream.index_entries)
    return stream.frames if container.format.name == "avi" else None
