"""Equal fingerprint, equal bytes: everything declared counts, nothing else does."""

from __future__ import annotations

from typing import Any

import pytest

from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.fingerprints import combine_sha256s, fingerprint
from screenalytics_core.steps.base import StepNeedsError, StepOutput

OUTPUT = StepOutput(
    name="tracks",
    kinds=(ArtifactKind.TRACKS, ArtifactKind.TRACK_METRICS),
    version="1",
    inputs=(ArtifactKind.DETECTIONS,),
    settings=("stride",),
    model_roles=("face_detector",),
    reads_video=True,
)
GIVEN: dict[str, Any] = {
    "inputs": {ArtifactKind.DETECTIONS: "d"},
    "settings": {"stride": 3},
    "model_sha256s": {"face_detector": "m"},
    "video_sha256": "v",
    "extra": {"decisions": "e"},
}


def output(**changed: Any) -> StepOutput:
    fields = {name: getattr(OUTPUT, name) for name in StepOutput.__dataclass_fields__}
    return StepOutput(**{**fields, **changed})


@pytest.mark.parametrize(
    "changed",
    [
        {"inputs": {ArtifactKind.DETECTIONS: "d2"}},
        {"settings": {"stride": 4}},
        {"settings": {"stride": "3"}},
        {"model_sha256s": {"face_detector": "m2"}},
        {"model_sha256s": {}},
        {"video_sha256": "v2"},
        {"extra": {"decisions": "e2"}},
        {"extra": {"gallery": "e"}},
        {"extra": {}},
    ],
)
def test_whatever_is_declared_changes_the_fingerprint(changed: dict[str, Any]) -> None:
    assert fingerprint(OUTPUT, **{**GIVEN, **changed}) != fingerprint(OUTPUT, **GIVEN)


@pytest.mark.parametrize(
    "changed", [{"version": "2"}, {"name": "faces"}, {"kinds": (ArtifactKind.TRACKS,)}]
)
def test_so_does_the_step_itself(changed: dict[str, Any]) -> None:
    assert fingerprint(output(**changed), **GIVEN) != fingerprint(OUTPUT, **GIVEN)


@pytest.mark.parametrize(
    "more",
    [
        {"inputs": {**GIVEN["inputs"], ArtifactKind.SHOTS: "s"}},
        {"settings": {"workers": 8, "stride": 3}},
        {"model_sha256s": {"face_embedder": "x", "face_detector": "m"}},
    ],
)
def test_what_is_not_declared_does_not_count(more: dict[str, Any]) -> None:
    assert fingerprint(OUTPUT, **{**GIVEN, **more}) == fingerprint(OUTPUT, **GIVEN)


def test_the_video_counts_only_for_those_who_read_it() -> None:
    blind = output(reads_video=False)

    assert fingerprint(blind, **{**GIVEN, "video_sha256": None}) == fingerprint(blind, **GIVEN)


@pytest.mark.parametrize(
    ("lacking", "need"),
    [
        ({"inputs": {}}, "input detections"),
        ({"settings": {}}, "setting stride"),
        ({"video_sha256": None}, "video's sha256"),
    ],
)
def test_what_is_declared_must_be_given(lacking: dict[str, Any], need: str) -> None:
    with pytest.raises(StepNeedsError, match=need):
        fingerprint(OUTPUT, **{**GIVEN, **lacking})


def test_a_fingerprint_is_a_sha256_that_never_changes_by_itself() -> None:
    # Pinned: if this changes, every earlier result would be computed again.
    assert fingerprint(OUTPUT, **GIVEN) == (
        "5ac8908c65f02533667175b1b6683b51dca89aac282c82cc8504504152a2c163"
    )


def test_combining_keeps_order_and_borders() -> None:
    groups = [["a", "b"], ["b", "a"], ["ab"], ["a"], []]

    assert len({combine_sha256s(group) for group in groups}) == 5


def test_a_single_hash_stands_for_itself() -> None:
    """Dagster's data version of a one-artifact output is what the manifest says."""
    assert combine_sha256s(["a" * 64]) == "a" * 64
