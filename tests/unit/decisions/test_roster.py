"""Who a command means: by id, by cast member, by name; and whose tracks those are."""

from __future__ import annotations

import pytest

from screenalytics_core.artifacts import CAST
from screenalytics_core.decisions.records import Decision
from screenalytics_core.decisions.roster import Roster
from screenalytics_core.errors import DecisionError
from tests.decided import cast_rows, label, merge, move, rows_of_identities, split, story

A, B, C = "id_0001", "id_0002", "id_0003"
GROUPS = {A: [1, 2, 3], B: [4, 5], C: [6]}


def roster(*decisions: Decision) -> Roster:
    rows = cast_rows(GROUPS, story(*decisions), loose=[7])
    cast = CAST.conform({"show": None, "people": rows, "suggestions": []})
    spans_s = {t: (float(t), t + 1.0) for t in range(1, 8)}
    return Roster({"identities": rows_of_identities(GROUPS)}, cast, spans_s)


def test_everybody_with_a_track_is_listed_in_the_identities_order() -> None:
    found = roster(move([6], [4, 5]), label("ben", 4, 5, 6))

    assert [(p.person_id, p.name, p.tracks) for p in found.people] == [
        (A, A, (1, 2, 3)),
        (B, "Ben", (4, 5, 6)),
    ]
    assert found.unassigned == (7,)
    assert [p.face_s for p in found.people] == [3.0, 3.0]


@pytest.mark.parametrize("text", [A, B])
def test_either_id_of_a_merged_person_means_all_of_them(text: str) -> None:
    found = roster(merge([1, 2, 3], [4, 5]))

    assert found.tracks_of(text) == {1, 2, 3, 4, 5}
    assert [p.identity_ids for p in found.people] == [(A, B), (C,)]


@pytest.mark.parametrize("text", ["anna", "Anna", " ANNA "])
def test_a_cast_member_means_all_identities_that_are_them(text: str) -> None:
    found = roster(label("anna", 1, 2, 3), label("anna", 6))

    assert found.tracks_of(text) == {1, 2, 3, 6}
    assert found.tracks_of(C) == {6}


def test_a_part_is_somebody_and_not_of_whom_it_was_split_from() -> None:
    found = roster(split([3], [1, 2]))

    assert found.tracks_of(f"{A}.1") == {3}
    assert found.tracks_of(A) == {1, 2}


def test_a_cast_member_of_single_tracks_is_somebody() -> None:
    [cleo] = roster(move([3], cast="cleo")).find("Cleo")

    assert (cleo.person_id, cleo.identity_ids, cleo.tracks) == ("cleo", (), (3,))


@pytest.mark.parametrize(
    ("text", "way_out"),
    [("id_001", "Did you mean 'id_0001'?"), ("Ana", "Did you mean 'Anna'?"), ("?", "It has Anna")],
)
def test_who_is_not_there_is_refused_with_the_nearest(text: str, way_out: str) -> None:
    with pytest.raises(DecisionError, match="is not in this run") as raised:
        roster(label("anna", 1)).find(text)

    assert way_out in str(raised.value)


def test_tracks_that_are_not_there_are_refused_with_the_nearest() -> None:
    found = roster()

    with pytest.raises(DecisionError, match=r"track 9: is not in this run\. The nearest is 7"):
        found.check_tracks([9])
    with pytest.raises(DecisionError, match=r"not one of that person\. The nearest is 3"):
        found.check_tracks([4], found.tracks_of(A))
    found.check_tracks([1, 7])
