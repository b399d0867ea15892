"""The load rule: where an input comes from when a step needs it.

The same run; else the run that somebody named; else the active run; else the latest
materialization; else a legacy manifest. `choose` decides without I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from screenalytics_core.artifact_ref import ArtifactRef
from screenalytics_core.artifact_store import ArtifactStore
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.errors import ArtifactNotFoundError


class Origin(StrEnum):
    """Where an input comes from, in the order that is tried."""

    SAME_RUN = "same_run"
    UPSTREAM_TAG = "upstream_tag"
    ACTIVE_RUN = "active_run"
    MATERIALIZED = "materialized"
    LEGACY = "legacy"


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where an artifact was found.

    Attributes:
        is_tagged: Somebody named an upstream run; then no other one will do.
    """

    in_same_run: bool = False
    is_tagged: bool = False
    in_tagged_run: bool = False
    in_active_run: bool = False
    in_materialized_run: bool = False
    in_legacy: bool = False


def choose(found: Whereabouts) -> Origin | None:
    """Return where an input comes from; None when it may come from nowhere."""
    if found.in_same_run:
        return Origin.SAME_RUN
    if found.is_tagged:
        return Origin.UPSTREAM_TAG if found.in_tagged_run else None
    if found.in_active_run:
        return Origin.ACTIVE_RUN
    if found.in_materialized_run:
        return Origin.MATERIALIZED
    return Origin.LEGACY if found.in_legacy else None


def resolve_input(
    artifacts: ArtifactStore,
    ep_id: str,
    run_id: str,
    kind: ArtifactKind,
    *,
    upstream_run_id: str | None = None,
    materialized_run_id: str | None = None,
) -> ArtifactRef:
    """Return a run's input, wherever it lies; its hash is checked when it is read or taken.

    Args:
        upstream_run_id: The run that the tag `screenalytics/upstream_run_id` names.
        materialized_run_id: The run of the latest materialization, if one is known.

    Raises:
        ArtifactNotFoundError: It is nowhere, or not in the run that was named.
    """

    def held_by(candidate: str | None) -> ArtifactRef | None:
        return artifacts.ref(ep_id, candidate, kind) if candidate else None

    refs = {
        Origin.SAME_RUN: held_by(run_id),
        Origin.UPSTREAM_TAG: held_by(upstream_run_id),
        Origin.ACTIVE_RUN: held_by(artifacts.runs.active_run_id(ep_id)),
        Origin.MATERIALIZED: held_by(materialized_run_id),
        Origin.LEGACY: artifacts.legacy_ref(ep_id, kind),
    }
    origin = choose(
        Whereabouts(
            in_same_run=refs[Origin.SAME_RUN] is not None,
            is_tagged=upstream_run_id is not None,
            in_tagged_run=refs[Origin.UPSTREAM_TAG] is not None,
            in_active_run=refs[Origin.ACTIVE_RUN] is not None,
            in_materialized_run=refs[Origin.MATERIALIZED] is not None,
            in_legacy=refs[Origin.LEGACY] is not None,
        )
    )
    ref = refs[origin] if origin else None
    if ref is None:
        raise _nowhere(ep_id, run_id, kind, upstream_run_id)
    return ref


def _nowhere(
    ep_id: str, run_id: str, kind: ArtifactKind, upstream_run_id: str | None
) -> ArtifactNotFoundError:
    looked_in = (
        f"the run {upstream_run_id} that screenalytics/upstream_run_id names"
        if upstream_run_id
        else "this run, the active run, the latest materialization or a legacy manifest"
    )
    return ArtifactNotFoundError(
        thing=f"artifact {kind} for run {ep_id}/{run_id}",
        reason=f"is not in {looked_in}",
        way_out="Run the stage that makes it first, or name a run that has it.",
        kind=str(kind),
    )
