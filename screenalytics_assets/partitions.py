"""The partition key of everything here is the episode."""

from __future__ import annotations

from typing import Final

import dagster as dg

from screenalytics_core.episodes import EpisodeId

EPISODES: Final = dg.DynamicPartitionsDefinition(name="ep_id")


def add_episode(instance: dg.DagsterInstance, ep_id: str) -> str:
    """Make `ep_id` a partition and return its canonical spelling.

    Dagster accepts any text as a dynamic key, so ours are parsed first.

    Raises:
        InvalidIdError: `ep_id` is not path-safe.
    """
    key = EpisodeId.parse(ep_id).text
    instance.add_dynamic_partitions("ep_id", [key])
    return key
