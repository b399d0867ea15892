"""Runs detectors on frames in threads and hands the boxes back in frame order."""

from __future__ import annotations

import threading
from array import array
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Final

from screenalytics_core.vision.box_rows import Boxes, BoxRows, clip_boxes
from screenalytics_core.vision.models.protocols import FloatArray, Image
from screenalytics_core.vision.video import Frame

# Enough that no worker waits for the decoder, few enough to hold little.
_IN_FLIGHT_PER_WORKER: Final = 2

_Ends = tuple[Boxes, Boxes]


@dataclass(frozen=True, slots=True)
class Look:
    """A detector, and how often it looks.

    Attributes:
        detect: Picture -> boxes, which may reach past its edges.
        stride: It is given every `stride`-th frame, and the first and last one of each shot.
        describe: Picture and (N, 4) px boxes inside it -> (N, D) what they look like; None =
            boxes alone are wanted.
        min_stride: Between two looks that are further apart it looks half-way, and again in each
            half, where `is_clear` says no.
        is_clear: Boxes of two looks -> whether nothing need be known of what is between; None =
            it never need.
        detect_between: As `detect`, for a picture between two looks, of which it is given the
            boxes; None = as any other picture.
    """

    detect: Callable[[Image], Boxes]
    stride: int
    describe: Callable[[Image, FloatArray], FloatArray] | None = None
    min_stride: int = 1
    is_clear: Callable[[Boxes, Boxes], bool] | None = None
    detect_between: Callable[[Image, Boxes, Boxes], Boxes] | None = None

    def boxes(self, image_bgr: Image, ends: _Ends | None = None) -> Boxes:
        """Return what is in an (H, W, 3) picture, clipped to it and described.

        Args:
            ends: What was found before and after, if this is a closer look.
        """
        height, width = image_bgr.shape[:2]
        if ends is None or self.detect_between is None:
            found = self.detect(image_bgr)
        else:
            found = self.detect_between(image_bgr, *ends)
        boxes = clip_boxes(found, width, height)
        if self.describe is None or len(boxes.confidences) == 0:
            return boxes
        return replace(boxes, appearances=self.describe(image_bgr, boxes.bboxes_xyxy))

    @property
    def looks_closer(self) -> bool:
        """It may look between its regular frames."""
        return self.is_clear is not None and self.min_stride < self.stride


@dataclass(slots=True)
class Looked:
    """What one detector found.

    Attributes:
        frame_idxs: Frames that it was given, ascending.
        rows: Its boxes on them.
    """

    frame_idxs: array[int] = field(default_factory=lambda: array("q"))
    rows: BoxRows = field(default_factory=BoxRows)


class _Picture:
    """A frame whose picture several threads may want: it is converted once."""

    def __init__(self, frame: Frame) -> None:
        self.frame_idx = frame.frame_idx
        self.timestamp_s = frame.timestamp_s
        self._frame = frame
        self._converting = threading.Lock()

    def bgr(self) -> Image:
        """Return it as (H, W, 3) BGR."""
        with self._converting:
            return self._frame.bgr()


@dataclass(slots=True)
class _Slot:
    """A frame on its way; its picture goes as soon as nobody may want it any more."""

    frame_idx: int
    timestamp_s: float
    picture: _Picture | None
    found: Future[Boxes] | None = None


@dataclass(slots=True)
class _Stretch:
    """The frames from one regular look to the next, both included; `open` pairs are unsettled."""

    slots: list[_Slot]
    open: list[tuple[int, int]]


