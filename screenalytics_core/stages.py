"""The stage plan, its aliases, and which artifacts each stage makes. Stated here only."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.errors import SettingsError


class PipelineStage(StrEnum):
    """The stages people see, in the order they run."""

    DETECT_TRACK = "detect"
    FACES_EMBED = "faces"
    CLUSTER = "cluster"
    BODY_TRACKING = "body_tracking"
    TRACK_FUSION = "track_fusion"
    SCREEN_TIME = "screentime"
    PDF_EXPORT = "pdf"


STAGE_PLAN: Final = tuple(PipelineStage)

_ALIASES: Final = {
    "detect_track": PipelineStage.DETECT_TRACK,
    "detect/track": PipelineStage.DETECT_TRACK,
    "faces_embed": PipelineStage.FACES_EMBED,
    "faces harvest": PipelineStage.FACES_EMBED,
    "body_tracking_fusion": PipelineStage.TRACK_FUSION,
    "screen_time": PipelineStage.SCREEN_TIME,
    "pdf_export": PipelineStage.PDF_EXPORT,
}

STAGE_ARTIFACTS: Final[dict[PipelineStage, tuple[ArtifactKind, ...]]] = {
    PipelineStage.DETECT_TRACK: (
        ArtifactKind.SHOTS,
        ArtifactKind.DETECTIONS,
        ArtifactKind.TRACKS,
        ArtifactKind.TRACK_METRICS,
    ),
    PipelineStage.FACES_EMBED: (
        ArtifactKind.FACES,
        ArtifactKind.FACES_EMBEDDINGS,
        ArtifactKind.TRACK_REPS,
    ),
    PipelineStage.CLUSTER: (ArtifactKind.IDENTITIES, ArtifactKind.CAST),
    PipelineStage.BODY_TRACKING: (ArtifactKind.BODY_DETECTIONS, ArtifactKind.BODY_TRACKS),
    PipelineStage.TRACK_FUSION: (ArtifactKind.TRACK_FUSION,),
    PipelineStage.SCREEN_TIME: (ArtifactKind.SCREEN_TIME,),
    PipelineStage.PDF_EXPORT: (ArtifactKind.REPORT,),
}

# What the seed's `check_artifacts_exist` answers about each stage.
SEED_STAGE_ARTIFACTS: Final[dict[PipelineStage, tuple[ArtifactKind, ...]]] = {
    PipelineStage.DETECT_TRACK: (ArtifactKind.DETECTIONS, ArtifactKind.TRACKS),
    PipelineStage.FACES_EMBED: (ArtifactKind.FACES, ArtifactKind.FACES_EMBEDDINGS),
    PipelineStage.CLUSTER: (ArtifactKind.IDENTITIES,),
}

# The seeds' marker files, `{phase}.json`.
STAGE_PHASES: Final[dict[PipelineStage, str]] = {
    PipelineStage.DETECT_TRACK: "detect_track",
    PipelineStage.FACES_EMBED: "faces_embed",
    PipelineStage.CLUSTER: "cluster",
    PipelineStage.BODY_TRACKING: "body_tracking",
    PipelineStage.TRACK_FUSION: "body_tracking_fusion",
    PipelineStage.PDF_EXPORT: "pdf_export",
}


def parse_stage(name: str) -> PipelineStage:
    """Return the stage called `name`, by its key or any of its aliases.

    Raises:
        SettingsError: No stage has that name.
    """
    text = name.strip().lower()
    try:
        return _ALIASES.get(text) or PipelineStage(text)
    except ValueError:
        raise SettingsError(
            thing=f"stage {name!r}",
            reason="is not in the plan",
            way_out=f"Use one of {', '.join(STAGE_PLAN)}.",
        ) from None


def stage_of(kind: ArtifactKind) -> PipelineStage:
    """Return the stage that makes `kind`."""
    return next(s for s, kinds in STAGE_ARTIFACTS.items() if kind in kinds)
