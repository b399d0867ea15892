"""One pass over the episode: decode, draw, encode; sound goes along."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from screenalytics_core.errors import SettingsError, VideoError
from screenalytics_core.overlay.drawing import Drawing
from screenalytics_core.overlay.encoding import (
    PictureEncoder,
    colours_of,
    find_encoder,
    open_output,
)
from screenalytics_core.overlay.scene import RunFindings, Scene
from screenalytics_core.overlay.sound import SoundCopy
from screenalytics_core.vision import demux
from screenalytics_core.vision.boxes import Float64Array
from screenalytics_core.vision.decode import open_video
from screenalytics_core.vision.models.protocols import Image
from screenalytics_core.vision.video import Frame, VideoSource

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Overlay:
    """What was written.

    Attributes:
        frames: Pictures in it.
        encoder: Name of the H.264 encoder.
        warnings: What is missing, as sentences.
    """

    frames: int
    encoder: str
    warnings: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the episode, [start_s, end_s) in presentation time; None is its end."""

    start_s: float | None = None
    end_s: float | None = None

    @property
    def is_whole(self) -> bool:
        """Nothing is cut off."""
        return self.start_s is None and self.end_s is None

    def frames(self, frame_times_s: Float64Array) -> range:
        """Return the frames that begin in it; the first is the one on screen at its start.

        Raises:
            SettingsError: There is none.
        """
        starts = frame_times_s[:-1]
        count = len(starts)
        first, after = 0, count
        if self.start_s is not None:
            first = max(0, int(np.searchsorted(starts, self.start_s, side="right")) - 1)
        if self.end_s is not None:
            after = int(np.searchsorted(starts, self.end_s, side="left"))
        start_s, end_s = self.start_s or 0.0, self.end_s or frame_times_s[-1]
        if first >= after or start_s >= end_s or start_s >= frame_times_s[-1]:
            raise SettingsError(
                thing=f"part {start_s:g} to {end_s:g} s",
                reason="holds no frame",
                way_out=f"The video goes from {starts[0]:.2f} to {frame_times_s[-1]:.2f} s."
                if count
                else "The video has no frame.",
            )
        return range(first, after)


def write_overlay(
    video_path: Path,
    output: Path,
    findings: RunFindings,
    *,
    part: Part = Part(),
    progress: Progress = lambda _done, _total: None,
) -> Overlay:
    """Write the video with everything that the run found drawn on it.

    The whole episode keeps every presentation timestamp, unless the first lies below 0; then
    it begins at 0, as a part always does. Pictures are turned upright and get square pixels
    and even sides.

    Args:
        output: Is written at once; a reader should not see it before this returns.
        progress: Told frames done and in all.

    Raises:
        VideoError: The video is unusable, or no H.264 encoder is there.
        VideoChangedError: The file was replaced meanwhile.
        SettingsError: The part is empty.
    """
    find_encoder()
    wanted = part.frames(findings.frame_times_s)
    video = open_video(video_path)
    first_s = _new_zero(part, float(findings.frame_times_s[wanted[0]]))
    end_s = None if part.end_s is None else float(findings.frame_times_s[wanted[-1] + 1])
    frames = video.frames() if part.is_whole else video.frames_at(wanted)
    try:
        with (
            demux.open_container(video_path) as (source, stream),
            open_output(output) as target,
        ):
            facts, tick_s = video.facts, demux.time_base(stream)
            size_px = facts.width_px, facts.height_px
            pictures = PictureEncoder(target, size_px, facts.fps, tick_s, colours_of(stream))
            sound = SoundCopy(source, target, first_s, end_s)
            done = 0
            for ticks, picture, time_s in _drawn(video, frames, Scene(findings), tick_s):
                sound.until(time_s)
                pictures.add(picture, ticks - _ticks(first_s or 0.0, tick_s))
                done += 1
                progress(done, len(wanted))
            pictures.close()
            sound.close()
    except av.FFmpegError as error:
        raise VideoError(
            thing=f"overlay of {video_path}",
            reason=f"cannot be written ({error.strerror})",
            way_out="Check the free space, and that the video plays.",
        ) from error
    return Overlay(done, pictures.encoder, tuple(sound.warnings))


def drawn_picture(video_path: Path, findings: RunFindings, frame_idx: int) -> Image:
    """Return one frame, (H, W, 3) BGR, with everything drawn on it that the run found there.

    Raises:
        VideoError: The video is unusable, or has no such frame.
        VideoChangedError: The file was replaced meanwhile.
    """
    video = open_video(video_path)
    frames = video.frames_at([frame_idx])
    for _, picture, _ in _drawn(video, frames, Scene(findings), Fraction(1)):
        return picture
    raise VideoError(
        thing=f"frame {frame_idx} of {video_path}",
        reason="does not exist",
        way_out="Ask for a moment within the video.",
    )


def _new_zero(part: Part, first_frame_s: float) -> float | None:
    """Return the time that becomes 0; None keeps every time."""
    # An MP4 tells players to skip what lies below 0.
    return None if part.is_whole and first_frame_s >= 0 else first_frame_s


def _drawn(
    video: VideoSource, frames: Iterable[Frame], scene: Scene, tick_s: Fraction
) -> Iterator[tuple[int, Image, float]]:
    """Yield the ticks, the picture with everything drawn, and the seconds of each frame."""
    drawing = Drawing(video.facts.width_px, video.facts.height_px)
    for frame in frames:
        picture, time_s = frame.bgr(), frame.timestamp_s
        corner = f"shot {scene.shot_id(frame.frame_idx)}  {_clock(time_s)}  frame {frame.frame_idx}"
        drawing.draw(picture, scene.marks(frame.frame_idx, time_s), corner)
        yield _ticks(time_s, tick_s), picture, time_s


def _ticks(time_s: float, tick_s: Fraction) -> int:
    # A time in s was rounded to a double once, far closer than to the next tick.
    return round(Fraction(time_s) / tick_s)


def _clock(time_s: float) -> str:
    minutes, seconds = divmod(max(0, round(time_s * 1000)) / 1000, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{seconds:06.3f}"
