"""Whether an output is computed or taken from an earlier run. Pure: a table of cases."""

from __future__ import annotations

from dataclasses import dataclass

from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.stages import PipelineStage, stage_of
from screenalytics_core.steps.base import StepOutput


@dataclass(frozen=True, slots=True)
class Compute:
    """Nothing fits: run the step."""


@dataclass(frozen=True, slots=True)
class Reuse:
    """Take the output of `run_id`; `note` says why when its settings differ."""

    run_id: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Candidates:
    """Runs that could give an output.

    Attributes:
        own_run_id: The run that asks.
        equal_run_id: A run whose output has the same fingerprint (this run first).
        other_run_id: A run that has the output with other settings.
    """

    own_run_id: str
    equal_run_id: str | None
    other_run_id: str | None


def decide(kind: ArtifactKind, config: EpisodeRunConfig, candidates: Candidates) -> Compute | Reuse:
    """Decide for one output.

    An equal fingerprint means equal bytes, so it is reused, unless it is a clustering and
    `force_recluster` asks for a fresh one. `reuse_detections` and `reuse_embeddings` also
    take results of other settings, and say so. Loose pictures of faces are written while the
    faces are computed, so another run's faces will not do where pictures are asked for.
    """
    stage = stage_of(kind)
    if config.force_recluster and stage is PipelineStage.CLUSTER:
        return Compute()
    wants_pictures = kind is ArtifactKind.FACES and (config.save_crops or config.save_frames)
    if wants_pictures and candidates.equal_run_id != candidates.own_run_id:
        return Compute()
    if candidates.equal_run_id is not None:
        return Reuse(candidates.equal_run_id)
    switch = reuse_switch(stage)
    if switch and getattr(config, switch) and candidates.other_run_id is not None:
        return Reuse(candidates.other_run_id, f"{switch}: made with other settings")
    return Compute()


def reuse_switch(stage: PipelineStage) -> str | None:
    """Return the setting that lets `stage` reuse results of other settings."""
    return {
        PipelineStage.DETECT_TRACK: "reuse_detections",
        PipelineStage.FACES_EMBED: "reuse_embeddings",
    }.get(stage)


def wants_other_settings(output: StepOutput, config: EpisodeRunConfig) -> bool:
    """Tell whether a result of other settings may be looked for."""
    switch = reuse_switch(stage_of(output.kinds[0]))
    return bool(switch and getattr(config, switch))
