"""What a step uses up is counted exactly, from many threads, and the step sees no difference."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from screenalytics_assets.counted import Devices
from screenalytics_assets.measuring import MemoryWatch, Meter, Usage
from screenalytics_core.errors import VideoChangedError
from screenalytics_core.vision.decode import PyAvVideo, open_video
from screenalytics_core.vision.models.protocols import (
    Calibration,
    FaceBoxes,
    FloatArray,
    Image,
    PackInfo,
    PersonBoxes,
)
from tests.videos import make_video, numbered, read_number

FRAMES = 30
PICTURE = np.zeros((8, 8, 3), np.uint8)
NO_BOXES = np.zeros((0, 4), np.float32)
NO_SCORES = np.zeros(0, np.float32)


class FakePack:
    """A pack whose detectors find nothing and whose embedder counts upwards."""

    def __init__(self, *, has_persons: bool = True) -> None:
        self.info = PackInfo("fake", (), Calibration(0.5, 0.5, 0.5))
        self.asked: list[dict[str, float]] = []
        self._has_persons = has_persons

    def face_detector(self, *, max_side_px: int, min_confidence: float) -> FakeFaces:
        self.asked.append({"max_side_px": max_side_px, "min_confidence": min_confidence})
        return FakeFaces()

    def face_embedder(self) -> FakeEmbedder:
        return FakeEmbedder()

    def person_detector(self, *, min_confidence: float) -> FakePersons | None:
        self.asked.append({"min_confidence": min_confidence})
        return FakePersons() if self._has_persons else None

    def person_embedder(self) -> FakeBodies:
        return FakeBodies()


class FakeFaces:
    def detect(self, image_bgr: Image, _within: FloatArray | None = None) -> FaceBoxes:
        if image_bgr.size == 0:
            raise ValueError("an empty picture")
        return FaceBoxes(NO_BOXES, NO_SCORES, None)


class FakePersons:
    def detect(self, image_bgr: Image) -> PersonBoxes:
        return PersonBoxes(NO_BOXES, NO_SCORES)


class BusyPersons:
    """Finds nothing, and takes a while over it."""

    def detect(self, image_bgr: Image) -> PersonBoxes:
        work()
        if image_bgr.size == 0:
            raise ValueError("an empty picture")
        return PersonBoxes(NO_BOXES, NO_SCORES)


class FakeBodies:
    appearance = "hsv_stripes"

    def embed(self, image_bgr: Image, bboxes_xyxy: FloatArray) -> FloatArray:
        return np.arange(len(bboxes_xyxy), dtype=np.float32)[:, None]


def work() -> None:
    sum(range(300_000))


class FakeEmbedder:
    def embed(self, crops_bgr: Image) -> FloatArray:
        return np.arange(len(crops_bgr), dtype=np.float32)[:, None]


@pytest.fixture
def video(tmp_path: Path) -> PyAvVideo:
    return open_video(make_video(tmp_path / "clip.mp4", numbered(FRAMES)))


@pytest.fixture
def meter() -> Iterator[Meter]:
    with Meter() as running:
        yield running


def numbers(frames: Iterable[object]) -> list[int]:
    """The numbers drawn on the pictures, which are their indices."""
    return [read_number(frame.bgr()) for frame in frames]  # type: ignore[attr-defined]


def test_a_counted_video_gives_the_same_frames_and_counts_each(
    meter: Meter, video: PyAvVideo
) -> None:
    counted = meter.video(video)

    assert numbers(counted.frames()) == list(range(FRAMES))
    assert meter.usage().frames == FRAMES
    assert numbers(counted.frames_at([3, 20])) == [3, 20]
    assert meter.usage().frames == FRAMES + 2
    assert counted.facts == video.facts


def test_frames_that_nobody_takes_are_not_counted(meter: Meter, video: PyAvVideo) -> None:
    frames = meter.video(video).frames()
    next(frames), next(frames)

    assert meter.usage().frames == 2


def test_a_counted_video_still_tells_that_its_file_changed(meter: Meter, video: PyAvVideo) -> None:
    counted = meter.video(video)
    make_video(video.path, numbered(FRAMES + 1))

    with pytest.raises(VideoChangedError):
        counted.check_unchanged()
    with pytest.raises(VideoChangedError):
        next(counted.frames())


def test_a_picture_is_one_inference_and_a_batch_is_as_many_as_it_has_crops(meter: Meter) -> None:
    pack = meter.pack(FakePack())
    persons = pack.person_detector(min_confidence=0.1)
    assert persons is not None

    pack.face_detector(max_side_px=640, min_confidence=0.1).detect(PICTURE)
    assert meter.usage().inferences == 1
    vectors = pack.face_embedder().embed(np.zeros((5, 112, 112, 3), np.uint8))
    assert meter.usage().inferences == 6
    persons.detect(PICTURE)
    assert meter.usage().inferences == 7
    pack.person_embedder().embed(PICTURE, np.zeros((3, 4), np.float32))
    assert meter.usage().inferences == 10
    assert vectors[:, 0].tolist() == [0, 1, 2, 3, 4]


def test_a_counted_pack_hands_everything_on(meter: Meter) -> None:
    pack = FakePack(has_persons=False)
    counted = meter.pack(pack)

    counted.face_detector(max_side_px=320, min_confidence=0.2)
    assert counted.person_detector(min_confidence=0.3) is None
    assert pack.asked == [{"max_side_px": 320, "min_confidence": 0.2}, {"min_confidence": 0.3}]
    assert counted.info is pack.info
    bodies = counted.person_embedder()
    assert bodies.appearance == "hsv_stripes"
    assert bodies.embed(PICTURE, np.zeros((2, 4), np.float32))[:, 0].tolist() == [0, 1]


def busy_pack() -> FakePack:
    pack = FakePack()
    pack.person_detector = lambda *, min_confidence: BusyPersons()  # type: ignore[assignment,method-assign]
    return pack


def test_what_the_person_models_used_is_told_apart_and_part_of_the_whole() -> None:
    meter = Meter()
    with meter, meter.computing():
        pack = meter.pack(busy_pack())
        pack.face_detector(max_side_px=640, min_confidence=0.1).detect(PICTURE)
        persons = pack.person_detector(min_confidence=0.1)
        assert persons is not None
        persons.detect(PICTURE)
        pack.person_embedder().embed(PICTURE, np.zeros((4, 4), np.float32))
        work()
    whole, part = meter.usage(), meter.person_usage()

    assert (whole.inferences, part.inferences) == (6, 5)
    assert 0 < part.cpu_s < whole.cpu_s
    assert part.compute_s == pytest.approx(whole.compute_s * part.cpu_s / whole.cpu_s)
    assert (part.frames, part.peak_rss_bytes) == (0, None)


def test_the_time_of_other_threads_is_not_the_person_models(meter: Meter) -> None:
    """A clock of the process would charge each of them for all."""
    persons = meter.pack(busy_pack()).person_detector(min_confidence=0.1)
    assert persons is not None

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: persons.detect(PICTURE), range(40)))

    used = meter._tally.person_cpu_s  # before it is bounded by the whole
    assert 0 < used < 1.2 * meter.usage().cpu_s


def test_a_person_model_that_fails_has_looked_at_nothing_but_cost_its_time(meter: Meter) -> None:
    persons = meter.pack(busy_pack()).person_detector(min_confidence=0.1)
    assert persons is not None

    with pytest.raises(ValueError, match="empty picture"):
        persons.detect(PICTURE[:0])

    assert meter.person_usage().inferences == 0
    assert meter.person_usage().cpu_s > 0


def test_without_a_person_model_its_part_is_nothing(meter: Meter) -> None:
    meter.pack(FakePack()).face_embedder().embed(np.zeros((5, 112, 112, 3), np.uint8))

    assert meter.person_usage() == Usage()


class SlowPersons:
    """Takes a moment of the wall's time, as a device does that works by itself."""

    def detect(self, image_bgr: Image) -> PersonBoxes:
        time.sleep(0.02)
        if image_bgr.size == 0:
            raise ValueError("an empty picture")
        return PersonBoxes(NO_BOXES, NO_SCORES)


