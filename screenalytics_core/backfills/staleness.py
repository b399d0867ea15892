"""What made an output outdated: its manifest entry beside what a run would use today. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from screenalytics_core.manifest import ManifestEntry
from screenalytics_core.steps.base import StepOutput


@dataclass(frozen=True, slots=True)
class Today:
    """What a run would use now.

    Attributes:
        settings: Resolved: thresholds of the pack filled in.
        model_sha256s: Role -> sha256.
    """

    settings: Mapping[str, Any]
    model_sha256s: Mapping[str, str]
    video_sha256: str


def differences(output: StepOutput, entry: ManifestEntry, today: Today) -> tuple[str, ...]:
    """Return in words what of a recorded output a run would use otherwise now.

    Only what enters the output's fingerprint is looked at, so a setting that no step reads
    makes nothing outdated. What the entry does not record (trims, decisions, gallery) shows
    in the fingerprint alone.
    """
    found = []
    for name in output.settings:
        new = today.settings.get(name)
        if name not in entry.settings:
            found.append(f"setting {name} is new: {new}")
        elif entry.settings[name] != new:
            found.append(f"setting {name} {entry.settings[name]} -> {new}")
    for role in output.model_roles:
        old, now = entry.models.get(role), today.model_sha256s.get(role)
        if old != now:
            found.append(f"model {role} {_short(old)} -> {_short(now)}")
    if entry.step_version != output.version:
        found.append(f"step version {entry.step_version} -> {output.version}")
    if output.reads_video and entry.video_sha256 != today.video_sha256:
        found.append(f"video {_short(entry.video_sha256)} -> {_short(today.video_sha256)}")
    return tuple(found)


def _short(sha256: str | None) -> str:
    return sha256[:8] if sha256 else "none"
