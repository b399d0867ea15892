"""The time axis of a run's page: one for all of its lanes, bars and marks. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from screenalytics_core.report.text import tick

Document = Mapping[str, Any]
_FULL: Final = 100.0
_STEPS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
_MOST_STEPS: Final = 6


@dataclass(frozen=True, slots=True)
class Axis:
    """An episode from its first frame to the end of its last, seconds of its video's clock."""

    start_s: float
    end_s: float

    def place(self, at_s: float) -> float:
        """Return where a moment is, percent of the episode; 0 to 100."""
        length_s = self.end_s - self.start_s
        share = (at_s - self.start_s) / length_s if length_s > 0 else 0.0
        return round(_FULL * min(max(share, 0.0), 1.0), 4)

    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Return place and label of about six round marks."""
        length_s = self.end_s - self.start_s
        if length_s <= 0:
            return ()
        step_s = next((s for s in _STEPS_S if length_s / s <= _MOST_STEPS), _STEPS_S[-1])
        first, last = -int(-self.start_s // step_s), int(self.end_s // step_s)
        return tuple((self.place(n * step_s), tick(n * step_s)) for n in range(first, last + 1))


def axis_of(screen_time: Document, shots: Document | None) -> Axis:
    """Return the axis of an episode.

    Args:
        screen_time: The document of `artifacts.SCREEN_TIME`.
        shots: Of `artifacts.SHOTS`, which knows when the first frame is; without it the axis
            goes from zero as far as anybody is seen.
    """
    if shots is not None:
        start_s = float(shots["start_s"])
        return Axis(start_s, start_s + float(screen_time["duration_s"]))
    ends_s = [s["end_s"] for person in screen_time["people"] for s in person["segments"]]
    return Axis(0.0, max([screen_time["duration_s"], *ends_s]))
