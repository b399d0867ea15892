"""What a run states of its people: the machine's identities, with all decisions over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from screenalytics_core.artifacts import TRACKS
from screenalytics_core.evaluation.evaluate import evaluate
from screenalytics_core.evaluation.prediction import Prediction, prediction_of
from tests.unit.evaluation.clips import LEFT, RIGHT, truth

# Ana at the left in two halves, Bo at the right in the first one.
BOXES = {4: (0, 4, LEFT), 5: (5, 9, LEFT), 6: (0, 4, RIGHT)}
APART = {"id_0001": [4], "id_0002": [5], "id_0003": [6]}


def run(
    identities: dict[str, list[int]] | None = None,
    cast: Sequence[dict[str, Any]] | None = None,
    stated: Sequence[dict[str, Any]] | None = None,
) -> Prediction:
    tracks = [
        {
            "track_id": track_id, "shot_id": 0, "first_frame_idx": first, "last_frame_idx": last,
            "start_s": first / 10, "end_s": (last + 1) / 10, "frame_idxs": [first, last],
            "bboxes_xyxy": [box, box], "detection_ids": [0, None], "mean_confidence": 0.9,
        }
        for track_id, (first, last, box) in BOXES.items()
    ]  # fmt: skip
    return prediction_of(
        shots={
            "fps": "10/1", "width_px": 200, "height_px": 50,
            "shots": [{"start_frame": 0}, {"start_frame": 5}],
        },
        frame_times_s=np.arange(11) / 10,
        tracks=TRACKS.from_rows(tracks),
        identities={
            "identities": [
                {"identity_id": i, "track_ids": t, "label": None}
                for i, t in (APART if identities is None else identities).items()
            ]
        },
        screen_time=(
            None if stated is None else {"people": stated, "has_bodies": True, "trims": []}
        ),
        cast=None if cast is None else {"people": cast},
    )  # fmt: skip


def row(identity_id: str | None = None, **changed: Any) -> dict[str, Any]:
    """A row of the cast."""
    return {
        "identity_id": identity_id, "track_id": None, "merged_into": None, "cast_id": None,
        "label": None, "source": "user", "decision": 1, "confidence": 1.0, **changed,
    }  # fmt: skip


def seconds(identity_id: str | None, cast_id: str | None, total_s: float) -> dict[str, Any]:
    return {
        "identity_id": identity_id, "cast_id": cast_id, "face_s": total_s, "total_s": total_s,
        "low_s": total_s, "high_s": total_s,
    }  # fmt: skip


def people(found: Prediction) -> dict[str, tuple[int, ...]]:
    return {i.identity_id: i.track_ids for i in found.identities}


def test_without_decisions_the_machines_identities_are_the_people() -> None:
    machine = {"id_0001": [4], "id_0002": [5, 6], "id_0003": []}
    rows = [row(i, source="machine", decision=None) for i in machine]

    for cast in (None, [], rows):
        found = run(machine, cast)
        assert people(found) == {"id_0001": (4,), "id_0002": (5, 6), "id_0003": ()}
        assert [i.label for i in found.identities] == [None] * 3


def test_merged_identities_are_judged_as_one_person() -> None:
    found = run(cast=[row("id_0002", merged_into="id_0001")])

    assert people(found) == {"id_0001": (4, 5), "id_0003": (6,)}
    assert evaluate(truth(), run()).people.identities.count_error == 1
    judged = evaluate(truth(), found).people
    assert (judged.identities.count_error, judged.bcubed.f1) == (0, 1.0)
    assert judged.screen_time.mae_s == 0.0


def test_a_moved_track_is_judged_where_it_went() -> None:
    wrong = {"id_0001": [4, 6], "id_0002": [5]}

    found = run(wrong, [row("id_0002", track_id=4)])

    assert people(found) == {"id_0001": (6,), "id_0002": (4, 5)}


def test_an_identity_whose_tracks_all_went_elsewhere_is_nobody() -> None:
    found = run(cast=[row("id_0001", track_id=5)])

    assert people(found) == {"id_0001": (4, 5), "id_0003": (6,)}


def test_a_track_that_is_nobodys_any_more_is_in_no_identity() -> None:
    assert people(run(cast=[row(track_id=5)])) == {"id_0001": (4,), "id_0003": (6,)}


def test_a_cast_member_in_two_identities_is_one_person_under_the_own_id() -> None:
    cast = [row(i, cast_id="ana", label="Ana") for i in ("id_0001", "id_0002")]
    bo = row(track_id=6, cast_id="bo", label="Bo")

    found = run(cast=[*cast, bo], stated=[seconds(None, "ana", 1.0), seconds(None, "bo", 0.5)])

    assert people(found) == {"ana": (4, 5), "bo": (6,)}
    assert [i.label for i in found.identities] == ["Ana", "Bo"]
    judged = evaluate(truth(), found).people
    assert [(p.identity, p.pred_s, p.total_s) for p in judged.persons] == [
        ("ana", 1.0, 1.0), ("bo", 0.5, 0.5),
    ]  # fmt: skip
    assert judged.labels.accuracy == 1.0


def test_a_cast_member_spelt_as_an_identity_is_somebody_else() -> None:
    cast = [row("id_0001", cast_id="id_0003", label="Ana")]
    stated = [seconds("id_0001", "id_0003", 0.5), seconds("id_0003", None, 0.4)]

    found = run(cast=cast, stated=stated)

    assert people(found) == {"id_0003 (cast)": (4,), "id_0002": (5,), "id_0003": (6,)}
    assert found.people is not None
    assert [(p.identity_id, p.total_s) for p in found.people] == [
        ("id_0003 (cast)", 0.5), ("id_0003", 0.4),
    ]  # fmt: skip


def test_nobody_is_something_else_than_nothing_stated() -> None:
    assert (run(stated=[]).people, run().people) == ((), None)
