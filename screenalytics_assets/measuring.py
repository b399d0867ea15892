"""What a step uses up: frames, pictures put through models, CPU and GPU time, memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, Self

import psutil

from screenalytics_assets.counted import CountedPack, CountedVideo, Devices, Tally
from screenalytics_core.vision.models.protocols import ModelPack
from screenalytics_core.vision.video import VideoSource

_ON_CPU: Final = Devices()


@dataclass(frozen=True, slots=True)
class Usage:
    """What a step has used up.

    Attributes:
        frames: Frames that the video gave out; those that it decoded on the way to a chosen
            one are not known here.
        inferences: Pictures put through a model.
        cpu_s: CPU time of this process, all threads.
        gpu_s: Wall time in which at least one model was at work on a CUDA device.
        compute_s: Wall time inside the step's function.
        peak_rss_bytes: Highest resident memory of this process; None if it was not looked at.
    """

    frames: int = 0
    inferences: int = 0
    cpu_s: float = 0.0
    gpu_s: float = 0.0
    compute_s: float = 0.0
    peak_rss_bytes: int | None = None

    def less(self, part: Usage) -> Usage:
        """Return what is left without a part of it; memory stays that of the whole."""
        return replace(
            self,
            frames=self.frames - part.frames,
            inferences=self.inferences - part.inferences,
            cpu_s=self.cpu_s - part.cpu_s,
            gpu_s=self.gpu_s - part.gpu_s,
            compute_s=self.compute_s - part.compute_s,
        )

    def rounded_seconds(self) -> dict[str, float]:
        """Return what is billed by the second, to the millisecond."""
        return {"cpu_s": round(self.cpu_s, 3), "gpu_s": round(self.gpu_s, 3)}


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
        self._final_persons = Usage()

    def __enter__(self) -> Self:
        self._cpu_before_s = time.process_time()
        self._memory.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._memory.stop()
        final = self.usage()
        self._final_persons = self._persons_of(final)
        self._final = final

    def video(self, video: VideoSource) -> VideoSource:
        """Return `video` with its frames counted."""
        return CountedVideo(video, self._tally)

    def pack(self, pack: ModelPack, devices: Devices = _ON_CPU) -> ModelPack:
        """Return `pack` with its pictures counted, and its time on a CUDA device."""
        return CountedPack(pack, self._tally, devices)

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
            gpu_s=self._tally.gpu.busy_s(),
            compute_s=self._compute_s,
            peak_rss_bytes=self._memory.look(),
        )

    def person_usage(self) -> Usage:
        """Return the part of `usage()` that went into the person models.

        Pictures, CPU and GPU time are counted, the time of the function is shared in
        proportion to the CPU time. Frames and memory belong to the step as a whole.
        """
        if self._final is not None:
            return self._final_persons
        return self._persons_of(self.usage())

    def _persons_of(self, whole: Usage) -> Usage:
        if whole.cpu_s <= 0:
            return Usage()
        # The clocks of a thread and of the process advance in steps of their own.
        cpu_s = min(self._tally.person_cpu_s, whole.cpu_s)
        return Usage(
            inferences=self._tally.person_inferences,
            cpu_s=cpu_s,
            gpu_s=min(self._tally.person_gpu.busy_s(), whole.gpu_s),
            compute_s=whole.compute_s * cpu_s / whole.cpu_s,
        )
