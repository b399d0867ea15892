"""Partition keys: the episode, and for what is made of several the season."""

from __future__ import annotations

from typing import Final

import dagster as dg

from screenalytics_core.episodes import EpisodeId
from screenalytics_core.seasons.keys import parse_season_key

EPISODES: Final = dg.DynamicPartitionsDefinition(name="ep_id")
SEASONS: Final = dg.DynamicPartitionsDefinition(name="season")


def add_episode(instance: dg.DagsterInstance, ep_id: str) -> str:
    """Make `ep_id` a partition and return its canonical spelling.

    Dagster accepts any text as a dynamic key, so ours are parsed first.

    Raises:
        InvalidIdError: `ep_id` is not path-safe.
    """
    key = EpisodeId.parse(ep_id).text
    instance.add_dynamic_partitions("ep_id", [key])
    return key


def add_season(instance: dg.DagsterInstance, season: str) -> str:
    """Make `season` a partition and return its canonical spelling.

    Raises:
        InvalidIdError: `season` is not of the form show-s01.
    """
    key = parse_season_key(season)
    instance.add_dynamic_partitions("season", [key])
    return key
