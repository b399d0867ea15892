"""What a run is bound to, gathered from this machine: video, models, settings, code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from screenalytics_assets.code_ref import current_code_ref
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.episode_registry import EpisodeVideo, load_video
from screenalytics_core.runs import RunBinding
from screenalytics_core.vision.models.onnx_session import resolve_device
from screenalytics_core.vision.models.packs import ModelsHome, find_pack
from screenalytics_core.vision.models.protocols import ModelPack, PackInfo

# A run's artifacts are some percent of its video; the floor covers short clips.
_RUN_SHARE_OF_VIDEO: Final = 0.05
_RUN_FLOOR_BYTES: Final = 64 * 1024 * 1024

Tell = Callable[[str], None]
"""Takes a line for people, such as a pack being installed."""


def silent(line: str) -> None:
    """Drop a line for people: nobody is there to read it."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A launch's binding, and the loaded things behind it."""

    binding: RunBinding
    config: EpisodeRunConfig
    pack: ModelPack


def check_disk(stores: Stores, bound: Bound) -> None:
    """Refuse to start a run whose artifacts would not fit.

    Raises:
        DiskSpaceError: Too little is free.
    """
    size_bytes = int(bound.binding.video["size_bytes"])
    stores.storage.check_free_space(_RUN_FLOOR_BYTES + int(size_bytes * _RUN_SHARE_OF_VIDEO))


def models_home(settings: Settings) -> ModelsHome:
    """Return where packs are looked for."""
    return ModelsHome(models_dir=settings.models_dir, insightface_root=settings.insightface_root)


def bind_inputs(
    settings: Settings, stores: Stores, ep_id: str, config: EpisodeRunConfig, tell: Tell
) -> Bound:
    """Gather what a run of `ep_id` with `config` would be bound to.

    Raises:
        VideoError: The episode has no registered video, or its file was replaced.
        ModelError: No pack for `config.models`, or a file of it is unusable.
    """
    # The video first: an episode without one needs no models.
    video = load_video(stores.storage, ep_id)
    resolved, pack = bind_models(settings, config, tell)
    return Bound(binding_of(video, resolved, pack), resolved, pack)


def bind_models(
    settings: Settings, config: EpisodeRunConfig, tell: Tell
) -> tuple[EpisodeRunConfig, ModelPack]:
    """Return the settings with what the pack and this machine decide, and the pack.

    Raises:
        ModelError: No pack for `config.models`, or a file of it is unusable.
    """
    device = resolve_device(config.device)
    embed_device = resolve_device(config.embed_device or device)
    pack = find_pack(
        config.models,
        models_home(settings),
        device=device,
        embed_device=embed_device,
        install_missing=True,
        progress=tell,
    )
    return resolve_config(config, pack.info, device, embed_device), pack


def binding_of(video: EpisodeVideo, resolved: EpisodeRunConfig, pack: ModelPack) -> RunBinding:
    """Return what a run of a video with resolved settings is bound to."""
    return RunBinding(
        settings=resolved,
        video=video.to_dict(),
        models=pack.info.to_dict(),
        code_ref=current_code_ref(),
        source=video.source,
    )


def resolve_config(
    config: EpisodeRunConfig, info: PackInfo, device: str, embed_device: str
) -> EpisodeRunConfig:
    """Fill what depends on the pack and the machine: thresholds left open, and devices."""
    calibrated = {
        "det_thresh": info.calibration.det_thresh,
        "cluster_thresh": info.calibration.cluster_thresh,
        "min_identity_sim": info.calibration.min_identity_sim,
        "match_thresh": info.calibration.match_thresh,
        "match_margin": info.calibration.match_margin,
    }
    filled = {name: value for name, value in calibrated.items() if getattr(config, name) is None}
    return config.model_copy(update={**filled, "device": device, "embed_device": embed_device})
