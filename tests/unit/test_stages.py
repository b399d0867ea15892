"""The stage plan and its aliases, and that every artifact belongs to exactly one stage."""

from __future__ import annotations

import pytest

from screenalytics_core.artifacts import ARTIFACTS, ArtifactKind
from screenalytics_core.errors import SettingsError
from screenalytics_core.stages import (
    SEED_STAGE_ARTIFACTS,
    STAGE_ARTIFACTS,
    STAGE_PHASES,
    STAGE_PLAN,
    PipelineStage,
    parse_stage,
    stage_of,
)


def test_the_plan_is_the_seeds_with_screen_time_before_the_report() -> None:
    assert [str(stage) for stage in STAGE_PLAN] == [
        "detect", "faces", "cluster", "body_tracking", "track_fusion", "screentime", "pdf",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("detect", PipelineStage.DETECT_TRACK),
        ("detect_track", PipelineStage.DETECT_TRACK),
        ("Detect/Track", PipelineStage.DETECT_TRACK),
        ("faces_embed", PipelineStage.FACES_EMBED),
        ("faces harvest", PipelineStage.FACES_EMBED),
        (" cluster ", PipelineStage.CLUSTER),
        ("body_tracking_fusion", PipelineStage.TRACK_FUSION),
        ("screen_time", PipelineStage.SCREEN_TIME),
        ("pdf_export", PipelineStage.PDF_EXPORT),
    ],
)
def test_a_stage_answers_to_its_aliases(name: str, stage: PipelineStage) -> None:
    assert parse_stage(name) is stage


def test_every_marker_name_is_a_stage_name() -> None:
    assert {parse_stage(phase) for phase in STAGE_PHASES.values()} == set(STAGE_PHASES)


def test_an_unknown_stage_is_refused_with_the_plan() -> None:
    with pytest.raises(SettingsError, match=r"'detects': is not in the plan. Use one of detect, "):
        parse_stage("detects")


@pytest.mark.parametrize("kind", list(ARTIFACTS))
def test_every_artifact_is_made_by_exactly_one_stage(kind: ArtifactKind) -> None:
    makers = [stage for stage, kinds in STAGE_ARTIFACTS.items() if kind in kinds]

    assert makers == [stage_of(kind)]


def test_the_seeds_answers_are_among_the_stages_artifacts() -> None:
    for stage, kinds in SEED_STAGE_ARTIFACTS.items():
        assert set(kinds) <= set(STAGE_ARTIFACTS[stage])
