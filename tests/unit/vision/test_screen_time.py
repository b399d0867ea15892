"""Seconds per person: unions, names, faces and bodies, and what trims take out."""

from __future__ import annotations

from typing import Any

import pytest

from screenalytics_core.vision.screen_time import ScreenTime, Together
from screenalytics_core.vision.segments import Segment
from tests.seen_people import body, face, identity, measure, named

FACES = (
    face(0, 0.0, 2.0),
    face(1, 1.5, 4.0),
    face(2, 4.0, 5.0),
    face(3, 7.0, 8.0),
    face(4, 0.0, 3.0),
)


def facts(measured: ScreenTime) -> list[tuple[str | None, str | None, float]]:
    return [(p.identity_id, p.cast_id, p.total_s) for p in measured.people]


def test_time_that_two_tracks_share_counts_once_and_touching_stretches_are_one() -> None:
    measured = measure(FACES, [identity("id_0001", 0, 1, 2, 3)])

    (person,) = measured.people
    assert (person.face_s, person.body_only_s, person.total_s) == (6.0, None, 6.0)
    assert person.segments == (
        Segment(0.0, 5.0, "face", (0, 1, 2), (), 0.9),
        Segment(7.0, 8.0, "face", (3,), (), 0.9),
    )
    assert (person.track_count, person.body_track_count) == (4, 0)
    assert person.label is None


def test_faces_of_nobody_are_unknown_seconds_and_no_person() -> None:
    measured = measure(FACES, [identity("id_0001", 3)])

    assert facts(measured) == [("id_0001", None, 1.0)]
    assert measured.unknown_s == 5.0
    assert measured.covered_s == 1.0


def test_covered_is_the_time_with_anybody_overlap_that_with_two() -> None:
    measured = measure(FACES, [identity("id_0001", 0, 1), identity("id_0002", 4, 3)])

    assert measured.covered_s == 5.0
    assert measured.overlap_s == 3.0
    assert measured.unknown_s == 1.0


def test_most_seconds_come_first_equal_ones_by_id() -> None:
    faces = [face(0, 0, 1), face(1, 0, 3), face(2, 5, 6)]
    people = [identity("id_0003", 0), identity("id_0002", 1), identity("id_0001", 2)]

    measured = measure(faces, people)

    assert [p.identity_id for p in measured.people] == ["id_0002", "id_0001", "id_0003"]


def test_every_pair_that_meets_stands_once_under_who_has_more_time() -> None:
    faces = [face(0, 0, 4), face(1, 3, 9), face(2, 8, 9), face(3, 9, 10)]
    people = [identity(f"id_000{i + 1}", i) for i in range(4)]

    measured = measure(faces, people, [named("id_0002", "anna")])

    assert measured.together == (
        Together("anna", "id_0001", 1.0),
        Together("anna", "id_0003", 1.0),
    )


# --- names ---------------------------------------------------------------------------------


def test_a_cast_member_joins_all_their_identities() -> None:
    measured = measure(
        FACES,
        [identity("id_0001", 0, 1), identity("id_0002", 3), identity("id_0003", 4)],
        [named("id_0001", "anna"), named("id_0002", "anna"), named("id_0003", None)],
    )

    assert facts(measured) == [(None, "anna", 5.0), ("id_0003", None, 3.0)]
    assert measured.people[0].label == "Anna"
    assert [s.track_ids for s in measured.people[0].segments] == [(0, 1), (3,)]


def test_a_cast_member_with_one_identity_keeps_its_id() -> None:
    measured = measure(FACES, [identity("id_0001", 0)], [named("id_0001", "anna")])

    assert facts(measured) == [("id_0001", "anna", 2.0)]


def test_an_identity_and_a_cast_member_of_the_same_spelling_stay_two() -> None:
    measured = measure(
        FACES,
        [identity("id_0001", 0), identity("id_0002", 3)],
        [named("id_0002", "id_0001")],
    )

    assert facts(measured) == [("id_0001", None, 2.0), ("id_0002", "id_0001", 1.0)]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param(
            named(None, "bob", track_id=1), [(None, "bob", 2.5), ("id_0001", "anna", 2.0)],
            id="to a cast member",
        ),
        pytest.param(
            named(None, "bob", track_id=3), [("id_0001", "anna", 4.0), (None, "bob", 1.0)],
            id="an unassigned one to a cast member",
        ),
        pytest.param(
            named("id_0001", None, track_id=3), [("id_0001", "anna", 5.0)],
            id="to a named identity",
        ),
        pytest.param(named(None, None, track_id=1), [("id_0001", "anna", 2.0)], id="to nobody"),
    ],
)  # fmt: skip
def test_a_single_track_can_be_moved(
    row: dict[str, Any], expected: list[tuple[str | None, str | None, float]]
) -> None:
    measured = measure(FACES[:4], [identity("id_0001", 0, 1)], [row, named("id_0001", "anna")])

    assert facts(measured) == expected


def test_nobody_and_nothing_is_zero_seconds() -> None:
    assert measure([], []) == ScreenTime((), 0.0, 0.0, 0.0, ())
    assert measure([], [], bodies=[]) == ScreenTime((), 0.0, 0.0, 0.0, ())


