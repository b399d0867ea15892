"""Where a run's numbers come from: video, models, settings and files, ready to be printed.

Built from run.json without its `created_at`. Launch-only settings stay out: they do not
change a result, and one of them may be a path of the machine that ran.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from screenalytics_core.config import (
    DEFAULT_PROFILE,
    LAUNCH_FIELDS,
    PROFILES,
    EpisodeRunConfig,
)
from screenalytics_core.report import text

_THRESHOLDS: Final = (
    "det_thresh", "cluster_thresh", "min_identity_sim", "match_thresh", "match_margin",
)  # fmt: skip
_DEVICES: Final = frozenset({"device", "embed_device"})
_ROLES: Final = {
    "face_detector": "finds faces",
    "face_embedder": "compares faces",
    "person_detector": "finds bodies",
    "person_embedder": "compares bodies",
}
_BODY_FRAMES: Final = "body_sampled_frames.npy"


@dataclass(frozen=True, slots=True)
class FileRow:
    """One published file that the report rests on; `path` is relative to the run folder."""

    kind: str
    path: str
    rows: int | None
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model file that ran."""

    role: str
    name: str
    sha256: str
    licence: str
    source: str


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting; `baseline` is what it would be without being given."""

    name: str
    value: str
    baseline: str
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Lineage:
    """What went in: the video's facts, the pack that ran, the settings, the code, the files."""

    video: tuple[tuple[str, str], ...]
    pack: str
    models: tuple[ModelRow, ...]
    profile: str
    settings: tuple[SettingRow, ...]
    settings_hash: str
    code_ref: str
    files: tuple[FileRow, ...]

    @property
    def settings_changed_first(self) -> tuple[SettingRow, ...]:
        """The settings, those that differ from the profile first."""
        return tuple(sorted(self.settings, key=lambda row: not row.is_changed))


def build_lineage(record: Mapping[str, Any], files: Sequence[FileRow]) -> Lineage:
    """Read run.json; keys that an older or newer record lacks are left out of the report."""
    models = record.get("models") or {}
    profile = record.get("profile")
    profile = profile if profile in PROFILES else DEFAULT_PROFILE
    return Lineage(
        video=_video(record.get("video") or {}),
        pack=text.without_folders(str(models.get("pack") or "not recorded")),
        models=tuple(_model(f, files) for f in models.get("files") or ()),
        profile=profile,
        settings=_settings(record.get("settings") or {}, profile, models.get("calibration") or {}),
        settings_hash=str(record.get("settings_hash") or ""),
        code_ref=text.without_folders(str(record.get("code_ref") or "")),
        files=tuple(files),
    )


def _video(video: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    facts: list[tuple[str, str | None]] = [
        ("sha256", video.get("sha256")),
        ("size", _if(video.get("size_bytes"), text.size)),
        ("length", _if(video.get("duration_s"), lambda s: f"{text.clock(s)} ({s:,.3f} s)")),
        ("picture", _picture(video)),
        ("frame rate", _if(video.get("fps"), lambda f: f"{_rate(f)} frames/s")),
        ("codec", video.get("codec")),
        ("pixel format", video.get("pixel_format")),
        ("container", video.get("container")),
        ("sound", _if(video.get("has_audio"), text.plain)),
    ]
    return tuple((k, text.without_folders(str(v))) for k, v in facts if v is not None)


def _if(value: Any, write: Any) -> str | None:
    return None if value is None else str(write(value))


def _picture(video: Mapping[str, Any]) -> str | None:
    width, height = video.get("width_px"), video.get("height_px")
    if width is None or height is None:
        return None
    turned = video.get("rotation_deg")
    return f"{width} \N{MULTIPLICATION SIGN} {height} px" + (
        f", turned by {turned}°" if turned else ""
    )


def _rate(fps: Any) -> str:
    """Show `30000/1001` with its decimal value too; whole rates as they are."""
    if isinstance(fps, str) and "/" in fps:
        above, below = fps.split("/", 1)
        if not (above.isdigit() and below.isdigit() and int(below)):
            return fps
        value = int(above) / int(below)
        return f"{value:g}" if value.is_integer() else f"{value:.3f} ({fps})"
    return f"{fps:g}" if isinstance(fps, float) else str(fps)


def _model(row: Mapping[str, Any], files: Sequence[FileRow]) -> ModelRow:
    role = str(row.get("role", ""))
    # A person detector may be there and never opened: then no frame was searched for bodies.
    is_idle = role.startswith("person_") and not any(
        f.rows for f in files if f.path.endswith(_BODY_FRAMES)
    )
    return ModelRow(
        role=_ROLES.get(role, role) + (" (did not run)" if is_idle else ""),
        name=str(row.get("name", "")),
        sha256=str(row.get("sha256", "")),
        licence=text.without_folders(str(row.get("licence", "") or "not stated")),
        source=text.without_folders(str(row.get("source", "") or "")),
    )


def _settings(
    given: Mapping[str, Any], profile: str, calibration: Mapping[str, Any]
) -> tuple[SettingRow, ...]:
    baseline = {**EpisodeRunConfig.from_mapping({}, profile).model_dump()}
    # Thresholds on a model's scores are the pack's unless given.
    baseline.update({k: calibration[k] for k in _THRESHOLDS if k in calibration})
    rows = []
    for name in (*[n for n in baseline if n in given], *sorted(set(given) - set(baseline))):
        if name in LAUNCH_FIELDS:
            continue
        usual = baseline.get(name)
        value = usual if given[name] is None and name in _THRESHOLDS else given[name]
        if name in _DEVICES and usual in (None, "auto"):
            usual = value  # left to the machine: nobody chose another one
        rows.append(SettingRow(name, text.plain(value), text.plain(usual), value != usual))
    return tuple(rows)
