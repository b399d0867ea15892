"""Seconds per person against the truth, on the video's own clock.

The truth speaks in frames and a run in seconds, so the truth's frames are given the run's
frame times: a frame that stays longer counts longer. Stretches that the run was told to trim
count on neither side. A person's predicted seconds are the union of their tracks, each from
the start of its first frame to the end of its last; of faces only, as are the labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from screenalytics_core.evaluation.bounds import BoundsSample
from screenalytics_core.evaluation.frame_intervals import half_open
from screenalytics_core.evaluation.identities import SeenFaces
from screenalytics_core.evaluation.prediction import PersonSeconds, Prediction
from screenalytics_core.evaluation.ratios import percent, ratio
from screenalytics_core.evaluation.truth import (
    FrameInterval,
    FrameIntervals,
    Truth,
    TruthPerson,
)
from screenalytics_core.vision.boxes import Float64Array
from screenalytics_core.vision.intervals import (
    Intervals,
    intersection,
    subtraction,
    total_s,
    union,
)

# As screen time itself: sums of timestamps end in noise.
_DECIMALS: Final = 6
# Frames in common only settle which of two equally seen identities a person is.
_TIE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person of the truth, and the identity that is this person.

    Attributes:
        identity: None = none is.
        identity_count: Identities on this person's clear faces; 1 is right.
        true_s: Face visible. true_clear_s: Without hard and small faces.
        pred_s: Union of the identity's face tracks.
        error_s: |pred_s - true_s|.
        tolerant_error_s: How far `pred_s` lies outside of `true_clear_s` to `true_s` and what
            may be besides.
        time_iou: Time in common over time of either; None where neither has any.
        true_total_s: In the picture, face or not; None = not labelled, or not looked for.
        total_s: What the run states for it; None = it states nothing.
        low_s: Its stated bounds, and so `high_s`; None for a person not found.
    """

    person: str
    main: bool
    identity: str | None
    label: str | None
    clear_faces: int
    faces_found: int
    recall: float | None
    faces_in_identity: int
    identity_count: int
    true_s: float
    true_clear_s: float
    pred_s: float
    error_s: float
    tolerant_error_s: float
    time_iou: float | None
    true_total_s: float | None = None
    total_s: float | None = None
    total_error_s: float | None = None
    low_s: float | None = None
    high_s: float | None = None


@dataclass(frozen=True, slots=True)
class SpareIdentity:
    """An identity that is nobody of the truth, or a second one of somebody."""

    identity: str
    label: str | None
    pred_s: float


@dataclass(frozen=True, slots=True)
class TimeScores:
    """Means over the main persons; a person not found has all their seconds as error.

    Attributes:
        mean_time_iou: Of those who have time on either side.
        clip_s: Length that counts.
        total_mae_s: Of face or body; None where the truth has no `present`, or the run states
            no such seconds.
    """

    main_persons: int
    mae_s: float | None
    mae_percent_of_clip: float | None
    tolerant_mae_s: float | None
    tolerant_mae_percent_of_clip: float | None
    mean_time_iou: float | None
    clip_s: float
    total_mae_s: float | None
    total_mae_percent_of_clip: float | None


def person_rows(
    truth: Truth, prediction: Prediction, seen: SeenFaces
) -> tuple[tuple[PersonRow, ...], tuple[SpareIdentity, ...]]:
    """Return a row per person of the truth, and the identities that are left over."""
    clock = _Clock(prediction.frame_times_s, prediction.trims)
    frames = _frames_by_identity(prediction)
    identity_of = _assigned(truth, prediction, seen, frames)
    stated = {person.identity_id: person for person in prediction.people or ()}
    labels = {i.identity_id: i.label for i in prediction.identities}
    rows = []
    for person in truth.persons:
        identity = identity_of.get(person.name)
        row = _face_row(truth, person, identity, frames.get(identity or "", ()), seen, clock)
        row = replace(row, label=labels.get(identity or ""))
        if prediction.people is not None:
            row = _with_total(row, truth, stated.get(identity or ""), clock)
        rows.append(row)
    spare = [i for i in frames if i not in identity_of.values()]
    return tuple(rows), tuple(
        SpareIdentity(i, labels.get(i), clock.seconds(frames[i])) for i in spare
    )


def time_scores(rows: Sequence[PersonRow], prediction: Prediction) -> TimeScores:
    """Return the means over the main persons."""
    main = [row for row in rows if row.main]
    clock = _Clock(prediction.frame_times_s, prediction.trims)
    clip_s = clock.seconds([(0, prediction.frame_count - 1)])
    error_s = _mean([row.error_s for row in main])
    tolerant_s = _mean([row.tolerant_error_s for row in main])
    total_s = _mean([row.total_error_s for row in main if row.total_error_s is not None])
    return TimeScores(
        main_persons=len(main),
        mae_s=error_s,
        mae_percent_of_clip=percent(error_s, clip_s),
        tolerant_mae_s=tolerant_s,
        tolerant_mae_percent_of_clip=percent(tolerant_s, clip_s),
        mean_time_iou=_mean([row.time_iou for row in main if row.time_iou is not None]),
        clip_s=clip_s,
        total_mae_s=total_s,
        total_mae_percent_of_clip=percent(total_s, clip_s),
    )


