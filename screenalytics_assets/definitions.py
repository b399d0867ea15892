"""The code location: assembly only."""

import dagster as dg

from screenalytics_assets.assets.body_tracks import body_tracks
from screenalytics_assets.assets.cast import cast
from screenalytics_assets.assets.embeddings import embeddings
from screenalytics_assets.assets.faces import faces
from screenalytics_assets.assets.identities import identities
from screenalytics_assets.assets.report import report
from screenalytics_assets.assets.scan import scan
from screenalytics_assets.assets.screen_time import screen_time
from screenalytics_assets.assets.season_cast import build_season_cast
from screenalytics_assets.assets.season_screen_time import build_season_screen_time
from screenalytics_assets.assets.track_fusion import track_fusion
from screenalytics_assets.assets.tracks import tracks
from screenalytics_assets.assets.video import build_video
from screenalytics_assets.backfill_queue import build_backfill_sensor
from screenalytics_assets.io_manager import artifact_io_manager
from screenalytics_assets.jobs import episode_job, season_job
from screenalytics_assets.resources import EpisodeSettings, Listener, pipeline_resource
from screenalytics_assets.schedules import build_schedules
from screenalytics_assets.season_sensor import build_season_sensor
from screenalytics_assets.sensors import build_ledger_sensor
from screenalytics_assets.settings import Settings
from screenalytics_assets.video_sensor import build_video_sensor


def build_definitions(
    settings: Settings, listener: Listener | None = None, *, with_schedules: bool = False
) -> dg.Definitions:
    """Assemble the graph over the folders of `settings`.

    Args:
        with_schedules: Read the data root's schedules.yaml; a launch needs none of it.
    """
    job, seasons = episode_job(), season_job()
    return dg.Definitions(
        assets=[
            build_video(settings),
            scan,
            tracks,
            faces,
            embeddings,
            identities,
            cast,
            body_tracks,
            track_fusion,
            screen_time,
            report,
            build_season_cast(settings),
            build_season_screen_time(settings),
        ],
        jobs=[job, seasons],
        schedules=build_schedules(settings, job) if with_schedules else [],
        sensors=[
            build_ledger_sensor(settings),
            build_video_sensor(settings),
            build_backfill_sensor(settings, job),
            build_season_sensor(settings, seasons),
        ],
        resources={
            "pipeline": pipeline_resource(settings, listener),
            "settings": EpisodeSettings(),
            "io_manager": artifact_io_manager,
        },
        # Asset backfills and UI launches ignore a job's executor and take this one.
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Load the code location with the settings of the environment."""
    return build_definitions(Settings.from_env(), with_schedules=True)
