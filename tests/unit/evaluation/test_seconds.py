"""Seconds per person: on the video's own clock, with doubts, trims, bodies and bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from screenalytics_core.evaluation.evaluate import evaluate
from screenalytics_core.evaluation.seconds import PersonRow
from screenalytics_core.evaluation.verdict import Evaluation
from tests.unit.evaluation.clips import BOTH, LEFT, RIGHT, prediction, truth

# The frames of the second half stay twice as long, and nothing begins at 0.
UNEVEN = 3 + np.array([0, 1, 2, 3, 4, 5, 7, 9, 11, 13, 15]) / 10


def judged(tracks: Any = BOTH, labels: dict[str, Any] | None = None, **run: Any) -> Evaluation:
    return evaluate(truth(**(labels or {})), prediction(tracks, **run))


def row(evaluation: Evaluation, person: str) -> PersonRow:
    return next(r for r in evaluation.people.persons if r.person == person)


def test_right_tracks_have_no_error() -> None:
    time = judged().people.screen_time

    assert (time.main_persons, time.mae_s, time.mean_time_iou) == (2, 0.0, 1.0)
    assert time.clip_s == pytest.approx(1.0)


def test_a_person_not_found_has_all_their_seconds_as_error() -> None:
    found = judged(BOTH[:1], identities={"id_1": [1]})

    assert row(found, "bo").error_s == pytest.approx(0.5)
    assert row(found, "bo").time_iou == 0.0
    assert found.people.screen_time.mae_percent_of_clip == pytest.approx(25.0)


def test_a_frame_that_stays_longer_counts_longer() -> None:
    found = judged([(1, (0, 7), (LEFT, LEFT)), BOTH[1]], frame_times_s=UNEVEN)
    ana = row(found, "ana")

    assert (ana.true_s, ana.pred_s) == (1.5, 1.1)
    assert ana.error_s == 0.4
    assert ana.time_iou == pytest.approx(1.1 / 1.5)
    assert found.people.screen_time.clip_s == 1.5


def test_two_tracks_at_once_count_once_and_a_hole_between_tracks_does_not() -> None:
    tracks = [
        (1, (0, 4), (LEFT, LEFT)), (3, (3, 6), (LEFT, LEFT)), (4, (9,), (LEFT,)), BOTH[1],
    ]  # fmt: skip

    found = judged(tracks, identities={"id_1": [1, 3, 4], "id_2": [2]})

    assert row(found, "ana").pred_s == pytest.approx(0.8)


@pytest.mark.parametrize(("last", "error_s"), [(4, 0.1), (5, 0.0), (8, 0.0), (9, 0.1)])
def test_between_clear_and_maybe_the_tolerant_error_is_none(last: int, error_s: float) -> None:
    labels = {
        "persons": {"ana": {"main": True}, "bo": {}}, "visible": {"ana": [[0, 7]]},
        "visible_clear": {"ana": [[0, 5]]}, "maybe": {"ana": [[8, 8]]}, "faces": faces_of_ana(),
    }  # fmt: skip

    found = judged([(1, (0, last), (LEFT, LEFT))], labels, identities={"id_1": [1]})

    assert row(found, "ana").tolerant_error_s == pytest.approx(error_s)
    assert found.people.screen_time.tolerant_mae_percent_of_clip == pytest.approx(100 * error_s)


def test_people_beside_the_main_ones_have_a_row_and_are_not_in_the_means() -> None:
    found = judged(BOTH[:1], {"persons": {"ana": {"main": True}, "bo": {}}})

    assert not row(found, "bo").main
    assert (found.people.screen_time.main_persons, found.people.screen_time.mae_s) == (1, 0.0)


def test_without_main_people_there_are_no_means() -> None:
    time = judged(labels={"persons": {"ana": {}, "bo": {}}}).people.screen_time

    assert (time.mae_s, time.mae_percent_of_clip, time.mean_time_iou) == (None, None, None)


def test_trimmed_stretches_count_on_neither_side() -> None:
    found = judged(trims=((0.2, 0.4),))

    assert (row(found, "ana").true_s, row(found, "ana").pred_s) == (0.8, 0.8)
    assert found.people.screen_time.clip_s == pytest.approx(0.8)


def test_where_the_person_decides_and_not_how_long() -> None:
    swapped = judged(identities={"long": [2], "short": [1]})

    assert (row(swapped, "ana").identity, row(swapped, "bo").identity) == ("short", "long")


def test_equally_seen_identities_are_settled_by_frames_in_common() -> None:
    tracks = [(1, (0, 1), (LEFT, LEFT)), (2, (3, 5), (LEFT, LEFT))]
    both = {"brief": [1], "longer": [2]}
    labels = {"persons": {"ana": {"main": True}}, "faces": faces_of_ana()}
    all_the_time = {"ana": [[0, 9]]}
    run = prediction(tracks, both)

    doubted = evaluate(truth(**labels, visible={}, maybe=all_the_time), run)
    seen = evaluate(truth(**labels, visible=all_the_time), run)

    assert doubted.people.persons[0].identity is not None
    assert seen.people.persons[0].identity == "longer"


def faces_of_ana() -> list[dict[str, Any]]:
    return [{"frame_idx": f, "person": "ana", "bbox_xyxy": LEFT} for f in (0, 3)]


PRESENT = {"present": {"ana": [[0, 9]], "bo": [[0, 7]]}}
STATED = {"id_1": (1.0, 0.9, 1.0), "id_2": (0.7, 0.5, 0.75)}


def test_seconds_of_face_or_body_are_held_against_presence() -> None:
    found = judged(labels=PRESENT, people=STATED, has_bodies=True)
    bo = row(found, "bo")

    assert (bo.true_total_s, bo.total_s, bo.total_error_s) == (0.8, 0.7, 0.1)
    assert (bo.low_s, bo.high_s) == (0.5, 0.75)
    assert found.people.screen_time.total_mae_s == pytest.approx(0.05)
    assert found.people.screen_time.total_mae_percent_of_clip == pytest.approx(5.0)


def test_bounds_are_held_against_presence() -> None:
    found = judged(labels=PRESENT, people=STATED, has_bodies=True)

    assert found.bounds is not None
    assert (found.bounds.samples, found.bounds.coverage) == (2, 0.5)
    assert [s.truth_s for s in found.bounds_samples] == [1.0, 0.8]


def test_bounds_of_faces_alone_are_held_against_the_visible_face() -> None:
    found = judged(people=STATED)

    assert [s.truth_s for s in found.bounds_samples] == [1.0, 0.5]
    assert row(found, "bo").true_total_s is None


def test_a_run_without_bodies_is_held_against_faces_though_presence_is_labelled() -> None:
    found = judged(labels=PRESENT, people=STATED)

    assert [s.truth_s for s in found.bounds_samples] == [1.0, 0.5]
    assert (row(found, "bo").true_total_s, row(found, "bo").total_s) == (None, 0.7)
    assert found.people.screen_time.total_mae_s is None


def test_bounds_with_bodies_cannot_be_judged_by_faces() -> None:
    assert judged(people=STATED, has_bodies=True).bounds is None


def test_who_was_not_found_has_no_bounds_but_an_error() -> None:
    found = judged(BOTH[:1], PRESENT, people={"id_1": STATED["id_1"]}, has_bodies=True)

    assert len(found.bounds_samples) == 1
    assert (row(found, "bo").total_s, row(found, "bo").total_error_s) == (0.0, 0.8)
    assert row(found, "bo").low_s is None


def test_a_run_that_states_nothing_is_judged_by_its_tracks_alone() -> None:
    found = judged(labels=PRESENT, has_bodies=True)

    assert row(found, "ana").total_s is None
    assert found.people.screen_time.total_mae_s is None
    assert found.bounds is None


def test_a_run_that_found_nobody_has_everybodys_seconds_as_error() -> None:
    found = judged((), PRESENT, identities={}, people={}, has_bodies=True)

    assert (row(found, "ana").total_s, row(found, "ana").total_error_s) == (0.0, 1.0)
    assert found.people.screen_time.total_mae_s == pytest.approx(0.9)


def test_who_is_in_the_picture_on_neither_side_says_nothing_of_the_time_iou() -> None:
    away = {"persons": {"ana": {"main": True}, "bo": {"main": True}}, "visible": {"ana": [[0, 9]]}}
    short = [(1, (0, 4), (LEFT, LEFT))]

    found = judged(short, {**away, "faces": faces_of_ana()}, identities={"id_1": [1]})

    assert row(found, "bo").time_iou is None
    assert found.people.screen_time.mean_time_iou == pytest.approx(0.5)
    nobody = judged((), {"visible": {}, "faces": []}, identities={})
    assert nobody.people.screen_time.mean_time_iou is None


def test_an_identity_that_is_nobody_is_left_over_with_its_seconds() -> None:
    tracks = [*BOTH, (3, (0, 4), ([100.0, 0.0, 110.0, 10.0],) * 2)]

    found = judged(tracks, identities={"id_1": [1], "id_2": [2], "id_3": [3]})

    (spare,) = found.people.identities_left_over
    assert (spare.identity, spare.pred_s) == ("id_3", 0.5)


def test_a_track_beyond_the_clip_counts_up_to_its_end() -> None:
    long = [(1, (0, 12), (LEFT, LEFT)), (2, (-3, 4), (RIGHT, RIGHT)), (3, (30, 31), (LEFT, LEFT))]

    found = judged(long, identities={"id_1": [1, 3], "id_2": [2]})

    assert (row(found, "ana").pred_s, row(found, "bo").pred_s) == (1.0, 0.5)
