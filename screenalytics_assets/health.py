"""Checks of an installation: each names what it found and, when it fails, the way out."""

from __future__ import annotations

import importlib.metadata
import platform
from dataclasses import dataclass
from typing import Any, Final

from screenalytics_assets.binding import models_home
from screenalytics_assets.data_storage import open_storage
from screenalytics_assets.instance import open_instance
from screenalytics_assets.schedules import load_schedules
from screenalytics_assets.settings import Settings
from screenalytics_core.episode_registry import list_episodes
from screenalytics_core.episode_selection import known_of
from screenalytics_core.errors import ScreenalyticsError
from screenalytics_core.storage.data_root import DataRoot, S3Root
from screenalytics_core.vision.models.packs import list_packs

_OPENCV_BUILDS: Final = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
_FREE_FLOOR_BYTES: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Check:
    """One finding."""

    name: str
    ok: bool
    found: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"name": self.name, "ok": self.ok, "found": self.found}


def check_installation(settings: Settings) -> list[Check]:
    """Run every check."""
    return [
        Check("python", True, platform.python_version()),
        _opencv(),
        _codecs(),
        _providers(),
        _models(settings),
        *_data_root(settings.data_root),
        _dagster(settings),
        _schedules(settings),
    ]


def _opencv() -> Check:
    installed = [d for d in _OPENCV_BUILDS if _version(d) is not None]
    ok = installed == ["opencv-python-headless"]
    advice = "" if ok else " (keep exactly opencv-python-headless: they share one folder)"
    return Check("OpenCV build", ok, ", ".join(installed) + advice)


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _codecs() -> Check:
    import av

    missing = [c for c in ("h264", "hevc", "vp9", "av1") if c not in av.codecs_available]
    return Check("video decoders", not missing, f"missing {missing}" if missing else "all")


def _providers() -> Check:
    import onnxruntime

    providers = onnxruntime.get_available_providers()
    return Check("inference", "CPUExecutionProvider" in providers, ", ".join(providers))


def _models(settings: Settings) -> Check:
    installed = [p for p in list_packs(models_home(settings)) if p.installed]
    found = [p.name for p in installed]
    if not any("face_detector" in p.roles for p in installed):
        advice = "`screenalytics models install lite`, or the first run does it"
        found.insert(0, f"none for faces yet; {advice}")
    return Check("models", True, ", ".join(found))


def _data_root(data_root: DataRoot) -> list[Check]:
    if isinstance(data_root, S3Root):
        from screenalytics_assets.s3_health import check_bucket

        return [Check(*finding) for finding in check_bucket(data_root)]
    try:
        data_root.mkdir(parents=True, exist_ok=True)
        open_storage(data_root).check_free_space(_FREE_FLOOR_BYTES)
    except (OSError, ScreenalyticsError) as error:
        return [Check("data root", False, str(error))]
    return [Check("data root", True, str(data_root))]


def _schedules(settings: Settings) -> Check:
    try:
        storage = open_storage(settings.data_root)
        schedules = load_schedules(storage)
        known = list_episodes(storage) if schedules else ()
        unknown = {s.name: known_of(s.selection, known)[1] for s in schedules}
    except ScreenalyticsError as error:
        return Check("schedules", False, str(error))
    said = [f"{name}: {', '.join(own)} is not registered" for name, own in unknown.items() if own]
    found = "; ".join(said) or ", ".join(s.name for s in schedules) or "none"
    return Check("schedules", not said, found)


def _dagster(settings: Settings) -> Check:
    try:
        with open_instance(settings.dagster_home) as instance:
            runs = instance.get_runs_count()
    except ScreenalyticsError as error:
        return Check("DAGSTER_HOME", False, str(error))
    return Check("DAGSTER_HOME", True, f"{settings.dagster_home} ({runs} runs)")
