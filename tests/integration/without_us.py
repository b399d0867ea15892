"""Runs that Dagster executes by itself: no engine of ours, nobody who follows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import dagster as dg

from screenalytics_assets.definitions import build_definitions
from screenalytics_assets.instance import open_instance
from screenalytics_assets.jobs import EPISODE_JOB
from screenalytics_assets.partitions import add_episode
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.episode_registry import register_video
from screenalytics_core.vision.decode import probe_video

LITE: Final[dict[str, Any]] = {"resources": {"settings": {"config": {"models": "lite"}}}}


def register(settings: Settings, clip: Path, *ep_ids: str) -> None:
    """Make episodes of the clip, as `screenalytics episodes add` does."""
    for ep_id in ep_ids:
        register_video(Stores.open(settings.data_root).storage, ep_id, clip, probe=probe_video)
        with open_instance(settings.dagster_home) as instance:
            add_episode(instance, ep_id)


def execute_without_us(settings: Settings, ep_id: str, tags: dict[str, str]) -> str:
    """Run an episode's scan; return the Dagster run's id."""
    with open_instance(settings.dagster_home) as instance:
        job = build_definitions(settings).resolve_job_def(EPISODE_JOB)
        result = job.execute_in_process(
            instance=instance,
            partition_key=ep_id,
            raise_on_error=False,
            tags=tags,
            run_config=LITE,
            asset_selection=[dg.AssetKey("shots"), dg.AssetKey("detections")],
        )
        return result.run_id
