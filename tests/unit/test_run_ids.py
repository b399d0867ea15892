"""Run ids: what is valid, and what the three ways to mint one give."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screenalytics_core.errors import InvalidIdError
from screenalytics_core.run_ids import (
    generate_attempt_run_id,
    generate_run_id,
    generate_timestamp_run_id,
    normalize_run_id,
)

WHEN = datetime(2026, 7, 1, 2, 3, 4, tzinfo=UTC)


@given(st.text(max_size=40))
def test_normalising_gives_the_pattern_of_the_seed_or_an_error(text: str) -> None:
    try:
        run_id = normalize_run_id(text)
    except InvalidIdError:
        return
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", run_id)
    assert ".." not in run_id
    assert normalize_run_id(run_id) == run_id


def test_blanks_around_an_id_are_dropped() -> None:
    assert normalize_run_id(" Attempt1\n") == "Attempt1"


@pytest.mark.parametrize("bad", ["", " ", "a b", "a/b", "..", "a..b", ".a", "a" * 129, None, 3])
def test_what_must_not_become_a_path_is_refused(bad: Any) -> None:
    with pytest.raises(InvalidIdError, match="Leave it out to have one minted"):
        normalize_run_id(bad)


def test_hex_ids_are_32_characters_and_never_the_same() -> None:
    first, second = generate_run_id(), generate_run_id()

    assert re.fullmatch(r"[0-9a-f]{32}", first)
    assert first != second


def test_a_timestamp_id_is_utc_and_tells_inputs_apart() -> None:
    elsewhere = WHEN.astimezone(timezone(timedelta(hours=9)))
    one = generate_timestamp_run_id("rhobh-s05e14", "episode.mp4", "a" * 64, elsewhere)
    other = generate_timestamp_run_id("rhobh-s05e14", "episode.mp4", "b" * 64, WHEN)

    # printf 'rhobh-s05e14|episode.mp4|aaaaaaaaaaaa' | sha1sum
    assert one == "20260701_020304_dc1cc49a"
    assert other != one
    assert other[:16] == one[:16]


def test_an_attempt_id_counts_on_and_is_eastern_standard_time_in_summer_too() -> None:
    existing = ["Attempt2_2026-01-01_000000_EST", "Attempt10_2026-01-01_000000_EST", "Attempt99"]

    assert generate_attempt_run_id(existing, WHEN) == "Attempt11_2026-06-30_210304_EST"
    assert generate_attempt_run_id([], WHEN) == "Attempt1_2026-06-30_210304_EST"
