"""Which tracks a person is asked to look at, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from screenalytics_core.artifacts import IDENTITIES, TRACKS
from screenalytics_core.report.faces import FaceIndex
from screenalytics_core.report.model import ReviewRow
from screenalytics_core.report.review import review_rows
from screenalytics_core.vision.intervals import Interval
from screenalytics_core.vision.owners import find_owners
from screenalytics_core.vision.time_bounds import SURE
from tests.report_rows import track
from tests.report_samples import sample_run

Track = tuple[int, float, float]


def reviewed(
    tracks: list[Track],
    memberships: dict[int, dict[str, Any]],
    *,
    decided: tuple[int, ...] = (),
    left: tuple[int, ...] = (),
    trims: tuple[Interval, ...] = (),
) -> list[ReviewRow]:
    """Review tracks (id, start_s, end_s) of Ana, Bo and nobody."""
    people = [
        {"identity_id": f"id_000{n}", "label": name, "source": "machine", "confidence": 1.0}
        for n, name in enumerate(("Ana", "Bo"), 1)
    ]
    people += [
        {"track_id": t, "cast_id": "ana", "label": "Ana", "source": "decision", "confidence": 1.0}
        for t in decided
    ]
    people += [
        {"identity_id": "id_0001.1", "track_id": t, "source": "gallery", "confidence": 0.9}
        for t in left
    ]
    identities = {
        "method": "m", "cluster_thresh": 0.3, "min_identity_sim": 0.2, "cannot_link_pairs": 0,
        "unassigned_track_ids": [], "identities": [
            {"identity_id": "id_0002", "track_ids": [1], "face_count": 1, "cohesion": 1.0,
             "representative_face_id": 0, "confidence": 0.1}
        ],
        "alike": [],
        "memberships": [
            {"confidence": 0.0, **of, "track_id": t} for t, of in memberships.items()
        ],
    }  # fmt: skip
    return review_rows(
        TRACKS.from_rows([track(*t) for t in tracks]),
        IDENTITIES.conform(identities),
        find_owners(identities["identities"], people),
        FaceIndex(sample_run(0).values["faces"]["faces"]),
        trims,
    )


ANAS = {
    "identity_id": "id_0001", "similarity": 0.4, "rival_id": "id_0002", "rival_similarity": 0.35,
}  # fmt: skip


@pytest.mark.parametrize(
    ("confidence", "is_listed"), [(0.0, True), (SURE - 0.01, True), (SURE, False)]
)
def test_a_track_is_listed_when_it_is_rather_wrong_than_right(
    confidence: float, is_listed: bool
) -> None:
    rows = reviewed([(1, 0.0, 1.0)], {1: {**ANAS, "confidence": confidence}})

    assert bool(rows) is is_listed


@pytest.mark.parametrize(("length_s", "is_listed"), [(1.9, False), (2.0, True)])
def test_a_track_of_nobody_is_listed_when_it_is_long(length_s: float, is_listed: bool) -> None:
    assert bool(reviewed([(1, 0.0, length_s)], {})) is is_listed


def test_what_can_change_most_stands_first() -> None:
    rows = reviewed(
        [(1, 0.0, 3.0), (2, 0.0, 4.0), (3, 0.0, 2.5)],
        {1: {**ANAS, "confidence": 0.1}, 2: {**ANAS, "confidence": 0.38}, 3: {}},
    )

    # 2.7, 2.5 and 2.48 seconds at stake.
    assert [row.track_id for row in rows] == [1, 3, 2]


def test_a_row_names_the_owner_the_rival_and_the_frames() -> None:
    (row,) = reviewed([(7, 2.0, 3.0)], {7: {**ANAS, "confidence": 0.2}})

    assert (row.given, row.rival) == ("Ana", "Bo")
    assert (row.similarity, row.rival_similarity) == (0.4, 0.35)
    assert (row.first_frame_idx, row.last_frame_idx) == (60, 90)


def test_a_decision_of_a_person_is_not_questioned() -> None:
    assert reviewed([(1, 0.0, 9.0)], {1: ANAS}, decided=(1,)) == []


def test_only_the_counted_part_of_a_track_matters() -> None:
    (row,) = reviewed([(1, 0.0, 9.0), (2, 1.0, 4.0)], {}, trims=((0.0, 5.0),))

    assert (row.track_id, row.length_s) == (1, 4.0)


@pytest.mark.parametrize(
    ("membership", "reason"),
    [
        pytest.param(None, "no face good enough to compare", id="no embedding"),
        pytest.param(
            {"rival_id": "id_0001", "rival_similarity": 0.1},
            "not enough like anybody",
            id="somebody is nearest",
        ),
        pytest.param({}, "not like anybody", id="nobody is near"),
        pytest.param(ANAS, "nearly as much like somebody else", id="close call"),
        pytest.param({**ANAS, "similarity": 0.3}, "more like somebody else", id="rival is nearer"),
        pytest.param({**ANAS, "similarity": 0.6}, "seen too little to be sure", id="far ahead"),
        pytest.param(
            {"identity_id": "id_0001", "similarity": 0.9},
            "seen too little to be sure",
            id="no rival",
        ),
        pytest.param(
            {**ANAS, "identity_id": "id_0002"}, "the only track of its person", id="alone"
        ),
    ],
)
def test_the_reason_is_one_line(membership: dict[str, Any] | None, reason: str) -> None:
    (row,) = reviewed([(1, 0.0, 9.0)], {} if membership is None else {1: membership})

    assert row.reason == reason


@pytest.mark.parametrize(("length_s", "is_listed"), [(1.9, False), (2.0, True)])
def test_a_long_track_that_the_gallery_took_out_of_somebody_is_listed(
    length_s: float, is_listed: bool
) -> None:
    rows = reviewed([(1, 0.0, length_s)], {1: {**ANAS, "confidence": 0.95}}, left=(1,))

    assert bool(rows) is is_listed
    if is_listed:
        assert (rows[0].given, rows[0].rival) == ("id_0001.1", "Ana")
        assert rows[0].reason == "found with somebody whom it does not resemble"


def test_a_track_of_which_a_part_is_like_somebody_else_says_so() -> None:
    mixed = {**ANAS, "similarity": 0.9, "rival_similarity": 0.7, "confidence": 0.96}

    (row,) = reviewed([(1, 0.0, 3.0)], {1: mixed})

    assert (row.given, row.rival, row.reason) == ("Ana", "Bo", "partly like somebody else")
