"""Following boxes through a shot: ByteTrack, in seconds, never over a cut.

After Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box"
(2022): strong detections are matched to tracks first, weak ones then keep alive the tracks
that are left, and only strong ones begin a track. Different here, because an episode is a
file and not a stream: time is PTS, every shot begins anew, and a track counts from its
first detection once it has enough of them. Knows nothing of faces; bodies use it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.association import Matches, best_matches, without_duplicates
from screenalytics_core.vision.boxes import Float64Array, IntArray, grow_boxes, iou_matrix
from screenalytics_core.vision.motion import Motion

# A buffer of 15 frames must wait for 15 frames, however their timestamps were rounded.
_ROUNDING_S: Final = 1e-6


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """What the tracker takes for one thing; the defaults suit faces.

    Attributes:
        strong_confidence: Detections from here up begin tracks.
        weak_confidence: Detections from here up continue tracks; None = half of the strong
            ones' confidence. ByteTrack goes down to 0.1, but what face detectors report there
            is mostly something else near the face: ends of tracks grew by it.
        buffer_s: How long a track that is not seen is waited for.
        min_samples: Detections that make a track; fewer where a shot has fewer looks.
        match_iou: Least overlap of a strong detection with the predicted box.
        weak_match_iou: The same for a weak detection.
        reach: For things that moved too fast for an overlap: boxes of strong detections and
            tracks that are left are grown by this part of their size on each side and
            compared again (buffered IoU, Yang et al. 2023); 0 leaves that out.
        duplicate_iou: Two boxes of one frame that overlap by this are one thing.
        merge_iou: Two tracks that overlap by this as long as both last are one thing. Above
            the 0.4 down to which detectors suppress duplicates, and above what two faces keep
            up for long.
        lone_returns: What was lost for a look or more goes on only where nobody else can be
            meant: no other free track and no other free detection is near. Otherwise a new track
            begins, and who it is, appearance tells (`continuity`). For things that an
            embedder tells apart; where motion knows more than appearance, as with bodies, False.
    """

    strong_confidence: float
    buffer_s: float
    min_samples: int = 2
    weak_confidence: float | None = None
    match_iou: float = 0.2
    weak_match_iou: float = 0.5
    reach: float = 0.5
    duplicate_iou: float = 0.6
    merge_iou: float = 0.45
    lone_returns: bool = False

    @property
    def least_confidence(self) -> float:
        """Confidence below which a detection is not looked at."""
        return self.strong_confidence / 2 if self.weak_confidence is None else self.weak_confidence


@dataclass(frozen=True, slots=True)
class Detections:
    """Detections of an episode, column by column, ascending by frame.

    Attributes:
        detection_ids: (N,).
        frame_idxs: (N,).
        bboxes_xyxy: (N, 4) px, inside the picture.
        confidences: (N,) 0 to 1.
    """

    detection_ids: IntArray
    frame_idxs: IntArray
    bboxes_xyxy: NDArray[np.float32]
    confidences: NDArray[np.float32]


class ShotFrames(NamedTuple):
    """A shot and the frames of it that were looked at, ascending, its first and last among them.

    Without them a frame where nothing was seen could not be told from one that nobody
    looked at.
    """

    shot_id: int
    sampled: IntArray


class Sighting(NamedTuple):
    """Rows of `Detections` that are one thing in one shot, ascending by frame."""

    shot: ShotFrames
    rows: IntArray


def follow(
    detections: Detections,
    shots: Sequence[ShotFrames],
    frame_times_s: Float64Array,
    settings: TrackerSettings,
) -> Iterator[Sighting]:
    """Yield what is seen, shot by shot; a detection stands in at most one sighting.

    Args:
        shots: In order; detections on frames that no shot lists are not looked at.
        frame_times_s: (frames + 1,) presentation timestamps, as `artifacts.FRAME_TIMES`.
    """
    for shot in shots:
        tracker = _ShotTracker(detections, settings)
        begins = np.searchsorted(detections.frame_idxs, shot.sampled, side="left")
        ends = np.searchsorted(detections.frame_idxs, shot.sampled, side="right")
        times_s = frame_times_s[shot.sampled]
        for now_s, begin, end in zip(times_s.tolist(), begins.tolist(), ends.tolist(), strict=True):
            tracker.look(now_s, np.arange(begin, end))
        for rows in tracker.sightings:
            yield Sighting(shot, np.array(rows, np.int64))


class _ShotTracker:
    """The tracks of one shot; `look` takes its frames in order."""

    def __init__(self, detections: Detections, settings: TrackerSettings) -> None:
        self.sightings: list[list[int]] = []
        self._detections = detections
        self._settings = settings
        self._motion = Motion()
        self._alive = np.empty(0, np.int64)  # index into `sightings` per row of `_motion`
        self._seen_s = np.empty(0)  # when each was last seen
        self._now_s = 0.0

    def look(self, now_s: float, rows: IntArray) -> None:
        """Take the detections of the next frame that was looked at."""
        before_s, self._now_s = self._now_s, now_s
        if len(self._alive):
            # Time can only tell who is gone after at least one look: however long the gap
            # between two looks is, what was seen in the last one may be here.
            away_s = now_s - self._seen_s
            waiting = (away_s <= self._settings.buffer_s + _ROUNDING_S) | (self._seen_s == before_s)
            self._keep(np.flatnonzero(waiting))
        expected = self._motion.advance(now_s - before_s)
        if len(rows) == 0:
            return
        boxes = self._detections.bboxes_xyxy[rows].astype(np.float64)
        confidences = self._detections.confidences[rows].astype(np.float64)
        single = without_duplicates(boxes, confidences, self._settings.duplicate_iou)
        rows, boxes, confidences = rows[single], boxes[single], confidences[single]
        is_strong = confidences >= self._settings.strong_confidence
        strong = np.flatnonzero(is_strong)
        weak = np.flatnonzero(~is_strong & (confidences >= self._settings.least_confidence))
        tracks, found, new = self._associate(expected, boxes, strong, weak, before_s)
        self._continue(tracks, rows[found], boxes[found])
        self._begin(rows[new], boxes[new])

    def _associate(
        self,
        expected: Float64Array,
        boxes: Float64Array,
        strong: IntArray,
        weak: IntArray,
        before_s: float,
    ) -> tuple[IntArray, IntArray, IntArray]:
        """Return rows of tracks, the boxes that continue them, and the boxes that are new."""
        s = self._settings
        overlaps = iou_matrix(expected, boxes)
        is_recent = self._seen_s == before_s
        tracks = np.flatnonzero(is_recent) if s.lone_returns else np.arange(len(expected))
        sure = best_matches(overlaps[np.ix_(tracks, strong)], s.match_iou)
        pairs = [(tracks[sure.rows], strong[sure.columns])]
        free_tracks, free_strong = tracks[sure.free_rows], strong[sure.free_columns]
        if s.reach > 0:
            wide = _reaching(expected[free_tracks], boxes[free_strong], s.reach)
            far = best_matches(wide, s.match_iou)
            pairs.append((free_tracks[far.rows], free_strong[far.columns]))
            free_tracks, free_strong = free_tracks[far.free_rows], free_strong[far.free_columns]
        # A weak box is only believed where the track was a look ago: later, it is as likely
        # what hides the face.
        recent = free_tracks[is_recent[free_tracks]]
        if s.lone_returns:
            lost = np.flatnonzero(~is_recent)
            back = self._lone_returns(expected, boxes, overlaps, recent, lost, free_strong)
            pairs.append((lost[back.rows], free_strong[back.columns]))
            free_strong = free_strong[back.free_columns]
        faint = best_matches(overlaps[np.ix_(recent, weak)], s.weak_match_iou)
        pairs.append((recent[faint.rows], weak[faint.columns]))
        continued, found = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
        return continued, found, free_strong

    def _lone_returns(
        self,
        expected: Float64Array,
        boxes: Float64Array,
        overlaps: Float64Array,
        recent: IntArray,
        lost: IntArray,
        strong: IntArray,
    ) -> Matches:
        """Match lost tracks with free boxes where each is the only one near the other.

        Args:
            recent: Tracks that were seen a look ago and not now: they may be meant too.
        """
        s = self._settings
        others = np.concatenate([lost, recent])
        is_near = _reaching(expected[others], boxes[strong], s.reach) > 0
        alone = (is_near.sum(axis=1, keepdims=True) == 1) & (is_near.sum(axis=0) == 1)
        lone = is_near & alone
        gains = np.where(lone[: len(lost)], overlaps[np.ix_(lost, strong)], 0.0)
        return best_matches(gains, s.match_iou)

    def _continue(self, tracks: IntArray, rows: IntArray, boxes: Float64Array) -> None:
        self._motion.correct(tracks, boxes)
        self._seen_s[tracks] = self._now_s
        for track, row in zip(self._alive[tracks].tolist(), rows.tolist(), strict=True):
            self.sightings[track].append(row)

    def _begin(self, rows: IntArray, boxes: Float64Array) -> None:
        first = len(self.sightings)
        self.sightings.extend([row] for row in rows.tolist())
        self._motion.add(boxes)
        self._alive = np.concatenate([self._alive, np.arange(first, len(self.sightings))])
        self._seen_s = np.concatenate([self._seen_s, np.full(len(rows), self._now_s)])

    def _keep(self, rows: IntArray) -> None:
        if len(rows) == len(self._alive):
            return
        self._motion.keep(rows)
        self._alive, self._seen_s = self._alive[rows], self._seen_s[rows]


def _reaching(first: Float64Array, second: Float64Array, reach: float) -> Float64Array:
    """Return the overlaps of boxes that are grown by `reach` of their size on each side."""
    return iou_matrix(grow_boxes(first, reach), grow_boxes(second, reach))
