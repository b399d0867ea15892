"""Is the tracking healthy: a few figures, each with the limits outside which to look closer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.vision.boxes import Float64Array, as_boxes, iou_matrix
from screenalytics_core.vision.track_shaping import NOT_SEEN, Track
from screenalytics_core.vision.tracking import Detections

SHORT_TRACK_S: Final = 0.5
# Two tracks of one shot, one beginning where and when the other ended: at most this far apart
# in time, and overlapping by this much, they are likely one face under two ids.
_SWITCH_GAP_S: Final = 1.0
_SWITCH_IOU: Final = 0.3


@dataclass(frozen=True, slots=True)
class Limits:
    """What is usual; None = no limit on that side."""

    warn_below: float | None = None
    warn_above: float | None = None

    def exclude(self, value: float) -> bool:
        """Tell whether `value` lies outside."""
        low, high = self.warn_below, self.warn_above
        return (low is not None and value < low) or (high is not None and value > high)


# For TV: 10-30 tracks a minute, less than a fifth of them short, less than a twentieth
# broken, are what the project's predecessor set itself; the rest follows from them.
LIMITS: Final[dict[str, Limits]] = {
    "tracks_per_minute": Limits(10, 30),
    "short_track_fraction": Limits(None, 0.20),
    "median_track_s": Limits(SHORT_TRACK_S, None),
    "detections_per_track": Limits(4, None),
    "interpolated_fraction": Limits(None, 0.20),
    "broken_track_fraction": Limits(None, 0.05),
    "strong_detections_outside_tracks_fraction": Limits(None, 0.10),
}


def track_metrics(
    tracks: Sequence[Track],
    detections: Detections,
    frame_times_s: Float64Array,
    strong_confidence: float,
) -> dict[str, Any]:
    """Return the document of `artifacts.TRACK_METRICS`.

    Args:
        tracks: As `track_boxes` made them of `detections`.
        frame_times_s: (frames + 1,) presentation timestamps.
        strong_confidence: From here up a detection should be part of a track.
    """
    seen = [t.detection_ids[t.detection_ids != NOT_SEEN] for t in tracks]
    values = _values(tracks, detections, frame_times_s, strong_confidence)
    rows = []
    for name, limits in LIMITS.items():
        value = values[name]
        rows.append(
            {
                "name": name,
                "value": value,
                "warn_below": limits.warn_below,
                "warn_above": limits.warn_above,
                "is_warning": value is not None and limits.exclude(value),
            }
        )
    return {
        "track_count": len(tracks),
        "observed_detection_count": sum(len(ids) for ids in seen),
        "metrics": rows,
    }


def _values(
    tracks: Sequence[Track],
    detections: Detections,
    frame_times_s: Float64Array,
    strong_confidence: float,
) -> dict[str, float | None]:
    """Return every metric of `LIMITS`; None where there is nothing to measure it on."""
    minutes = float(frame_times_s[-1] - frame_times_s[0]) / 60
    lengths_s = np.array(
        [frame_times_s[t.last_frame_idx + 1] - frame_times_s[t.first_frame_idx] for t in tracks]
    )
    seen = np.array([(t.detection_ids != NOT_SEEN).sum() for t in tracks])
    strong_ids = detections.detection_ids[detections.confidences >= strong_confidence]
    in_tracks = np.isin(
        strong_ids, np.concatenate([[NOT_SEEN], *(t.detection_ids for t in tracks)])
    )
    return {
        "tracks_per_minute": len(tracks) / minutes if minutes > 0 else None,
        "short_track_fraction": _mean(lengths_s < SHORT_TRACK_S),
        "median_track_s": float(np.median(lengths_s)) if len(tracks) else None,
        "detections_per_track": _mean(seen),
        "interpolated_fraction": _mean(np.concatenate([[], *(_is_filled(t) for t in tracks)])),
        "broken_track_fraction": _broken(tracks, frame_times_s) / len(tracks) if tracks else None,
        "strong_detections_outside_tracks_fraction": _mean(~in_tracks),
    }


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean()) if len(values) else None


def _is_filled(track: Track) -> NDArray[np.bool_]:
    """Return, from the first to the last detection, whether a box is not one."""
    unseen: NDArray[np.bool_] = track.detection_ids == NOT_SEEN
    seen = np.flatnonzero(~unseen)
    return unseen[seen[0] : seen[-1] + 1]


def _broken(tracks: Sequence[Track], frame_times_s: Float64Array) -> int:
    """Count the tracks that begin where another one of their shot has just ended."""
    count = 0
    by_shot = sorted(tracks, key=lambda t: t.shot_id)
    for _, group in groupby(by_shot, key=lambda t: t.shot_id):
        shot = list(group)
        ends_s = frame_times_s[[t.last_frame_idx + 1 for t in shot]]
        starts_s = frame_times_s[[t.first_frame_idx for t in shot]]
        gaps_s = starts_s[None, :] - ends_s[:, None]
        near = (gaps_s >= 0) & (gaps_s <= _SWITCH_GAP_S)
        overlaps = iou_matrix(
            as_boxes([t.bboxes_xyxy[-1] for t in shot]), as_boxes([t.bboxes_xyxy[0] for t in shot])
        )
        count += int((near & (overlaps >= _SWITCH_IOU)).any(axis=0).sum())
    return count
