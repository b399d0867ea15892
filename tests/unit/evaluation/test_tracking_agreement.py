"""Tracking figures are those of the published implementations, on random small scenes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from screenalytics_core.evaluation.tracking import tracking_scores
from screenalytics_core.evaluation.tracking_frame import TrackingFrame
from screenalytics_core.vision.boxes import as_boxes, iou_matrix

LEAST_IOU = 0.4


def frame_of(
    truth_ids: Sequence[int],
    truth_boxes: ArrayLike,
    predicted_ids: Sequence[int],
    predicted_boxes: ArrayLike,
) -> TrackingFrame:
    """Return a frame of plain boxes, (N, 4) and (M, 4) px."""
    return TrackingFrame(
        np.asarray(truth_ids, np.int64),
        np.asarray(predicted_ids, np.int64),
        iou_matrix(as_boxes(truth_boxes), as_boxes(predicted_boxes)),
    )


def scene(seed: int) -> list[TrackingFrame]:
    """Up to four things 60 px apart, and tracks that follow, lose and change them.

    Boxes are shaken by parts of a pixel, so that no two overlaps are alike: where they are, a
    matching may go either way.
    """
    dice = np.random.default_rng(seed)
    things, tracks = int(dice.integers(1, 5)), int(dice.integers(0, 6))
    follows = dice.integers(0, things, tracks)
    frames = []
    for _ in range(int(dice.integers(1, 13))):
        there = np.flatnonzero(dice.random(things) < 0.85)
        follows = np.where(dice.random(tracks) < 0.2, dice.integers(0, things, tracks), follows)
        seen = np.flatnonzero(dice.random(tracks) < 0.85)
        frames.append(
            frame_of(
                dice.permutation(there).tolist(),
                boxes(there, dice, 3),
                seen.tolist(),
                boxes(follows[seen], dice, 20),
            )
        )
    return frames


def boxes(places: NDArray[np.int64], dice: np.random.Generator, shake_px: float) -> Any:
    corners = np.column_stack([60.0 * places, np.zeros(len(places))])
    corners += dice.normal(0, shake_px, corners.shape)
    return np.hstack([corners, corners + 100])


def motmetrics_figures(frames: Sequence[TrackingFrame]) -> dict[str, float]:
    import motmetrics

    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    for f in frames:
        distance = np.where(f.similarity >= LEAST_IOU, 1 - f.similarity, np.nan)
        accumulator.update(f.truth_ids.tolist(), f.predicted_ids.tolist(), distance)
    names = ["mota", "idf1", "idp", "idr", "num_switches", "num_misses", "num_false_positives"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its pandas idioms are on their way out
        summary = motmetrics.metrics.create().compute(accumulator, metrics=names)
    return {name: float(summary[name].iloc[0]) for name in names}


def trackeval_figures(frames: Sequence[TrackingFrame]) -> dict[str, float]:
    from trackeval.metrics import HOTA

    truth = np.unique(np.concatenate([f.truth_ids for f in frames]))
    tracks = np.unique(np.concatenate([f.predicted_ids for f in frames]))
    data: dict[str, Any] = {
        "num_gt_ids": len(truth),
        "num_tracker_ids": len(tracks),
        "num_gt_dets": sum(len(f.truth_ids) for f in frames),
        "num_tracker_dets": sum(len(f.predicted_ids) for f in frames),
        "gt_ids": [np.searchsorted(truth, f.truth_ids) for f in frames],
        "tracker_ids": [np.searchsorted(tracks, f.predicted_ids) for f in frames],
        "similarity_scores": [f.similarity for f in frames],
    }
    figures = HOTA().eval_sequence(data)
    return {name: float(np.mean(figures[name])) for name in ("HOTA", "DetA", "AssA")}


SEEDS = st.integers(0, 2**32 - 1)


@settings(deadline=None, max_examples=150)
@given(SEEDS)
def test_clear_mot_and_idf1_are_those_of_motmetrics(seed: int) -> None:
    frames = scene(seed)
    assume(any(len(f.truth_ids) for f in frames))
    theirs, ours = motmetrics_figures(frames), tracking_scores(frames, LEAST_IOU)

    assert ours.mota == pytest.approx(theirs["mota"])
    assert ours.id_switches == theirs["num_switches"]
    assert (ours.misses, ours.false_positives) == (
        theirs["num_misses"],
        theirs["num_false_positives"],
    )
    assert ours.idf1 == pytest.approx(theirs["idf1"])
    assert ours.idr == pytest.approx(theirs["idr"])
    if ours.predicted_boxes:
        assert ours.idp == pytest.approx(theirs["idp"])


@settings(deadline=None, max_examples=150)
@given(SEEDS)
def test_hota_is_that_of_trackeval(seed: int) -> None:
    frames = scene(seed)
    assume(any(len(f.truth_ids) for f in frames))
    theirs, ours = trackeval_figures(frames), tracking_scores(frames)

    assert ours.hota == pytest.approx(theirs["HOTA"])
    assert ours.deta == pytest.approx(theirs["DetA"])
    assert ours.assa == pytest.approx(theirs["AssA"])


def still(truth_ids: Sequence[int], track_ids: Sequence[int]) -> TrackingFrame:
    """A frame in which the n-th track lies exactly on the n-th true thing."""
    most = max(len(truth_ids), len(track_ids))
    boxes = [(100 * n, 0, 100 * n + 50, 50) for n in range(most)]
    return frame_of(truth_ids, boxes[: len(truth_ids)], track_ids, boxes[: len(track_ids)])


def test_two_tracks_that_change_places_are_two_switches() -> None:
    scores = tracking_scores([still([1, 2], [7, 8]), still([1, 2], [8, 7])])

    assert scores.id_switches == 2
    assert scores.mota == 0.5
    assert scores.idf1 == 0.5


def test_a_track_that_goes_on_after_a_hole_is_no_switch() -> None:
    scores = tracking_scores([still([1], [7]), still([1], []), still([1], [7])])

    assert (scores.id_switches, scores.misses) == (0, 1)


def test_a_track_keeps_its_thing_though_another_overlaps_more() -> None:
    thing = (0, 0, 100, 100)
    frames = [
        frame_of([1], [thing], [7], [thing]),
        frame_of([1], [thing], [7, 8], [(40, 0, 140, 100), thing]),
    ]

    scores = tracking_scores(frames)

    assert (scores.id_switches, scores.false_positives) == (0, 1)


def test_perfect_tracks_score_one() -> None:
    scores = tracking_scores([still([1, 2], [7, 8]), still([1], [7])])

    assert (scores.mota, scores.idf1, scores.hota, scores.deta, scores.assa) == (1, 1, 1, 1, 1)


def test_where_nothing_is_labelled_nothing_is_scored() -> None:
    scores = tracking_scores([still([], [7])])

    assert (scores.mota, scores.idr, scores.hota) == (None, None, None)
    assert scores.false_positives == 1


def test_where_nothing_is_predicted_everything_is_missed() -> None:
    scores = tracking_scores([still([1, 2], [])])

    assert (scores.misses, scores.mota, scores.hota, scores.idp) == (2, 0.0, 0.0, None)


def test_one_pair_more_goes_before_a_better_one() -> None:
    def at(left: float) -> tuple[float, ...]:
        return (left, 0.0, left + 10.0, 10.0)

    crowded = frame_of([1, 2], [at(0.5), at(-4.1)], [7, 8], [at(0.0), at(4.6)])

    assert tracking_scores([crowded]).misses == 0
