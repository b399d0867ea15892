"""One truth against one run: the same video, stable names, and what an artifact becomes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from screenalytics_core.artifacts import TRACKS
from screenalytics_core.errors import TruthError
from screenalytics_core.evaluation.evaluate import evaluate
from screenalytics_core.evaluation.prediction import PersonSeconds, prediction_of
from screenalytics_core.evaluation.table import LEFT_OVER, figures, seconds_rows
from screenalytics_core.evaluation.tracking import TrackingScores
from tests.unit.evaluation.clips import BOTH, LEFT, prediction, truth

KEYS = {
    "": "clip fps frames labelled_frames faces tracking bcubed bcubed_matched_only identities "
    "labels screen_time persons identities_left_over bounds cuts alt_reading truth_contradicts",
    "faces": "iou clear_faces tp fn fp ignored_predictions recall precision hard_or_small_faces "
    "hard_or_small_found false_positive_examples by_height",
    "tracking": "truth_boxes predicted_boxes truth_ids predicted_ids misses false_positives "
    "id_switches mota idp idr idf1 hota deta assa",
    "bcubed": "precision recall f1 items",
    "identities": "predicted predicted_with_a_matched_clear_face truth_persons_with_clear_faces "
    "truth_main_persons count_error weighted_purity nmi",
    "labels": "labelled_matches correct accuracy",
    "screen_time": "main_persons mae_s mae_percent_of_clip tolerant_mae_s "
    "tolerant_mae_percent_of_clip mean_time_iou clip_s total_mae_s total_mae_percent_of_clip",
    "bounds": "samples level coverage median_relative_width interval_score_s baseline",
    "cuts": "tolerance_0 tolerance_1 truth predicted",
}


def test_the_names_of_the_figures_are_stable() -> None:
    people = {"id_1": (1.0, 0.9, 1.0)}
    document = evaluate(truth(), prediction(people=people)).to_dict()

    for place, names in KEYS.items():
        assert " ".join(document[place] if place else document) == names
    assert json.loads(json.dumps(document)) == document


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        pytest.param({"width": 201}, "picture in px 201x50 in the truth, 200x50", id="size"),
        pytest.param({"frames": 11}, "frames 11 in the truth, 10 in the run", id="length"),
        pytest.param({"fps": 10.01}, "frames per second 10.01 in the truth, 10", id="rate"),
    ],
)
def test_the_truth_of_another_video_is_refused(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(TruthError, match=reason) as raised:
        evaluate(truth(**changed), prediction())

    assert raised.value.thing == "truth of small.mp4"


def test_a_rounded_frame_rate_is_the_same_video() -> None:
    run = prediction(fps=24000 / 1001)

    assert evaluate(truth(fps=23.98), run).fps == run.fps


@pytest.mark.parametrize(("labels", "run"), [({"cuts": None}, {}), ({}, {"cuts": None})])
def test_cuts_that_nobody_labelled_or_looked_for_are_not_judged(
    labels: dict[str, Any], run: dict[str, Any]
) -> None:
    assert evaluate(truth(**labels), prediction(**run)).cuts is None


def test_without_labelled_cuts_nobody_can_say_where_tracks_must_end() -> None:
    unlabelled = evaluate(truth(cuts=None), prediction())
    uncut = evaluate(truth(cuts=[]), prediction())

    assert unlabelled.to_dict()["tracking"] is None
    lines = {line.figure: line.value for line in figures(unlabelled)}
    assert [lines[name] for name in ("MOTA", "IDF1", "HOTA")] == ["-", "-", "-"]
    assert uncut.tracking is not None
    assert (uncut.tracking.truth_ids, uncut.tracking.idf1) == (2, 1.0)


def test_an_episode_without_faces_is_judged_too() -> None:
    empty = truth(persons={}, faces=[], visible={}, labelled_frames=[0])
    document = evaluate(empty, prediction((), {})).to_dict()

    assert document["faces"]["recall"] is None
    assert document["screen_time"]["mae_s"] is None
    assert document["persons"] == []


def tracking(*run: Any, **labels: Any) -> TrackingScores:
    found = evaluate(truth(**labels), prediction(*run)).tracking
    assert found is not None
    return found


def test_a_track_is_followed_per_shot() -> None:
    one_for_all = tracking()
    per_shot = [
        (1, (0, 4), (LEFT, LEFT)), (3, (5, 9), (LEFT, LEFT)), BOTH[1],
    ]  # fmt: skip
    split = tracking(per_shot, {"id_1": [1, 3], "id_2": [2]})

    assert (split.truth_ids, split.idf1, split.hota) == (3, 1.0, 1.0)
    assert one_for_all.idf1 is not None
    assert one_for_all.idf1 < 1


def test_ignored_boxes_are_no_mistakes_of_the_tracker() -> None:
    region = {"start": 0, "end": 9, "bbox_xyxy": [90, 0, 200, 50]}
    crowd = (3, (0, 9), ([100.0, 0.0, 110.0, 10.0],) * 2)

    tracked = tracking([*BOTH, crowd], ignore_regions=[region])

    assert (tracked.false_positives, tracked.predicted_boxes) == (0, 6)


def test_a_box_on_a_clear_face_counts_though_the_place_is_ignored() -> None:
    region = {"start": 0, "end": 9, "bbox_xyxy": [0, 0, 200, 50]}

    judged = evaluate(truth(ignore_regions=[region]), prediction())
    tracked = tracking(ignore_regions=[region])

    assert (tracked.predicted_boxes, tracked.misses) == (6, 0)
    assert judged.faces.ignored_predictions == 0


def artifacts(**changed: Any) -> dict[str, Any]:
    row = {
        "track_id": 4, "shot_id": 0, "first_frame_idx": 0, "last_frame_idx": 9, "start_s": 0.0,
        "end_s": 1.0, "frame_idxs": [0, 9], "bboxes_xyxy": [LEFT, LEFT],
        "detection_ids": [0, None], "mean_confidence": 0.9,
    }  # fmt: skip
    person = {
        "identity_id": "id_0001", "cast_id": None, "face_s": 0.8, "total_s": 0.9, "low_s": 0.7,
        "high_s": 1.0,
    }  # fmt: skip
    return {
        "shots": {
            "fps": "30000/1001", "width_px": 200, "height_px": 50,
            "shots": [{"start_frame": 0}, {"start_frame": 5}],
        },
        "frame_times_s": np.arange(11) / 10,
        "tracks": TRACKS.from_rows([row]),
        "identities": {
            "identities": [
                {"identity_id": "id_0001", "track_ids": [4], "label": None},
                {"identity_id": "id_0002", "track_ids": [], "label": None},
            ]
        },
        "screen_time": {
            "people": [person], "has_bodies": True,
            "trims": [{"name": "recap", "start_s": 0.0, "end_s": 0.2}],
        },
        **changed,
    }  # fmt: skip


def test_a_runs_artifacts_become_a_prediction() -> None:
    found = prediction_of(**artifacts())

    assert (found.fps, found.frame_count, found.cuts) == (pytest.approx(29.97003), 10, (5,))
    assert found.tracks[0].frames == (0, 9)
    assert found.tracks[0].bboxes_xyxy.tolist() == [LEFT, LEFT]
    assert found.people == (PersonSeconds("id_0001", 0.8, 0.9, 0.7, 1.0),)
    assert (found.has_bodies, found.trims) == (True, ((0.0, 0.2),))


def test_a_run_that_has_not_counted_seconds_states_none() -> None:
    found = prediction_of(**artifacts(screen_time=None))

    assert (found.people, found.trims) == (None, ())


def test_the_table_has_a_line_per_figure_and_a_row_per_person() -> None:
    tracks = [*BOTH, (3, (0, 4), ([100.0, 0.0, 110.0, 10.0],) * 2)]
    ids = {"id_1": [1], "id_2": [2], "id_3": [3]}
    evaluation = evaluate(truth(), prediction(tracks, ids, people={"id_1": (1.0, 0.9, 1.0)}))

    lines = {line.figure: line.value for line in figures(evaluation)}
    rows = seconds_rows(evaluation)

    assert lines["face recall"] == "1.000"
    assert lines["face precision"] == "0.750"
    assert lines["identity count error"] == "+0"
    assert lines["bounds hold"] == "1.000"
    assert [r["person"] for r in rows] == ["ana", "bo", LEFT_OVER]
    assert [r["error_s"] for r in rows] == [0.0, 0.0, 0.5]
    assert rows[2]["error_percent_of_length"] == 50.0


def test_an_error_in_the_table_has_its_sign() -> None:
    short = [(1, (0, 7), (LEFT, LEFT)), BOTH[1]]

    assert seconds_rows(evaluate(truth(), prediction(short)))[0]["error_s"] == -0.2
