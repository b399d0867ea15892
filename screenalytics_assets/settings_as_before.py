"""The settings that episodes were run with, to run them so again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from screenalytics_assets.stores import Stores
from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.episode_registry import list_episodes
from screenalytics_core.episode_selection import expand
from screenalytics_core.errors import SettingsError
from screenalytics_core.runs import RunRecord

# What a run was told to take over is no matter of the next one.
_LAUNCH: Final = {"force_recluster": False, "reuse_detections": False, "reuse_embeddings": False}


def config_of(record: RunRecord) -> EpisodeRunConfig:
    """Return the settings of a run, thresholds and devices as they were resolved."""
    known = EpisodeRunConfig.model_fields
    given = {name: value for name, value in record.settings.items() if name in known}
    return EpisodeRunConfig(**{**given, **_LAUNCH})


def settings_as_before(stores: Stores, selection: Sequence[str]) -> EpisodeRunConfig:
    """Return the settings that the active runs of a selection have in common.

    Raises:
        SettingsError: The selection is wrong, no episode of it has a run, or two runs differ.
    """
    found: dict[tuple[str, str], tuple[str, EpisodeRunConfig]] = {}
    for ep_id in expand(selection, list_episodes(stores.storage)):
        run_id = stores.runs.active_run_id(ep_id)
        if run_id is not None:
            config = config_of(stores.runs.require(ep_id, run_id))
            found.setdefault((config.binding_hash(), config.models), (ep_id, config))
    if not found:
        raise SettingsError(
            thing="--as-before",
            reason="finds no run in the selection",
            way_out="Say the settings: --profile, --models, --set.",
        )
    (first, config), *others = found.values()
    if others:
        second, other = others[0]
        a, b = config.model_dump(), other.model_dump()
        differ = ", ".join(f"{name} {a[name]} and {b[name]}" for name in a if a[name] != b[name])
        raise SettingsError(
            thing="--as-before",
            reason=f"finds several settings: {first} and {second} have {differ}",
            way_out="Select those of the same settings, or say them: --profile, --models, --set.",
        )
    return config
