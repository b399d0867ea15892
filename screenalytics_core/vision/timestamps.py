"""From the time stamps a file carries to times that only ever go forward.

Works in ticks of the stream's time base, so nothing is rounded before the end. Players
see the same defects and hide them; here each has one rule, stated in `FrameClock.place`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

# A step back by more than this is a splice (joined recordings, a restarted clock), not jitter.
_SPLICE_S: Final = 1


def ticks_to_s(ticks: int, time_base: Fraction) -> float:
    """Return `ticks * time_base` in seconds, rounded once to the nearest double."""
    return ticks * time_base.numerator / time_base.denominator


def last_frame_ticks(
    pts: int | None, *, stream_end: int | None, own: int, before: int, time_base: Fraction
) -> int:
    """Return how long the last frame of a pass is shown, in ticks.

    Up to the end of the stream, if the file states a sensible one (0 to 1 s after the frame:
    edit lists may cut a stream before its stated end). Else as long as its packet says: in
    MP4 with reordered frames that is only the time to the next packet, hence second. Else as
    long as the frame before it.

    Args:
        pts: The frame's own time stamp, as in the file.
        own: Its packet's duration, 0 if unknown.
        before: Duration of the frame before it, or one frame step.
    """
    if pts is not None and stream_end is not None:
        rest = stream_end - pts
        if 0 < rest * time_base <= 1:
            return rest
    return own or before


class FrameClock:
    """Gives every frame of a pass its place in time, strictly after the one before.

    Args:
        time_base: Seconds per tick.
        fps: Average frame rate; its inverse is the step for frames without a time stamp.
    """

    def __init__(self, time_base: Fraction, fps: Fraction) -> None:
        self.step_ticks = max(1, round(1 / (fps * time_base)))
        self._splice_ticks = round(_SPLICE_S / time_base)
        self._offset_ticks = 0
        self._last_ticks: int | None = None
        self.repaired = 0

    def place(self, pts: int | None) -> int:
        """Return the ticks at which the next frame in presentation order is shown.

        - No time stamp: one frame step after the previous frame (0 for the first).
        - Same or earlier than the previous frame by at most 1 s (a duplicate, jitter): one
          tick after it. The next good time stamp takes over, so nothing drifts.
        - Earlier by more than 1 s (a splice): one frame step after the previous frame, and
          all later time stamps move along.
        - Later, however much: taken as it stands. A still picture may well stay for minutes.
        """
        last = self._last_ticks
        if last is None:
            placed = 0 if pts is None else pts
        elif pts is None:
            placed = last + self.step_ticks
        else:
            placed = pts + self._offset_ticks
            if last - placed > self._splice_ticks:
                self._offset_ticks += last + self.step_ticks - placed
                placed = last + self.step_ticks
            placed = max(placed, last + 1)
        self.repaired += placed != pts
        self._last_ticks = placed
        return placed
