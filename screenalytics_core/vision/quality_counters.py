"""How far a run can be trusted: a few figures, each with its limits and what to do about it.

The tracker's own figures and their limits come from `track_metrics`; those about faces and
people are added here. Report, checks and the Dagster UI show the same counters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from screenalytics_core.vision.face_quality import RejectReason
from screenalytics_core.vision.track_metrics import Limits


@dataclass(frozen=True, slots=True)
class QualityCounter:
    """One figure.

    Attributes:
        name: In code, with its unit.
        title: For people.
        value: None where there is nothing to measure it on; then it is no warning.
        warn_below: The least usual value; None = any.
        warn_above: The greatest usual value; None = any.
        is_warning: The value lies outside its limits.
        advice: What to do about a warning, in one line; None without one.
    """

    name: str
    title: str
    value: float | None
    warn_below: float | None
    warn_above: float | None
    is_warning: bool
    advice: str | None


# Three faces are the fewest of which pooling can tell an odd one from the others. The other
# limits are what the project's predecessor set itself, for shows with an ensemble of people.
LIMITS: Final[dict[str, Limits]] = {
    "faces_per_track": Limits(3, None),
    "rejection_rate": Limits(None, 0.30),
    "singleton_fraction": Limits(None, 0.30),
    "largest_cluster_share": Limits(None, 0.40),
}


@dataclass(frozen=True, slots=True)
class _Words:
    """What people are told of a figure; `low` and `high` say what to do then."""

    title: str
    low: str = "Look at the tracks and faces of this run before trusting its seconds."
    high: str = "Look at the tracks and faces of this run before trusting its seconds."


_WORDS: Final[dict[str, _Words]] = {
    "tracks_per_minute": _Words(
        "Tracks per minute",
        "Few faces were followed: if people are on screen, lower det_thresh or raise "
        "det_max_side_px; a montage of landscapes may be so.",
        "Many faces, or tracks that break: lower stride or raise track_buffer; if they are "
        "strangers in the background, raise det_thresh.",
    ),
    "short_track_fraction": _Words(
        "Share of tracks shorter than 0.5 s",
        high="Faces are lost soon: lower stride, raise track_buffer, or raise "
        "min_track_samples to drop flickering detections.",
    ),
    "median_track_s": _Words(
        "Median length of a track, s",
        "Half of the tracks are very short: lower stride, or raise adaptive_threshold if cuts "
        "were found where none are.",
    ),
    "detections_per_track": _Words(
        "Detections per track",
        "A track is seen too seldom to be followed well: lower stride, or lower det_thresh.",
    ),
    "interpolated_fraction": _Words(
        "Share of interpolated boxes",
        high="Boxes are guessed between far detections: lower track_buffer, or lower "
        "det_thresh so that faces are found more often.",
    ),
    "broken_track_fraction": _Words(
        "Share of tracks that begin where one just ended",
        high="One face gets several tracks: lower stride or raise track_buffer.",
    ),
    "strong_detections_outside_tracks_fraction": _Words(
        "Share of strong detections outside tracks",
        high="Faces that are seen are not followed: lower stride or min_track_samples.",
    ),
    "faces_per_track": _Words(
        "Accepted faces per track",
        "Too few faces to tell an odd one from the others: lower stride, or raise "
        "max_samples_per_track.",
    ),
    "rejection_rate": _Words(
        "Share of candidate faces that fail a gate",
        high="Many faces are small, blurred, in profile or unsure: see reject_reason in faces, "
        "and lower min_face_px, min_sharpness or min_frontality if they look usable.",
    ),
    "singleton_fraction": _Words(
        "Share of people with a single track",
        high="One person may stand as several: lower cluster_thresh; extras, and people of a "
        "short episode, are seen once.",
    ),
    "largest_cluster_share": _Words(
        "Share of assigned tracks in the largest identity",
        high="Several people may be joined in one: look at its contact sheet, then raise "
        "cluster_thresh or min_identity_sim; a cast of one or two may be so.",
    ),
}


def quality_counters(
    track_metrics: Mapping[str, Any], faces: pa.Table, identities: Mapping[str, Any]
) -> tuple[QualityCounter, ...]:
    """Return every figure: the tracker's in the order they stand, then faces, then people.

    Args:
        track_metrics: The document of `artifacts.TRACK_METRICS`.
        faces: The table of `artifacts.FACES`.
        identities: The document of `artifacts.IDENTITIES`.
    """
    return (
        *tracking_counters(track_metrics),
        *face_counters(track_metrics["track_count"], faces),
        *people_counters(identities),
    )


def tracking_counters(track_metrics: Mapping[str, Any]) -> tuple[QualityCounter, ...]:
    """Return the figures of `artifacts.TRACK_METRICS`, judged as they were when measured."""
    return tuple(
        _counter(m["name"], m["value"], Limits(m["warn_below"], m["warn_above"]), m["is_warning"])
        for m in track_metrics["metrics"]
    )


def face_counters(track_count: int, faces: pa.Table) -> tuple[QualityCounter, ...]:
    """Return how many faces a track got, and how many of those looked at were doubtful.

    A face that only had better ones beside it (`not_among_best`) is not counted as rejected:
    twice as many are looked at as are kept. One that was accepted for want of better ones is.

    Args:
        track_count: Tracks of the episode, with or without a face.
        faces: The table of `artifacts.FACES`.
    """
    accepted = pc.sum(faces.column("accepted")).as_py() or 0
    failed = pc.sum(
        pc.not_equal(faces.column("reject_reason"), RejectReason.NOT_AMONG_BEST.value)
    ).as_py()
    return (
        _judged("faces_per_track", _ratio(accepted, track_count)),
        _judged("rejection_rate", _ratio(failed or 0, faces.num_rows)),
    )


def people_counters(identities: Mapping[str, Any]) -> tuple[QualityCounter, ...]:
    """Return whether clustering looks too timid (singletons) or too bold (one large identity).

    Args:
        identities: The document of `artifacts.IDENTITIES`.
    """
    sizes: Sequence[int] = [len(i["track_ids"]) for i in identities["identities"]]
    return (
        _judged("singleton_fraction", _ratio(sum(n == 1 for n in sizes), len(sizes))),
        _judged("largest_cluster_share", _ratio(max(sizes, default=0), sum(sizes))),
    )


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _judged(name: str, value: float | None) -> QualityCounter:
    limits = LIMITS[name]
    return _counter(name, value, limits, value is not None and limits.exclude(value))


def _counter(name: str, value: float | None, limits: Limits, is_warning: bool) -> QualityCounter:
    words = _WORDS.get(name) or _Words(name.replace("_", " ").capitalize())
    is_low = value is not None and limits.warn_below is not None and value < limits.warn_below
    advice = words.low if is_low else words.high
    return QualityCounter(
        name=name,
        title=words.title,
        value=value,
        warn_below=limits.warn_below,
        warn_above=limits.warn_above,
        is_warning=is_warning,
        advice=advice if is_warning else None,
    )
