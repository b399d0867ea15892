"""Frames of a timeline and their timecode, at the rates that editors know.

A timecode counts frames at the rounded rate (30 for 29.97). At 29.97 and 59.94 drop-frame
timecode leaves out the first numbers of every minute but each tenth, so that it keeps up
with the clock (SMPTE ST 12-1); no frame is dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Final

_NTSC: Final = Fraction(1000, 1001)
# What editing programs can set a timeline to, in frames per second.
EDITOR_RATES: Final = tuple(
    sorted(
        [*(Fraction(n) for n in (24, 25, 30, 48, 50, 60)), *(n * _NTSC for n in (24, 30, 48, 60))]
    )
)
DROP_FRAME_RATES: Final = (30 * _NTSC, 60 * _NTSC)
_SLOWEST: Final = 23
_TIMECODE: Final = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d)", re.ASCII)


def nominal_rate(fps: Fraction) -> Fraction:
    """Return the editors' rate for a video: its own, the nearest one, or a multiple of it.

    Files state 2997/100 and mean 30000/1001; a variable rate has an average that is nobody's.
    Times are put on the frames of this rate by their seconds, never by counting frames.

    Example:
        >>> nominal_rate(Fraction(2997, 100)), nominal_rate(Fraction(15))
        (Fraction(30000, 1001), Fraction(30, 1))
    """
    multiple = fps * max(1, -(-_SLOWEST // fps))
    return min(EDITOR_RATES, key=lambda rate: abs(rate - multiple))


@dataclass(frozen=True, slots=True)
class FrameClock:
    """Frames of a timeline.

    Attributes:
        rate: Frames per second, one of `EDITOR_RATES`.
        is_drop_frame: How they are numbered.
        start_frame: Number of the first frame: what its timecode says, 0 for 00:00:00:00.
    """

    rate: Fraction
    is_drop_frame: bool
    start_frame: int = 0

    @classmethod
    def of(cls, fps: Fraction, start_timecode: str | None = None) -> FrameClock:
        """Return the clock of a video.

        Args:
            fps: Its average rate.
            start_timecode: What its file says of the first frame; ignored if it is none.
        """
        rate = nominal_rate(fps)
        found = _TIMECODE.fullmatch(start_timecode or "")
        if found is None:
            return cls(rate, rate in DROP_FRAME_RATES)
        drops = rate in DROP_FRAME_RATES and found[4] != ":"
        hours, minutes, seconds, frames = (int(found[i]) for i in (1, 2, 3, 5))
        base = round(rate)
        if max(minutes, seconds) > 59 or frames >= base:
            return cls(rate, rate in DROP_FRAME_RATES)
        number = ((hours * 60 + minutes) * 60 + seconds) * base + frames
        if drops:
            past = hours * 60 + minutes
            number -= _dropped(base) * (past - past // 10)
        return cls(rate, drops, number)

    def nearest(self, time_s: float) -> int:
        """Return the frame boundary nearest to a time in s after the first frame's start."""
        return floor(Fraction(time_s) * self.rate + Fraction(1, 2))

    def timecode(self, frame: int) -> str:
        """Return HH:MM:SS:FF of a frame counted from 00:00:00:00, `;` before FF if it drops.

        It starts anew after 24 hours.

        Example:
            >>> FrameClock(Fraction(30000, 1001), is_drop_frame=True).timecode(1800)
            '00:01:00;02'
        """
        base = round(self.rate)
        number = frame
        if self.is_drop_frame:
            dropped = _dropped(base)
            of_ten_minutes, of_minute = 600 * base - 9 * dropped, 60 * base - dropped
            tens, rest = divmod(frame, of_ten_minutes)
            # The first of ten minutes drops none.
            number += dropped * (9 * tens + max(0, rest - dropped) // of_minute)
        seconds, frames = divmod(number, base)
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        mark = ";" if self.is_drop_frame else ":"
        return f"{hours % 24:02d}:{minutes:02d}:{seconds:02d}{mark}{frames:02d}"


def _dropped(base: int) -> int:
    return base // 15
