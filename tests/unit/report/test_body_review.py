"""Which bodies a person is asked to look at, and how many seconds hang on each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from screenalytics_core.artifacts import SEGMENTS
from screenalytics_core.report.body_review import SURE_TIE, body_review_rows
from screenalytics_core.report.model import BodyReviewRow
from screenalytics_core.vision.evidence import Evidence
from screenalytics_core.vision.intervals import Interval
from screenalytics_core.vision.owners import find_owners

FRAME_TIMES = np.arange(1001) / 10
IDENTITIES = [
    {"identity_id": "id_0001", "track_ids": [1, 2]},
    {"identity_id": "id_0002", "track_ids": [3]},
]
ANA = {"cast_id": "ana", "label": "Ana", "source": "decision", "confidence": 1.0}
CAST = [{**ANA, "identity_id": "id_0001"}]


def tie(body_track_id: int, start_s: float, end_s: float, **more: Any) -> dict[str, Any]:
    """A doubtful tie of a body to Ana."""
    return {
        "body_track_id": body_track_id, "start_s": start_s, "end_s": end_s,
        "identity_id": "id_0001", "evidence": "appearance", "track_ids": [], "confidence": 0.2,
        **more,
    }  # fmt: skip


def shown(start_s: float, end_s: float, source: str = "body", **who: Any) -> dict[str, Any]:
    """A segment of Ana."""
    return {
        "ep_id": "e", "identity_id": "id_0001", "cast_id": "ana", "label": "Ana",
        "start_s": start_s, "end_s": end_s, "source": source, "track_ids": [],
        "body_track_ids": [], "confidence": 0.2, **who,
    }  # fmt: skip


def reviewed(
    ties: list[dict[str, Any]],
    segments: list[dict[str, Any]],
    cast: list[dict[str, Any]] = CAST,
) -> list[BodyReviewRow]:
    owners = find_owners(IDENTITIES, cast)
    return body_review_rows(ties, SEGMENTS.from_rows(segments), FRAME_TIMES, owners)


def seconds(rows: list[BodyReviewRow]) -> dict[int, float]:
    return {row.body_track_id: round(row.body_only_s, 6) for row in rows}


def test_a_row_says_when_for_whom_by_what_and_how_surely() -> None:
    assert reviewed([tie(7, 2.0, 5.0)], [shown(2.0, 5.0)]) == [
        BodyReviewRow(7, 2.0, 5.0, 20, 49, 3.0, "Ana", Evidence.APPEARANCE, 0.2)
    ]


@pytest.mark.parametrize(
    ("confidence", "is_listed"), [(0.0, True), (SURE_TIE - 0.01, True), (SURE_TIE, False)]
)
def test_a_tie_is_listed_while_it_is_not_sure(confidence: float, is_listed: bool) -> None:
    rows = reviewed([tie(7, 2.0, 5.0, confidence=confidence)], [shown(2.0, 5.0)])

    assert bool(rows) is is_listed


def test_only_time_without_the_face_and_outside_trims_hangs_on_a_body() -> None:
    segments = [shown(0.0, 4.0, "face"), shown(4.0, 5.5), shown(8.0, 9.0)]

    assert seconds(reviewed([tie(7, 2.0, 8.5)], segments)) == {7: 2.0}


def test_a_body_beside_the_face_adds_nothing_and_is_not_listed() -> None:
    segments = [shown(0.0, 4.0, "face"), shown(4.0, 9.0)]

    # The times of ties are not rounded as those of segments are.
    assert reviewed([tie(7, 2.0, 4.0000004)], segments) == []


def test_time_that_a_surer_body_shows_hangs_on_that_one() -> None:
    ties = [
        tie(7, 0.0, 4.0, confidence=0.1),
        tie(8, 2.0, 6.0, confidence=0.3),
        tie(9, 5.0, 9.0, confidence=0.9),
    ]

    rows = seconds(reviewed(ties, [shown(0.0, 9.0)]))

    assert rows == {7: 2.0, 8: 3.0}


def test_another_persons_body_at_the_same_time_takes_nothing_away() -> None:
    bo = {"identity_id": "id_0002", "cast_id": None, "label": None}
    ties = [tie(7, 0.0, 4.0), tie(8, 1.0, 2.0, identity_id="id_0002", confidence=0.3)]

    rows = reviewed(ties, [shown(0.0, 4.0), shown(1.0, 2.0, **bo)])

    assert [(r.name, r.body_only_s) for r in rows] == [("Ana", 4.0), ("id_0002", 1.0)]


def test_most_seconds_stand_first() -> None:
    ties: list[tuple[int, Interval]] = [(9, (0.0, 1.0)), (8, (2.0, 5.0)), (7, (6.0, 7.0))]

    rows = reviewed([tie(i, *t) for i, t in ties], [shown(*t) for _, t in ties])

    assert [row.body_track_id for row in rows] == [8, 7, 9]


def test_a_body_of_nobody_is_not_listed() -> None:
    nobodys = tie(7, 2.0, 5.0, identity_id=None, evidence="none")

    assert reviewed([nobodys], [shown(2.0, 5.0)]) == []


def test_a_body_whose_faces_a_person_decided_on_is_not_questioned() -> None:
    moved = [{**ANA, "identity_id": None, "track_id": t} for t in (3,)]
    ties = [
        tie(7, 2.0, 5.0, track_ids=[3], identity_id="id_0002"),
        tie(8, 6.0, 8.0, track_ids=[1, 3]),
    ]

    rows = reviewed(ties, [shown(2.0, 5.0), shown(6.0, 8.0)], [*CAST, *moved])

    assert seconds(rows) == {8: 2.0}, "a face of it was left to the machine"


def test_a_person_of_several_identities_is_one() -> None:
    both = [*CAST, {**ANA, "identity_id": "id_0002"}]
    ties = [tie(7, 0.0, 4.0), tie(8, 0.0, 5.0, identity_id="id_0002", confidence=0.3)]

    rows = reviewed(ties, [shown(0.0, 5.0, identity_id=None)], both)

    assert [(r.body_track_id, r.name, r.body_only_s) for r in rows] == [(8, "Ana", 5.0)]
