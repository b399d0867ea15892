"""An ep_id is folded, parsed, or refused before anybody builds a path from it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screenalytics_core.episodes import EpisodeId, is_path_safe
from screenalytics_core.errors import InvalidIdError


@pytest.mark.parametrize(
    ("raw", "text", "show", "season", "episode", "season_key"),
    [
        ("rhobh-s05e14", "rhobh-s05e14", "rhobh", 5, 14, "rhobh-s05"),
        ("RHOBH-S05E14", "rhobh-s05e14", "rhobh", 5, 14, "rhobh-s05"),
        ("a-b-s100e200", "a-b-s100e200", "a-b", 100, 200, "a-b-s100"),
        ("x-s01e01-s02e03", "x-s01e01-s02e03", "x-s01e01", 2, 3, "x-s01e01-s02"),
    ],
)
def test_a_canonical_id_is_folded_and_parsed(
    raw: str, text: str, show: str, season: int, episode: int, season_key: str
) -> None:
    parsed = EpisodeId.parse(raw)

    assert (parsed.text, str(parsed)) == (text, text)
    assert (parsed.show, parsed.season, parsed.episode) == (show, season, episode)
    assert parsed.is_canonical
    assert parsed.season_key == season_key


@pytest.mark.parametrize("raw", ["Pilot_1", "show-s5e1", "rhobh-s05", "x.y", "s01e01"])
def test_another_path_safe_id_keeps_its_spelling_and_has_no_season(raw: str) -> None:
    parsed = EpisodeId.parse(raw)

    assert parsed.text == raw
    assert not parsed.is_canonical
    assert parsed.season_key is None


@pytest.mark.parametrize(
    "raw",
    ["", ".", "..", "a..b", "../x", "a/b", "a\\b", "-a", "a b", "a\n", "é", "a" * 129, None, 7],
)
def test_anything_else_is_refused_with_the_form_to_use(raw: Any) -> None:
    with pytest.raises(InvalidIdError, match="Use the form show-s01e02"):
        EpisodeId.parse(raw)


@given(st.text(max_size=30))
def test_a_parsed_id_is_path_safe_and_parses_to_itself(raw: str) -> None:
    try:
        parsed = EpisodeId.parse(raw)
    except InvalidIdError:
        assert not is_path_safe(raw)
        return
    assert is_path_safe(parsed.text)
    assert EpisodeId.parse(parsed.text) == parsed
