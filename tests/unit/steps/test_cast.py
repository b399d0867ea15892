"""The cast step: decisions and gallery over the machine's identities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from screenalytics_core.artifacts import EMBEDDING_DIM, TRACK_REPS, TRACKS
from screenalytics_core.artifacts import ArtifactKind as Kind
from screenalytics_core.config import SettingsView
from screenalytics_core.decisions.anchors import anchors_of
from screenalytics_core.decisions.records import Decision
from screenalytics_core.gallery.model import Gallery, GalleryMember
from screenalytics_core.steps.base import FileFacts, StepInput
from screenalytics_core.steps.cast import STEP
from tests.decided import label, lock, merge, move, rows_of_identities, split, story
from tests.report_samples import SampleArtifact

FRAME_TIMES_S = np.arange(101) / 10
ANNA, BEN = np.eye(2, EMBEDDING_DIM, dtype=np.float32)
A, B = "id_0001", "id_0002"


def track(track_id: int, first: int, left: float = 0.0, frames: int = 10) -> dict[str, Any]:
    idxs = list(range(first, first + frames))
    return {
        "track_id": track_id, "shot_id": 0, "first_frame_idx": first, "last_frame_idx": idxs[-1],
        "start_s": FRAME_TIMES_S[first], "end_s": FRAME_TIMES_S[idxs[-1] + 1], "frame_idxs": idxs,
        "bboxes_xyxy": [[left, 0, left + 40, 50]] * frames, "detection_ids": idxs,
        "mean_confidence": 0.9,
    }  # fmt: skip


# Track 1 and 2 are hers, one after the other; 3 is his, beside her first one.
TRACKS_THEN = (track(1, 0), track(2, 20), track(3, 0, 200))
GROUPS = {A: [1, 2], B: [3]}
LOOKS = {1: ANNA, 2: ANNA, 3: BEN}


def gallery(**members: Any) -> Gallery:
    return Gallery(
        "show",
        "0" * 64,
        tuple(
            GalleryMember(name, name.title(), ("p",), vector[None], np.ones(1, np.float32))
            for name, vector in members.items()
        ),
    )


def decided(*decisions: Decision, tracks: Sequence[dict[str, Any]] = TRACKS_THEN) -> Any:
    """Decisions about tracks by their numbers, anchored in the tracks as they were then."""
    table = TRACKS.from_rows(list(tracks))

    def anchored(some: Sequence[Any]) -> Any:
        return anchors_of([a.track_id for a in some], table, FRAME_TIMES_S, "then")

    return tuple(
        replace(d, tracks=anchored(d.tracks), others=anchored(d.others)) for d in story(*decisions)
    )


def run(
    *decisions: Decision,
    tracks: Sequence[dict[str, Any]] = TRACKS_THEN,
    groups: Any = GROUPS,
    known: Gallery | None = None,
    notes: list[str] | None = None,
    looks: Mapping[int, Any] | None = None,
    then: Sequence[dict[str, Any]] = TRACKS_THEN,
) -> dict[str, Any]:
    if looks is None:
        looks = LOOKS if tracks is TRACKS_THEN else {t["track_id"]: ANNA for t in tracks}
    reps = [
        {"track_id": t, "representative_face_id": t, "face_ids": [t], "embedding": vector,
         "spread": 0.0, "clarity": 0.9}
        for t, vector in looks.items()
    ]  # fmt: skip
    values: dict[Kind, dict[str, Any]] = {
        Kind.SHOTS: {"shots": {}, "frame_times": FRAME_TIMES_S},
        Kind.TRACKS: {"tracks": TRACKS.from_rows(list(tracks))},
        Kind.TRACK_REPS: {"track_reps": TRACK_REPS.from_rows(reps)},
        Kind.IDENTITIES: {
            "identities": {"cluster_thresh": 0.3, "identities": rows_of_identities(groups)}
        },
    }
    heard = [] if notes is None else notes
    made = STEP.run(
        StepInput(
            ep_id="show-s01e01",
            run_id="r",
            settings=SettingsView({"match_thresh": 0.4, "match_margin": 0.1}),
            artifacts={
                kind: SampleArtifact(kind, value, (FileFacts(kind, "now", 1, 1),))
                for kind, value in values.items()
            },
            decisions=decided(*decisions, tracks=then),
            gallery=known,
            note=lambda _, sentence: heard.append(sentence),
        )
    )
    document: dict[str, Any] = made[Kind.CAST]["cast"]
    return document


def names(document: dict[str, Any]) -> dict[Any, str | None]:
    return {
        r["track_id"] if r["track_id"] is not None else r["identity_id"]: r["cast_id"]
        for r in document["people"]
    }


def test_without_decisions_and_a_gallery_everybody_is_themselves() -> None:
    document = run()

    assert names(document) == {A: None, B: None}
    assert {r["source"] for r in document["people"]} == {"machine"}
    assert document["show"] is None


def test_a_decision_holds_in_other_tracks_and_groups() -> None:
    now = [track(7, 0), track(8, 20, 2), track(9, 0, 202), track(10, 40)]

    document = run(label("anna", 1, 2), tracks=now, groups={A: [9, 10], B: [7], "id_0003": [8]})

    assert names(document) == {A: None, B: "anna", "id_0003": "anna"}


def test_a_decision_of_which_nothing_is_left_is_told() -> None:
    notes: list[str] = []

    run(label("anna", 1), label("ben", 3), tracks=[track(9, 0, 200)], groups={A: [9]}, notes=notes)

    assert notes == [
        "Decision 1 (label Anna) says nothing in this run: no track of it is found again."
    ]


def test_the_gallery_names_whom_nobody_decided_about() -> None:
    document = run(label("zoe", 1, 2), known=gallery(anna=ANNA, ben=BEN))

    assert names(document) == {A: "zoe", B: "ben"}
    assert [r["source"] for r in document["people"]] == ["decision", "gallery"]
    assert document["show"] == "show"


def test_who_was_decided_to_be_nobody_is_not_even_suggested() -> None:
    document = run(label(None, 1, 2), known=gallery(anna=ANNA))

    assert names(document) == {A: None, B: None}
    assert document["suggestions"] == []


def test_the_gallery_names_nobody_who_is_seen_beside_a_track_that_was_decided() -> None:
    """His track was said to be hers, so she is not beside herself."""
    document = run(move([3], cast="anna"), known=gallery(anna=ANNA))

    assert names(document) == {A: None, B: None, 3: "anna"}
    [suggested] = document["suggestions"]
    assert (suggested["identity_id"], suggested["cast_id"]) == (A, "anna")
    assert "track 3" in suggested["reason"]


def test_a_part_that_was_split_off_is_not_named_as_the_whole_but_may_be_somebody() -> None:
    both = gallery(anna=ANNA)

    document = run(split([2], [1]), known=both)

    assert sorted(str(n) for n in names(document).values()) == ["None", "None", "anna"]
    assert run(split([2], [1]), label("anna", 1), known=both)["suggestions"][0]["reason"]


def test_a_gallery_without_anybody_names_nobody() -> None:
    assert names(run(known=gallery())) == {A: None, B: None}


HALF = np.zeros(EMBEDDING_DIM, np.float32)
HALF[[0, 2]] = 0.3, 0.9
EXTRA = HALF / np.linalg.norm(HALF)


def run_with_an_extra(*decisions: Decision, known: Gallery | None = None) -> dict[str, Any]:
    """Anna in tracks 1 and 2, an extra in 4, all of one identity; Ben in 3."""
    return run(
        *decisions,
        tracks=[*TRACKS_THEN, track(4, 40)],
        then=[*TRACKS_THEN, track(4, 40)],
        groups={A: [1, 2, 4], B: [3]},
        known=known or gallery(anna=ANNA, ben=BEN),
        looks={**LOOKS, 4: EXTRA},
    )


def test_who_does_not_resemble_the_member_leaves_their_identity_unnamed() -> None:
    document = run_with_an_extra()

    assert names(document) == {A: "anna", B: "ben", 4: None}
    row = document["people"][-1]
    assert (row["identity_id"], row["source"], row["decision"]) == ("id_0001.1", "gallery", None)
    assert 0.5 < row["confidence"] < 1


def test_two_members_in_one_identity_are_both_named() -> None:
    document = run(groups={A: [1, 2, 3]}, known=gallery(anna=ANNA, ben=BEN))

    assert names(document) == {A: "anna", 3: "ben"}
    assert [r["source"] for r in document["people"]] == ["gallery", "gallery"]


def test_an_extra_that_is_called_by_name_takes_nobody_along() -> None:
    document = run_with_an_extra(label("zoe", 4))

    assert names(document) == {A: "anna", B: "ben", 4: "zoe"}
    assert [r["source"] for r in document["people"]] == ["gallery", "gallery", "decision"]


def test_an_extra_that_is_said_to_be_nobody_by_name_takes_nobody_along() -> None:
    assert names(run_with_an_extra(label(None, 4))) == {A: "anna", B: "ben", 4: None}


def test_whom_somebody_called_by_one_name_has_it_whatever_leaves() -> None:
    for decision in (label("zoe", 1, 2, 4), lock(1, 2, 4)):
        document = run_with_an_extra(decision, label("zoe", 1))

        assert set(names(document).items()) >= {(A, "zoe"), (4, "zoe")}


def test_a_part_that_was_merged_is_whom_it_was_merged_into() -> None:
    document = run_with_an_extra(merge([3], [4]))

    assert names(document) == {A: "anna", B: "ben", 4: "ben"}
    assert document["people"][-1]["source"] == "decision"
