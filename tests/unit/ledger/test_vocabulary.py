"""The words for states, in every view and as people write them."""

from __future__ import annotations

import pytest

from screenalytics_core.errors import SettingsError
from screenalytics_core.ledger.vocabulary import (
    JOB_API_STATES,
    REGISTRY_STATUSES,
    RUN_INDEX_STATUSES,
    STAGE_ROW_STATUSES,
    RunStatus,
    StageStatus,
    parse_run_status,
)


@pytest.mark.parametrize("words", [JOB_API_STATES, RUN_INDEX_STATUSES, REGISTRY_STATUSES])
def test_every_view_has_a_word_for_every_state(words: dict[RunStatus, str]) -> None:
    assert set(words) == set(RunStatus)


def test_every_stage_that_started_has_a_word_in_its_row() -> None:
    assert set(StageStatus) - set(STAGE_ROW_STATUSES) == {
        StageStatus.NOT_STARTED,
        StageStatus.BLOCKED,
    }


def test_only_ends_are_terminal() -> None:
    assert [s for s in RunStatus if s.is_terminal] == ["completed", "failed", "canceled"]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        *((s.value, s) for s in RunStatus),
        ("complete", RunStatus.COMPLETED),
        ("succeeded", RunStatus.COMPLETED),
        (" Success ", RunStatus.COMPLETED),
        ("error", RunStatus.FAILED),
        ("cancelled", RunStatus.CANCELED),
        ("pending", RunStatus.QUEUED),
    ],
)
def test_the_seeds_words_are_understood(word: str, status: RunStatus) -> None:
    assert parse_run_status(word) is status


@pytest.mark.parametrize("word", ["", "runing", "blocked"])
def test_another_word_is_refused_with_those_that_there_are(word: str) -> None:
    with pytest.raises(SettingsError, match="queued, running, completed, failed, canceled"):
        parse_run_status(word)
