"""Whose a track is, and that a person keeps a colour."""

from __future__ import annotations

from screenalytics_core.overlay.people import UNKNOWN_COLOUR, People, colour_of
from tests.unit.overlay.findings import identity, named


def name_of(people: People, track_id: int) -> str | None:
    who = people.of_track(track_id)
    return None if who is None else who.name


def test_a_track_without_an_identity_is_nobodys() -> None:
    people = People([identity("id_0001", 1)], [])

    assert people.of_track(2) is None


def test_a_name_comes_from_label_then_cast_id_then_identity() -> None:
    people = People(
        [identity("id_0001", 1), identity("id_0002", 2), identity("id_0003", 3)],
        [named("id_0001", "anna", "Anna"), named("id_0002", "bob", None)],
    )

    assert [name_of(people, i) for i in (1, 2, 3)] == ["Anna", "bob", "id_0003"]


def test_what_is_said_of_one_track_goes_over_its_identity() -> None:
    people = People(
        [identity("id_0001", 1, 2, 3, 4), identity("id_0002", 5)],
        [
            named("id_0001", "anna", "Anna"),
            named("id_0002", "bob", "Bob"),
            named(None, "cyd", "Cyd", track_id=2),
            named("id_0002", None, None, track_id=3),
            named(None, None, None, track_id=4),
        ],
    )

    assert [name_of(people, i) for i in (1, 2, 3, 4, 5)] == ["Anna", "Cyd", "Bob", None, "Bob"]


def test_identities_of_one_cast_member_share_a_colour_and_others_do_not() -> None:
    people = People(
        [identity("id_0001", 1), identity("id_0002", 2), identity("id_0003", 3)],
        [named("id_0001", "anna", "Anna"), named("id_0003", "anna", "Anna")],
    )
    one, two, three = (people.of_track(i) for i in (1, 2, 3))

    assert one is not None
    assert two is not None
    assert three is not None
    assert one.colour == three.colour != two.colour


def test_the_order_of_rows_changes_no_colour() -> None:
    rows = [identity(f"id_{i:04d}", i) for i in range(1, 9)]

    assert [People(rows, []).of_track(i) for i in range(1, 9)] == [
        People(rows[::-1], []).of_track(i) for i in range(1, 9)
    ]


def test_forty_people_have_forty_colours_none_of_them_grey() -> None:
    colours = {colour_of(rank) for rank in range(40)}

    assert len(colours) == 40
    assert all(max(c) - min(c) > 100 for c in colours)
    assert UNKNOWN_COLOUR not in colours