# --- bodies --------------------------------------------------------------------------------


def test_a_body_counts_where_no_face_was_seen_and_stays_a_segment_of_its_own() -> None:
    bodies = [body(7, 0.5, 3.0, "id_0001", 0), body(8, 2.5, 4.0, "id_0001", confidence=0.3)]
    measured = measure([face(0, 1.0, 2.0)], [identity("id_0001", 0)], bodies=bodies)

    (person,) = measured.people
    assert (person.face_s, person.body_only_s, person.total_s) == (1.0, 2.5, 3.5)
    assert person.segments == (
        Segment(0.5, 1.0, "body", (), (7,), 0.9),
        Segment(1.0, 2.0, "face", (0,), (), 0.9),
        Segment(2.0, 4.0, "body", (), (7, 8), 0.9),
    )
    assert (person.track_count, person.body_track_count) == (1, 2)


def test_a_body_that_begins_beside_a_face_is_not_behind_what_was_before() -> None:
    bodies = [body(7, 0.0, 1.0), body(8, 1.5, 3.0)]
    measured = measure([face(0, 1.0, 2.0)], [identity("id_0001", 0)], bodies=bodies)

    segments = measured.people[0].segments
    assert [s.body_track_ids for s in segments] == [(7,), (), (8,)]


def test_somebody_without_a_body_has_no_body_time_if_anybody_looked() -> None:
    (person,) = measure([face(0, 1.0, 2.0)], [identity("id_0001", 0)], bodies=[]).people

    assert person.body_only_s == 0.0


def test_a_body_of_nobody_counts_for_nobody() -> None:
    measured = measure(
        [face(0, 1.0, 2.0)], [identity("id_0001", 0)], bodies=[body(7, 0.0, 9.0, None)]
    )

    assert facts(measured) == [("id_0001", None, 1.0)]
    assert (measured.covered_s, measured.unknown_s) == (1.0, 0.0)


def test_bodies_count_for_meetings() -> None:
    people = [identity("id_0001", 0), identity("id_0002", 4)]
    faces = [face(0, 0.0, 1.0), face(4, 1.0, 4.0)]
    measured = measure(faces, people, bodies=[body(7, 0.0, 3.0, "id_0001", 0)])

    assert measured.together == (Together("id_0001", "id_0002", 2.0),)
    assert (measured.overlap_s, measured.covered_s) == (2.0, 4.0)


@pytest.mark.parametrize(
    ("cast", "expected"),
    [
        pytest.param([named("id_0001", "anna")], ("id_0001", "anna", 8.0), id="named identity"),
        pytest.param([named(None, "bob", 0)], ("id_0001", None, 7.0), id="one of two moved"),
        pytest.param(
            [named(None, "bob", 0), named(None, "bob", 1)], (None, "bob", 8.0), id="both moved"
        ),
        pytest.param([named(None, "bob", 0), named(None, None, 1)], (None, "bob", 2.0), id="apart"),
    ],
)
def test_a_body_goes_where_the_faces_in_it_went(
    cast: list[dict[str, Any]], expected: tuple[str | None, str | None, float]
) -> None:
    faces = [face(0, 0.0, 2.0), face(1, 3.0, 4.0)]
    bodies = [body(7, 1.0, 8.0, "id_0001", 0, 1)]

    measured = measure(faces, [identity("id_0001", 0, 1)], cast, bodies)

    assert facts(measured)[0] == expected


# --- trims ---------------------------------------------------------------------------------


def test_trimmed_time_counts_for_nothing() -> None:
    faces = [face(0, 0.0, 2.0), face(1, 1.5, 6.0), face(2, 2.0, 3.0), face(3, 2.5, 4.5)]
    people = [identity("id_0001", 0, 1), identity("id_0002", 2)]
    bodies = [body(7, 5.0, 8.0, "id_0001", 1)]

    measured = measure(faces, people, bodies=bodies, trims=[(2.0, 4.0), (3.5, 4.0), (7.0, 99.0)])

    (person,) = measured.people  # the other one is only seen in the recap
    assert [(s.start_s, s.end_s, s.source) for s in person.segments] == [
        (0.0, 2.0, "face"), (4.0, 6.0, "face"), (6.0, 7.0, "body"),
    ]  # fmt: skip
    assert [s.track_ids for s in person.segments] == [(0, 1), (1,), ()]
    assert (person.face_s, person.body_only_s, person.total_s) == (4.0, 1.0, 5.0)
    assert (measured.unknown_s, measured.covered_s, measured.together) == (0.5, 5.0, ())


def test_a_trim_that_ends_where_a_track_begins_takes_nothing_of_it() -> None:
    people = [identity("id_0001", 0)]

    assert measure([face(0, 2.0, 3.0)], people, trims=[(0, 2.0), (3.0, 4.0)]) == measure(
        [face(0, 2.0, 3.0)], people
    )


def test_an_episode_that_is_trimmed_away_has_nobody() -> None:
    measured = measure(FACES, [identity("id_0001", 0)], trims=[(0, 5), (5, 99)])

    assert measured == ScreenTime((), 0.0, 0.0, 0.0, ())
