"""Cuts, found frame by frame on small pictures: PySceneDetect's detectors, then a second look.

In two parts, so that a video can be scanned in pieces with the same result: `CutFinder`
says at which frames something new begins and looks a few frames around each place;
`settle_cuts` makes cuts of these places and needs no picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final, Literal, NamedTuple, Protocol

from scenedetect import FrameTimecode
from scenedetect.detectors import AdaptiveDetector, ContentDetector

from screenalytics_core.vision.cut_evidence import LOOK_AHEAD, LOOK_BACK, CutEvidence
from screenalytics_core.vision.models.protocols import Image
from screenalytics_core.vision.picture_change import Thumb

SceneDetectorName = Literal["pyscenedetect", "content", "off"]

# The size that PySceneDetect's thresholds were chosen at (its automatic downscale).
SMALL_SIDE_PX: Final = 256
# The adaptive detector compares a frame with so many on each side.
_WINDOW_FRAMES: Final = 2
# What flashes by in one or two frames is no shot.
MIN_SHOT_FRAMES: Final = 3
# The detectors want a time code but here only count frames.
_ANY_FPS: Final = 25.0


class Shot(NamedTuple):
    """Frames without a cut between them; `end_frame` is exclusive."""

    start_frame: int
    end_frame: int


class _Detector(Protocol):
    def process_frame(self, timecode: FrameTimecode, frame_img: Image) -> list[FrameTimecode]: ...


class CutFinder:
    """Finds the frames that begin something new, as frames come in.

    "content" is PySceneDetect's `ContentDetector` alone. "pyscenedetect" lets its
    `AdaptiveDetector` and the pictures' structure propose cuts and verifies them
    (`cut_evidence`), and finds dissolves and fades, too.

    Args:
        scene_threshold: "content": change of the colours from which it is a cut.
        adaptive_threshold: "pyscenedetect": how many times more than the frames around it a
            cut must change, in colours and in structure.

    Attributes:
        look_ahead: After frame N was pushed, all places up to frame N - look_ahead are known.
        look_back: A place is found the same way whatever came more than this many frames
            before it, so a part of a video needs that much run-up.
    """

    def __init__(
        self, name: SceneDetectorName, *, scene_threshold: float, adaptive_threshold: float
    ) -> None:
        self._detector: _Detector | None = None
        self._second_look: _SecondLook | None = None
        self.look_ahead = 0
        self.look_back = 0
        # A minimum length inside the detector would carry state across the whole video;
        # `settle_cuts` applies ours.
        if name == "content":
            self._detector = ContentDetector(threshold=scene_threshold, min_scene_len=0)
            self.look_back = 1
        elif name == "pyscenedetect":
            self._detector = AdaptiveDetector(
                adaptive_threshold=adaptive_threshold,
                min_scene_len=0,
                window_width=_WINDOW_FRAMES,
            )
            self._second_look = _SecondLook(adaptive_threshold)
            self.look_ahead = LOOK_AHEAD
            self.look_back = LOOK_BACK
        self._last_idx: int | None = None

    @property
    def reads_pictures(self) -> bool:
        """False if it never finds anything, so that no picture need be made."""
        return self._detector is not None

    def push(self, frame_idx: int, small_bgr: Image | None) -> list[int]:
        """Take the next frame and return the places that became known, ascending.

        Args:
            small_bgr: (h, w, 3), longer side `SMALL_SIDE_PX`; None if `reads_pictures` is
                false.

        Raises:
            ValueError: `frame_idx` does not follow the frame before.
        """
        if self._last_idx is not None and frame_idx != self._last_idx + 1:
            raise ValueError(f"frame {frame_idx} does not follow frame {self._last_idx}")
        self._last_idx = frame_idx
        if self._detector is None or small_bgr is None:
            return []
        found = self._detector.process_frame(FrameTimecode(frame_idx, _ANY_FPS), small_bgr)
        places = [place.frame_num for place in found]
        if self._second_look is None:
            return places
        return self._second_look.push(frame_idx, Thumb(small_bgr), places)

    def finish(self) -> list[int]:
        """Return the places among the last `look_ahead` frames: the video ends with them."""
        return [] if self._second_look is None else self._second_look.finish()


class _SecondLook:
    """Judges each frame once, `LOOK_AHEAD` frames late."""

    def __init__(self, ratio: float) -> None:
        self._evidence = CutEvidence(ratio)
        self._jumps: set[int] = set()
        self._next: int | None = None
        self._last = -1
        self._gradual_place: int | None = None
        self._last_cut: int | None = None

    def push(self, frame_idx: int, thumb: Thumb, jumps: Iterable[int]) -> list[int]:
        """Take a frame, and the places that the colours propose; return places, ascending."""
        if self._next is None:
            self._next = frame_idx
        self._last = frame_idx
        self._evidence.push(frame_idx, thumb)
        self._jumps.update(jumps)
        return self._judge_up_to(frame_idx - LOOK_AHEAD)

    def finish(self) -> list[int]:
        """Judge the frames that are left."""
        return self._judge_up_to(self._last)

    def _judge_up_to(self, last: int) -> list[int]:
        places: list[int] = []
        while self._next is not None and self._next <= last:
            if self._is_place(self._next):
                places.append(self._next)
            self._jumps.discard(self._next)
            self._next += 1
            self._evidence.forget_before(self._next - LOOK_BACK)
        return places

    def _is_place(self, frame_idx: int) -> bool:
        if self._evidence.is_cut(frame_idx, colours_jumped=frame_idx in self._jumps):
            self._last_cut = frame_idx
        gradual = self._evidence.gradual_place(frame_idx)
        if gradual is not None:
            self._gradual_place = gradual
        if self._last_cut == frame_idx:
            return True
        follows_cut = self._last_cut is not None and frame_idx - self._last_cut < LOOK_AHEAD
        return self._gradual_place == frame_idx and not follows_cut


def settle_cuts(places: Iterable[int], frame_count: int) -> list[int]:
    """Return the frames at which a shot begins (never frame 0), ascending.

    Of two places next to each other the second counts: the frame between them blends both
    pictures and belongs to the shot before. After that a place less than `MIN_SHOT_FRAMES`
    after the last cut (or the start) or before the end is no cut.

    Args:
        places: What a `CutFinder` found, ascending.
    """
    ordered = list(places)
    known = set(ordered)
    cuts: list[int] = []
    last = 0
    for place in ordered:
        if place < last + MIN_SHOT_FRAMES:
            continue
        cut = place + 1 if place + 1 in known else place
        if cut > frame_count - MIN_SHOT_FRAMES:
            break
        cuts.append(cut)
        last = cut
    return cuts


def shots_between(cuts: Iterable[int], frame_count: int) -> list[Shot]:
    """Return the shots that `cuts` make of a video of `frame_count` frames, at least one."""
    bounds = [0, *cuts, frame_count]
    return [Shot(a, b) for a, b in pairwise(bounds)]