def slow_pack() -> FakePack:
    pack = FakePack()
    pack.person_detector = lambda *, min_confidence: SlowPersons()  # type: ignore[assignment,method-assign]
    return pack


def test_on_a_cpu_no_time_of_a_gpu_is_told(meter: Meter) -> None:
    pack = meter.pack(slow_pack(), Devices("cpu", "cuda"))
    persons = pack.person_detector(min_confidence=0.1)
    assert persons is not None
    persons.detect(PICTURE)
    pack.person_embedder().embed(PICTURE, np.zeros((4, 4), np.float32))  # colours, on the CPU

    assert (meter.usage().gpu_s, meter.person_usage().gpu_s) == (0, 0)


def test_threads_that_share_a_gpu_are_charged_for_its_time_once() -> None:
    meter = Meter()
    with meter:
        persons = meter.pack(slow_pack(), Devices("cuda", "cpu")).person_detector(
            min_confidence=0.1
        )
        assert persons is not None
        with ThreadPoolExecutor(4) as pool:
            started_s = time.perf_counter()
            list(pool.map(lambda _: persons.detect(PICTURE), range(12)))
            took_s = time.perf_counter() - started_s

    # Twelve calls of 0.02 s by four threads: three of them one after the other.
    assert 0.06 <= meter.usage().gpu_s <= took_s
    assert meter.person_usage().gpu_s == pytest.approx(meter.usage().gpu_s, rel=0.05)


