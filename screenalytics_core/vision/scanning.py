"""One decode feeding the cut finder and any number of detectors.

A part of a video is scanned by itself (`scan_part`) and the parts are joined
(`join_parts`): the serial scan is the case of one part. Each detector has a stride of its
own, and a part gives all of them every frame that could turn out to begin or end a shot;
which of them do is settled when the whole is known, and the others' boxes are dropped then.
So any split gives the same result.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.box_rows import Boxes, BoxRows, clip_boxes
from screenalytics_core.vision.models.protocols import FloatArray, Image
from screenalytics_core.vision.sampling import sampled_frames
from screenalytics_core.vision.shots import (
    SMALL_SIDE_PX,
    CutFinder,
    Shot,
    settle_cuts,
    shots_between,
)
from screenalytics_core.vision.video import Frame

# Enough that no worker waits for the decoder, few enough to hold little.
_IN_FLIGHT_PER_WORKER: Final = 2


@dataclass(frozen=True, slots=True)
class Look:
    """A detector, and how often it looks.

    Attributes:
        detect: Picture -> boxes, which may reach past its edges.
        stride: It is given every `stride`-th frame, and the first and last one of each shot.
        describe: Picture and (N, 4) px boxes inside it -> (N, D) what they look like; None =
            boxes alone are wanted.
    """

    detect: Callable[[Image], Boxes]
    stride: int
    describe: Callable[[Image, FloatArray], FloatArray] | None = None

    def boxes(self, image_bgr: Image) -> Boxes:
        """Return what is in an (H, W, 3) picture, clipped to it and described."""
        height, width = image_bgr.shape[:2]
        boxes = clip_boxes(self.detect(image_bgr), width, height)
        if self.describe is None or len(boxes.confidences) == 0:
            return boxes
        return replace(boxes, appearances=self.describe(image_bgr, boxes.bboxes_xyxy))


@dataclass(slots=True)
class Part:
    """What is known of the frames [start_frame, start_frame + len(times_s)).

    Attributes:
        times_s: Time stamp of each frame.
        end_s: End of the last frame.
        places: What the cut finder found among these frames.
        rows: Boxes of each detector on all frames that may have to be looked at.
    """

    start_frame: int
    times_s: array[float] = field(default_factory=lambda: array("d"))
    end_s: float = 0.0
    places: list[int] = field(default_factory=list)
    rows: dict[str, BoxRows] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scan:
    """Everything that one decode of a video tells.

    Attributes:
        frame_times_s: (frame_count + 1,) start of every frame, and the end of the last one.
        sampled: Frames that each detector was given, ascending.
        rows: Boxes of each detector, on its `sampled` frames only, in frame order.
    """

    frame_times_s: NDArray[np.float64]
    shots: list[Shot]
    sampled: Mapping[str, NDArray[np.int64]]
    rows: Mapping[str, BoxRows]


class Looker:
    """Runs detectors on frames in threads and hands the boxes back in frame order.

    At most `2 * workers` frames wait or run; `look` then waits for the oldest one, so
    memory stays flat and the order does not depend on the threads.
    """

    def __init__(self, looks: Mapping[str, Look], workers: int) -> None:
        self.rows = {name: BoxRows() for name in looks}
        self._looks = looks
        self._limit = _IN_FLIGHT_PER_WORKER * workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="look")
        self._running: deque[tuple[int, float, Future[dict[str, Boxes]]]] = deque()

    def __enter__(self) -> Looker:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def look(self, frame: Frame, *, is_edge: bool) -> None:
        """Queue a frame for the detectors whose turn it is; frames must come in ascending order.

        Args:
            is_edge: It may begin or end a shot: every detector's turn.
        """
        turns = [
            (name, look)
            for name, look in self._looks.items()
            if is_edge or frame.frame_idx % look.stride == 0
        ]
        if not turns:
            return
        while len(self._running) >= self._limit:
            self._take_oldest()
        future = self._pool.submit(_look_at, frame, turns)
        self._running.append((frame.frame_idx, frame.timestamp_s, future))

    def finish(self) -> dict[str, BoxRows]:
        """Wait for all frames and return the boxes."""
        while self._running:
            self._take_oldest()
        return self.rows

    def _take_oldest(self) -> None:
        frame_idx, timestamp_s, future = self._running.popleft()
        for name, boxes in future.result().items():
            self.rows[name].add(frame_idx, timestamp_s, boxes)


def _look_at(frame: Frame, turns: Sequence[tuple[str, Look]]) -> dict[str, Boxes]:
    """Let several detectors look at a frame, which is converted once."""
    image = frame.bgr()
    return {name: look.boxes(image) for name, look in turns}


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
            frame 0) to at least `finder.look_ahead` after `end_frame` (or the last one).
        finder: A new one.
        end_frame: None = up to the last frame.
        on_frame: Told the index of each frame, as it is decoded.
    """
    part = Part(start_frame)
    # Frames wait here, decoded but not converted, until it is known whether one of them ends
    # a shot: that is known when the place after it is.
    waiting: deque[Frame] = deque()
    boundaries: set[int] = set()
    last: Frame | None = None

    def release(frame: Frame) -> None:
        looker.look(frame, is_edge=frame.frame_idx in boundaries)
        boundaries.discard(frame.frame_idx)

    for frame in _until(frames, None if end_frame is None else end_frame + finder.look_ahead):
        idx = frame.frame_idx
        on_frame(idx)
        small = frame.small_bgr(SMALL_SIDE_PX) if finder.reads_pictures else None
        for place in finder.push(idx, small):
            boundaries.update((place - 1, place))
            if place >= start_frame and (end_frame is None or place < end_frame):
                part.places.append(place)
        if idx >= start_frame and (end_frame is None or idx < end_frame):
            part.times_s.append(frame.timestamp_s)
            part.end_s = frame.timestamp_s + frame.duration_s
            waiting.append(frame)
        while waiting and waiting[0].frame_idx < idx - finder.look_ahead:
            release(waiting.popleft())
        last = frame
    if last is not None and waiting and waiting[-1] is last:
        boundaries.add(last.frame_idx)
    while waiting:
        release(waiting.popleft())
    part.rows = looker.finish()
    return part


def _until(frames: Iterable[Frame], last_frame: int | None) -> Iterator[Frame]:
    """Yield frames up to and including `last_frame`."""
    for frame in frames:
        yield frame
        if frame.frame_idx == last_frame:
            return


def join_parts(parts: Sequence[Part], strides: Mapping[str, int]) -> Scan:
    """Join parts that touch, in order, the first of which starts at frame 0.

    Args:
        strides: Of each detector, the one it looked with.

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
    sampled = {name: sampled_frames(shots, stride) for name, stride in strides.items()}
    rows = {n: BoxRows.joined([p.rows[n] for p in parts]).only_frames(sampled[n]) for n in strides}
    ends = [*times, parts[-1].end_s] if parts else []
    return Scan(np.array(ends, np.float64), shots, sampled, rows)
