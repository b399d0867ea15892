"""Rolls a season up without a daemon: the same assets, executed here and now."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass

import dagster as dg

from screenalytics_assets.beta import without_beta_warnings
from screenalytics_assets.definitions import build_definitions
from screenalytics_assets.failures import describe_step_failure
from screenalytics_assets.instance import home_errors, open_instance
from screenalytics_assets.jobs import SEASON_JOB
from screenalytics_assets.liveness import process_tag
from screenalytics_assets.partitions import add_season
from screenalytics_assets.settings import Settings
from screenalytics_core.processes import ProcessIdentity
from screenalytics_core.seasons.keys import parse_season_key

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RollUp:
    """How a roll-up ended.

    Attributes:
        error: What went wrong, for people; None if it went well.
        error_code: Its stable code.
    """

    season: str
    dagster_run_id: str
    error: str | None = None
    error_code: str | None = None

    @property
    def success(self) -> bool:
        """Whether the season is rolled up."""
        return self.error is None


def roll_season_up(settings: Settings, season: str) -> RollUp:
    """Make `season_cast` and `season_screen_time` of a season, and wait for the end.

    Raises:
        InvalidIdError: `season` is not of the form show-s01.
        StorageError: Dagster's home cannot be used.
    """
    season = parse_season_key(season)
    dagster_run_id = str(uuid.uuid4())
    home = settings.dagster_home
    with home_errors(home), open_instance(home) as instance, without_beta_warnings():
        add_season(instance, season)
        job = build_definitions(settings).resolve_job_def(SEASON_JOB)
        result = job.execute_in_process(
            instance=instance,
            partition_key=season,
            raise_on_error=False,
            run_id=dagster_run_id,
            tags=process_tag(ProcessIdentity.current()),
            # Errors reach the caller in the result.
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    failures = [event for event in result.all_events if event.is_step_failure]
    if result.success and not failures:
        return RollUp(season, dagster_run_id)
    error, code = _told(failures)
    return RollUp(season, dagster_run_id, error, code)


def _told(failures: list[dg.DagsterEvent]) -> tuple[str, str]:
    return describe_step_failure(failures[0]) if failures else ("canceled", "canceled")
