"""Slugs of people and shows."""

from __future__ import annotations

import pytest

from screenalytics_core.episodes import is_path_safe
from screenalytics_core.errors import InvalidIdError
from screenalytics_core.gallery.names import cast_id_of, show_of


@pytest.mark.parametrize(
    ("label", "cast_id"),
    [
        ("Kyle Richards", "kyle-richards"),
        ("  Zoë   Kravitz ", "zoe-kravitz"),
        ("Conan O'Brien", "conan-obrien"),
        ("Dr. No (007)", "dr-no-007"),
        ("Ole-Jørn 2", "ole-jrn-2"),
        ("x" * 99, "x" * 64),
    ],
)
def test_a_name_has_a_slug(label: str, cast_id: str) -> None:
    assert cast_id_of(label) == cast_id


def test_a_name_in_another_script_has_a_slug_of_its_own() -> None:
    one, other = cast_id_of("周星驰"), cast_id_of("梁朝伟")

    assert one != other
    assert one.startswith("cast-")
    assert is_path_safe(one)


@pytest.mark.parametrize("label", ["", "   ", "a\nb", "a\0", "\x1b[31m", "x" * 101])
def test_what_cannot_be_shown_is_no_name(label: str) -> None:
    with pytest.raises(InvalidIdError):
        cast_id_of(label)


def test_a_show_is_what_its_episodes_say() -> None:
    assert show_of("RHOBH") == "rhobh"
    assert show_of("90-day-2") == "90-day-2"


@pytest.mark.parametrize("text", ["", "a_b", "-a", "a/b", "..", "a b", "x" * 65])
def test_what_no_episode_can_start_with_is_no_show(text: str) -> None:
    with pytest.raises(InvalidIdError):
        show_of(text)
