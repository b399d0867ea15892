"""Who is written, under which name, and on which frames."""

from __future__ import annotations

from fractions import Fraction

import pytest

from screenalytics_core.errors import SettingsError
from screenalytics_core.segment_formats.model import episode_segments
from tests.unit.segment_formats.samples import MEDIA, episode, row, shots


def test_whoever_is_longer_on_screen_comes_first() -> None:
    people = episode(("Bob", 0, 3, "face"), ("Anna", 0, 2, "face"), ("Anna", 5, 9, "body")).people

    assert [p.name for p in people] == ["Anna", "Bob"]


def test_times_count_from_the_first_frame() -> None:
    (person,) = episode(("Anna", 2.0, 3.0, "face"), first_frame_s=10.0).people

    assert (person.segments[0].start_s, person.segments[0].end_s) == (2.0, 3.0)


def test_a_cast_member_joins_identities_under_one_name() -> None:
    rows = [
        row("Anna", 4, 5, "face", identity_id="id_0002", cast_id="anna"),
        row("Anna", 0, 1, "face", identity_id="id_0001", cast_id="anna"),
    ]

    (person,) = episode_segments("ep", "r", shots(Fraction(25)), rows, MEDIA).people

    assert (person.person_id, person.identity_id) == ("anna", None)
    assert [s.start_s for s in person.segments] == [0, 4]


def test_two_people_of_one_name_are_told_apart() -> None:
    rows = [
        row("Kim", 0, 3, "face", identity_id="id_0001"),
        row("kim", 0, 1, "face", identity_id="id_0002"),
        row(None, 0, 1, "face", identity_id="id_0003"),
    ]

    people = episode_segments("ep", "r", shots(Fraction(25)), rows, MEDIA).people

    assert [p.name for p in people] == ["Kim (id_0001)", "kim (id_0002)", "id_0003"]


def test_a_name_that_is_no_line_of_text_becomes_one() -> None:
    (person,) = episode(("An\x1b[31mna\n\u202e\ud800 of\tX", 0, 1, "face")).people

    assert person.name == "An[31mna of X"


@pytest.mark.parametrize("wanted", ["anna ", "ANNA", "id_Anna"])
def test_a_person_is_found_by_name_and_by_id(wanted: str) -> None:
    both = episode(("Anna", 0, 1, "face"), ("Bob", 0, 1, "face"))

    assert [p.name for p in both.only(wanted).people] == ["Anna"]


def test_an_unknown_person_is_answered_with_those_who_are_there() -> None:
    both = episode(("Anna", 0, 2, "face"), ("Bob", 0, 1, "face"))

    with pytest.raises(SettingsError, match=r"'Ann'.*It has Anna, Bob"):
        both.only("Ann")


def test_segments_shorter_than_a_frame_follow_each_other_on_one_track() -> None:
    flicker = episode(
        ("Anna", 1.0, 1.001, "face"), ("Anna", 1.001, 1.002, "body"), ("Anna", 1.002, 2, "face")
    )

    placed = [(start, end) for _, start, end in flicker.people[0].on_frames(flicker.clock)]

    assert placed == [(25, 26), (26, 27), (27, 50)]
