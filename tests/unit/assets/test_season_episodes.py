"""Which numbers of a season are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from screenalytics_assets.seasons.episodes import season_episodes
from screenalytics_assets.stores import Stores


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        pytest.param(["03"], ["01", "02", "03"], id="numbers before the last are missing"),
        pytest.param(["20260123"], ["20260123"], id="none before a date are"),
        pytest.param(["02", "20260123"], ["01", "02", "20260123"], id="nor between the two"),
    ],
)
def test_gaps_are_told_where_numbers_count(
    tmp_path: Path, numbers: list[str], expected: list[str]
) -> None:
    for number in numbers:
        (tmp_path / "videos" / f"show-s01e{number}").mkdir(parents=True)

    found = season_episodes(Stores.open(tmp_path), "show-s01")

    assert [e.ep_id for e in found] == [f"show-s01e{number}" for number in expected]
