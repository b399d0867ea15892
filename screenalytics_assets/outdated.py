"""Which outputs of a run would be made otherwise now, and by what.

Dagster sees code versions and data versions, not settings; this compares fingerprints: those
in the run's manifest with those of today's settings, models, steps, video, trims, decisions and
gallery, each output made from the inputs that it was made from.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Final

from screenalytics_assets.binding import Bound
from screenalytics_assets.graph import OUTPUTS
from screenalytics_assets.known_people import KnownPeople
from screenalytics_assets.planning import Planner
from screenalytics_assets.stores import Stores
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.backfills.facts import Outdated
from screenalytics_core.backfills.staleness import Today, differences
from screenalytics_core.decisions.records import Decision
from screenalytics_core.manifest import Manifest, ManifestEntry
from screenalytics_core.runs import RunRecord
from screenalytics_core.steps.base import StepNeedsError, StepOutput

_NONE: Final = "none"
_GALLERY: Final = "the gallery was changed"


def outdated_outputs(
    stores: Stores, bound: Bound, record: RunRecord, known: KnownPeople
) -> tuple[Outdated, ...]:
    """Return the outputs of a run that are not as they would be made now, with what differs.

    A run that holds a damaged manifest has none; one whose inputs changed under an output
    names that too.

    Args:
        bound: What a run would be bound to now.
        record: The run that is looked at; the report tells of it, so that counts as it is.
    """
    manifest = stores.artifacts.manifest(record.ep_id, record.run_id)
    planner = Planner(stores, bound, record, known)
    today = Today(
        settings=bound.config.model_dump(),
        model_sha256s=bound.pack.info.sha256s(),
        video_sha256=bound.binding.video["sha256"],
    )
    found = []
    for output in OUTPUTS.values():
        entry = manifest.entries.get(output.kinds[0])
        if entry is None:
            continue  # the run is not whole, which says more
        because = tuple(_because(output, entry, manifest, today, planner))
        if because:
            found.append(Outdated(output.name, because))
    return tuple(found)


def _because(
    output: StepOutput, entry: ManifestEntry, manifest: Manifest, today: Today, planner: Planner
) -> Iterator[str]:
    for kind, sha256 in entry.inputs.items():
        held = manifest.entries.get(kind)
        if held is not None and held.made_sha256 != sha256:
            yield f"made from another {kind} than the run holds"
    found = differences(output, entry, today)
    if found:
        yield from found
        return
    try:
        fingerprint = planner.fingerprint_of(output, entry.inputs)
    except StepNeedsError:
        yield "it reads other inputs now"
        return
    redacted = [k for k in output.inputs if k in manifest.entries and manifest.entries[k].redacted]
    without = planner.fingerprint_of(output, entry.inputs, redacted)
    if entry.fingerprint in (fingerprint, without):
        return
    reason = _unrecorded(output, entry, planner, redacted)
    if not redacted or reason != _GALLERY:  # who was taken out went out of the gallery, too
        yield reason


def _unrecorded(
    output: StepOutput, entry: ManifestEntry, planner: Planner, redacted: list[ArtifactKind]
) -> str:
    """Say which of the things that no entry records made the fingerprint another one."""
    if output.reads_trims:
        return "trims were changed"
    if output.reads_decisions:
        return _decisions_or_gallery(output, entry, planner, redacted)
    if output.reads_gallery:
        return _GALLERY
    return "its fingerprint is another one"


def _decisions_or_gallery(
    output: StepOutput, entry: ManifestEntry, planner: Planner, redacted: list[ArtifactKind]
) -> str:
    """Find out by trying: decisions are only ever added, so they were once the first n."""
    decisions = planner.known.decisions
    gallery = planner.known.gallery_sha256
    tried = [gallery] if gallery == _NONE or not output.reads_gallery else [gallery, _NONE]
    for gallery_sha256 in tried:
        for count in range(len(decisions), -1, -1):
            then = _with(planner, _Then(planner.known, count, gallery_sha256))
            tries = (then.fingerprint_of(output, entry.inputs, r) for r in ((), redacted))
            if entry.fingerprint in tries:
                said = [f"{len(decisions) - count} new decisions"] * (count < len(decisions))
                said += ["a gallery, which there was none of"] * (gallery_sha256 != gallery)
                return " and ".join(said)
    return _GALLERY


class _Then(KnownPeople):
    """What was known of the people when fewer decisions were made."""

    def __init__(self, now: KnownPeople, count: int, gallery_sha256: str) -> None:
        self._first = now.decisions[:count]
        self._gallery_then = gallery_sha256

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        return self._first

    @property
    def gallery_sha256(self) -> str:
        return self._gallery_then


def _with(planner: Planner, known: KnownPeople) -> Planner:
    return Planner(planner.stores, planner.bound, planner.record, known)
