"""The registered video of each episode; a replaced file makes everything after it stale."""

import dagster as dg

from screenalytics_assets.assets.shell import VIDEO_KEY
from screenalytics_assets.partitions import EPISODES, add_episode
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.episode_registry import list_episodes, video_sha256
from screenalytics_core.errors import VideoError
from screenalytics_core.storage.base import Storage


def build_video(settings: Settings) -> dg.SourceAsset:
    """Return the observable source asset over the videos of `settings.data_root`."""

    @dg.observable_source_asset(
        name=VIDEO_KEY,
        partitions_def=EPISODES,
        group_name="input",
        description="videos/{ep_id}/episode.mp4; its data version is the file's sha256",
    )
    def video(context: dg.OpExecutionContext) -> dg.DataVersionsByPartition:
        found = observed_videos(Stores.open(settings.data_root).storage)
        for ep_id, problem in found.items():
            if isinstance(problem, VideoError):
                context.log.warning(f"{ep_id}: {problem}")
        return dg.DataVersionsByPartition(
            {ep_id: sha for ep_id, sha in found.items() if isinstance(sha, str)}
        )

    return video


def observed_videos(storage: Storage) -> dict[str, str | VideoError]:
    """Return what lies there for each episode now: a sha256, or why there is none.

    The file is hashed, not video.json read, so that a replaced file is seen; and a lost one
    does not hide the others.
    """
    found: dict[str, str | VideoError] = {}
    for ep_id in list_episodes(storage):
        try:
            found[ep_id] = video_sha256(storage, ep_id)
        except VideoError as error:
            found[ep_id] = error
    return found


def video_observation(ep_id: str, sha256: str) -> dg.AssetObservation:
    """Return the event that tells Dagster which video an episode has."""
    return dg.AssetObservation(
        asset_key=VIDEO_KEY, partition=ep_id, tags={"dagster/data_version": sha256}
    )


def announce_video(instance: dg.DagsterInstance, ep_id: str, sha256: str) -> None:
    """Make the episode a partition and tell Dagster which video it has."""
    add_episode(instance, ep_id)
    instance.report_runless_asset_event(video_observation(ep_id, sha256))
