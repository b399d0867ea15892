"""Which models a request may choose: packs by name, and folders where models may lie."""

from __future__ import annotations

from typing import Final

from screenalytics_assets.api.video_paths import resolved_inside
from screenalytics_assets.binding import models_home
from screenalytics_assets.settings import Settings
from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.errors import ModelError, ModelInstallError
from screenalytics_core.vision.models.insightface_pack import INSIGHTFACE_PACKS
from screenalytics_core.vision.models.lite_recipe import LITE
from screenalytics_core.vision.models.packs import AUTO, is_installed

_KNOWN: Final = (AUTO, *INSIGHTFACE_PACKS, LITE.name)


def with_allowed_models(settings: Settings, config: EpisodeRunConfig) -> EpisodeRunConfig:
    """Return the settings, with a folder of models as where it leads now.

    Nothing is said of a folder elsewhere, not even whether there is one.

    Raises:
        ModelError: `models` is no name of a pack, and no folder in the data root, in an allowed
            folder or among the packs.
    """
    spec = config.models
    if spec in _KNOWN or (_is_plain(spec) and is_installed(spec, models_home(settings))):
        return config
    allowed = (settings.data_root, settings.models_dir, *settings.api.video_folders)
    folder = resolved_inside(spec, allowed)
    if folder is None:
        raise ModelError(
            thing=f"model pack {spec!r}",
            reason="is no installed pack, and no folder where models may lie",
            way_out=f"Use one of {', '.join(_KNOWN)}, or a folder in the data root or in an "
            "allowed one.",
        )
    return config.model_copy(update={"models": str(folder)})


def check_installed(settings: Settings, config: EpisodeRunConfig) -> None:
    """Refuse settings whose pack would have to be fetched first: that takes minutes.

    Raises:
        ModelInstallError: It is not installed.
    """
    home = models_home(settings)
    is_there = any(is_installed(name, home) for name in _used(config.models))
    if not is_there and config.models in {AUTO, LITE.name}:
        raise ModelInstallError(
            thing=f"model pack {LITE.name}",
            reason="is not installed, and a request installs none",
            way_out=f"Run `screenalytics models install {LITE.name}` on the server.",
        )


def _used(spec: str) -> tuple[str, ...]:
    return (*INSIGHTFACE_PACKS, LITE.name) if spec == AUTO else (spec,)


def _is_plain(spec: str) -> bool:
    """Tell a name from a path, as a pack's home is one folder deep."""
    return (
        len(spec) <= 128
        and spec.isprintable()
        and not spec.startswith(".")
        and not {"/", "\\"} & set(spec)
    )
