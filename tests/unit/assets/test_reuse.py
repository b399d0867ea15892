"""The table of cases behind "is this computed or taken from an earlier run"."""

from __future__ import annotations

from typing import Any

import pytest

from screenalytics_assets.reuse import (
    Candidates,
    Compute,
    Reuse,
    check_fresh,
    decide,
    wants_other_settings,
)
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.errors import SettingsError
from screenalytics_core.steps.base import StepOutput


def output(kind: ArtifactKind) -> StepOutput:
    return StepOutput(name=kind.value, kinds=(kind,), version="1")


SHOTS, DETECTIONS = output(ArtifactKind.SHOTS), output(ArtifactKind.DETECTIONS)
TRACKS, FACES = output(ArtifactKind.TRACKS), output(ArtifactKind.FACES)
IDENTITIES, REPORT = output(ArtifactKind.IDENTITIES), output(ArtifactKind.REPORT)

DETECTIONS_SAID = "reuse_detections: made with other settings"
EMBEDDINGS_SAID = "reuse_embeddings: made with other settings"
ASKED = {"reuse_detections": True}


def config_of(settings: dict[str, Any]) -> EpisodeRunConfig:
    return EpisodeRunConfig.from_mapping(
        {"force_recluster": False, "save_crops": False, **settings}
    )


@pytest.mark.parametrize(
    ("made", "settings", "equal", "other", "expected"),
    [
        pytest.param(TRACKS, {}, None, None, Compute(), id="nothing to reuse"),
        pytest.param(TRACKS, {}, "a", None, Reuse("a"), id="equal fingerprint"),
        pytest.param(TRACKS, {}, None, "b", Compute(), id="other settings, not asked for"),
        pytest.param(
            TRACKS, ASKED, None, "b", Reuse("b", DETECTIONS_SAID), id="asked for, said so"
        ),
        pytest.param(TRACKS, ASKED, "a", "b", Reuse("a"), id="equal beats other"),
        pytest.param(FACES, ASKED, None, "b", Compute(), id="the switch is per stage"),
        pytest.param(
            FACES,
            {"reuse_embeddings": True},
            None,
            "b",
            Reuse("b", EMBEDDINGS_SAID),
            id="faces have their own switch",
        ),
        pytest.param(
            FACES,
            {"reuse_embeddings": True, "save_crops": True},
            None,
            "b",
            Compute(),
            id="other faces bring no pictures",
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
    made: StepOutput,
    settings: dict[str, Any],
    equal: str | None,
    other: str | None,
    expected: Compute | Reuse,
) -> None:
    candidates = Candidates("me", {made.name: equal}, other)

    assert decide((made,), config_of(settings), candidates) == {made.name: expected}


@pytest.mark.parametrize(
    ("shots", "detections", "other", "expected"),
    [
        pytest.param("a", "b", "c", [Reuse("a"), Reuse("b")], id="equal bytes may be mixed"),
        pytest.param("a", None, None, [Reuse("a"), Compute()], id="the rest is computed"),
        pytest.param(
            "a",
            None,
            "b",
            [Reuse("b", DETECTIONS_SAID), Reuse("b", DETECTIONS_SAID)],
            id="one needs other settings: both from that run",
        ),
        pytest.param(None, None, None, [Compute(), Compute()], id="no run has both"),
    ],
)
def test_outputs_of_other_settings_all_come_from_one_run(
    shots: str | None,
    detections: str | None,
    other: str | None,
    expected: list[Compute | Reuse],
) -> None:
    candidates = Candidates("me", {"shots": shots, "detections": detections}, other)

    assert list(decide((SHOTS, DETECTIONS), config_of(ASKED), candidates).values()) == expected


def test_only_what_was_made_with_other_settings_says_so() -> None:
    equal = {"shots": "a", "detections": None}
    candidates = Candidates("me", equal, "b", equal_there=frozenset({"shots"}))

    assert decide((SHOTS, DETECTIONS), config_of(ASKED), candidates) == {
        "shots": Reuse("b"),
        "detections": Reuse("b", DETECTIONS_SAID),
    }


def test_results_of_other_settings_are_looked_for_only_when_asked_for_and_needed() -> None:
    def wants(made: StepOutput, settings: dict[str, Any], equal: str | None) -> bool:
        candidates = Candidates("me", {made.name: equal})
        return wants_other_settings((made,), config_of(settings), candidates)

    assert wants(TRACKS, ASKED, None)
    assert not wants(TRACKS, ASKED, "a")
    assert not wants(TRACKS, {}, None)
    assert not wants(REPORT, ASKED, None)


@pytest.mark.parametrize("switch", ["reuse_detections", "reuse_embeddings"])
def test_a_fresh_run_reuses_nothing(switch: str) -> None:
    asked = config_of({switch: True})

    with pytest.raises(SettingsError, match=switch):
        check_fresh(asked, is_fresh=True)
    check_fresh(asked, is_fresh=False)
    check_fresh(config_of({}), is_fresh=True)
