"""A planned folder of videos, registered one after the other and told to Dagster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import dagster as dg

from screenalytics_assets.assets.video import announce_video
from screenalytics_assets.instance import home_errors, open_instance
from screenalytics_assets.partitions import EPISODES
from screenalytics_assets.settings import Settings
from screenalytics_core.episode_intake import Action, Intake, take_in
from screenalytics_core.episode_registry import EpisodeVideo
from screenalytics_core.errors import DiskSpaceError
from screenalytics_core.storage.base import Storage
from screenalytics_core.vision.decode import probe_video


def register_all(
    settings: Settings, storage: Storage, plan: Iterable[Intake], *, may_replace: bool
) -> Iterator[Intake]:
    """Register what `plan` says, yielding what happened to each file; a full disk ends it.

    An episode is a partition as soon as it is registered: whoever interrupts this has no
    episode that Dagster does not know.
    """
    home = settings.dagster_home
    with home_errors(home), open_instance(home) as instance:
        for planned in plan:
            try:
                item, video = take_in(planned, storage, probe=probe_video, may_replace=may_replace)
            except DiskSpaceError as error:
                yield replace(planned, action=Action.FAILED, note=str(error))
                return
            if video is not None:
                _announce(instance, item, video)
            yield item


def _announce(instance: dg.DagsterInstance, item: Intake, video: EpisodeVideo) -> None:
    """Tell Dagster what it cannot know yet; a home may be younger than the data root."""
    known = instance.has_dynamic_partition(str(EPISODES.name), video.ep_id)
    if item.action is not Action.SAME or not known:
        announce_video(instance, video.ep_id, video.sha256)
