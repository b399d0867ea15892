"""What holds for any detections, however odd."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from screenalytics_core.vision.track_shaping import NOT_SEEN, Track, track_boxes
from screenalytics_core.vision.tracking import Detections, TrackerSettings
from tests.tracking_scenes import seen_ids, shots_of

WIDTH_PX, HEIGHT_PX = 320, 180


class Case(NamedTuple):
    lengths: list[int]
    stride: int
    frame_times_s: NDArray[np.float64]
    detections: Detections
    settings: TrackerSettings

    def tracks(self, detections: Detections | None = None) -> list[Track]:
        return track_boxes(
            self.detections if detections is None else detections,
            shots_of(self.lengths, self.stride),
            self.frame_times_s,
            self.settings,
        )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Wandering faces, some seen twice, with strong and weak confidences and random times."""
    lengths = draw(st.lists(st.integers(1, 25), min_size=1, max_size=4))
    stride = draw(st.integers(1, 8))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sampled = np.concatenate([s.sampled for s in shots_of(lengths, stride)])
    people = draw(st.integers(0, 4))
    centres = random.uniform([40, 40], [WIDTH_PX - 40, HEIGHT_PX - 40], (people, 2))
    rows: list[tuple[int, list[float], float]] = []
    for frame in sampled.tolist():
        centres += random.normal(0, 6, centres.shape)
        for centre in centres[random.random(people) < 0.8]:
            for _ in range(1 + (random.random() < 0.2)):
                jitter, half = random.normal(0, 2, 2), random.uniform(15, 25)
                low = np.clip(centre + jitter - half, 0, [WIDTH_PX - 1, HEIGHT_PX - 1])
                high = np.clip(centre + jitter + half, low + 1, [WIDTH_PX, HEIGHT_PX])
                rows.append((frame, [*low, *high], float(random.uniform(0.1, 1.0))))
    detections = Detections(
        np.arange(len(rows)),
        np.array([r[0] for r in rows], np.int64),
        np.array([r[1] for r in rows], np.float32).reshape(-1, 4),
        np.array([r[2] for r in rows], np.float32),
    )
    steps = random.choice([1 / 60, 1 / 25, 0.5], sum(lengths))
    times = np.concatenate([[0.85], 0.85 + np.cumsum(steps)])
    chosen = TrackerSettings(
        strong_confidence=draw(st.sampled_from([0.3, 0.5, 0.7])),
        buffer_s=draw(st.sampled_from([0.0, 0.2, 0.6])),
        min_samples=draw(st.integers(1, 4)),
    )
    return Case(lengths, stride, times, detections, chosen)


@given(cases())
@settings(deadline=None, max_examples=60)
def test_a_detection_stands_in_at_most_one_track(case: Case) -> None:
    ids = [i for track in case.tracks() for i in seen_ids(track)]

    assert len(ids) == len(set(ids))
    assert set(ids) <= set(case.detections.detection_ids.tolist())


@given(cases())
@settings(deadline=None, max_examples=60)
def test_a_track_lies_in_its_shot_and_each_detection_on_its_own_frame(case: Case) -> None:
    ends = np.cumsum(case.lengths).tolist()
    for track in case.tracks():
        assert track.last_frame_idx < ends[track.shot_id]
        assert track.first_frame_idx >= ends[track.shot_id] - case.lengths[track.shot_id]
        assert (np.diff(track.frame_idxs) > 0).all()
        seen = track.detection_ids != NOT_SEEN
        frames = case.detections.frame_idxs[track.detection_ids[seen]]
        assert frames.tolist() == track.frame_idxs[seen].tolist()


@given(cases())
@settings(deadline=None, max_examples=60)
def test_boxes_lie_in_the_picture_and_every_look_in_between_has_one(case: Case) -> None:
    sampled = np.concatenate([s.sampled for s in shots_of(case.lengths, case.stride)])
    for track in case.tracks():
        boxes = track.bboxes_xyxy
        assert np.isfinite(boxes).all()
        assert (boxes >= 0).all()
        assert (boxes <= [WIDTH_PX, HEIGHT_PX] * 2).all()
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        inside = (sampled >= track.first_frame_idx) & (sampled <= track.last_frame_idx)
        assert set(sampled[inside].tolist()) <= set(track.frame_idxs.tolist())


@given(cases())
@settings(deadline=None, max_examples=60)
def test_every_track_was_strong_once_and_seen_often_enough(case: Case) -> None:
    looks = {s.shot_id: len(s.sampled) for s in shots_of(case.lengths, case.stride)}
    for track in case.tracks():
        confidences = case.detections.confidences[seen_ids(track)]
        assert confidences.max() >= np.float32(case.settings.strong_confidence)
        assert confidences.min() >= case.settings.strong_confidence / 2 - 1e-6
        assert len(confidences) >= min(case.settings.min_samples, looks[track.shot_id])


@given(cases(), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_the_order_of_detections_within_a_frame_does_not_matter(case: Case, seed: int) -> None:
    d = case.detections
    order = np.lexsort((np.random.default_rng(seed).random(len(d.frame_idxs)), d.frame_idxs))
    mixed = Detections(
        d.detection_ids[order], d.frame_idxs[order], d.bboxes_xyxy[order], d.confidences[order]
    )

    plain, other = case.tracks(), case.tracks(mixed)

    assert len(plain) == len(other)
    for a, b in zip(plain, other, strict=True):
        assert a.detection_ids.tolist() == b.detection_ids.tolist()
        assert a.bboxes_xyxy.tobytes() == b.bboxes_xyxy.tobytes()
        assert a.frame_idxs.tolist() == b.frame_idxs.tolist()


@given(cases())
@settings(deadline=None, max_examples=30)
def test_shots_tracked_one_by_one_give_the_same_tracks_in_the_same_order(case: Case) -> None:
    """So an episode can be tracked in pieces and numbered after a sorted merge."""
    apart = [
        track
        for shot in shots_of(case.lengths, case.stride)
        for track in track_boxes(case.detections, [shot], case.frame_times_s, case.settings)
    ]

    together = case.tracks()

    assert [t.detection_ids.tolist() for t in together] == [t.detection_ids.tolist() for t in apart]
    assert [t.bboxes_xyxy.tobytes() for t in together] == [t.bboxes_xyxy.tobytes() for t in apart]
    starts = [t.first_frame_idx for t in together]
    assert starts == sorted(starts)