def test_a_call_on_a_gpu_that_fails_held_it_as_well(meter: Meter) -> None:
    persons = meter.pack(slow_pack(), Devices("cuda")).person_detector(min_confidence=0.1)
    assert persons is not None

    with pytest.raises(ValueError, match="empty picture"):
        persons.detect(PICTURE[:0])
    held_s = meter.usage().gpu_s
    assert held_s >= 0.02
    time.sleep(0.02)
    assert meter.usage().gpu_s == held_s, "nobody holds it any more"


def test_faces_and_bodies_are_charged_where_they_are_looked_at(meter: Meter) -> None:
    pack = meter.pack(FakePack(), Devices("cpu", "cuda"))

    pack.face_detector(max_side_px=640, min_confidence=0.1).detect(PICTURE)
    assert meter.usage().gpu_s == 0
    pack.face_embedder().embed(np.zeros((5, 112, 112, 3), np.uint8))
    assert meter.usage().gpu_s > 0
    assert meter.person_usage().gpu_s == 0


def test_a_picture_that_the_model_refuses_is_no_inference(meter: Meter) -> None:
    detector = meter.pack(FakePack()).face_detector(max_side_px=640, min_confidence=0.1)

    with pytest.raises(ValueError, match="empty picture"):
        detector.detect(PICTURE[:0])
    assert meter.usage().inferences == 0


def test_no_count_is_lost_between_threads(meter: Meter) -> None:
    detector = meter.pack(FakePack()).face_detector(max_side_px=640, min_confidence=0.1)
    start = threading.Barrier(8)

    def look(_: int) -> None:
        start.wait()
        for _ in range(2_000):
            detector.detect(PICTURE)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(look, range(8)))
    assert meter.usage().inferences == 16_000


def test_nothing_is_measured_before_the_start_or_after_the_end() -> None:
    meter = Meter()
    assert meter.usage() == meter.person_usage() == Usage()
    persons = meter.pack(busy_pack()).person_detector(min_confidence=0.1)
    assert persons is not None

    with meter, meter.computing():
        persons.detect(PICTURE)
        sum(range(1_000_000))
    at_the_end, persons_at_the_end = meter.usage(), meter.person_usage()
    meter.pack(FakePack()).face_embedder().embed(PICTURE)
    persons.detect(PICTURE)
    sum(range(1_000_000))

    assert meter.usage() == at_the_end
    assert meter.person_usage() == persons_at_the_end
    assert at_the_end.cpu_s > 0
    assert at_the_end.compute_s > 0


def test_the_time_of_a_function_that_fails_counts() -> None:
    meter = Meter()
    with pytest.raises(MemoryError), meter, meter.computing():
        bytearray(2**62)

    assert meter.usage().compute_s > 0


def test_memory_that_is_given_back_stays_the_peak() -> None:
    watch = MemoryWatch()
    watch.start()
    before = watch.peak_bytes
    block = np.ones(64 * 2**20, np.uint8)
    watch.look()
    del block
    watch.stop()

    assert watch.peak_bytes - before > 32 * 2**20


def test_memory_is_looked_at_while_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The peak of a step lies between its ends, where only the thread looks."""
    monkeypatch.setattr(MemoryWatch, "PERIOD_S", 0.001)
    looks: list[str] = []
    seen = threading.Event()
    look = MemoryWatch.look

    def counting(self: MemoryWatch) -> int:
        looks.append(threading.current_thread().name)
        if looks.count("memory-watch") >= 3:
            seen.set()
        return look(self)

    monkeypatch.setattr(MemoryWatch, "look", counting)
    with Meter():
        assert seen.wait(timeout=30)
    assert not [t for t in threading.enumerate() if t.name == "memory-watch"]
