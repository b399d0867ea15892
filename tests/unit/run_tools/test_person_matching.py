"""Who is who in two runs: names first, then tracks, then time; each person at most once."""

from __future__ import annotations

from typing import Any

import pytest

from screenalytics_core.run_tools.person_matching import match_people


def person(
    identity_id: str | None, *segments: tuple[float, float], **names: str | None
) -> dict[str, Any]:
    return {
        "identity_id": identity_id,
        "cast_id": None,
        "label": None,
        **names,
        "segments": [{"start_s": s, "end_s": e, "source": "face"} for s, e in segments],
    }


def pairs(*people: list[dict[str, Any]], **how: Any) -> list[tuple[int, int, str]]:
    return [(m.a, m.b, m.by) for m in match_people(*people, **how)]


def test_a_cast_id_decides_even_without_a_common_second() -> None:
    a = [person("id_0001", (0, 5), cast_id="kim", label="Kim")]
    b = [person("id_0001", (0, 5)), person("id_0002", (7, 9), cast_id="kim", label="Kimberly")]

    assert pairs(a, b) == [(0, 1, "cast_id")]


def test_a_label_decides_when_no_cast_id_contradicts_it() -> None:
    a = [person("id_0001", (0, 5), label="Kim", cast_id="kim-1")]
    b = [
        person("id_0003", (0, 5), label="Kim", cast_id="kim-2"),
        person("id_0001", (7, 9), label="Kim"),
    ]

    assert pairs(a, b) == [(0, 1, "label")]


def test_people_with_different_names_are_never_paired_by_time() -> None:
    a = [person("id_0001", (0, 5), label="Kim")]
    b = [person("id_0001", (0, 5), label="Kyle")]

    assert pairs(a, b) == []


def test_the_most_common_time_wins_and_nobody_is_taken_twice() -> None:
    a = [person("id_0001", (0, 10)), person("id_0002", (20, 24))]
    b = [person("id_0001", (20, 25)), person("id_0002", (0, 4)), person("id_0003", (3, 10))]

    assert pairs(a, b) == [(0, 2, "overlap"), (1, 0, "overlap")]


def test_of_equal_time_the_more_alike_wins() -> None:
    a = [person("id_0001", (0, 10)), person("id_0002", (0, 6))]
    b = [person("id_0001", (0, 6)), person("id_0002", (0, 10))]

    assert pairs(a, b) == [(0, 1, "overlap"), (1, 0, "overlap")]


def test_two_people_who_only_share_a_scene_are_not_paired() -> None:
    a = [person("id_0001", (0, 10))]
    b = [person("id_0001", (9, 30))]

    assert pairs(a, b) == []


def test_a_part_of_a_person_is_paired_with_the_whole() -> None:
    a = [person("id_0001", (0, 100))]
    b = [person("id_0001", (3, 5))]

    assert pairs(a, b) == [(0, 0, "overlap")]


def test_always_seen_together_is_ambiguous_by_time_and_clear_by_tracks() -> None:
    a = [person("id_0001", (0, 10)), person("id_0002", (0, 10))]
    b = [person("id_0001", (0, 10)), person("id_0002", (0, 10))]
    crossed = (
        {"id_0001": {1, 2}, "id_0002": {3}},
        {"id_0001": {3}, "id_0002": {1, 2, 4}},
    )

    assert [m.is_ambiguous for m in match_people(a, b)] == [True, True]
    assert pairs(a, b, tracks=crossed) == [(0, 1, "tracks"), (1, 0, "tracks")]
    assert not any(m.is_ambiguous for m in match_people(a, b, tracks=crossed))


def test_time_means_nothing_between_episodes() -> None:
    people = [person("id_0001", (0, 10)), person("id_0002", (0, 10), label="Kim")]

    assert pairs(people, people, same_time=False) == [(1, 1, "label")]


@pytest.mark.parametrize("empty", [([], []), ([person("id_0001", (0, 1))], [])])
def test_a_run_without_people_has_no_pairs(empty: tuple[list[Any], list[Any]]) -> None:
    assert match_people(*empty) == []
