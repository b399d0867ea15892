"""Jobs that people launch from the UI."""

from typing import Any, Final

import dagster as dg

from screenalytics_assets.graph import OUTPUTS

EPISODE_JOB: Final = "episode"


def episode_job() -> Any:
    """Return the (unresolved) job that runs an episode from its video to its report."""
    return dg.define_asset_job(
        EPISODE_JOB, selection=list(OUTPUTS), description="An episode, from video to report."
    )
