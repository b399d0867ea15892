"""Composed detections for the tracker's tests: people as functions of the frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.track_shaping import NOT_SEEN, Track, track_boxes
from screenalytics_core.vision.tracking import Detections, ShotFrames, TrackerSettings

FPS = 25.0
SIDE_PX = 60.0
SETTINGS = TrackerSettings(strong_confidence=0.5, buffer_s=0.6)

Seen = tuple[float, float, float]
"""Centre x and y in px, and confidence."""
Person = Callable[[int], Seen | None]


class Scene(NamedTuple):
    """What the tracker is given, and who stands behind each detection_id."""

    detections: Detections
    shots: list[ShotFrames]
    frame_times_s: NDArray[np.float64]
    person_of: dict[int, int]

    def tracks(self, settings: TrackerSettings = SETTINGS) -> list[Track]:
        return track_boxes(self.detections, self.shots, self.frame_times_s, settings)


def standing(x: float = 300.0, y: float = 200.0, confidence: float = 0.8) -> Person:
    return lambda frame: (x, y, confidence)


def walking(x: float, px_per_frame: float, y: float = 200.0) -> Person:
    return lambda frame: (x + px_per_frame * frame, y, 0.8)


def during(person: Person, *frames: range) -> Person:
    """The person, seen in these frames alone."""
    return lambda frame: person(frame) if any(frame in r for r in frames) else None


def weak_in(person: Person, frames: range, confidence: float = 0.3) -> Person:
    def seen(frame: int) -> Seen | None:
        at = person(frame)
        return at if at is None or frame not in frames else (at[0], at[1], confidence)

    return seen


def shots_of(lengths: Sequence[int], stride: int) -> list[ShotFrames]:
    ends = np.cumsum(lengths).tolist()
    bounds = [(end - length, end) for length, end in zip(lengths, ends, strict=True)]
    return [
        ShotFrames(i, np.unique([a, *range(a + -a % stride, b, stride), b - 1]))
        for i, (a, b) in enumerate(bounds)
    ]


def scene(
    *people: Person,
    shots: Sequence[int] = (100,),
    stride: int = 1,
    frame_times_s: NDArray[np.float64] | None = None,
) -> Scene:
    """Look at every sampled frame of shots of these lengths."""
    of_shots = shots_of(shots, stride)
    rows: list[tuple[int, int, Seen]] = []
    for frame in [int(f) for shot in of_shots for f in shot.sampled]:
        for who, person in enumerate(people):
            at = person(frame)
            if at is not None:
                rows.append((frame, who, at))
    half = SIDE_PX / 2
    detections = Detections(
        np.arange(len(rows)),
        np.array([frame for frame, _, _ in rows], np.int64),
        np.array(
            [(x - half, y - half, x + half, y + half) for _, _, (x, y, _) in rows], np.float32
        ).reshape(-1, 4),
        np.array([confidence for _, _, (_, _, confidence) in rows], np.float32),
    )
    times = np.arange(sum(shots) + 1) / FPS if frame_times_s is None else frame_times_s
    return Scene(detections, of_shots, times, {i: who for i, (_, who, _) in enumerate(rows)})


def seen_ids(track: Track) -> list[int]:
    return [int(i) for i in track.detection_ids if i != NOT_SEEN]


def people_in(made: Scene, track: Track) -> set[int]:
    return {made.person_of[i] for i in seen_ids(track)}


def span(track: Track) -> tuple[int, int]:
    return track.first_frame_idx, track.last_frame_idx


def spans(tracks: Sequence[Track]) -> list[tuple[int, int]]:
    return [span(t) for t in tracks]


def seconds(made: Scene, tracks: Sequence[Track]) -> float:
    times = made.frame_times_s
    return float(sum(times[t.last_frame_idx + 1] - times[t.first_frame_idx] for t in tracks))
