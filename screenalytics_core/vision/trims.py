"""Stretches of a video that are not counted: the recap before, the credits after.

A trim is half-open, [start_s, end_s), in seconds of the video's own clock (PTS), as tracks and
segments are. Where the first frame's timestamp is not 0, neither is the video's start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from screenalytics_core.vision.intervals import Interval, Intervals, subtraction

TRIM_NAMES: Final = ("recap", "credits")
Trims = dict[str, list[float] | None]
"""video.json's spelling: every name of `TRIM_NAMES` -> [start_s, end_s], or None."""


@dataclass(frozen=True, slots=True)
class Trim:
    """A stretch that is not counted: [start_s, end_s)."""

    name: str
    start_s: float
    end_s: float

    @property
    def interval(self) -> Interval:
        """The seconds, half-open."""
        return self.start_s, self.end_s


def parse_trims(record: Any) -> Trims:
    """Return what a record says of trims, every name present; a name left out is no trim.

    Raises:
        TypeError: It is no mapping, or a trim is no pair of numbers.
        ValueError: There is no trim of that name, or one does not end after its start.
    """
    if not isinstance(record, Mapping):
        raise TypeError(f"trims are a mapping of {' and '.join(TRIM_NAMES)}, not {record!r}")
    unknown = [str(name) for name in record if name not in TRIM_NAMES]
    if unknown:
        raise ValueError(f"no trim is called {', '.join(unknown)}; known: {', '.join(TRIM_NAMES)}")
    return {name: _pair(name, record.get(name)) for name in TRIM_NAMES}


def _pair(name: str, value: Any) -> list[float] | None:
    if value is None:
        return None
    is_pair = isinstance(value, list | tuple) and len(value) == 2
    # A truth value is a number to Python.
    if not is_pair or not all(type(v) in (int, float) for v in value):
        raise TypeError(f"{name} is [start_s, end_s], not {value!r}")
    if not all(isfinite(v) for v in value) or value[0] >= value[1]:
        raise ValueError(f"{name} must end after its start: {value[0]} to {value[1]} s")
    return [float(v) for v in value]


def trims_within(trims: Mapping[str, Any], video: Interval) -> tuple[Trim, ...]:
    """Return the trims as far as they lie in the video, by their start; none without length.

    Args:
        trims: As `parse_trims` takes them.
        video: From the first frame's start to the last frame's end, in s.
    """
    clipped = (
        Trim(name, max(pair[0], video[0]), min(pair[1], video[1]))
        for name, pair in parse_trims(trims).items()
        if pair is not None
    )
    inside = [trim for trim in clipped if trim.start_s < trim.end_s]
    return tuple(sorted(inside, key=lambda trim: (trim.start_s, trim.end_s, trim.name)))


def counted(video: Interval, trims: Iterable[Trim]) -> Intervals:
    """Return what is left of the video; what two trims share is left out once."""
    return subtraction([video], [trim.interval for trim in trims])
