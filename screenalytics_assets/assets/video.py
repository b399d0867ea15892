"""The registered video of each episode; a replaced file makes everything after it stale."""

import dagster as dg

from screenalytics_assets.assets.shell import VIDEO_KEY
from screenalytics_assets.binding import Stores
from screenalytics_assets.partitions import EPISODES
from screenalytics_assets.settings import Settings
from screenalytics_core.episode_registry import list_episodes, load_video


def build_video(settings: Settings) -> dg.SourceAsset:
    """Return the observable source asset over the videos of `settings.data_root`."""

    @dg.observable_source_asset(
        name=VIDEO_KEY,
        partitions_def=EPISODES,
        group_name="input",
        description="videos/{ep_id}/episode.mp4; its data version is the file's sha256",
    )
    def video() -> dg.DataVersionsByPartition:
        storage = Stores.open(settings.data_root).storage
        return dg.DataVersionsByPartition(
            {ep_id: load_video(storage, ep_id).sha256 for ep_id in list_episodes(storage)}
        )

    return video


def video_observation(ep_id: str, sha256: str) -> dg.AssetObservation:
    """Return the event that tells Dagster which video an episode has."""
    return dg.AssetObservation(
        asset_key=VIDEO_KEY, partition=ep_id, tags={"dagster/data_version": sha256}
    )
