"""What a step uses up: frames, pictures put through models, CPU time, memory.

A step gets its video and its models inside wrappers that count what passes through them, so
that steps stay unaware. Nothing here changes what they see.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Self

import psutil

from screenalytics_core.vision.models.protocols import (
    FaceBoxes,
    FaceDetector,
    FaceEmbedder,
    FloatArray,
    Image,
    ModelPack,
    PackInfo,
    PersonBoxes,
    PersonDetector,
)
from screenalytics_core.vision.video import Frame, VideoFacts, VideoSource


@dataclass(frozen=True, slots=True)
class Usage:
    """What a step has used up.

    Attributes:
        frames: Frames that the video gave out; those that it decoded on the way to a chosen
            one are not known here.
        inferences: Pictures put through a model.
        cpu_s: CPU time of this process, all threads.
        compute_s: Wall time inside the step's function.
        peak_rss_bytes: Highest resident memory of this process; None if it was not looked at.
    """

    frames: int = 0
    inferences: int = 0
    cpu_s: float = 0.0
    compute_s: float = 0.0
    peak_rss_bytes: int | None = None


class Tally:
    """Counts from several threads at once."""

    def __init__(self) -> None:
        self.frames = 0
        self.inferences = 0
        self._lock = threading.Lock()

    def frame(self, frame: Frame) -> Frame:
        """Count a frame on its way."""
        with self._lock:
            self.frames += 1
        return frame

    def pictures(self, count: int) -> None:
        """Count pictures that a model has looked at."""
        with self._lock:
            self.inferences += count


class CountedVideo:
    """A `VideoSource` that counts the frames it gives out."""

    def __init__(self, video: VideoSource, tally: Tally) -> None:
        self._video = video
        self._tally = tally

    @property
    def facts(self) -> VideoFacts:
        """Facts of the video stream."""
        return self._video.facts

    def frames(self) -> Iterator[Frame]:
        """Yield every frame in presentation order."""
        # `map` holds on to no frame, so none lives longer than without it.
        return map(self._tally.frame, self._video.frames())

    def frames_at(self, frame_idxs: Iterable[int]) -> Iterator[Frame]:
        """Yield the frames with the given ascending indices."""
        return map(self._tally.frame, self._video.frames_at(frame_idxs))

    def check_unchanged(self) -> None:
        """Raise VideoChangedError if the file is no longer the one that was opened."""
        self._video.check_unchanged()


class CountedFaceDetector:
    """A `FaceDetector` that counts its pictures."""

    def __init__(self, detector: FaceDetector, tally: Tally) -> None:
        self._detector = detector
        self._tally = tally

    def detect(self, image_bgr: Image) -> FaceBoxes:
        """Return the faces of an (H, W, 3) image."""
        found = self._detector.detect(image_bgr)
        self._tally.pictures(1)
        return found


class CountedFaceEmbedder:
    """A `FaceEmbedder` that counts its crops."""

    def __init__(self, embedder: FaceEmbedder, tally: Tally) -> None:
        self._embedder = embedder
        self._tally = tally

    def embed(self, crops_bgr: Image) -> FloatArray:
        """Map (N, 112, 112, 3) crops to (N, 512) vectors."""
        vectors = self._embedder.embed(crops_bgr)
        self._tally.pictures(len(crops_bgr))
        return vectors


class CountedPersonDetector:
    """A `PersonDetector` that counts its pictures."""

    def __init__(self, detector: PersonDetector, tally: Tally) -> None:
        self._detector = detector
        self._tally = tally

    def detect(self, image_bgr: Image) -> PersonBoxes:
        """Return the persons of an (H, W, 3) image."""
        found = self._detector.detect(image_bgr)
        self._tally.pictures(1)
        return found


class CountedPack:
    """A `ModelPack` whose models count what they look at."""

    def __init__(self, pack: ModelPack, tally: Tally) -> None:
        self._pack = pack
        self._tally = tally

    @property
    def info(self) -> PackInfo:
        """Which pack, files and calibration this is."""
        return self._pack.info

    def face_detector(self, *, max_side_px: int, min_confidence: float) -> FaceDetector:
        """Load the face detector; raises ModelError."""
        detector = self._pack.face_detector(max_side_px=max_side_px, min_confidence=min_confidence)
        return CountedFaceDetector(detector, self._tally)

    def face_embedder(self) -> FaceEmbedder:
        """Load the face embedder; raises ModelError."""
        return CountedFaceEmbedder(self._pack.face_embedder(), self._tally)

    def person_detector(self, *, min_confidence: float) -> PersonDetector | None:
        """Load the person detector, or return None if the pack has none."""
        detector = self._pack.person_detector(min_confidence=min_confidence)
        return None if detector is None else CountedPersonDetector(detector, self._tally)


class MemoryWatch:
    """Looks at this process's resident memory now and then, and remembers the most.

    The kernel's own high-water mark is of the whole process: an earlier step's peak would
    stand for every later one.
    """

    PERIOD_S: Final = 0.2

    def __init__(self) -> None:
        self.peak_bytes = 0
        self._process = psutil.Process()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory-watch", daemon=True)

    def look(self) -> int:
        """Look now; return the most so far, in bytes."""
        rss_bytes = int(self._process.memory_info().rss)
        with self._lock:
            self.peak_bytes = max(self.peak_bytes, rss_bytes)
            return self.peak_bytes

    def start(self) -> None:
        """Look once, then in the background."""
        self.look()
        self._thread.start()

    def stop(self) -> None:
        """Look once more and wait for the thread."""
        self._stopped.set()
        self._thread.join()
        self.look()

    def _run(self) -> None:
        while not self._stopped.wait(self.PERIOD_S):
            self.look()


class Meter:
    """Measures one step from `with` to its end; used once."""

    def __init__(self) -> None:
        self._tally = Tally()
        self._memory = MemoryWatch()
        self._compute_s = 0.0
        self._cpu_before_s: float | None = None
        self._final: Usage | None = None

    def __enter__(self) -> Self:
        self._cpu_before_s = time.process_time()
        self._memory.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._memory.stop()
        self._final = self.usage()

    def video(self, video: VideoSource) -> VideoSource:
        """Return `video` with its frames counted."""
        return CountedVideo(video, self._tally)

    def pack(self, pack: ModelPack) -> ModelPack:
        """Return `pack` with its pictures counted."""
        return CountedPack(pack, self._tally)

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Time the step's function, also when it fails."""
        started_s = time.perf_counter()
        try:
            yield
        finally:
            self._compute_s += time.perf_counter() - started_s

    def usage(self) -> Usage:
        """Return what was used so far; nothing before the start, no more after the end."""
        if self._final is not None:
            return self._final
        if self._cpu_before_s is None:
            return Usage()
        return Usage(
            frames=self._tally.frames,
            inferences=self._tally.inferences,
            cpu_s=time.process_time() - self._cpu_before_s,
            compute_s=self._compute_s,
            peak_rss_bytes=self._memory.look(),
        )
