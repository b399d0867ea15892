"""B-cubed, purity, mutual information, counts and names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import normalized_mutual_info_score

from screenalytics_core.evaluation.bcubed import bcubed
from screenalytics_core.evaluation.evaluate import evaluate
from screenalytics_core.evaluation.prediction import Identity
from screenalytics_core.evaluation.verdict import People
from tests.unit.evaluation.clips import BOTH, EXTRAS, LEFT, RIGHT, face, prediction, truth


def people(identities: Mapping[str, Sequence[int]], tracks: Any = BOTH, **changed: Any) -> People:
    return evaluate(truth(**changed), prediction(tracks, identities)).people


def test_bcubed_by_hand() -> None:
    # Three in one cluster (two ana, one bo), one bo alone.
    scores = bcubed([("ana", "x"), ("ana", "x"), ("bo", "x"), ("bo", None)])

    assert scores.precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1) / 4)
    assert scores.recall == pytest.approx((1 + 1 + 1 / 2 + 1 / 2) / 4)
    assert scores.f1 == pytest.approx(2 * 2 / 3 * 0.75 / (2 / 3 + 0.75))


def test_two_items_without_a_cluster_are_not_in_one() -> None:
    scores = bcubed([("ana", None), ("ana", None)])

    assert (scores.precision, scores.recall) == (1.0, 0.5)


def test_nothing_has_no_bcubed() -> None:
    assert bcubed([]).f1 is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y", "z", None]))))
def test_bcubed_is_the_mean_over_pairs_of_items(items: list[tuple[str, str | None]]) -> None:
    scores = bcubed(items)
    if not items:
        return
    precisions, recalls = [], []
    for i, (person, cluster) in enumerate(items):
        mates = [p for j, (p, c) in enumerate(items) if j == i or (c == cluster and c is not None)]
        kin = [(j, c) for j, (p, c) in enumerate(items) if p == person]
        precisions.append(mates.count(person) / len(mates))
        recalls.append(sum(j == i or (c == cluster and c is not None) for j, c in kin) / len(kin))

    assert scores.precision == pytest.approx(sum(precisions) / len(items))
    assert scores.recall == pytest.approx(sum(recalls) / len(items))


def test_right_identities_are_right_by_every_figure() -> None:
    found = people({"id_1": [1], "id_2": [2]})

    assert (found.bcubed.f1, found.identities.weighted_purity) == (1.0, 1.0)
    assert found.identities.nmi == pytest.approx(1.0)
    assert found.identities.count_error == 0


def test_two_people_in_one_identity() -> None:
    found = people({"id_1": [1, 2]})

    assert found.bcubed.precision == pytest.approx((4 * 4 / 6 + 2 * 2 / 6) / 6)
    assert found.bcubed.recall == 1.0
    assert found.identities.weighted_purity == 4 / 6
    assert found.identities.count_error == -1
    assert [(p.person, p.identity) for p in found.persons] == [("ana", "id_1"), ("bo", None)]


def test_one_person_in_two_identities() -> None:
    halves = [(1, (0, 4), (LEFT, LEFT)), (3, (5, 9), (LEFT, LEFT)), BOTH[1]]

    found = people({"id_1": [1], "id_2": [2], "id_3": [3]}, halves)

    assert found.bcubed.recall == pytest.approx((4 * 1 / 2 + 2 * 1) / 6)
    assert found.identities.weighted_purity == 1.0
    assert found.identities.count_error == 1
    assert found.persons[0].identity_count == 2
    assert found.persons[0].faces_in_identity == 2
    assert [spare.identity for spare in found.identities_left_over] == ["id_3"]


def test_a_missed_face_stands_alone_and_a_face_of_no_identity_too() -> None:
    unassigned, missed = people({"id_2": [2]}), people({"id_2": [2]}, BOTH[1:])

    assert unassigned.bcubed == missed.bcubed
    assert unassigned.bcubed.recall == pytest.approx((4 * 1 / 4 + 2) / 6)
    assert (unassigned.bcubed_matched_only.items, missed.bcubed_matched_only.items) == (6, 2)
    assert unassigned.identities.weighted_purity == 1.0


def test_nmi_is_that_of_sklearn() -> None:
    more = [*BOTH, (3, (0, 9), ([100.0, 0.0, 110.0, 10.0],) * 2)]
    faces = [face(f, p, [x, 0, x + 10, 10])
             for f in (0, 3, 6, 9) for p, x in (("ana", 0), ("bo", 100))]  # fmt: skip
    halves = [(1, (0, 4), (LEFT, LEFT)), (4, (5, 9), (LEFT, LEFT)), more[2]]

    found = people(
        {"id_1": [1], "id_2": [4, 3]},
        halves,
        faces=faces,
        visible={"ana": [[0, 9]], "bo": [[0, 9]]},
    )

    persons = ["ana"] * 4 + ["bo"] * 4
    clusters = ["id_1"] * 2 + ["id_2"] * 6
    assert found.identities.nmi == pytest.approx(normalized_mutual_info_score(persons, clusters))


def test_names_are_compared_as_the_product_compares_them() -> None:
    persons = {"zo\u00eb_kravitz": {}, "STRASSE": {}}
    faces = [face(0, "zo\u00eb_kravitz", LEFT), face(0, "STRASSE", RIGHT)]
    visible = {name: [[0, 9]] for name in persons}
    ids = (Identity("id_1", (1,), " Zoe\u0308 Kravitz"), Identity("id_2", (2,), "stra\u00dfe"))

    judged = truth(persons=persons, faces=faces, visible=visible)

    assert evaluate(judged, replace(prediction(), identities=ids)).people.labels.correct == 2


def test_names_are_compared_without_case_and_underscores() -> None:
    ids = (Identity("id_1", (1,), "ANA"), Identity("id_2", (2,), "bob"))
    named = evaluate(truth(), replace(prediction(), identities=ids)).people

    assert (named.labels.labelled_matches, named.labels.correct) == (6, 4)
    assert people({"id_1": [1]}).labels.accuracy is None
    assert named.persons[0].label == "ANA"


def test_a_person_with_hard_faces_only_is_still_somebodys_identity() -> None:
    hard = [face(0, "ana", LEFT, hard=True)]

    found = people({"id_9": [1]}, BOTH[:1], faces=hard, persons=EXTRAS)

    assert found.persons[0].identity == "id_9"
    assert found.bcubed.items == 0


def test_an_averted_head_is_nobodys_face() -> None:
    averted = face(0, "ana", LEFT, away=True)

    found = people({"id_9": [1]}, BOTH[:1], faces=[averted], persons=EXTRAS)

    assert found.persons[0].identity is None


def test_a_clear_face_says_more_of_who_somebody_is_than_a_hard_one() -> None:
    faces = [face(0, "ana", LEFT), face(3, "bo", LEFT, hard=True)]

    found = people({"id_1": [1]}, BOTH[:1], faces=faces)

    assert {p.person: p.identity for p in found.persons} == {"ana": "id_1", "bo": None}
