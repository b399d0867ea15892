"""From what was seen to tracks: duplicates merged, too short ones dropped, gaps filled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.boxes import (
    Float64Array,
    IntArray,
    interpolate_boxes,
    iou_pairs,
)
from screenalytics_core.vision.tracking import (
    Detections,
    ShotFrames,
    Sighting,
    TrackerSettings,
    follow,
)

NOT_SEEN = -1
# Two things seen in one frame with less overlap are two things, whatever other frames say
# (the cannot-link of identities says the same).
_APART_IOU = 0.3


@dataclass(frozen=True, slots=True)
class Track:
    """One thing in one shot, from its first to its last frame without a hole.

    Attributes:
        frame_idxs: (N,) ascending: the frames that were looked at, from the first to the last
            on which it was seen, and where an end was extended also the frame it now ends on.
        bboxes_xyxy: (N, 4) px; between two of them the box moves in a straight line.
        detection_ids: (N,) the detection behind each box, `NOT_SEEN` if there is none.
        mean_confidence: Of the detections, 0 to 1.
    """

    shot_id: int
    frame_idxs: IntArray
    bboxes_xyxy: NDArray[np.float32]
    detection_ids: IntArray
    mean_confidence: float

    @property
    def first_frame_idx(self) -> int:
        """First frame, included."""
        return int(self.frame_idxs[0])

    @property
    def last_frame_idx(self) -> int:
        """Last frame, included."""
        return int(self.frame_idxs[-1])


def track_boxes(
    detections: Detections,
    shots: Sequence[ShotFrames],
    frame_times_s: Float64Array,
    settings: TrackerSettings,
) -> list[Track]:
    """Make the tracks of an episode, ordered by first frame, box and last frame.

    - Sightings that lie on each other are one (`merge_duplicates`).
    - One with fewer than `min_samples` detections is dropped; in a shot with fewer looks than
      that, being seen in every look is enough.
    - Where it was not seen between two detections, its box is put on the straight line.
    - An end goes half-way to the neighbouring look, at which it was not seen; not where the
      shot ends there.

    Args:
        detections: Ascending by frame; their order within a frame does not matter.
        shots: In order.
        frame_times_s: (frames + 1,) presentation timestamps.
    """
    tracks: list[Track] = []
    sightings = follow(detections, shots, frame_times_s, settings)
    for _, of_shot in groupby(sightings, key=lambda s: s.shot.shot_id):
        merged = merge_duplicates(list(of_shot), detections, frame_times_s, settings)
        tracks += [_shape(s, detections, frame_times_s) for s in _confirmed(merged, settings)]
    return sorted(tracks, key=_place)


def _place(track: Track) -> tuple[float, ...]:
    first, last = track.bboxes_xyxy[0].tolist(), track.bboxes_xyxy[-1].tolist()
    return (track.first_frame_idx, *first, track.last_frame_idx, *last)


def _confirmed(sightings: Iterable[Sighting], settings: TrackerSettings) -> Iterator[Sighting]:
    for sighting in sightings:
        if len(sighting.rows) >= min(settings.min_samples, len(sighting.shot.sampled)):
            yield sighting


def merge_duplicates(
    sightings: Sequence[Sighting],
    detections: Detections,
    frame_times_s: Float64Array,
    settings: TrackerSettings,
) -> list[Sighting]:
    """Join sightings of one shot that follow the same thing at the same time.

    It happens when a detector gives one face two boxes that differ by too much to be told in
    a single frame, or when a second track follows a face that the first has lost for a
    moment. Two are the same if their boxes, where need be interpolated, overlap by
    `merge_iou` on average over the looks of both, and never by less than 0.3 where both were
    seen. The one with more detections keeps them all; the other adds those of other frames.
    """
    merged: list[Sighting] = []

    def rank(sighting: Sighting) -> tuple[float, ...]:
        """Put the longest first; among equals frame and box decide, not the rows' order."""
        first = sighting.rows[0]
        box = detections.bboxes_xyxy[first].tolist()
        return (-len(sighting.rows), int(detections.frame_idxs[first]), *box)

    for sighting in sorted(sightings, key=rank):
        for at, other in enumerate(merged):
            if _same(other, sighting, detections, frame_times_s, settings.merge_iou):
                merged[at] = _union(other, sighting, detections.frame_idxs)
                break
        else:
            merged.append(sighting)
    return merged


def _same(
    first: Sighting,
    second: Sighting,
    detections: Detections,
    frame_times_s: Float64Array,
    merge_iou: float,
) -> bool:
    frames = detections.frame_idxs
    start = max(frames[first.rows[0]], frames[second.rows[0]])
    end = min(frames[first.rows[-1]], frames[second.rows[-1]])
    if start > end:
        return False
    sampled = first.shot.sampled
    shared = sampled[(sampled >= start) & (sampled <= end)]
    overlaps = iou_pairs(
        _boxes_at(first, shared, detections, frame_times_s),
        _boxes_at(second, shared, detections, frame_times_s),
    )
    both = np.isin(shared, frames[first.rows]) & np.isin(shared, frames[second.rows])
    return bool(overlaps.mean() >= merge_iou and (overlaps[both] >= _APART_IOU).all())


def _union(first: Sighting, second: Sighting, frame_idxs: IntArray) -> Sighting:
    more = second.rows[~np.isin(frame_idxs[second.rows], frame_idxs[first.rows])]
    return Sighting(first.shot, np.sort(np.concatenate([first.rows, more])))


def _boxes_at(
    sighting: Sighting,
    frames: IntArray,
    detections: Detections,
    frame_times_s: Float64Array,
) -> Float64Array:
    return interpolate_boxes(
        frame_times_s[frames],
        frame_times_s[detections.frame_idxs[sighting.rows]],
        detections.bboxes_xyxy[sighting.rows].astype(np.float64),
    )


def _shape(sighting: Sighting, detections: Detections, frame_times_s: Float64Array) -> Track:
    rows, sampled = sighting.rows, sighting.shot.sampled
    seen = detections.frame_idxs[rows]
    first, last = np.searchsorted(sampled, seen[[0, -1]]).tolist()
    frames = sampled[first : last + 1]
    # Seen here and not at the neighbouring look d frames away, it appeared or went at any of
    # the d frames in between: (d - 1) / 2 frames on average. Rounding up at the start and down
    # at the end leaves no bias in the seconds.
    if first > 0:
        early = int(frames[0] - (frames[0] - sampled[first - 1]) // 2)
        frames = np.concatenate([[early], frames]) if early < frames[0] else frames
    if last + 1 < len(sampled):
        late = int(frames[-1] + (sampled[last + 1] - frames[-1] - 1) // 2)
        frames = np.concatenate([frames, [late]]) if late > frames[-1] else frames
    detection_ids = np.full(len(frames), NOT_SEEN, np.int64)
    at = np.searchsorted(frames, seen)
    detection_ids[at] = detections.detection_ids[rows]
    boxes = _boxes_at(sighting, frames, detections, frame_times_s).astype(np.float32)
    confidence = detections.confidences[rows].astype(np.float64).mean()
    return Track(sighting.shot.shot_id, frames, boxes, detection_ids, float(confidence))
