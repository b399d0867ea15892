"""Jumping to frames by index, only where that is provably exact.

Seconds or frame numbers cannot be sought exactly, presentation time stamps can. One pass
over the packets (nothing is decoded) tells each frame's index if the codec puts exactly one
picture into a packet, no two share a time stamp, none is hidden by an edit list, none comes
before the first keyframe (such pictures may or may not decode), and time goes forward from
group to group. And every picture that comes out after a jump is compared with what the
packets foretold.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from screenalytics_core.vision import demux
from screenalytics_core.vision.timestamps import last_frame_ticks


class InexactSeekError(Exception):
    """A jump gave another picture than foretold; decode from the start instead."""


@dataclass(frozen=True, slots=True)
class SeekPlan:
    """Time stamps of all frames, and which of them one may jump to.

    Attributes:
        pts: Ticks of every frame, strictly ascending; position = frame_idx. An array, since
            an hour has 90,000.
        key_idxs: Frames that start a group of pictures, ascending, the first is 0.
    """

    pts: Sequence[int]
    key_idxs: tuple[int, ...]
    time_base: Fraction
    step_ticks: int
    stream_end: int | None

    @property
    def frame_count(self) -> int:
        """Frames that a pass from the start gives."""
        return len(self.pts)

    def ticks(self, frame_idx: int, own_duration_ticks: int) -> tuple[int, int]:
        """Return start and duration of a frame, by the rules of `PyAvVideo.frames`."""
        start = self.pts[frame_idx]
        if frame_idx + 1 < len(self.pts):
            return start, self.pts[frame_idx + 1] - start
        before = start - self.pts[frame_idx - 1] if frame_idx else self.step_ticks
        return start, last_frame_ticks(
            start,
            stream_end=self.stream_end,
            own=own_duration_ticks,
            before=before,
            time_base=self.time_base,
        )

    def pictures(self, path: Path, wanted: Sequence[int]) -> Iterator[tuple[int, VideoFrame]]:
        """Yield (frame_idx, picture) for ascending `wanted` indices.

        Others are decoded only where a wanted one may lean on them.

        Raises:
            InexactSeekError: A picture came out that was not foretold.
            VideoError: The file cannot be decoded at some point.
        """
        with demux.open_container(path) as (container, stream):
            wanted_pts = frozenset(self.pts[frame_idx] for frame_idx in wanted)
            reader = demux.PictureReader(container, stream, path, wanted_pts)
            following = reader.pictures()
            next_idx = 0
            for frame_idx in wanted:
                key_idx = self.key_idxs[bisect_right(self.key_idxs, frame_idx) - 1]
                if key_idx > next_idx:
                    following = self._jump(container, stream, reader, key_idx)
                    next_idx = key_idx
                for picture in following:
                    next_idx = self._idx_of(picture, next_idx, frame_idx) + 1
                    if next_idx > frame_idx:
                        yield frame_idx, picture
                        break
                else:
                    raise InexactSeekError

    def _idx_of(self, picture: VideoFrame, first: int, last: int) -> int:
        """Return the index of a picture that is one of `first` ... `last`, or InexactSeekError."""
        if picture.pts is None:
            raise InexactSeekError
        frame_idx = bisect_left(self.pts, picture.pts, first, last + 1)
        if frame_idx > last or self.pts[frame_idx] != picture.pts:
            raise InexactSeekError
        return frame_idx

    def _jump(
        self,
        container: InputContainer,
        stream: VideoStream,
        reader: demux.PictureReader,
        key_idx: int,
    ) -> Iterator[VideoFrame]:
        try:
            container.seek(self.pts[key_idx], stream=stream, backward=True)
        except av.FFmpegError as error:
            raise InexactSeekError from error
        # Pictures shown before the keyframe but stored after it lean on what was jumped over.
        return (p for p in reader.pictures() if p.pts is None or p.pts >= self.pts[key_idx])


def make_plan(path: Path) -> SeekPlan | None:
    """Read all packets of `path` and return its plan, or None if indices cannot be proven.

    Raises:
        VideoError: The file cannot be opened.
    """
    with demux.open_container(path) as (container, stream):
        if demux.codec_name(stream) not in demux.ONE_PICTURE_PER_PACKET:
            return None
        try:
            packets = _provable_packets(container.demux(stream))
        except (av.FFmpegError, OSError):
            return None
        if packets is None or len(packets.pts) == 0:
            return None
        order = np.argsort(packets.pts)
        pts = np.asarray(packets.pts)[order]
        tick_s = demux.time_base(stream)
        step = max(1, round(1 / (demux.frame_rate(stream) * tick_s)))
        key_idxs = tuple(np.flatnonzero(np.frombuffer(packets.is_key, np.bool_)[order]).tolist())
        return SeekPlan(array("q", pts.tobytes()), key_idxs, tick_s, step, demux.stream_end(stream))


class _Packets(NamedTuple):
    """Time stamps in file order, and a 1 for each keyframe."""

    pts: array[int]
    is_key: bytearray


def _provable_packets(packets: Iterable[Packet[Any]]) -> _Packets | None:
    """Return the packets, or None where time order may not be presentation order.

    Between the groups of pictures time only goes forward: a picture may be shown before the
    keyframe it is stored after, but never before the keyframe before that. Recordings that
    were joined break this.
    """
    found = _Packets(array("q"), bytearray())
    key_before: int | None = None
    key: int | None = None
    for packet in packets:
        pts = packet.pts
        if packet.size == 0 and packet.dts is None:
            continue
        if pts is None or packet.size == 0 or packet.is_discard or packet.is_corrupt:
            return None
        if packet.is_keyframe:
            key_before, key = key, pts
        earliest = key if key_before is None else key_before + 1
        if earliest is None or pts < earliest:
            return None
        found.pts.append(pts)
        found.is_key.append(packet.is_keyframe)
    return found if len(np.unique(found.pts)) == len(found.pts) else None
