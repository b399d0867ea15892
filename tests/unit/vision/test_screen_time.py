"""Seconds per person: unions, names, and whom a track belongs to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screenalytics_core.vision.screen_time import ScreenTime, Segment, TrackSpan, screen_time


def identity(name: str, *track_ids: int) -> dict[str, Any]:
    return {"identity_id": name, "label": None, "track_ids": list(track_ids)}


def named(
    identity_id: str | None, cast_id: str | None, track_id: int | None = None
) -> dict[str, Any]:
    return {
        "identity_id": identity_id,
        "track_id": track_id,
        "cast_id": cast_id,
        "label": None if cast_id is None else cast_id.title(),
        "source": "decision",
        "confidence": 1.0,
    }


SPANS = (
    TrackSpan(0, 0.0, 2.0),
    TrackSpan(1, 1.5, 4.0),
    TrackSpan(2, 4.0, 5.0),
    TrackSpan(3, 7.0, 8.0),
    TrackSpan(4, 0.0, 3.0),
)


def facts(measured: ScreenTime) -> list[tuple[str | None, str | None, float]]:
    return [(p.identity_id, p.cast_id, p.face_s) for p in measured.people]


def test_time_that_two_tracks_share_counts_once_and_touching_stretches_are_one() -> None:
    measured = screen_time(SPANS, [identity("id_0001", 0, 1, 2, 3)], [])

    (person,) = measured.people
    assert person.face_s == 6.0
    assert person.segments == (Segment(0.0, 5.0, (0, 1, 2)), Segment(7.0, 8.0, (3,)))
    assert person.track_count == 4
    assert person.label is None


def test_faces_of_nobody_are_unknown_seconds_and_no_person() -> None:
    measured = screen_time(SPANS, [identity("id_0001", 3)], [])

    assert facts(measured) == [("id_0001", None, 1.0)]
    assert measured.unknown_s == 5.0
    assert measured.covered_s == 1.0


def test_covered_is_the_time_with_anybody() -> None:
    measured = screen_time(SPANS, [identity("id_0001", 0, 1), identity("id_0002", 4, 3)], [])

    assert measured.covered_s == 5.0
    assert measured.unknown_s == 1.0


def test_most_seconds_come_first_equal_ones_by_id() -> None:
    spans = [TrackSpan(0, 0, 1), TrackSpan(1, 0, 3), TrackSpan(2, 5, 6)]
    people = [identity("id_0003", 0), identity("id_0002", 1), identity("id_0001", 2)]

    measured = screen_time(spans, people, [])

    assert [p.identity_id for p in measured.people] == ["id_0002", "id_0001", "id_0003"]


def test_a_cast_member_joins_all_their_identities() -> None:
    measured = screen_time(
        SPANS,
        [identity("id_0001", 0, 1), identity("id_0002", 3), identity("id_0003", 4)],
        [named("id_0001", "anna"), named("id_0002", "anna"), named("id_0003", None)],
    )

    assert facts(measured) == [(None, "anna", 5.0), ("id_0003", None, 3.0)]
    assert measured.people[0].label == "Anna"
    assert [s.track_ids for s in measured.people[0].segments] == [(0, 1), (3,)]


def test_a_cast_member_with_one_identity_keeps_its_id() -> None:
    measured = screen_time(SPANS, [identity("id_0001", 0)], [named("id_0001", "anna")])

    assert facts(measured) == [("id_0001", "anna", 2.0)]


def test_an_identity_and_a_cast_member_of_the_same_spelling_stay_two() -> None:
    measured = screen_time(
        SPANS,
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
    measured = screen_time(SPANS[:4], [identity("id_0001", 0, 1)], [row, named("id_0001", "anna")])

    assert facts(measured) == expected


def test_nobody_and_nothing_is_zero_seconds() -> None:
    measured = screen_time([], [], [])

    assert measured == ScreenTime((), 0.0, 0.0)


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=12).map(
    lambda pairs: [TrackSpan(i, a / 4, (a + n) / 4) for i, (a, n) in enumerate(pairs)]
)


@given(spans, st.lists(st.integers(0, 3), min_size=12, max_size=12))
def test_seconds_are_those_of_the_segments_and_every_track_is_in_one(
    tracks: list[TrackSpan], owner_of: list[int]
) -> None:
    people = [
        identity(f"id_{k}", *(t.track_id for t in tracks if owner_of[t.track_id] == k))
        for k in (1, 2, 3)
    ]

    measured = screen_time(tracks, people, [])

    for person in measured.people:
        own = {t.track_id: t for t in tracks if owner_of[t.track_id] == int(person.identity_id[3])}  # type: ignore[index]
        assert person.face_s == sum(s.end_s - s.start_s for s in person.segments)
        assert sorted(i for s in person.segments for i in s.track_ids) == sorted(own)
        for segment in person.segments:
            for i in segment.track_ids:
                assert segment.start_s <= own[i].start_s < own[i].end_s <= segment.end_s
    assert measured.covered_s <= sum(p.face_s for p in measured.people)
    assert all(p.face_s <= measured.covered_s for p in measured.people)
