"""A failing step's own error is the one that is raised, whatever else goes wrong."""

from __future__ import annotations

import dagster as dg
import pytest

from screenalytics_assets.last_words import last_words


@pytest.mark.parametrize(
    "error", [ValueError("a bug"), dg.DagsterExecutionInterruptedError("Ctrl-C")]
)
def test_whatever_ends_a_step_its_last_words_come_first(error: BaseException) -> None:
    said: list[str] = []
    with pytest.raises(type(error)) as raised, last_words(lambda: said.append("so far")):
        raise error

    assert raised.value is error
    assert said == ["so far"]


def test_a_step_that_succeeds_says_nothing() -> None:
    said: list[str] = []
    with last_words(lambda: said.append("so far")):
        pass

    assert said == []


def test_the_steps_error_wins_over_that_of_recording_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def say() -> None:
        raise OSError("the event log is gone")

    with pytest.raises(ValueError, match="a bug"), last_words(say):
        raise ValueError("a bug")
    assert "the event log is gone" in caplog.text
