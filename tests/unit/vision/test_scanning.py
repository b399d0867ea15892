"""One decode feeds everything: in order, bounded, and the same however it is cut up."""

from __future__ import annotations

import itertools
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screenalytics_core.vision.box_rows import Boxes, BoxRows, clip_boxes
from screenalytics_core.vision.looker import Look, Looker
from screenalytics_core.vision.models.protocols import FloatArray, Image
from screenalytics_core.vision.scanning import Part, Scan, join_parts, scan_part
from screenalytics_core.vision.shots import CutFinder, SceneDetectorName

SIDE = 24
COLOURS = ((200, 60, 30), (30, 240, 240), (90, 20, 60), (180, 250, 40))
DETECTORS: tuple[SceneDetectorName, ...] = ("pyscenedetect", "content", "off")


class FakeFrame:
    """A frame whose picture is one colour per shot; it knows how many live and were converted."""

    alive: ClassVar[weakref.WeakSet[FakeFrame]] = weakref.WeakSet()
    converted: ClassVar[list[int]] = []

    def __init__(self, frame_idx: int, colour: tuple[int, int, int]) -> None:
        self.frame_idx = frame_idx
        self.timestamp_s = 0.5 + frame_idx * 0.04
        self.duration_s = 0.04
        self._colour = colour
        self._picture: Image | None = None
        FakeFrame.alive.add(self)

    def bgr(self) -> Image:
        if self._picture is None:
            FakeFrame.converted.append(self.frame_idx)
            self._picture = self.small_bgr(SIDE)
            # The fake detector reads the index back from here.
            self._picture[0, 0] = (self.frame_idx % 256, self.frame_idx // 256, 0)
        return self._picture

    def small_bgr(self, max_side_px: int) -> Image:
        return np.full((SIDE, SIDE, 3), self._colour, np.uint8)


def frames_of(lengths: Iterable[int], first: int = 0) -> Iterator[FakeFrame]:
    """Frames of shots with these lengths, from frame `first` on."""
    idx = 0
    for shot, length in enumerate(lengths):
        for _ in range(length):
            if idx >= first:
                yield FakeFrame(idx, COLOURS[shot % len(COLOURS)])
            idx += 1


def look(image: Image) -> Boxes:
    """As many boxes as the index modulo 3, with the index as left edge's fraction."""
    idx = int(image[0, 0, 0]) + 256 * int(image[0, 0, 1])
    count = idx % 3
    boxes = np.tile(np.array([idx % 20 / 10, 1, 9, 9], np.float32), (count, 1))
    return Boxes(boxes, np.linspace(0.9, 0.5, count, dtype=np.float32))


def look_at_few(image: Image) -> Boxes:
    """A second detector, which sees one box on every other frame."""
    found = look(image)
    is_odd = image[0, 0, 0] % 2
    return Boxes(found.bboxes_xyxy[:is_odd], found.confidences[:is_odd])


def alike(before: Boxes, after: Boxes) -> bool:
    """Two looks explain each other if they found as many boxes."""
    return len(before.confidences) == len(after.confidences)


def describe(image: Image, bboxes_xyxy: FloatArray) -> FloatArray:
    """The frame's index and the left edge of each box, in steps that float16 holds."""
    frame_idx = np.full(len(bboxes_xyxy), image[0, 0, 0], np.float32)
    return np.column_stack([frame_idx, bboxes_xyxy[:, 0]])


def new_finder(name: SceneDetectorName) -> CutFinder:
    return CutFinder(name, scene_threshold=27.0, adaptive_threshold=3.0)


def scan(
    lengths: list[int],
    *,
    name: SceneDetectorName = "content",
    stride: int = 3,
    body_stride: int = 5,
    bounds: tuple[int, ...] = (),
    workers: int = 2,
    min_stride: int = 300,
) -> Scan:
    """Scan in pieces that meet at `bounds`."""
    edges = [0, *bounds, None]
    looks = {
        "faces": Look(look, stride, min_stride=min_stride, is_clear=alike),
        "bodies": Look(look_at_few, body_stride, describe),
    }
    parts = []
    for start, end in itertools.pairwise(edges):
        assert start is not None
        finder = new_finder(name)
        frames = frames_of(lengths, max(0, start - finder.look_back))
        with Looker(looks, workers, end_frame=end) as looker:
            part = scan_part(frames, finder, looker, start_frame=start, end_frame=end)
        parts.append(part)
    return join_parts(parts)


def looked_at(lengths: list[int], *strides: int) -> list[list[int]]:
    """The frames that a detector of each stride was given."""
    seen: list[list[int]] = [[] for _ in strides]

    def noting(into: list[int]) -> Callable[[Image], Boxes]:
        def detect(image: Image) -> Boxes:
            into.append(int(image[0, 0, 0]) + 256 * int(image[0, 0, 1]))
            return look(image)

        return detect

    looks = {str(i): Look(noting(seen[i]), stride) for i, stride in enumerate(strides)}
    with Looker(looks, 1) as looker:
        scan_part(frames_of(lengths), new_finder("content"), looker)
    return seen


def test_every_nth_frame_and_both_ends_of_every_shot_are_looked_at_and_no_other() -> None:
    result = scan([11, 9], name="content", stride=4)

    assert result.sampled["faces"].tolist() == [0, 4, 8, 10, 11, 12, 16, 19]
    assert looked_at([11, 9], 3) == [[0, 3, 6, 9, 10, 11, 12, 15, 18, 19]]


def appears_in(first: int, last: int) -> Callable[[Image], Boxes]:
    """One box, on these frames alone."""

    def detect(image: Image) -> Boxes:
        idx = int(image[0, 0, 0]) + 256 * int(image[0, 0, 1])
        count = int(first <= idx <= last)
        return Boxes(np.tile(np.array([1, 1, 9, 9], np.float32), (count, 1)), np.ones(count))

    return detect


@pytest.mark.parametrize("workers", [1, 3])
def test_where_two_looks_differ_the_detector_looks_closer(workers: int) -> None:
    faces = Look(appears_in(11, 27), 8, min_stride=2, is_clear=alike)

    with Looker({"faces": faces}, workers) as looker:
        part = scan_part(frames_of([40]), new_finder("off"), looker)

    # Between 8 and 16 first 12, then 10, between 24 and 32 first 28, then 26; 11 and 27 lie in
    # stretches of two frames, which is close enough.
    assert list(part.looked["faces"].frame_idxs) == [0, 8, 10, 12, 16, 24, 26, 28, 32, 39]
    rows = part.looked["faces"].rows.table()
    assert rows["frame_idx"].to_pylist() == [12, 16, 24, 26]


def test_a_closer_look_is_told_what_was_found_before_and_after() -> None:
    told: list[tuple[int, int, int]] = []
    detect = appears_in(11, 27)

    def between(image: Image, before: Boxes, after: Boxes) -> Boxes:
        found = detect(image)
        idx = int(image[0, 0, 0]) + 256 * int(image[0, 0, 1])
        told.append((idx, len(before.confidences), len(after.confidences)))
        return found

    faces = Look(detect, 8, min_stride=2, is_clear=alike, detect_between=between)
    with Looker({"faces": faces}, 1) as looker:
        part = scan_part(frames_of([40]), new_finder("off"), looker)

    # Nobody on 8 and 10, somebody from 12 to 26.
    assert sorted(told) == [(10, 0, 1), (12, 0, 1), (26, 1, 0), (28, 1, 0)]
    assert list(part.looked["faces"].frame_idxs) == [0, 8, 10, 12, 16, 24, 26, 28, 32, 39]


def test_nothing_is_looked_at_closer_across_a_cut() -> None:
    faces = Look(appears_in(11, 99), 8, min_stride=1, is_clear=alike)

    with Looker({"faces": faces}, 2) as looker:
        part = scan_part(frames_of([11, 9]), new_finder("content"), looker)

    assert list(part.looked["faces"].frame_idxs) == [0, 8, 10, 11, 16, 19]


def test_each_detector_has_its_stride_and_all_look_at_both_ends_of_every_shot() -> None:
    result = scan([11, 9], stride=4, body_stride=6)

    assert result.sampled["faces"].tolist() == [0, 4, 8, 10, 11, 12, 16, 19]
    assert result.sampled["bodies"].tolist() == [0, 6, 10, 11, 12, 18, 19]
    assert looked_at([11, 9], 4, 6) == [
        [0, 4, 8, 10, 11, 12, 16, 19],
        [0, 6, 10, 11, 12, 18, 19],
    ]


def test_a_frame_is_converted_once_and_not_at_all_if_nobody_looks_at_it() -> None:
    FakeFrame.converted.clear()

    looked_at([11, 9], 4, 6)

    assert FakeFrame.converted == [0, 4, 6, 8, 10, 11, 12, 16, 18, 19]


def test_a_box_is_described_as_it_stands_in_the_table() -> None:
    def reach_out(image: Image) -> Boxes:
        boxes = look(image)
        return Boxes(boxes.bboxes_xyxy - np.float32(1), boxes.confidences)

    with Looker({"bodies": Look(reach_out, 1, describe)}, 2) as looker:
        part = scan_part(frames_of([40]), new_finder("off"), looker)

    table = part.looked["bodies"].rows.table()
    lefts = [box[0] for box in table["bbox_xyxy"].to_pylist()]
    assert min(lefts) == 0
    assert len(lefts) == sum(i % 3 for i in range(40))
    vectors = part.looked["bodies"].rows.appearances()
    assert vectors.dtype == np.float16
    assert vectors[:, 0].tolist() == table["frame_idx"].to_pylist()
    assert vectors[:, 1].tolist() == pytest.approx(lefts, abs=1e-3)


def test_what_nobody_described_has_no_appearance() -> None:
    with Looker({"faces": Look(look, 1)}, 1) as looker:
        part = scan_part(frames_of([9]), new_finder("off"), looker)

    assert part.looked["faces"].rows.appearances().shape == (0, 0)


def test_frame_times_have_one_more_entry_than_there_are_frames() -> None:
    times = scan([7]).frame_times_s

    assert times == pytest.approx(np.array([0.5 + 0.04 * i for i in range(8)]))


def test_rows_are_in_frame_order_whatever_the_threads_do() -> None:
    def slow_at_first(image: Image) -> Boxes:
        time.sleep(0.02 if image[0, 0, 0] % 4 == 0 else 0)
        return look(image)

    with Looker({"faces": Look(slow_at_first, 1)}, 4) as looker:
        part = scan_part(frames_of([40]), new_finder("off"), looker)

    assert (
        part.looked["faces"]
        .rows.table()
        .equals(scan([40], name="off", stride=1).rows["faces"].table())
    )


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(DETECTORS),
    lengths=st.lists(st.integers(1, 14), min_size=1, max_size=6),
    stride=st.integers(1, 7),
    body_stride=st.integers(1, 12),
    min_stride=st.integers(1, 7),
    data=st.data(),
)
def test_a_video_scanned_in_pieces_gives_the_serial_result(
    name: SceneDetectorName,
    lengths: list[int],
    stride: int,
    body_stride: int,
    min_stride: int,
    data: st.DataObject,
) -> None:
    inner = st.integers(1, max(1, sum(lengths) - 1))
    bounds = tuple(sorted(data.draw(st.sets(inner, max_size=2 if sum(lengths) > 1 else 0))))

    def scan_at(*bounds: int) -> Scan:
        return scan(
            lengths, name=name, stride=stride, body_stride=body_stride, min_stride=min_stride,
            bounds=bounds,
        )  # fmt: skip

    serial, pieces = scan_at(), scan_at(*bounds)

    assert pieces.shots == serial.shots
    assert pieces.frame_times_s.tolist() == serial.frame_times_s.tolist()
    for detector in ("faces", "bodies"):
        assert pieces.sampled[detector].tolist() == serial.sampled[detector].tolist()
        assert pieces.rows[detector].table().equals(serial.rows[detector].table())
        of_pieces, of_serial = (s.rows[detector].appearances() for s in (pieces, serial))
        assert of_pieces.tolist() == of_serial.tolist()


