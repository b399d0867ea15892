"""What a truth denies of itself is told, and only that."""

from __future__ import annotations

from typing import Any

import pytest

from screenalytics_core.evaluation.consistency import contradictions
from screenalytics_core.evaluation.evaluate import evaluate
from tests.unit.evaluation.clips import BOTH, LEFT, RIGHT, face, prediction, truth

FACES = [face(f, "ana", LEFT) for f in (0, 3)] + [face(0, "bo", RIGHT)]


@pytest.mark.parametrize(
    ("changed", "place", "reason"),
    [
        pytest.param(
            {"present": {"ana": [[0, 6], [8, 9]], "bo": [[0, 4]]}}, "visible.ana",
            "has frame 7, which is not in present.ana", id="visible but not present",
        ),
        pytest.param(
            {"present": {"ana": [[0, 9]]}}, "visible.bo",
            "has frame 0, which is not in present.bo", id="visible but missing in present",
        ),
        pytest.param(
            {"visible_clear": {"bo": [[2, 5]]}}, "visible_clear.bo",
            "has frame 5, which is not in visible.bo", id="clear but not visible",
        ),
        pytest.param(
            {"visible": {"ana": [[0, 2], [4, 9]], "bo": [[0, 4]]}}, "faces[1]",
            "shows ana clearly on frame 3, which is not in visible.ana", id="a face in a hole",
        ),
        pytest.param(
            {"visible": {"ana": [[1, 9]], "bo": [[0, 4]]}}, "faces[0]",
            "shows ana clearly on frame 0", id="a face before everything",
        ),
        pytest.param(
            {"faces": FACES[:2]}, "persons.bo", "is main and in the picture, but no labelled face",
            id="nobody can be told to be bo",
        ),
        pytest.param(
            {"faces": [*FACES[:2], face(0, "bo", RIGHT, away=True)]}, "persons.bo",
            "other than averted ones", id="an averted head says nothing",
        ),
        pytest.param(
            {"faces": FACES[:2], "visible": {"ana": [[0, 9]]},
             "present": {"ana": [[0, 9]], "bo": [[0, 4]]}},
            "persons.bo", "in the picture", id="only the body is there",
        ),
        pytest.param({"labelled_frames": [], "faces": []}, "persons.ana", "main", id="no labels"),
    ],
)  # fmt: skip
def test_a_contradiction_is_told_with_its_place(
    changed: dict[str, Any], place: str, reason: str
) -> None:
    told = contradictions(truth(**changed))

    assert any(t.startswith(f"{place} ") and reason in t for t in told), told


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(
            {"faces": [*FACES, *(face(6, "ana", b, hard=True) for b in (LEFT, RIGHT))]},
            id="one person in both shots of a blend",
        ),
        pytest.param(
            {"visible": {"ana": [[0, 2]], "bo": [[0, 4]]}, "maybe": {"ana": [[3, 9]]}},
            id="a clear face where they may be seen",
        ),
        pytest.param(
            {"visible": {"ana": [[0, 4], [2, 6], [7, 9]], "bo": [[3, 4], [0, 2]]},
             "present": {"ana": [[0, 9]], "bo": [[0, 7]]}},
            id="intervals in pieces",
        ),
        pytest.param(
            {"faces": FACES[:2], "visible": {"ana": [[0, 9]]}}, id="a main person who never comes"
        ),
        pytest.param(
            {"faces": FACES[:2], "persons": {"ana": {"main": True}, "bo": {}}},
            id="an extra whom nobody labelled",
        ),
    ],
)  # fmt: skip
def test_what_only_looks_like_a_contradiction_is_none(changed: dict[str, Any]) -> None:
    assert contradictions(truth(**changed)) == ()


def test_of_a_person_many_faces_outside_of_visible_are_told_once() -> None:
    told = contradictions(truth(visible={"ana": [], "bo": [[0, 4]]}, faces=FACES))

    assert [t.split(" shows")[0] for t in told] == ["faces[0]"]


def test_a_verdict_says_what_its_truth_denies_of_itself() -> None:
    slip = truth(visible_clear={"bo": [[2, 5]]})

    found = evaluate(slip, prediction(BOTH, {"id_1": [1], "id_2": [2]})).to_dict()

    assert found["truth_contradicts"] == list(contradictions(slip)) != []