def bounds_samples(rows: Sequence[PersonRow], prediction: Prediction) -> tuple[BoundsSample, ...]:
    """Return the main persons whose stated bounds can be judged.

    Bounds are of face or body. Where the truth says nothing of that, they are judged by the
    visible face, but only if the run looked for faces alone. Who was not found has no bounds.
    """
    samples = []
    for row in rows:
        true_s = row.true_s if row.true_total_s is None else row.true_total_s
        is_comparable = row.true_total_s is not None or not prediction.has_bodies
        if not (row.main and is_comparable):
            continue
        if row.total_s is not None and row.low_s is not None and row.high_s is not None:
            samples.append(BoundsSample(true_s, row.low_s, row.high_s, row.total_s))
    return tuple(samples)


@dataclass(frozen=True, slots=True)
class _Clock:
    """From frames to seconds that count."""

    frame_times_s: Float64Array
    trims: Intervals

    def intervals(self, frames: Iterable[FrameInterval]) -> Intervals:
        times = self.frame_times_s
        return subtraction(
            ((float(times[first]), float(times[last + 1])) for first, last in frames), self.trims
        )

    def seconds(self, *frames: Iterable[FrameInterval]) -> float:
        return _seconds(self.intervals(i for some in frames for i in some))


def _seconds(intervals: Intervals) -> float:
    return round(total_s(intervals), _DECIMALS)


def _mean(values: Sequence[float]) -> float | None:
    return ratio(fsum(values), len(values))


def _frames_by_identity(prediction: Prediction) -> dict[str, FrameIntervals]:
    """Return the frames of each identity's tracks, first to last."""
    last = prediction.frame_count - 1
    frames = {t.track_id: t.frames for t in prediction.tracks}
    inside = {t: (max(0, a), min(last, b)) for t, (a, b) in frames.items() if b >= 0 and a <= last}
    return {
        identity.identity_id: tuple(inside[t] for t in identity.track_ids if t in inside)
        for identity in prediction.identities
    }


def _assigned(
    truth: Truth,
    prediction: Prediction,
    seen: SeenFaces,
    frames: Mapping[str, FrameIntervals],
) -> dict[str, str]:
    """Return person -> identity, one to one, for as many seen faces as can be."""
    persons = [p.name for p in truth.persons]
    ids = [i.identity_id for i in prediction.identities]
    if not persons or not ids:
        return {}
    weights = np.zeros((len(ids), len(persons)))
    for row, identity in enumerate(ids):
        for column, person in enumerate(persons):
            faces = seen.weights.get((identity, person), 0.0)
            if faces:
                common = intersection(half_open(frames[identity]), half_open(truth.visible[person]))
                weights[row, column] = faces + _TIE * total_s(common)
    rows, columns = linear_sum_assignment(weights, maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return {persons[column]: ids[row] for row, column in pairs if weights[row, column] > 0}


def _face_row(
    truth: Truth,
    person: TruthPerson,
    identity: str | None,
    frames: FrameIntervals,
    seen: SeenFaces,
    clock: _Clock,
) -> PersonRow:
    name, shared = person.name, seen.shared
    predicted, visible = clock.intervals(frames), clock.intervals(truth.visible[name])
    pred_s, true_s = _seconds(predicted), _seconds(visible)
    clear_s = clock.seconds(truth.visible_clear[name])
    most_s = clock.seconds(truth.visible[name], truth.maybe[name])
    return PersonRow(
        person=name,
        main=person.is_main,
        identity=identity,
        label=None,
        clear_faces=seen.labelled.get(name, 0),
        faces_found=seen.found.get(name, 0),
        recall=ratio(seen.found.get(name, 0), seen.labelled.get(name, 0)),
        faces_in_identity=shared[identity or "", name],
        identity_count=sum(who == name for _, who in shared),
        true_s=true_s,
        true_clear_s=clear_s,
        pred_s=pred_s,
        error_s=round(abs(pred_s - true_s), _DECIMALS),
        tolerant_error_s=round(max(0.0, clear_s - pred_s, pred_s - most_s), _DECIMALS),
        time_iou=ratio(
            total_s(intersection(predicted, visible)), total_s(union(predicted, visible))
        ),
    )


def _with_total(
    row: PersonRow, truth: Truth, stated: PersonSeconds | None, clock: _Clock
) -> PersonRow:
    """Add what the run states of face and body; nothing for who was not found is 0 s."""
    total = 0.0 if stated is None else stated.total_s
    row = replace(row, total_s=total)
    if truth.present is not None:
        true_s = clock.seconds(truth.present[row.person])
        error_s = round(abs(total - true_s), _DECIMALS)
        row = replace(row, true_total_s=true_s, total_error_s=error_s)
    return row if stated is None else replace(row, low_s=stated.low_s, high_s=stated.high_s)
