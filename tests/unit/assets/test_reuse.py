"""The table of cases behind "is this computed or taken from an earlier run"."""

from __future__ import annotations

from typing import Any

import pytest

from screenalytics_assets.reuse import Candidates, Compute, Reuse, decide, wants_other_settings
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.steps.base import StepOutput

TRACKS, FACES, IDENTITIES, REPORT = (
    ArtifactKind.TRACKS,
    ArtifactKind.FACES,
    ArtifactKind.IDENTITIES,
    ArtifactKind.REPORT,
)


@pytest.mark.parametrize(
    ("kind", "settings", "equal", "other", "expected"),
    [
        pytest.param(TRACKS, {}, None, None, Compute(), id="nothing to reuse"),
        pytest.param(TRACKS, {}, "a", None, Reuse("a"), id="equal fingerprint"),
        pytest.param(TRACKS, {}, None, "b", Compute(), id="other settings, not asked for"),
        pytest.param(
            TRACKS,
            {"reuse_detections": True},
            None,
            "b",
            Reuse("b", "reuse_detections: made with other settings"),
            id="other settings, asked for, said so",
        ),
        pytest.param(
            TRACKS, {"reuse_detections": True}, "a", "b", Reuse("a"), id="equal beats other"
        ),
        pytest.param(
            FACES, {"reuse_detections": True}, None, "b", Compute(), id="the switch is per stage"
        ),
        pytest.param(
            FACES,
            {"reuse_embeddings": True},
            None,
            "b",
            Reuse("b", "reuse_embeddings: made with other settings"),
            id="faces have their own switch",
        ),
        pytest.param(IDENTITIES, {}, "a", None, Reuse("a"), id="clustering is reused too"),
        pytest.param(
            IDENTITIES, {"force_recluster": True}, "a", None, Compute(), id="unless forced"
        ),
        pytest.param(
            REPORT, {"force_recluster": True}, "a", None, Reuse("a"), id="force is for clustering"
        ),
        pytest.param(
            FACES, {"save_crops": True}, "a", None, Compute(), id="pictures of its own are wanted"
        ),
        pytest.param(
            FACES, {"save_frames": True}, "me", None, Reuse("me"), id="pictures are there already"
        ),
        pytest.param(
            TRACKS, {"save_crops": True}, "a", None, Reuse("a"), id="pictures are of faces only"
        ),
    ],
)
def test_reuse_is_decided_by_fingerprint_then_by_switch(
    kind: ArtifactKind,
    settings: dict[str, Any],
    equal: str | None,
    other: str | None,
    expected: Compute | Reuse,
) -> None:
    config = EpisodeRunConfig.from_mapping(
        {"force_recluster": False, "save_crops": False, **settings}
    )

    assert decide(kind, config, Candidates("me", equal, other)) == expected


def test_results_of_other_settings_are_looked_for_only_when_a_switch_asks() -> None:
    tracks = StepOutput(name="tracks", kinds=(TRACKS,), version="1")
    report = StepOutput(name="report", kinds=(REPORT,), version="1")
    asked = EpisodeRunConfig.from_mapping({"reuse_detections": True})

    assert wants_other_settings(tracks, asked)
    assert not wants_other_settings(tracks, EpisodeRunConfig())
    assert not wants_other_settings(report, asked)
