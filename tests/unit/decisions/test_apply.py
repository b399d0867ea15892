"""What decisions make of an episode's identities: each case reads as a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from screenalytics_core.decisions.records import Decision
from tests.decided import (
    cast_rows,
    label,
    lock,
    merge,
    move,
    owners,
    rows_of_identities,
    split,
    story,
    undo,
    who,
)

A, B, C = "id_0001", "id_0002", "id_0003"
GROUPS = {A: [1, 2, 3], B: [4, 5], C: [6]}
UNDECIDED = {1: A, 2: A, 3: A, 4: B, 5: B, 6: C}

CASES = [
    pytest.param([], {}, id="without decisions everybody is who the machine says"),
    # --- label
    pytest.param(
        [label("anna", 1, 2, 3)], {1: "anna", 2: "anna", 3: "anna"}, id="a label names an identity"
    ),
    pytest.param(
        [label("anna", 2)], {1: "anna", 2: "anna", 3: "anna"},
        id="a part that holds decided tracks takes its undecided ones along",
    ),
    pytest.param(
        [label("anna", 1, 2, 4)], {**dict.fromkeys((1, 2, 3, 4, 5), "anna")},
        id="every part of a labelled identity that was split keeps the name",
    ),
    pytest.param(
        [label("anna", 1, 2), label("ben", 3)], {1: "anna", 2: "anna", 3: "ben"},
        id="where labels differ, the identity takes the one with most face time",
    ),
    pytest.param(
        [label("anna", 1, 2, 3), label("ben", 1, 2, 3)], {1: "ben", 2: "ben", 3: "ben"},
        id="a later label wins over an earlier one",
    ),
    pytest.param(
        [label("anna", 1, 2, 3), label(None, 1, 2, 3)], {}, id="nobody with a name has none"
    ),
    pytest.param(
        [label("anna", 1, 2), label(None, 3)], {1: "anna", 2: "anna", 3: f"{A}.1"},
        id="who is nobody with a name inside somebody named is a part of their own",
    ),
    # --- merge
    pytest.param([merge([1, 2, 3], [4, 5])], {4: A, 5: A}, id="merged identities are one person"),
    pytest.param(
        [merge([1, 2, 3], [4, 5]), label("anna", 1, 2, 3, 4, 5)],
        dict.fromkeys((1, 2, 3, 4, 5), "anna"), id="a label names all of a merged person",
    ),
    pytest.param(
        [label("anna", 1, 2, 3), label("ben", 4, 5), merge([4, 5], [1, 2, 3])],
        dict.fromkeys((1, 2, 3, 4, 5), "ben"), id="a merged person is called as the first one",
    ),
    pytest.param(
        [label("anna", 1, 2, 3), merge([4, 5], [1, 2, 3])],
        dict.fromkeys((1, 2, 3, 4, 5), "anna"), id="or as the other one if the first has no name",
    ),
    pytest.param(
        [merge([4, 5], [6]), merge([1, 2, 3], [4, 5])], {4: A, 5: A, 6: A},
        id="whom somebody was merged with before comes along",
    ),
    # --- split
    pytest.param([split([3], [1, 2])], {3: f"{A}.1"}, id="a part that is split off is new"),
    pytest.param(
        [split([2], [1, 3]), split([3], [1])], {2: f"{A}.1", 3: f"{A}.2"},
        id="parts are numbered in the order of the decisions",
    ),
    pytest.param(
        [label("anna", 1, 2, 3), split([3], [1, 2])], {1: "anna", 2: "anna", 3: f"{A}.1"},
        id="the part is not called as the whole",
    ),
    pytest.param(
        [label("anna", 3), split([3], [1, 2])], {1: "anna", 2: "anna", 3: f"{A}.1"},
        id="who stays keeps the name, though it was said of the tracks that left",
    ),
    pytest.param(
        [split([3], [1, 2]), label("ben", 3)], {3: "ben"}, id="a part can be named"
    ),
    pytest.param(
        [split([4], [1])], {}, id="what the machine keeps apart by now needs no part"
    ),
    pytest.param(
        [split([3], [1, 2]), merge([1, 2], [3])], {}, id="a part can be merged back"
    ),
    pytest.param(
        [split([2, 3], [1]), merge([4, 5], [2, 3])], {2: B, 3: B},
        id="a part can be merged into somebody else",
    ),
    # --- move
    pytest.param([move([3], [4, 5])], {3: B}, id="a track moves to somebody"),
    pytest.param(
        [move([3], [4, 5]), label("ben", 3, 4, 5)], {3: "ben", 4: "ben", 5: "ben"},
        id="and is called as they are, while those it comes from are not",
    ),
    pytest.param(
        [label("ben", 4, 5), move([3], [4, 5])], {3: "ben", 4: "ben", 5: "ben"},
        id="also if they had their name before",
    ),
    pytest.param([move([3], cast="cleo")], {3: "cleo"}, id="a track moves to a cast member"),
    pytest.param(
        [label("anna", 1, 2, 3), move([3], cast="cleo")], {1: "anna", 2: "anna", 3: "cleo"},
        id="out of somebody named, too",
    ),
    pytest.param(
        [move([3], cast="cleo"), label("ben", 3)], {3: "ben"},
        id="and is called otherwise alone, not with those it was among",
    ),
    pytest.param([move([3])], {3: None}, id="a track moves to nobody"),
    pytest.param([move([3]), label("anna", 3)], {3: "anna", 1: "anna", 2: "anna"},
                 id="a later label takes it back from nobody"),
    # --- lock
    pytest.param([lock(1, 2, 3)], {}, id="a lock changes nothing while the machine agrees"),
    pytest.param([lock(1, 2)], {3: f"{A}.1"}, id="others are kept out of who is locked"),
    pytest.param([lock(1, 2, 3, 4)], {4: A}, id="lost ones are taken back"),
    pytest.param(
        [lock(1, 2, 3, 6)], {6: A}, id="an identity that is all theirs is merged into them"
    ),
    pytest.param(
        [lock(1, 2, 3), move([4], [1, 2, 3])], {4: A}, id="a later move into them holds"
    ),
    pytest.param(
        [label("anna", 1, 2), lock(1, 2)], {1: "anna", 2: "anna", 3: f"{A}.1"},
        id="who is locked keeps their name, those kept out do not have it",
    ),
    # --- undo
    pytest.param([label("anna", 1, 2, 3), undo(1)], {}, id="an undone label is as if never made"),
    pytest.param(
        [label("anna", 1, 2, 3), undo(1), undo(2)], {1: "anna", 2: "anna", 3: "anna"},
        id="an undo can be undone",
    ),
    pytest.param(
        [label("anna", 1, 2, 3), label("ben", 1, 2, 3), undo(2)],
        {1: "anna", 2: "anna", 3: "anna"}, id="the decision before it holds again",
    ),
    pytest.param([merge([1, 2, 3], [4, 5]), lock(4), undo(1), undo(2)], {}, id="all undone"),
    # --- lost
    pytest.param([label("anna", 77)], {}, id="what is not found again says nothing"),
    pytest.param([split([3], [3])], {}, id="what is one track by now cannot be split"),
    pytest.param([move([3], [77])], {}, id="a move to somebody who is gone moves nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("decisions", "changed"), CASES)
def test_decisions(decisions: list[Decision], changed: dict[int, str | None]) -> None:
    assert who(GROUPS, *decisions) == UNDECIDED | changed


def row(groups: Any, about: str | int, *decisions: Decision, **more: Any) -> dict[str, Any]:
    """The row about an identity or a track."""
    key = "identity_id" if isinstance(about, str) else "track_id"
    rows = cast_rows(groups, story(*decisions), **more)
    found = [
        r for r in rows if r.get(key) == about and (key == "track_id" or not r.get("track_id"))
    ]
    assert len(found) == 1
    return found[0]


def test_a_row_names_the_decision_that_says_it() -> None:
    assert row(GROUPS, A, label("anna", 1), label("anna", 2))["decision"] == 2
    assert row(GROUPS, B, label("anna", 1), merge([1, 2, 3], [4, 5]))["decision"] == 2
    assert row(GROUPS, 3, move([3], [4, 5]), label("ben", 4, 5))["decision"] == 1
    assert row(GROUPS, 3, split([3], [1, 2]), label("ben", 3))["decision"] == 2
    assert "decision" not in row(GROUPS, C, label("anna", 1))


def test_a_merged_identity_says_into_whom_and_what_they_are_called() -> None:
    merged = row(GROUPS, B, label("anna", 1, 2, 3), merge([1, 2, 3], [4, 5]))

    assert (merged["merged_into"], merged["cast_id"], merged["source"]) == (A, "anna", "decision")
    assert owners(GROUPS, cast_rows(GROUPS, story(merge([1, 2, 3], [4, 5])))).of_identities[
        B
    ].key == (False, A)


def test_a_named_part_is_one_person_with_an_id() -> None:
    rows = cast_rows(GROUPS, story(split([2, 3], [1]), label("ben", 2, 3)))

    found = owners(GROUPS, rows)

    assert {found.of_tracks[t] for t in (2, 3)} == {found.of_identities[f"{A}.1"]}
    assert found.of_tracks[2].identity_id == f"{A}.1"
    assert found.of_tracks[2].cast_id == "ben"


class Given:
    """A name by the gallery."""

    cast_id, label, confidence = "zoe", "Zoe", 0.75


def test_a_decision_stands_before_the_gallery() -> None:
    matched = {A: Given(), B: Given()}

    assert row(GROUPS, A, label("anna", 1), matched=matched)["cast_id"] == "anna"
    assert row(GROUPS, A, label(None, 1), matched=matched).get("cast_id") is None
    assert row(GROUPS, B, matched=matched)["source"] == "gallery"
    assert row(GROUPS, B, matched=matched)["confidence"] == 0.75


def test_whom_the_gallery_names_is_so_with_all_that_belongs_to_them() -> None:
    decisions = story(merge([1, 2, 3], [4, 5]), move([6], [1, 2, 3]))
    rows = cast_rows(GROUPS, decisions, matched={A: Given()})

    assert {o.cast_id for o in owners(GROUPS, rows).of_tracks.values()} == {"zoe"}


def test_a_part_that_the_gallery_names_is_as_sure_as_the_gallery() -> None:
    part = row(GROUPS, 3, split([3], [1, 2]), matched={f"{A}.1": Given()})

    assert (part["source"], part["confidence"], part["decision"]) == ("gallery", 0.75, 1)


def test_a_cast_member_is_called_as_last_said_and_as_the_gallery_says_before_that() -> None:
    renamed = Decision.from_dict({**label("anna", 4, 5).to_dict(), "label": "Anna B."})

    assert row(GROUPS, A, label("anna", 1), renamed)["label"] == "Anna B."
    assert row(GROUPS, A, label("anna", 1), labels={"anna": "Ann"})["label"] == "Ann"


def test_tracks_that_nobody_holds_any_more_keep_their_name() -> None:
    found = who({A: [1]}, label("anna", 1, 2), loose=[2, 3])

    assert found == {1: "anna", 2: "anna", 3: None}


def test_a_person_without_an_identity_is_still_somebody() -> None:
    assert who({A: [1]}, merge([2], [3]), loose=[2, 3]) == {1: A, 2: "id_0000.1", 3: "id_0000.1"}


@pytest.mark.parametrize(
    ("groups", "decisions", "expected"),
    [
        pytest.param(
            {A: [1, 2], B: [3, 4, 5]}, [merge([1], [2, 3])], {3: A, 4: B, 5: B},
            id="a stray track of a merged person does not bring a stranger along",
        ),
        pytest.param(
            {A: [1, 2, 3, 9], B: [4]}, [merge([1], [2])], {9: A, 3: A, 4: B},
            id="but an identity that holds all of the person does",
        ),
        pytest.param(
            {A: [3, 7, 8], B: [1, 2]}, [split([3], [1, 2])], {3: A, 1: B},
            id="a part whose rest is elsewhere stays with whom the machine put it",
        ),
        pytest.param(
            {A: [1, 2, 3, 7, 8, 9]}, [lock(1, 2)], {1: A, 2: A, 7: f"{A}.1", 9: f"{A}.1"},
            id="who is locked keeps the identity, the others are a part",
        ),
        pytest.param(
            {A: [1], B: [2], C: [4], "id_0004": [6]},
            [merge([1], [2]), merge([4], [6]), merge([1], [4])], {2: A, 4: A, 6: A},
            id="all of two merged people are one, also those who were not named again",
        ),
        pytest.param(
            {A: [1], B: [2, 4, 5, 9]}, [split([9], [1, 2]), merge([4], [5])],
            {1: A, 2: B, 9: f"{B}.1"},
            id="that some tracks stayed does not bring them together again",
        ),
        pytest.param(
            {A: [1, 2, 3, 7], B: [4]}, [move([4], [1]), lock(1, 4)], {4: A, 2: f"{A}.1"},
            id="a track that was moved to them is locked with them",
        ),
    ],
)  # fmt: skip
def test_after_the_machine_grouped_otherwise(
    groups: Any, decisions: list[Decision], expected: dict[int, str]
) -> None:
    found = who(groups, *decisions)

    assert {t: found[t] for t in expected} == expected


def test_a_track_that_was_moved_to_who_is_locked_does_not_take_its_identity_along() -> None:
    groups = {A: [1], B: [4, 5]}

    found = who(groups, move([4], [1]), lock(1, 4), seconds={4: 5.0})

    assert found == {1: A, 4: A, 5: B}


def test_the_builders_make_rows_as_the_machine_does() -> None:
    assert [r["identity_id"] for r in rows_of_identities(GROUPS)] == [A, B, C]
