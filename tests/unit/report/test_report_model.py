"""From artifact values to what the report says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from screenalytics_core.artifacts import FACES, ArtifactKind
from screenalytics_core.report import wording
from screenalytics_core.report.faces import crops_of_faces
from screenalytics_core.report.lineage import FileRow, build_lineage
from screenalytics_core.report.model import PersonRow, ReportModel, Trim
from screenalytics_core.report.review import AT_MOST
from screenalytics_core.steps.report import build
from screenalytics_core.vision.evidence import Evidence
from screenalytics_core.vision.intervals import union
from tests.report_samples import RUN_RECORD, Sample, sample_run


def model_of(sample: Sample) -> ReportModel:
    return build(sample.step_input())


def test_people_stand_by_screen_time_then_first_appearance() -> None:
    sample = sample_run(4)
    people = sample.values[ArtifactKind.SCREEN_TIME]["screen_time"]["people"]
    for row, (total, first) in zip(people, [(5, 9), (7, 4), (7, 2), (1, 0)], strict=True):
        row.update(total_s=float(total), first_s=float(first), label=None)

    names = [p.name for p in model_of(sample).people]
    assert names == [people[place]["cast_id"] for place in (2, 1, 0, 3)]


@pytest.mark.parametrize("label", [None, "", " \t", "\u202e "])
@pytest.mark.parametrize(
    ("cast_id", "name"), [pytest.param("ana", "ana", id="cast"), pytest.param(None, "id_0001")]
)
def test_a_person_whose_label_says_nothing_is_called_by_cast_id_else_identity_id(
    label: str | None, cast_id: str | None, name: str
) -> None:
    sample = sample_run(1)
    sample.rename(0, label, cast_id)

    (row,) = model_of(sample).people

    assert (row.name, row.is_named) == (name, False)


def test_a_person_without_label_is_called_by_the_id_and_nothing_is_said_twice() -> None:
    sample = sample_run(1)
    person = sample.values[ArtifactKind.SCREEN_TIME]["screen_time"]["people"][0]
    person.update(label=None, cast_id=None)

    (row,) = model_of(sample).people

    assert (row.name, row.handle, row.is_named) == ("id_0001", "", False)


def test_a_cast_member_of_several_identities_shows_a_face_of_one_of_them() -> None:
    sample = sample_run(2)
    for row in sample.values[ArtifactKind.CAST]["cast"]["people"]:
        row.update(cast_id="ana", label="Ana")
    joined, _ = sample.people
    joined.update(identity_id=None, cast_id="ana", label="Ana")
    sample.values[ArtifactKind.SCREEN_TIME]["screen_time"]["people"] = [joined]
    sample.values[ArtifactKind.IDENTITIES]["identities"]["identities"][0].update(
        representative_face_id=999_999
    )
    sample.values[ArtifactKind.IDENTITIES]["identities"]["identities"][1].update(confidence=0.4)

    (row,) = model_of(sample).people

    second = sample.values[ArtifactKind.IDENTITIES]["identities"]["identities"][1]
    assert row.crop == f"{second['representative_face_id']:06d}.jpg"
    assert row.confidence == 0.4, "that of the less sure one"


def face(face_id: int, crop: str | None) -> dict[str, Any]:
    return {
        "face_id": face_id, "track_id": 1, "detection_id": 1, "frame_idx": 0, "timestamp_s": 0.0,
        "bbox_xyxy": [0, 0, 1, 1], "confidence": 1, "size_px": 1, "quality": 1, "accepted": True,
        "crop": crop,
    }  # fmt: skip


def test_a_face_without_crop_has_no_picture() -> None:
    faces = FACES.from_rows([face(1, None), face(2, "2.jpg")])

    assert crops_of_faces(faces, [1, 2, 3]) == {2: "2.jpg"}


def test_unknown_segments_are_those_of_unassigned_tracks() -> None:
    assert model_of(sample_run(2, unknown=True)).unknown_segments_s == (
        (12.0, 30.0),
        (800.0, 803.0),
    )
    assert model_of(sample_run(2)).unknown_segments_s == ()


def test_a_track_that_a_decision_moved_changes_its_lane() -> None:
    """As `unknown_s` does: both go by who owns a track in the end."""
    sample = sample_run(2, unknown=True)
    rows = sample.values[ArtifactKind.CAST]["cast"]["people"]
    decided = {"source": "decision", "confidence": 1.0, "label": None, "identity_id": None}
    rows += [
        {**decided, "track_id": 990002, "cast_id": "ana"},
        {**decided, "track_id": 0, "cast_id": None},
    ]
    was_anas = sample.values[ArtifactKind.TRACKS]["tracks"].to_pylist()[0]

    unknown = union(model_of(sample).unknown_segments_s)

    assert (800.0, 803.0) not in unknown, "it is Ana's now"
    assert unknown == union([(12.0, 30.0), (was_anas["start_s"], was_anas["end_s"])]), (
        "and the other one nobody's"
    )


def person(*spans: tuple[float, float, str]) -> PersonRow:
    (row,) = model_of(sample_run(1)).people
    segments = tuple(replace(row.segments[0], start_s=s, end_s=e, source=o) for s, e, o in spans)
    return replace(row, segments=segments)


def test_an_appearance_lasts_while_face_and_body_take_turns() -> None:
    unbroken = [(2.0, 5.48, "face"), (5.48, 7.0, "body"), (7.0, 12.48, "face")]

    assert person(*unbroken).appearance_count == 1
    assert person(*unbroken, (12.6, 13.0, "body")).appearance_count == 2


@pytest.mark.parametrize(
    ("unknown", "trims", "sentence"),
    [
        (False, [], "No face was found in this episode"),
        (True, [], "Faces were seen, but none of them could be given an identity"),
        (True, ["recap"], "Faces were seen in what is counted, but none of them could be given"),
    ],
)
def test_nobody_is_explained(unknown: bool, trims: list[str], sentence: str) -> None:
    model = model_of(sample_run(0, unknown=unknown))
    model = replace(model, trims=tuple(Trim(name, 0.0, 1.0) for name in trims))

    assert wording.why_nobody(model).startswith(sentence)


def test_people_who_are_only_in_what_is_trimmed_were_seen_all_the_same() -> None:
    sample = sample_run(2)
    parts = sample.values[ArtifactKind.SCREEN_TIME]
    parts["screen_time"].update(
        people=[], co_appearances=[], covered_s=0.0, overlap_s=0.0,
        trims=[{"name": n, "start_s": s, "end_s": s + 1300} for n, s in
               (("recap", 0.0), ("credits", 1300.0))],
    )  # fmt: skip
    parts["segments"] = parts["segments"].slice(0, 0)

    assert wording.why_nobody(model_of(sample)) == (
        "Everybody who was seen is in what is not counted (recap, credits), so there is nobody "
        "to list."
    )


def test_doubtful_bodies_are_listed_up_to_a_number() -> None:
    sample = sample_run(1, shots=400)
    ties = sample.values[ArtifactKind.TRACK_FUSION]["track_fusion"]["associations"]
    for tie in ties:
        tie.update(confidence=0.1)

    model = model_of(sample)

    assert model.body_review_total == len(ties) > AT_MOST == len(model.body_review)
    assert f"{len(ties) - AT_MOST} other doubtful bodies" in wording.bodies_left(model)
    assert wording.bodies_left(replace(model, body_review_total=AT_MOST)) == ""


def test_evidence_of_every_kind_has_words() -> None:
    assert all(wording.evidence(kind) != kind for kind in Evidence)


def test_unknown_segments_end_where_the_counted_part_does() -> None:
    sample = sample_run(2, unknown=True)
    sample.values[ArtifactKind.SCREEN_TIME]["screen_time"]["trims"] = [
        {"name": "recap", "start_s": 0.0, "end_s": 20.0}
    ]

    assert model_of(sample).unknown_segments_s == ((20.0, 30.0), (800.0, 803.0))


def test_counts_come_from_the_artifacts() -> None:
    counts: dict[str, Any] = dict(model_of(sample_run(2, unknown=True)).counts)

    assert counts["faces detected"] == 1234
    assert counts["shots"] == 40
    assert counts["accepted faces"] == 2 * counts["face tracks"]
    assert counts["tracks without an identity"] == 3


def test_settings_are_held_against_the_profile_and_the_packs_calibration() -> None:
    rows = {r.name: r for r in build_lineage(RUN_RECORD, ()).settings}

    assert [n for n, r in rows.items() if r.is_changed] == ["stride"]
    assert (rows["stride"].value, rows["stride"].baseline) == ("5", "12")
    assert rows["det_thresh"].value == "0.7"


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        pytest.param({"det_thresh": 0.7}, [], id="as the pack's"),
        pytest.param({"det_thresh": 0.5}, ["det_thresh"], id="own threshold"),
        pytest.param({"from_the_future": 1}, ["from_the_future"], id="unknown setting"),
        pytest.param({"models": "/x/y", "workers": 3}, [], id="launch settings stay out"),
    ],
)
def test_what_counts_as_changed(given: dict[str, Any], changed: list[str]) -> None:
    record = {"settings": given, "models": {"calibration": {"det_thresh": 0.7}}}

    assert [r.name for r in build_lineage(record, ()).settings if r.is_changed] == changed


def test_a_recorded_profile_is_the_baseline() -> None:
    lineage = build_lineage({"profile": "low_power", "settings": {"stride": 24}}, ())

    assert lineage.profile == "low_power"
    assert not lineage.settings[0].is_changed


@pytest.mark.parametrize(
    ("fps", "shown"),
    [
        ("30000/1001", "29.970 (30000/1001) frames/s"),
        ("25/1", "25 frames/s"),
        ("odd/1", "odd/1 frames/s"),
        (23.976, "23.976 frames/s"),
        (25, "25 frames/s"),
    ],
)
def test_frame_rates(fps: object, shown: str) -> None:
    assert dict(build_lineage({"video": {"fps": fps}}, ()).video) == {"frame rate": shown}


def test_a_turned_picture_is_said_to_be_turned() -> None:
    video = {"width_px": 1080, "height_px": 1920, "rotation_deg": 90}

    assert dict(build_lineage({"video": video}, ()).video)["picture"].endswith("turned by 90°")


def test_a_person_detector_is_said_to_have_run_only_with_bodies() -> None:
    record = {"models": {"pack": "lite", "files": [{"role": "person_detector", "name": "n"}]}}

    def role(frames: int) -> str:
        path = "body_tracking/body_sampled_frames.npy"
        return (
            build_lineage(record, [FileRow("body_detections", path, frames, 1, "")]).models[0].role
        )

    assert role(0) == "finds bodies (did not run)"
    assert role(5) == "finds bodies"
