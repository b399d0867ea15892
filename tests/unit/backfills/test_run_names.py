"""Run ids of a backfill are valid before anything starts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from screenalytics_core.backfills.run_names import check_template, mint_run_id, name_run
from screenalytics_core.errors import InvalidIdError, ScreenalyticsError, SettingsError

EP = "rhobh-s05e14"
AT = datetime(2026, 11, 21, 2, tzinfo=UTC)


def test_a_template_names_the_backfill_the_episode_and_the_day() -> None:
    template = check_template("{date}-{backfill_id}-{ep_id}")

    named = name_run(template, backfill_id="nightly", ep_id=EP, created_at=AT)

    assert named == "20261121-nightly-rhobh-s05e14"


@pytest.mark.parametrize(
    ("template", "error"),
    [
        pytest.param("{episode}", SettingsError, id="unknown field"),
        pytest.param("{}", SettingsError, id="field without a name"),
        pytest.param("{ep_id:>200}", SettingsError, id="format"),
        pytest.param("{ep_id.__class__}", SettingsError, id="attribute"),
        pytest.param("{date", SettingsError, id="open brace"),
        pytest.param("../{ep_id}", InvalidIdError, id="leaves the folder"),
        pytest.param("{ep_id}/x", InvalidIdError, id="two folders"),
        pytest.param("active_run.json", InvalidIdError, id="name of a file beside the runs"),
        pytest.param("", InvalidIdError, id="empty"),
    ],
)
def test_a_template_that_gives_no_run_id_is_refused(
    template: str, error: type[ScreenalyticsError]
) -> None:
    with pytest.raises(error):
        name_run(check_template(template), backfill_id="b", ep_id=EP, created_at=AT)


def test_a_minted_run_id_that_is_taken_becomes_the_next_seconds() -> None:
    first = mint_run_id(EP, "a.mp4", "f" * 64, AT, taken=())
    second = mint_run_id(EP, "a.mp4", "f" * 64, AT, taken={first})

    assert first.startswith("20261121_020000_")
    assert second == first.replace("_020000_", "_020001_")
