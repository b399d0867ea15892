"""The graph as the steps state it: which asset makes and reads which artifacts."""

from __future__ import annotations

from typing import Final

from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.stages import PipelineStage, stage_of
from screenalytics_core.steps.base import Step, StepOutput
from screenalytics_core.steps.body_tracks import STEP as BODY_TRACKS
from screenalytics_core.steps.cast import STEP as CAST
from screenalytics_core.steps.embeddings import STEP as EMBEDDINGS
from screenalytics_core.steps.faces import STEP as FACES
from screenalytics_core.steps.identities import STEP as IDENTITIES
from screenalytics_core.steps.report import STEP as REPORT
from screenalytics_core.steps.scan import STEP as SCAN
from screenalytics_core.steps.screen_time import STEP as SCREEN_TIME
from screenalytics_core.steps.track_fusion import STEP as TRACK_FUSION
from screenalytics_core.steps.tracks import STEP as TRACKS

STEPS: Final[tuple[Step, ...]] = (
    SCAN,
    TRACKS,
    FACES,
    EMBEDDINGS,
    IDENTITIES,
    CAST,
    BODY_TRACKS,
    TRACK_FUSION,
    SCREEN_TIME,
    REPORT,
)

OUTPUTS: Final[dict[str, StepOutput]] = {o.name: o for s in STEPS for o in s.outputs}

KINDS_OF_ASSET: Final[dict[str, tuple[ArtifactKind, ...]]] = {
    name: output.kinds for name, output in OUTPUTS.items()
}

ASSET_OF_KIND: Final[dict[ArtifactKind, str]] = {
    kind: name for name, kinds in KINDS_OF_ASSET.items() for kind in kinds
}


def stage_of_asset(asset: str) -> PipelineStage:
    """Return the stage that an asset belongs to."""
    return stage_of(KINDS_OF_ASSET[asset][0])


def upstream_assets(step: Step) -> tuple[str, ...]:
    """Return the assets that `step` reads."""
    return tuple(dict.fromkeys(ASSET_OF_KIND[kind] for kind in step.inputs))


def assets_of_stages(stages: tuple[PipelineStage, ...]) -> tuple[str, ...]:
    """Return the assets of `stages`, in the graph's order."""
    return tuple(name for name in OUTPUTS if stage_of_asset(name) in stages)
