"""run.json: what a run is bound to, and how two bindings differ. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Self

from screenalytics_core.config import LAUNCH_FIELDS, EpisodeRunConfig, settings_hash
from screenalytics_core.shapes import check_time, check_types

SCHEMA_VERSION: Final = 1
_TYPES: Final = {
    **dict.fromkeys(("ep_id", "run_id", "created_at", "source", "settings_hash", "code_ref"), str),
    **dict.fromkeys(("settings", "video", "models"), dict),
}
_VIDEO_NUMBERS: Final = ("size_bytes", "duration_s", "width_px", "height_px", "rotation_deg")
_MOST: Final = 2**53


class RunKey(NamedTuple):
    """What names a run: the same run_id may occur for several episodes."""

    ep_id: str
    run_id: str


@dataclass(frozen=True, slots=True)
class RunBinding:
    """What a run is bound to when it is reserved.

    Attributes:
        settings: Resolved: no threshold and no device left open.
        video: Facts with `sha256` and `size_bytes`.
        models: `PackInfo.to_dict()`.
        source: Where the video came from; part of a minted timestamp id.
    """

    settings: EpisodeRunConfig
    video: dict[str, Any]
    models: dict[str, Any]
    code_ref: str
    source: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """run.json: the reservation, never changed.

    Attributes:
        created_at: ISO 8601 in UTC with microseconds; orders the runs of an episode.
    """

    ep_id: str
    run_id: str
    created_at: str
    source: str
    settings: dict[str, Any]
    settings_hash: str
    video: dict[str, Any]
    models: dict[str, Any]
    code_ref: str
    schema_version: int = SCHEMA_VERSION

    @classmethod
    def of(cls, ep_id: str, run_id: str, created_at: datetime, binding: RunBinding) -> Self:
        """Return the record that binds a run."""
        return cls(
            ep_id=ep_id,
            run_id=run_id,
            created_at=created_at.astimezone(UTC).isoformat(timespec="microseconds"),
            source=binding.source,
            settings=binding.settings.model_dump(mode="json"),
            settings_hash=binding.settings.binding_hash(),
            video=binding.video,
            models=binding.models,
            code_ref=binding.code_ref,
        )

    @property
    def model_sha256s(self) -> dict[str, str]:
        """Role -> sha256 of the pack's files."""
        return {f["role"]: f["sha256"] for f in self.models.get("files", ())}

    @property
    def order(self) -> tuple[str, str]:
        """What runs are ordered by: when they were reserved."""
        return (self.created_at, self.run_id)

    def to_dict(self) -> dict[str, Any]:
        """Return it as it stands in run.json."""
        return {**asdict(self), "episode_id": self.ep_id}

    def without_created_at(self) -> dict[str, Any]:
        """Return what the report may show: no clock, nothing that only says how to launch."""
        bound = {k: v for k, v in self.settings.items() if k not in LAUNCH_FIELDS}
        record = {k: v for k, v in self.to_dict().items() if k != "created_at"}
        return {**record, "settings": bound}

    def sha256_without_created_at(self) -> str:
        """Return the sha256 of `without_created_at` as canonical JSON."""
        return settings_hash(self.without_created_at())

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Self:
        """Build it from run.json; TypeError, KeyError or ValueError if it is no record."""
        check_types(record, _TYPES)
        check_time(record["created_at"])
        _check_video(record["video"])
        # What is no Unicode has no hash and cannot be printed.
        json.dumps(record, ensure_ascii=False).encode()
        for file in record["models"].get("files", ()):
            check_types(file, {"role": str, "sha256": str})
        return cls(**{k: v for k, v in record.items() if k != "episode_id"})


def _check_video(video: Mapping[str, Any]) -> None:
    """Refuse facts that cannot be shown; ValueError or TypeError."""
    for name in _VIDEO_NUMBERS:
        value = video.get(name)
        if value is not None and (type(value) not in (int, float) or not abs(value) <= _MOST):
            raise TypeError(f"{name} of the video is no number, or too large")
    if not isinstance(video.get("sha256", ""), str) or not isinstance(video.get("fps") or "", str):
        raise TypeError("sha256 or fps of the video is no text")


def binding_differences(bound: RunRecord, wanted: RunRecord) -> list[str]:
    """Return in words how `wanted` differs from what a run is bound to; empty if it fits."""
    names = sorted((bound.settings.keys() | wanted.settings.keys()) - LAUNCH_FIELDS)
    pairs = [(n, bound.settings.get(n), wanted.settings.get(n)) for n in names]
    pairs.append(("video sha256", bound.video.get("sha256"), wanted.video.get("sha256")))
    roles = sorted(bound.model_sha256s.keys() | wanted.model_sha256s.keys())
    pairs += [
        (f"model {role} sha256", bound.model_sha256s.get(role), wanted.model_sha256s.get(role))
        for role in roles
    ]
    return [f"{name} is {old!r}, asked for {new!r}" for name, old, new in pairs if old != new]
