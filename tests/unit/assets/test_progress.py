"""Progress is for people who wait; a step goes on although nobody can be told."""

from __future__ import annotations

import logging

import dagster as dg
import pytest

from screenalytics_assets.assets.shell import progress_observer
from screenalytics_assets.work import StepWork
from screenalytics_core.steps.scan import STEP


class LockedHome:
    """A context whose event log cannot be written."""

    partition_key = "show-s01e01"

    def log_event(self, event: dg.AssetObservation) -> None:
        raise RuntimeError("database is locked")


def test_a_report_that_cannot_be_stored_fails_no_step(caplog: pytest.LogCaptureFixture) -> None:
    work = StepWork(STEP, STEP.outputs, {}, "unknown")
    observe = progress_observer(LockedHome(), work)  # type: ignore[arg-type]

    with caplog.at_level(logging.WARNING):
        observe(3, 10, "3 frames")

    assert "progress of step scan is not recorded" in caplog.text