class _Watch:
    """One detector's frames on their way: in order in, in order out."""

    def __init__(
        self,
        look: Look,
        submit: Callable[[_Picture, Look, _Ends | None], Future[Boxes]],
        end_frame: int | None,
    ) -> None:
        self.look = look
        self.looked = Looked()
        self.stretches: deque[_Stretch] = deque()
        self._submit = submit
        self._end_frame = end_frame
        self._since: list[_Slot] = []  # from the last regular look on

    @property
    def is_complete(self) -> bool:
        """No frame that may come is needed for what it has to hand out."""
        last = self._since[0].frame_idx if self._since else -1
        return not self.look.looks_closer or not self._is_inside(last)

    def take(self, picture: _Picture, *, is_edge: bool) -> bool:
        """Take the next frame, look at it if it is its turn, and tell whether it was."""
        idx = picture.frame_idx
        if not self._is_inside(idx) and self.is_complete:
            return False
        if not is_edge and idx % self.look.stride:
            if self.look.looks_closer and self._since:
                self._since.append(_Slot(idx, picture.timestamp_s, picture))
            return False
        slot = _Slot(idx, picture.timestamp_s, None, self._submit(picture, self.look, None))
        if self._since:
            slots = [*self._since, slot]
            self.stretches.append(_Stretch(slots, [(0, len(slots) - 1)]))
        self._since = [slot]
        return True

    def advance(self) -> None:
        """Look closer where looks have ended, and hand out what is settled."""
        for stretch in self.stretches:
            self._settle(stretch)
        while self.stretches and not self.stretches[0].open:
            self._hand_out(self.stretches.popleft().slots[:-1])

    def finish(self) -> None:
        """Hand out the last look; all stretches are settled."""
        if self._since and self._is_inside(self._since[0].frame_idx):
            self._hand_out(self._since[:1])

    def running(self) -> list[Future[Boxes]]:
        """Return the looks that have not ended."""
        slots = [slot for stretch in self.stretches for slot in stretch.slots]
        return [s.found for s in [*slots, *self._since[:1]] if s.found and not s.found.done()]

    def _is_inside(self, frame_idx: int) -> bool:
        return self._end_frame is None or frame_idx < self._end_frame

    def _settle(self, stretch: _Stretch) -> None:
        waiting: list[tuple[int, int]] = []
        while stretch.open:
            at, end = stretch.open.pop()
            first, second = stretch.slots[at], stretch.slots[end]
            if not (first.found and first.found.done() and second.found and second.found.done()):
                waiting.append((at, end))
            elif self._is_unclear(first.frame_idx, first.found, second.frame_idx, second.found):
                middle = (at + end) // 2
                self._look_closer(
                    stretch.slots[middle], (first.found.result(), second.found.result())
                )
                stretch.open += [(at, middle), (middle, end)]
        stretch.open = waiting

    def _is_unclear(
        self, before: int, found_before: Future[Boxes], after: int, found_after: Future[Boxes]
    ) -> bool:
        # Where a detector failed, its error comes out here.
        boxes, boxes_after = found_before.result(), found_after.result()
        look = self.look
        if look.is_clear is None or after - before <= look.min_stride:
            return False
        return not look.is_clear(boxes, boxes_after)

    def _look_closer(self, slot: _Slot, ends: _Ends) -> None:
        if slot.picture is not None:
            slot.found = self._submit(slot.picture, self.look, ends)
            slot.picture = None

    def _hand_out(self, slots: Sequence[_Slot]) -> None:
        for slot in slots:
            if slot.found is not None:
                self.looked.frame_idxs.append(slot.frame_idx)
                self.looked.rows.add(slot.frame_idx, slot.timestamp_s, slot.found.result())


class Looker:
    """Runs detectors on frames in threads and hands the boxes back in frame order.

    At most two looks per worker wait or run, and of a detector that looks closer the frames of
    at most one stretch more than there are workers are held: memory stays flat. Which frames
    are looked at depends on the boxes alone, not on the threads.

    Args:
        end_frame: What is found from here on only settles what is before; None = the end.
    """

    def __init__(
        self, looks: Mapping[str, Look], workers: int, *, end_frame: int | None = None
    ) -> None:
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="look")
        self._watches = {
            name: _Watch(look, self._submit, end_frame) for name, look in looks.items()
        }

    def __enter__(self) -> Looker:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    @property
    def is_complete(self) -> bool:
        """No frame that may come is needed to settle what is before `end_frame`."""
        return all(watch.is_complete for watch in self._watches.values())

    def look(self, frame: Frame, *, is_edge: bool) -> None:
        """Queue a frame for the detectors whose turn it is; frames must come in ascending order.

        Args:
            is_edge: It may begin or end a shot: every detector's turn.
        """
        picture = _Picture(frame)
        turns = [watch.take(picture, is_edge=is_edge) for watch in self._watches.values()]
        if any(turns):
            self._wait_until(self._has_room)

    def finish(self) -> dict[str, Looked]:
        """Wait for all frames and return what was found."""
        self._wait_until(lambda: not any(w.stretches for w in self._watches.values()))
        for watch in self._watches.values():
            watch.finish()
        return {name: watch.looked for name, watch in self._watches.items()}

    def _submit(self, picture: _Picture, look: Look, ends: _Ends | None) -> Future[Boxes]:
        return self._pool.submit(_look_at, picture, look, ends)

    def _running(self) -> list[Future[Boxes]]:
        return [future for watch in self._watches.values() for future in watch.running()]

    def _has_room(self) -> bool:
        if len(self._running()) >= _IN_FLIGHT_PER_WORKER * self._workers:
            return False
        closer = (w for w in self._watches.values() if w.look.looks_closer)
        return all(len(watch.stretches) <= self._workers for watch in closer)

    def _wait_until(self, is_done: Callable[[], bool]) -> None:
        while True:
            for watch in self._watches.values():
                watch.advance()
            if is_done():
                return
            wait(self._running(), return_when=FIRST_COMPLETED)


def _look_at(picture: _Picture, look: Look, ends: _Ends | None) -> Boxes:
    return look.boxes(picture.bgr(), ends)
