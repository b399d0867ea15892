"""One decode feeding the cut finder and any number of detectors.

A part of a video is scanned by itself (`scan_part`) and the parts are joined
(`join_parts`): the serial scan is the case of one part. Each detector looks at frames of its
own stride and at all that may begin or end a shot (`looker`). A part settles the stretches
that begin in it, so any split gives the same result.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.box_rows import BoxRows
from screenalytics_core.vision.looker import Looked, Looker
from screenalytics_core.vision.shots import (
    SMALL_SIDE_PX,
    CutFinder,
    Shot,
    settle_cuts,
    shots_between,
)
from screenalytics_core.vision.video import Frame


@dataclass(slots=True)
class Part:
    """What is known of the frames [start_frame, start_frame + len(times_s)).

    Attributes:
        times_s: Time stamp of each frame.
        end_s: End of the last frame.
        places: What the cut finder found among these frames.
        looked: What each detector found.
    """

    start_frame: int
    times_s: array[float] = field(default_factory=lambda: array("d"))
    end_s: float = 0.0
    places: list[int] = field(default_factory=list)
    looked: Mapping[str, Looked] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scan:
    """Everything that one decode of a video tells.

    Attributes:
        frame_times_s: (frame_count + 1,) start of every frame, and the end of the last one.
        sampled: Frames that each detector was given, ascending.
        rows: Boxes of each detector, in frame order.
    """

    frame_times_s: NDArray[np.float64]
    shots: list[Shot]
    sampled: Mapping[str, NDArray[np.int64]]
    rows: Mapping[str, BoxRows]


def scan_part(
    frames: Iterable[Frame],
    finder: CutFinder,
    looker: Looker,
    *,
    start_frame: int = 0,
    end_frame: int | None = None,
    on_frame: Callable[[int], None] = lambda _: None,
) -> Part:
    """Scan the frames [start_frame, end_frame).

    Args:
        frames: Consecutive, from at least `finder.look_back` frames before `start_frame` (or
            frame 0); as many after `end_frame` as are asked for.
        finder: A new one.
        looker: With the same `end_frame`.
        end_frame: None = up to the last frame.
        on_frame: Told the index of each frame, as it is decoded.
    """
    part = Part(start_frame)
    # Frames wait here, decoded but not converted, until it is known whether one of them ends
    # a shot: that is known when the place after it is.
    waiting: deque[Frame] = deque()
    boundaries: set[int] = set()

    def note(places: Iterable[int]) -> None:
        for place in places:
            boundaries.update((place - 1, place))
            if place >= start_frame and (end_frame is None or place < end_frame):
                part.places.append(place)

    for frame in frames:
        idx = frame.frame_idx
        on_frame(idx)
        small = frame.small_bgr(SMALL_SIDE_PX) if finder.reads_pictures else None
        note(finder.push(idx, small))
        if idx >= start_frame:
            waiting.append(frame)
            if end_frame is None or idx < end_frame:
                part.times_s.append(frame.timestamp_s)
                part.end_s = frame.timestamp_s + frame.duration_s
        while waiting and waiting[0].frame_idx < idx - finder.look_ahead:
            ready = waiting.popleft()
            looker.look(ready, is_edge=ready.frame_idx in boundaries)
            boundaries.discard(ready.frame_idx)
        if end_frame is not None and end_frame <= idx - finder.look_ahead and looker.is_complete:
            break
    else:
        note(finder.finish())
        while waiting:
            ready = waiting.popleft()
            looker.look(ready, is_edge=not waiting or ready.frame_idx in boundaries)
    part.looked = looker.finish()
    return part


def join_parts(parts: Sequence[Part]) -> Scan:
    """Join parts that touch, in order, the first of which starts at frame 0.

    Raises:
        ValueError: They leave a gap or overlap.
    """
    times = array("d")
    places: list[int] = []
    for part in parts:
        if part.start_frame != len(times):
            raise ValueError(f"a part starts at frame {part.start_frame}, not {len(times)}")
        times.extend(part.times_s)
        places.extend(part.places)
    frame_count = len(times)
    shots = shots_between(settle_cuts(places, frame_count), frame_count)
    names = parts[0].looked if parts else {}
    sampled = {n: np.concatenate([p.looked[n].frame_idxs for p in parts]) for n in names}
    rows = {n: BoxRows.joined([p.looked[n].rows for p in parts]) for n in names}
    ends = [*times, parts[-1].end_s] if parts else []
    return Scan(np.array(ends, np.float64), shots, sampled, rows)