def test_a_place_that_turns_out_to_be_no_cut_was_looked_at_all_the_same() -> None:
    # Frame 2 begins something new, but too soon after the start to be a shot.
    result = scan([2, 20], stride=4, body_stride=5)

    assert len(result.shots) == 1
    assert result.sampled["faces"].tolist() == [0, 1, 2, 4, 8, 12, 16, 20, 21]
    assert result.sampled["bodies"].tolist() == [0, 1, 2, 5, 10, 15, 20, 21]


def test_parts_that_do_not_touch_are_refused() -> None:
    with pytest.raises(ValueError, match="a part starts at frame 5, not 0"):
        join_parts([Part(5)])


@pytest.mark.parametrize("name", DETECTORS)
def test_a_longer_video_holds_no_more_frames_at_once(name: SceneDetectorName) -> None:
    def most_alive(length: int) -> int:
        most = 0

        def counting(frames: Iterable[FakeFrame]) -> Iterator[FakeFrame]:
            nonlocal most
            for frame in frames:
                most = max(most, len(FakeFrame.alive))
                yield frame

        def slow(image: Image) -> Boxes:
            time.sleep(0.0005)
            return look(image)

        with Looker({"faces": Look(slow, 1), "bodies": Look(slow, 2)}, 2) as looker:
            scan_part(counting(frames_of([20] * (length // 20))), new_finder(name), looker)
        return most

    # In flight, waiting for the cut finder, in hand.
    bound = 2 * 2 + new_finder(name).look_ahead + 3
    assert most_alive(40) <= bound
    assert most_alive(800) <= bound


def test_an_error_in_a_worker_ends_the_scan_and_the_rest_is_not_looked_at() -> None:
    looks = 0

    def failing(image: Image) -> Boxes:
        nonlocal looks
        looks += 1
        raise RuntimeError("model broke")

    def run() -> None:
        with Looker({"faces": Look(failing, 1)}, 1) as looker:
            scan_part(frames_of([500]), new_finder("off"), looker)

    with pytest.raises(RuntimeError, match="model broke"):
        run()
    assert looks < 10
    assert not [t for t in threading.enumerate() if t.name.startswith("look")]


def test_several_detectors_share_one_picture() -> None:
    def upside_down(image: Image) -> Boxes:
        return Boxes(np.array([[0, 0, 5, 5]], np.float32), np.array([0.3], np.float32))

    looks = {"faces": Look(look, 2), "bodies": Look(upside_down, 2)}
    with Looker(looks, 2) as looker:
        part = scan_part(frames_of([9]), new_finder("off"), looker)

    with Looker({"faces": Look(look, 2)}, 2) as looker:
        alone = scan_part(frames_of([9]), new_finder("off"), looker)
    assert part.looked["faces"].rows.table().equals(alone.looked["faces"].rows.table())
    assert part.looked["bodies"].rows.table()["frame_idx"].to_pylist() == [0, 2, 4, 6, 8]


def test_boxes_are_clipped_and_useless_ones_dropped() -> None:
    nan, inf = float("nan"), float("inf")
    given_boxes = np.array(
        [
            [-5, -6, 30, 40],  # reaches out on all sides
            [3, 4, 10, 12],
            [25, 3, 30, 9],  # outside
            [5, 5, 5, 9],  # no width
            [9, 9, 3, 3],  # inside out
            [nan, 1, 2, 3],
            [-inf, -inf, inf, inf],
            [1, 1, 9, 9],  # too weak
        ],
        np.float32,
    )
    confidences = np.array([1.2, 0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.09], np.float32)
    landmarks = np.arange(80, dtype=np.float32).reshape(8, 10)

    clipped = clip_boxes(Boxes(given_boxes, confidences, landmarks), 24, 20)

    assert clipped.bboxes_xyxy.tolist() == [[0, 0, 24, 20], [3, 4, 10, 12]]
    assert clipped.confidences.tolist() == pytest.approx([1.0, 0.1])
    assert clipped.landmarks_xy is not None
    assert clipped.landmarks_xy.tolist() == landmarks[:2].tolist()


def test_rows_become_chunks_and_keep_their_order_and_missing_landmarks() -> None:
    rows = BoxRows()
    for frame in range(3000):
        marks = np.full((2, 10), frame, np.float32) if frame % 2 else None
        boxes = np.full((2, 4), frame, np.float32)
        rows.add(frame, frame * 0.04, Boxes(boxes, np.array([0.9, 0.5], np.float32), marks))

    table = rows.table()

    assert table["frame_idx"].to_pylist() == [f for f in range(3000) for _ in range(2)]
    assert table["landmarks_xy"].num_chunks > 1
    assert table["landmarks_xy"][0].as_py() is None
    assert table["landmarks_xy"][2].as_py() == [1.0] * 10
    assert BoxRows().table().num_rows == 0
