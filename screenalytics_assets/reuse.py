"""Whether an output is computed or taken from an earlier run. Pure: a table of cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.errors import SettingsError
from screenalytics_core.stages import PipelineStage, stage_of
from screenalytics_core.steps.base import StepOutput

# The setting that lets a stage reuse results of other settings.
_SWITCHES: Final = {
    PipelineStage.DETECT_TRACK: "reuse_detections",
    PipelineStage.BODY_TRACKING: "reuse_detections",
    PipelineStage.FACES_EMBED: "reuse_embeddings",
}

# Whether something was looked for at all is no matter of how: without bodies a number would be
# of faces alone, though they were asked for.
NEVER_OTHER: Final = ("body_tracking",)


@dataclass(frozen=True, slots=True)
class Compute:
    """Nothing fits: run the step."""


@dataclass(frozen=True, slots=True)
class Reuse:
    """Take the output of `run_id`; `because` says why when its settings differ."""

    run_id: str
    because: str | None = None


@dataclass(frozen=True, slots=True)
class Candidates:
    """Runs that could give the wanted outputs of one step.

    Attributes:
        own_run_id: The run that asks.
        equal_run_ids: By output, a run that has it with the same fingerprint (this run first).
        other_run_id: A run that has all of the outputs, with whatever settings.
        equal_there: Outputs whose fingerprint is the same in that run too.
    """

    own_run_id: str
    equal_run_ids: Mapping[str, str | None]
    other_run_id: str | None = None
    equal_there: frozenset[str] = field(default=frozenset())


def decide(
    outputs: Sequence[StepOutput], config: EpisodeRunConfig, candidates: Candidates
) -> dict[str, Compute | Reuse]:
    """Decide for the wanted outputs of one step, by their names.

    An equal fingerprint means equal bytes, so it is reused, unless it is a clustering and
    `force_recluster` asks for a fresh one. `reuse_detections` and `reuse_embeddings` also
    take results of other settings, and say so; then all outputs come from that one run,
    since detections stand in the shots that were found with them. Loose pictures of faces
    are written while the faces are computed, so another run's faces will not do where
    pictures are asked for.
    """
    other = candidates.other_run_id
    if other is not None and wants_other_settings(outputs, config, candidates):
        because = f"{_switch_of(outputs[0])}: made with other settings"
        equal = candidates.equal_there
        return {o.name: Reuse(other, None if o.name in equal else because) for o in outputs}
    plans: dict[str, Compute | Reuse] = {}
    for output in outputs:
        run_id = candidates.equal_run_ids[output.name]
        is_forced = _must_compute(output, config, candidates)
        plans[output.name] = Compute() if run_id is None or is_forced else Reuse(run_id)
    return plans


def wants_other_settings(
    outputs: Sequence[StepOutput], config: EpisodeRunConfig, candidates: Candidates
) -> bool:
    """Tell whether a result of other settings may be looked for: asked for, and needed."""
    switches = [_switch_of(output) for output in outputs]
    return (
        all(switch is not None and getattr(config, switch) for switch in switches)
        and any(candidates.equal_run_ids[output.name] is None for output in outputs)
        and not any(_must_compute(output, config, candidates) for output in outputs)
    )


def check_fresh(config: EpisodeRunConfig, *, is_fresh: bool) -> None:
    """Refuse to compute everything anew and to reuse what exists, both at once.

    Raises:
        SettingsError: A fresh run has a reuse switch on.
    """
    switches = [name for name in dict.fromkeys(_SWITCHES.values()) if getattr(config, name)]
    if is_fresh and switches:
        raise SettingsError(
            thing=f"fresh run with {', '.join(switches)}",
            reason="a fresh run takes nothing from other runs",
            way_out="Leave one of the two out.",
        )


def _must_compute(output: StepOutput, config: EpisodeRunConfig, candidates: Candidates) -> bool:
    kind = output.kinds[0]
    if config.force_recluster and stage_of(kind) is PipelineStage.CLUSTER:
        return True
    wants_pictures = kind is ArtifactKind.FACES and (config.save_crops or config.save_frames)
    return wants_pictures and candidates.equal_run_ids[output.name] != candidates.own_run_id


def _switch_of(output: StepOutput) -> str | None:
    return _SWITCHES.get(stage_of(output.kinds[0]))
