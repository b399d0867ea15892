"""How a page says names and moments; names come from anybody and are written on one line."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from screenalytics_core.report import text
from screenalytics_core.report.html_markup import escaped, tag
from screenalytics_core.report.model import Appearance, ReportModel
from screenalytics_core.vision.timecode import FrameClock

TO: Final = " \N{EN DASH} "


def spoken(name: str) -> str:
    """Return a name on one line, never empty."""
    return " ".join(name.split()) or "unnamed"


def named(name: str) -> str:
    """Return a name as markup that keeps its own direction of writing."""
    return tag("bdi", escaped(spoken(name)))


def exact(seconds: float) -> str:
    """Write a position to the millisecond: `0:07.333`, `1:02:03.400`.

    Example:
        >>> exact(7.3333), exact(3723.4)
        ('0:07.333', '1:02:03.400')
    """
    whole, thousandths = divmod(round(max(0.0, seconds) * 1000), 1000)
    return f"{text.tick(whole)}.{thousandths:03d}"


def between(start_s: float, end_s: float) -> str:
    """Write an interval to the millisecond, with its length."""
    return f"{exact(start_s)}{TO}{exact(end_s)} ({end_s - start_s:,.3f} s)"


class Moments:
    """Says where in the episode something is, as editing programs count it.

    The timecode of the first frame is 00:00:00:00; like an editor's out point, the second one
    of a stretch is that of the first frame after it.
    """

    def __init__(self, model: ReportModel) -> None:
        self._start_s = model.start_s
        self._clock = FrameClock.of(Fraction(model.fps))

    def timecodes(self, start_s: float, end_s: float) -> str:
        """Return the in and out points of an interval."""
        return TO.join(
            self._clock.timecode(max(0, self._clock.nearest(at_s - self._start_s)))
            for at_s in (start_s, end_s)
        )

    @staticmethod
    def frames(segment: Appearance) -> str:
        """Return the first and the last frame, in decode order."""
        return f"{segment.first_frame_idx}{TO}{segment.last_frame_idx}"
