"""Jobs that people launch from the UI."""

from typing import Any, Final

import dagster as dg

from screenalytics_assets.graph import OUTPUTS
from screenalytics_core.seasons.specs import PART_FILES

EPISODE_JOB: Final = "episode"
SEASON_JOB: Final = "season"


def episode_job() -> Any:
    """Return the (unresolved) job that runs an episode from its video to its report."""
    return dg.define_asset_job(
        EPISODE_JOB, selection=list(OUTPUTS), description="An episode, from video to report."
    )


def season_job() -> Any:
    """Return the (unresolved) job that links the people of a season and adds up its figures."""
    return dg.define_asset_job(
        SEASON_JOB, selection=list(PART_FILES), description="A season, from its episodes' figures."
    )
