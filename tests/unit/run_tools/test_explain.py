"""From a number back to what it rests on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from screenalytics_core.artifacts import ArtifactKind as Kind
from screenalytics_core.decisions.records import Decision, Verb
from screenalytics_core.errors import SettingsError
from screenalytics_core.run_tools.explain import Evidence, explain_person
from tests.report_rows import DURATION_S
from tests.report_samples import Sample, sample_run

FRAME_S = 0.5
DECISION = Decision(
    sequence=3,
    at="2026-11-21T20:00:00+00:00",
    by="ana@desk",
    run_id="first",
    verb=Verb.LABEL,
    cast_id="cast-000",
    label="Ana",
)


def evidence_of(sample: Sample, *decisions: Decision) -> Evidence:
    values = sample.values
    return Evidence(
        screen_time=values[Kind.SCREEN_TIME]["screen_time"],
        segments=values[Kind.SCREEN_TIME]["segments"].to_pylist(),
        frame_times=np.arange(0.0, DURATION_S, FRAME_S),
        tracks=values[Kind.TRACKS]["tracks"],
        faces=values[Kind.FACES]["faces"],
        identities=values[Kind.IDENTITIES]["identities"],
        cast=values[Kind.CAST]["cast"],
        body_tracks=values[Kind.BODY_TRACKS]["body_tracks"],
        track_fusion=values[Kind.TRACK_FUSION]["track_fusion"],
        decisions=decisions,
    )


def test_all_segments_of_a_person_are_told_with_the_tracks_and_faces_behind_them() -> None:
    sample = sample_run(3)
    person = sample.people[1]

    found = explain_person(evidence_of(sample), "id_0002")

    assert found["person"]["total_s"] == person["total_s"]
    assert found["segment_count"] == len(person["segments"]) == len(found["segments"])
    by_face = [s for s in found["segments"] if s["source"] == "face"]
    owned = {t for s in by_face for track in s["tracks"] for t in [track["track_id"]]}
    assert owned == set(sample.values[Kind.IDENTITIES]["identities"]["identities"][1]["track_ids"])
    assert all(track["faces"] for s in by_face for track in s["tracks"])
    bodies = [b for s in found["segments"] for b in s["body_tracks"]]
    assert {b["tied_by"][0]["evidence"] for b in bodies} <= {"face_in_body", "appearance"}
    assert bodies


def test_a_moment_shows_its_segment_alone_and_the_frame_that_is_on_screen() -> None:
    sample = sample_run(3)
    segment = sample.people[0]["segments"][0]
    at_s = segment["start_s"] + 1.2

    found = explain_person(evidence_of(sample), "id_0001", at_s)

    assert [s["start_s"] for s in found["segments"]] == [segment["start_s"]]
    assert found["frame_idx"] == int(at_s / FRAME_S)
    assert found["before_and_after"] == []


def test_a_moment_without_the_person_names_the_segments_around_it_and_who_is_there() -> None:
    sample = sample_run(3)
    own = sample.people[0]["segments"]
    other = sample.people[1]["segments"][0]
    at_s = other["start_s"] + 0.1
    assert not any(s["start_s"] <= at_s < s["end_s"] for s in own)

    found = explain_person(evidence_of(sample), "id_0001", at_s)

    assert found["segments"] == []
    before, after = (s["start_s"] for s in found["before_and_after"])
    assert before == max(s["start_s"] for s in own if s["end_s"] <= at_s)
    assert after == min(s["start_s"] for s in own if s["start_s"] > at_s)
    assert "id_0002" in [row["identity_id"] for row in found["others_then"]]


def test_the_decision_that_gave_the_name_is_told() -> None:
    sample = sample_run(2)
    sample.rename(0, "Ana", "cast-000")
    sample.values[Kind.CAST]["cast"]["people"][0].update(source="decision", decision=3)

    (row,) = explain_person(evidence_of(sample, DECISION), "ana")["name_from"]

    assert row["source"] == "decision"
    assert row["decision"] == {
        "verb": "label", "sequence": 3, "at": DECISION.at, "by": "ana@desk", "via": "cli",
        "run_id": "first", "cast_id": "cast-000", "label": "Ana",
    }  # fmt: skip


def test_who_was_named_by_nobody_is_told_to_be_the_machines() -> None:
    sample = sample_run(2)
    sample.rename(1, None)
    sample.values[Kind.CAST]["cast"]["people"][1].update(source="machine")

    (row,) = explain_person(evidence_of(sample, DECISION), "id_0002")["name_from"]

    assert (row["source"], row["decision"]) == ("machine", None)


@pytest.mark.parametrize("wanted", ["ID_0001", "An\u00e1", " ana\u0301 ", "cast-000"])
def test_a_person_is_found_by_name_cast_id_or_identity_id(wanted: str) -> None:
    sample = sample_run(2)
    sample.rename(0, "An\u00e1", "cast-000")

    assert explain_person(evidence_of(sample), wanted)["person"]["cast_id"] == "cast-000"


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    sample = sample_run(2)
    sample.rename(0, "Ana", "cast-000")

    with pytest.raises(SettingsError, match=r"'Zoe': has no screen time.*Ana \(cast-000\)"):
        explain_person(evidence_of(sample), "Zoe")


def test_a_name_that_two_people_have_is_refused_with_their_ids() -> None:
    sample = sample_run(2)
    sample.rename(0, "Ana", "cast-000")
    sample.rename(1, "Ana", "cast-001")

    with pytest.raises(SettingsError, match=r"several people.*\(cast-000\), Ana \(cast-001\)"):
        explain_person(evidence_of(sample), "ana")


@pytest.mark.parametrize("at_s", [-0.1, DURATION_S + 1])
def test_a_moment_outside_the_video_is_refused(at_s: float) -> None:
    with pytest.raises(SettingsError, match="is not in the video"):
        explain_person(evidence_of(sample_run(1)), "id_0001", at_s)


def test_a_box_is_told_to_be_seen_or_filled_in() -> None:
    sample = sample_run(1)
    tracks: list[dict[str, Any]] = sample.values[Kind.TRACKS]["tracks"].to_pylist()
    first = tracks[0]
    evidence = evidence_of(sample)
    times = evidence.frame_times.copy()
    # The sample's tracks name frames of their own clock.
    frame = first["frame_idxs"][0]
    times[: frame + 1] = np.linspace(0, first["start_s"], frame + 1)
    times[frame + 1 :] = np.linspace(first["start_s"] + 0.3, DURATION_S, len(times) - frame - 1)
    shown = Evidence(
        **{n: getattr(evidence, n) for n in Evidence.__slots__} | {"frame_times": times}
    )

    (segment,) = explain_person(shown, "id_0001", first["start_s"])["segments"]

    box = segment["tracks"][0]["box"]
    assert box["is_observed"] == (first["detection_ids"][0] is not None)
    assert box["bbox_xyxy"] == pytest.approx(first["bboxes_xyxy"][0], abs=0.1)
