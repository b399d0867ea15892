"""Cuts, found frame by frame with PySceneDetect's detectors on small pictures.

In two parts, so that a video can be scanned in pieces with the same result: `CutFinder`
says where neighbouring frames differ and looks a few frames around each place;
`settle_cuts` makes cuts of these places and needs no picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final, Literal, NamedTuple, Protocol

from scenedetect import FrameTimecode
from scenedetect.detectors import AdaptiveDetector, ContentDetector

from screenalytics_core.vision.models.protocols import Image

SceneDetectorName = Literal["pyscenedetect", "content", "off"]

# The size that PySceneDetect's thresholds were chosen at (its automatic downscale).
SMALL_SIDE_PX: Final = 256
_WINDOW_FRAMES: Final = 2
# The adaptive detector compares a frame with two on each side: only in shots at least this
# long does the middle frame's window hold no other cut.
MIN_SHOT_FRAMES: Final = 2 * _WINDOW_FRAMES + 1
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

    Attributes:
        look_ahead: After frame N was pushed, all places up to frame N - look_ahead are known.
        look_back: A place is found the same way whatever came more than this many frames
            before it, so a part of a video needs that much run-up.
    """

    def __init__(
        self, name: SceneDetectorName, *, scene_threshold: float, adaptive_threshold: float
    ) -> None:
        self._detector: _Detector | None = None
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
            self.look_ahead = _WINDOW_FRAMES
            self.look_back = _WINDOW_FRAMES + 1
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
        return [place.frame_num for place in found]


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
