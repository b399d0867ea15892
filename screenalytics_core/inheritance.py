"""What may enter a run from another run, so that no folder mixes versions. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.config import LAUNCH_FIELDS
from screenalytics_core.errors import ArtifactNotFoundError, InputConflictError
from screenalytics_core.manifest import Manifest, ManifestEntry
from screenalytics_core.run_record import RunRecord
from screenalytics_core.stages import stage_of

_NEW_RUN = "Launch without this run_id, so that a new run is made."


def need_entry(
    manifest: Manifest, kind: ArtifactKind, *, allow_redacted: bool = False
) -> ManifestEntry:
    """Return the entry of `kind`.

    Raises:
        ArtifactNotFoundError: The run does not hold it, or it was redacted.
    """
    entry = manifest.entries.get(kind)
    if entry is None or (entry.redacted and not allow_redacted):
        raise ArtifactNotFoundError(
            thing=f"artifact {kind} of run {manifest.ep_id}/{manifest.run_id}",
            reason="was redacted" if entry else "is not there",
            way_out="Run the stage that makes it, or choose another upstream run.",
            kind=str(kind),
        )
    return entry


def is_made_with(
    entries: Iterable[ManifestEntry],
    inputs: Mapping[ArtifactKind, str],
    settings: Mapping[str, Any],
) -> bool:
    """Tell whether entries were made from these inputs and settings, as far as they read them."""
    return all(
        all(entry.inputs.get(kind, sha256) == sha256 for kind, sha256 in inputs.items())
        and all(entry.settings.get(name, value) == value for name, value in settings.items())
        for entry in entries
    )


def check_same_version(mine: Manifest, entry: ManifestEntry, from_run_id: str) -> None:
    """Refuse an input that was made otherwise than what this run holds of it.

    Raises:
        InputConflictError: As said.
    """
    held = mine.entries.get(entry.kind)
    if held is not None and held.made_sha256 != entry.made_sha256:
        raise _conflict(mine, entry.kind, f"run {from_run_id} holds another version of it")


def check_not_mixed(mine: Manifest, entries: Mapping[ArtifactKind, ManifestEntry]) -> None:
    """Refuse artifacts that were made from another version of what the run will hold.

    Args:
        entries: All that will be taken over together.

    Raises:
        InputConflictError: As said.
    """
    held = {**mine.entries, **entries}
    for entry in entries.values():
        for kind, sha256 in entry.inputs.items():
            if kind in held and held[kind].made_sha256 != sha256:
                stage = stage_of(entry.kind)
                raise _conflict(
                    mine,
                    entry.kind,
                    f"it was made from another version of {kind} than this run's",
                    f"Run the stage {stage} in this launch too, so that it is made anew.",
                )


def check_same_origin(record: RunRecord, entries: Iterable[ManifestEntry]) -> None:
    """Refuse artifacts of another video or of other models than the run is bound to.

    Raises:
        InputConflictError: As said; each difference is named.
    """
    differences = origin_differences(record, entries)
    if differences:
        raise InputConflictError(
            thing=f"inputs of run {record.ep_id}/{record.run_id}",
            reason="; ".join(differences),
            way_out="Run the episode from the start with this run's video and models.",
            differences=differences,
        )


def origin_differences(record: RunRecord, entries: Iterable[ManifestEntry]) -> list[str]:
    """Return in words which of `entries` are of another video or of other models."""
    found: dict[str, None] = {}
    for entry in entries:
        if entry.video_sha256 not in (None, record.video.get("sha256")):
            found[f"{entry.kind} was made from the video {entry.video_sha256}"] = None
        for role, sha256 in entry.models.items():
            if sha256 != record.model_sha256s.get(role):
                found[f"{entry.kind} was made by the {role} {sha256}"] = None
    return list(found)


def is_of_same_origin(record: RunRecord, theirs: Manifest, kinds: Iterable[ArtifactKind]) -> bool:
    """Tell whether `kinds` and all upstream of them are held, of the run's video and models."""
    closure = [theirs.entries.get(kind) for kind in theirs.upstream(kinds)]
    held = [entry for entry in closure if entry is not None]
    return len(held) == len(closure) and not origin_differences(record, held)


def settings_differences(record: RunRecord, entries: Iterable[ManifestEntry]) -> list[str]:
    """Return in words which settings that `entries` were made with differ from the run's."""
    found: dict[str, None] = {}
    for entry in entries:
        for name, value in entry.settings.items():
            mine = record.settings.get(name)
            if name not in LAUNCH_FIELDS and mine != value:
                found[f"{name} was {value!r}, this run has {mine!r}"] = None
    return list(found)


def other_settings(record: RunRecord, differences: list[str]) -> InputConflictError:
    """Build the error for inputs that were made with other settings."""
    return InputConflictError(
        thing=f"inputs of run {record.ep_id}/{record.run_id}",
        reason="the run they would come from had other settings: " + "; ".join(differences),
        way_out="Run the earlier stages too, or ask for it: reuse_detections, reuse_embeddings, "
        "or the tag screenalytics/upstream_run_id.",
        differences=differences,
    )


def _conflict(
    mine: Manifest, kind: ArtifactKind, reason: str, way_out: str = _NEW_RUN
) -> InputConflictError:
    return InputConflictError(
        thing=f"artifact {kind} for run {mine.ep_id}/{mine.run_id}",
        reason=reason,
        way_out=way_out,
        kind=str(kind),
    )
