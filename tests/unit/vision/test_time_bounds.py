"""Low and high bounds: what is sure, and what else may be this person."""

from __future__ import annotations

from typing import Any

import pytest

from screenalytics_core.vision.screen_time import ScreenTime
from tests.seen_people import body, face, identity, measure, member, named

ANNA, BEN = identity("id_0001", 0, 1), identity("id_0002", 2)
TRACKS = [face(0, 0, 10), face(1, 20, 24), face(2, 30, 35)]


def bounds(measured: ScreenTime) -> dict[str, tuple[float, float, float]]:
    return {p.person_id: (p.low_s, p.total_s, p.high_s) for p in measured.people}


def told(sure_s: float, total_s: float, possible_s: float) -> tuple[Any, float, Any]:
    """What is stated: three parts in a hundred are a matter of opinion."""
    return (
        pytest.approx(0.97 * sure_s),
        pytest.approx(total_s),
        pytest.approx(max(1.03 * total_s, possible_s)),
    )


def test_sure_tracks_leave_no_doubt() -> None:
    assert bounds(measure(TRACKS, [ANNA, BEN])) == {
        "id_0001": told(14, 14, 14),
        "id_0002": told(5, 5, 5),
    }


def test_a_tracks_ends_are_sure_where_it_was_seen_and_possible_to_the_next_look() -> None:
    tracks = [face(0, 1.0, 9.0, seen=(1.5, 8.0), possible=(0.5, 10.0))]

    assert bounds(measure(tracks, [identity("id_0001", 0)])) == {"id_0001": told(6.5, 8.0, 9.5)}


def test_a_track_in_doubt_is_not_sure_and_may_be_its_rivals() -> None:
    doubtful = member(1, confidence=0.79, rival_id="id_0002", rival_similarity=0.3)

    found = bounds(measure(TRACKS, [ANNA, BEN], members=[doubtful]))

    assert found == {"id_0001": told(10, 14, 14), "id_0002": told(5, 5, 9)}


def test_a_sure_track_is_nobody_elses_however_alike() -> None:
    alike = member(1, confidence=0.8, rival_id="id_0002", rival_similarity=0.5)

    found = bounds(measure(TRACKS, [ANNA, BEN], members=[alike]))

    assert found == {"id_0001": told(14, 14, 14), "id_0002": told(5, 5, 5)}


@pytest.mark.parametrize(
    ("row", "high_s"),
    [
        pytest.param(member(9, 0.0, "id_0002", 0.4), 8.0, id="alike"),
        pytest.param(member(9, 0.0, "id_0002", 0.3), 8.0, id="just alike"),
        pytest.param(member(9, 0.0, "id_0002", 0.29), 5.0, id="as alike as strangers"),
        pytest.param(member(9, 0.0), 5.0, id="nothing known"),
    ],
)
def test_a_face_of_nobody_may_be_who_it_resembles(row: dict[str, Any], high_s: float) -> None:
    tracks = [*TRACKS, face(9, 40, 43)]

    assert bounds(measure(tracks, [ANNA, BEN], members=[row]))["id_0002"] == told(5, 5, high_s)


def test_doubt_between_two_identities_of_one_person_is_none() -> None:
    members = [member(1, 0.1, "id_0002", 0.4)]
    cast = [named("id_0001", "anna"), named("id_0002", "anna")]

    assert bounds(measure(TRACKS, [ANNA, BEN], cast, members=members)) == {"anna": told(19, 19, 19)}


def test_what_a_person_decided_of_a_track_is_sure() -> None:
    members = [member(1, 0.1, "id_0002", 0.4)]

    found = bounds(measure(TRACKS, [ANNA, BEN], [named("id_0001", None, 1)], members=members))

    assert found == {"id_0001": told(14, 14, 14), "id_0002": told(5, 5, 5)}


def test_a_body_without_a_face_is_never_sure() -> None:
    found = bounds(measure(TRACKS, [ANNA, BEN], bodies=[body(7, 0, 12, "id_0001", 0)]))

    assert found["id_0001"] == told(14, 16, 16)


def test_all_of_an_identity_may_be_of_a_person_that_it_resembles() -> None:
    found = bounds(measure(TRACKS, [ANNA, BEN], alike=[("id_0001", "id_0002")]))

    assert found == {"id_0001": told(14, 14, 19), "id_0002": told(5, 5, 19)}


def test_identities_that_are_one_person_leave_no_doubt_of_each_other() -> None:
    cast = [named("id_0001", "anna"), named("id_0002", "anna")]

    found = bounds(measure(TRACKS, [ANNA, BEN], cast, alike=[("id_0001", "id_0002")]))

    assert found == {"anna": told(19, 19, 19)}


def test_a_track_that_a_person_moved_is_not_of_who_its_identity_resembles() -> None:
    cast = [named("id_0002", None, 0)]

    found = bounds(measure(TRACKS, [ANNA, BEN], cast, alike=[("id_0001", "id_0002")]))

    assert found == {"id_0002": told(15, 15, 19), "id_0001": told(4, 4, 9)}


def test_a_body_may_be_the_rival_of_the_faces_in_it() -> None:
    doubtful = member(1, 0.3, "id_0002", 0.3)
    bodies = [body(7, 20, 26, "id_0001", 1)]

    found = bounds(measure(TRACKS, [ANNA, BEN], bodies=bodies, members=[doubtful]))

    assert found == {"id_0001": told(10, 16, 16), "id_0002": told(5, 5, 11)}


def test_trims_take_from_the_bounds_too() -> None:
    tracks = [face(0, 1.0, 9.0, seen=(2.0, 8.0), possible=(0.0, 10.0)), face(2, 30, 35)]
    members = [member(2, 0.1, "id_0001", 0.35)]

    measured = measure(tracks, [ANNA, BEN], members=members, trims=[(7.5, 31.0)])

    assert bounds(measured) == {"id_0001": told(5.5, 6.5, 11.5), "id_0002": told(0, 4, 4)}
