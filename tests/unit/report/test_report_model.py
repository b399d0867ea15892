"""From artifact values to what the report says."""

from __future__ import annotations

from typing import Any

import pytest

from screenalytics_core.artifacts import FACES, ArtifactKind
from screenalytics_core.report.faces import crops_of_faces
from screenalytics_core.report.lineage import FileRow, build_lineage
from screenalytics_core.report.model import ReportModel
from screenalytics_core.steps.report import build
from tests.report_samples import RUN_RECORD, Sample, sample_run


def model_of(sample: Sample) -> ReportModel:
    return build(sample.step_input())


def test_people_stand_by_screen_time_then_first_appearance() -> None:
    sample = sample_run(4)
    people = sample.values[ArtifactKind.SCREEN_TIME]["screen_time"]["people"]
    for row, (total, first) in zip(people, [(5, 9), (7, 4), (7, 2), (1, 0)], strict=True):
        row.update(total_s=float(total), first_s=float(first), label=None)

    assert [p.name for p in model_of(sample).people] == ["id_0003", "id_0002", "id_0001", "id_0004"]


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
    assert (rows["stride"].value, rows["stride"].baseline) == ("5", "3")
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
    lineage = build_lineage({"profile": "low_power", "settings": {"stride": 6}}, ())

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
