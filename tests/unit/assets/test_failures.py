"""Which errors Dagster repeats: those that may pass by themselves, and no bug."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg
import pytest

from screenalytics_assets.failures import as_dagster_failure
from screenalytics_core.errors import (
    KeyMissingError,
    RunBusyError,
    ScreenalyticsError,
    StorageError,
    VideoError,
)

FIELDS = {"thing": "it", "reason": "broke", "way_out": "Mend it."}


def calls_of(error: Exception) -> tuple[int, dg.DagsterRunStatus, str]:
    """Run an asset that always fails; return how often it was called, and how it ended."""
    calls: list[int] = []

    @dg.asset
    def failing() -> None:
        calls.append(1)
        with as_dagster_failure():
            raise error

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([failing], instance=instance, raise_on_error=False)
        run = instance.get_run_by_id(result.run_id)
        assert run is not None
        data = result.get_step_failure_events()[0].step_failure_data
    said = data.user_failure_data.description if data.user_failure_data else ""
    return len(calls), run.status, said or ""


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("screenalytics_core.retries.PAUSES_S", (0.01, 0.02))


@pytest.mark.parametrize(
    ("make", "calls"),
    [
        pytest.param(lambda: StorageError(**FIELDS), 3, id="the backend may come back"),
        pytest.param(lambda: KeyMissingError(**FIELDS), 1, id="what is missing stays missing"),
        pytest.param(lambda: VideoError(**FIELDS), 1, id="a bad video stays bad"),
        pytest.param(lambda: ValueError("a bug"), 1, id="a bug stays a bug"),
    ],
)
def test_only_what_may_pass_is_tried_again(make: Callable[[], Exception], calls: int) -> None:
    assert calls_of(make())[0] == calls


def test_a_failure_says_what_the_error_says() -> None:
    error: ScreenalyticsError = VideoError(**FIELDS)

    assert calls_of(error)[2] == str(error)


def test_a_busy_run_is_interrupted_not_failed() -> None:
    with (
        pytest.raises(dg.DagsterExecutionInterruptedError, match="it: broke"),
        as_dagster_failure(),
    ):
        raise RunBusyError(**FIELDS)
