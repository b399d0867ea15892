"""A step's video and models inside wrappers that count what passes through them.

Steps stay unaware: nothing here changes what they see.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from screenalytics_assets.busy_clock import BusyClock
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
    PersonEmbedder,
)
from screenalytics_core.vision.video import Frame, VideoFacts, VideoSource

_CUDA: Final = "cuda"


@dataclass(frozen=True, slots=True)
class Devices:
    """Where models run, as settings are resolved: cpu, cuda or coreml."""

    detect: str = "cpu"
    embed: str = "cpu"


class Look:
    """One call of a person model; who makes it says how many pictures it looked at."""

    def __init__(self) -> None:
        self.pictures = 0


class Tally:
    """Counts from several threads at once."""

    def __init__(self) -> None:
        self.frames = 0
        self.inferences = 0
        self.person_inferences = 0
        self.person_cpu_s = 0.0
        self.gpu = BusyClock()
        self.person_gpu = BusyClock()
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

    @contextmanager
    def on(self, device: str) -> Iterator[None]:
        """Take the time of a model's call if its device is one that is paid for."""
        if device != _CUDA:
            yield
            return
        with self.gpu.held():
            yield

    @contextmanager
    def persons_on(self, device: str) -> Iterator[Look]:
        """Count a call of a person model, with its time on the device."""
        with self.on(device), self._persons() as look:
            if device != _CUDA:
                yield look
                return
            with self.person_gpu.held():
                yield look

    @contextmanager
    def _persons(self) -> Iterator[Look]:
        """Count a call of a person model, with the calling thread's CPU time.

        The thread's own clock, since other threads work meanwhile; a model runs on the thread
        that calls it. A call that fails costs its time and has looked at nothing.
        """
        look = Look()
        before_s = time.thread_time()
        try:
            yield look
        finally:
            cpu_s = time.thread_time() - before_s
            with self._lock:
                self.inferences += look.pictures
                self.person_inferences += look.pictures
                self.person_cpu_s += cpu_s


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

    def __init__(self, detector: FaceDetector, tally: Tally, device: str) -> None:
        self._detector = detector
        self._tally = tally
        self._device = device

    def detect(self, image_bgr: Image, within: FloatArray | None = None) -> FaceBoxes:
        """Return the faces of an (H, W, 3) image, or of a part of it."""
        with self._tally.on(self._device):
            found = self._detector.detect(image_bgr, within)
        self._tally.pictures(1)
        return found


class CountedFaceEmbedder:
    """A `FaceEmbedder` that counts its crops."""

    def __init__(self, embedder: FaceEmbedder, tally: Tally, device: str) -> None:
        self._embedder = embedder
        self._tally = tally
        self._device = device

    def embed(self, crops_bgr: Image) -> FloatArray:
        """Map (N, 112, 112, 3) crops to (N, 512) vectors."""
        with self._tally.on(self._device):
            vectors = self._embedder.embed(crops_bgr)
        self._tally.pictures(len(crops_bgr))
        return vectors


class CountedPersonDetector:
    """A `PersonDetector` that counts its pictures, and its time apart."""

    def __init__(self, detector: PersonDetector, tally: Tally, device: str) -> None:
        self._detector = detector
        self._tally = tally
        self._device = device

    def detect(self, image_bgr: Image) -> PersonBoxes:
        """Return the persons of an (H, W, 3) image."""
        with self._tally.persons_on(self._device) as looked:
            found = self._detector.detect(image_bgr)
            looked.pictures = 1
        return found


class CountedPersonEmbedder:
    """A `PersonEmbedder` that counts its bodies, and its time apart."""

    def __init__(self, embedder: PersonEmbedder, tally: Tally, device: str) -> None:
        self._embedder = embedder
        self._tally = tally
        self._device = device

    @property
    def appearance(self) -> str:
        """What the vectors are."""
        return self._embedder.appearance

    def embed(self, image_bgr: Image, bboxes_xyxy: FloatArray) -> FloatArray:
        """Map (N, 4) px boxes of an (H, W, 3) image to (N, D) vectors."""
        with self._tally.persons_on(self._device) as looked:
            vectors = self._embedder.embed(image_bgr, bboxes_xyxy)
            looked.pictures = len(bboxes_xyxy)
        return vectors


class CountedPack:
    """A `ModelPack` whose models count what they look at."""

    def __init__(self, pack: ModelPack, tally: Tally, devices: Devices) -> None:
        self._pack = pack
        self._tally = tally
        self._devices = devices

    @property
    def info(self) -> PackInfo:
        """Which pack, files and calibration this is."""
        return self._pack.info

    def face_detector(self, *, max_side_px: int, min_confidence: float) -> FaceDetector:
        """Load the face detector; raises ModelError."""
        detector = self._pack.face_detector(max_side_px=max_side_px, min_confidence=min_confidence)
        return CountedFaceDetector(detector, self._tally, self._devices.detect)

    def face_embedder(self) -> FaceEmbedder:
        """Load the face embedder; raises ModelError."""
        return CountedFaceEmbedder(self._pack.face_embedder(), self._tally, self._devices.embed)

    def person_detector(self, *, min_confidence: float) -> PersonDetector | None:
        """Load the person detector, or return None if there is none on this machine."""
        detector = self._pack.person_detector(min_confidence=min_confidence)
        if detector is None:
            return None
        return CountedPersonDetector(detector, self._tally, self._devices.detect)

    def person_embedder(self) -> PersonEmbedder:
        """Load what tells people apart by their bodies."""
        # Without a network of its own it compares colours, on the CPU.
        has_network = self.info.file("person_embedder") is not None
        device = self._devices.embed if has_network else "cpu"
        return CountedPersonEmbedder(self._pack.person_embedder(), self._tally, device)
