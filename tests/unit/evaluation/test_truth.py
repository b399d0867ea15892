"""A truth file says what it means, and a wrong one says where it is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from screenalytics_core.demo_scenes import STORYBOARD
from screenalytics_core.demo_truth import truth_of
from screenalytics_core.errors import TruthError
from screenalytics_core.evaluation.other_reading import in_other_reading
from screenalytics_core.evaluation.truth import read_truth
from tests.unit.evaluation.clips import EXTRAS, LEFT, RIGHT, document, face, truth

SHARED = Path(__file__).parents[4] / "shared"


def test_a_truth_is_read_field_by_field() -> None:
    found = truth(
        maybe={"bo": [[5, 6]]},
        ignore_regions=[{"start": 3, "end": 4, "bbox_xyxy": [0, 0, 200, 50]}],
        faces=[face(0, "ana", LEFT, hard=True), face(3, "bo", RIGHT, small=True, source="det")],
        notes="not read",
    )

    assert (found.clip, found.fps, found.frame_count) == ("small.mp4", 10.0, 10)
    assert (found.width_px, found.height_px, found.cuts) == (200, 50, (5,))
    assert [(p.name, p.is_main) for p in found.persons] == [("ana", True), ("bo", True)]
    assert [f.is_clear for f in found.faces] == [False, False]
    assert found.visible == {"ana": ((0, 9),), "bo": ((0, 4),)}
    assert found.maybe == {"ana": (), "bo": ((5, 6),)}
    assert found.ignore_regions[0].frames == (3, 4)


def test_what_need_not_be_there_has_a_meaning() -> None:
    found = truth(cuts=None)

    assert found.cuts is None
    assert found.visible_clear == found.visible
    assert found.present is None
    assert (found.ignore_regions, found.other_readings) == ((), ())


@pytest.mark.parametrize("kind", [{"small": True}, {"hard": True}, {"away": True}])
def test_a_doubtful_face_is_not_clear(kind: dict[str, bool]) -> None:
    assert not truth(faces=[face(0, "ana", LEFT, **kind)], persons=EXTRAS).faces[0].is_clear


@pytest.mark.parametrize(
    ("changed", "place", "reason"),
    [
        pytest.param({"fps": None}, "fps", "is missing", id="missing"),
        pytest.param({"fps": 0}, "fps", "must be more than 0", id="no rate"),
        pytest.param({"fps": float("nan")}, "fps", "is not finite", id="nan"),
        pytest.param({"fps": 10**400}, "fps", "is too large", id="huge"),
        pytest.param({"fps": "25/0"}, "fps", "divides by 0", id="fraction of nothing"),
        pytest.param({"fps": "0/1"}, "fps", "must be more than 0", id="no rate, as a fraction"),
        pytest.param({"fps": "25 fps"}, "fps", "no number but str '25 fps'", id="no fraction"),
        pytest.param({"frames": 2.5}, "frames", "no whole number", id="half a frame"),
        pytest.param({"frames": "10"}, "frames", "no number but str '10'", id="text"),
        pytest.param({"frames": True}, "frames", "no number", id="flag for a number"),
        pytest.param({"persons": []}, "persons", "no object", id="list for an object"),
        pytest.param({"cuts": [5, 5]}, "cuts[1]", "is 5 after 5", id="a cut twice"),
        pytest.param({"cuts": [0]}, "cuts[0]", "from 1 to 9", id="cut at the start"),
        pytest.param({"cuts": "5"}, "cuts", "no list", id="text for a list"),
        pytest.param({"labelled_frames": [0, 10]}, "labelled_frames[1]", "from 0 to 9", id="end"),
        pytest.param({"visible": {"cy": []}}, "visible.cy", "not in persons", id="nobody"),
        pytest.param({"visible": {"bo": [[4, 2]]}}, "visible.bo[0]", "before it begins", id="back"),
        pytest.param({"visible": {"bo": [[0, 10]]}}, "visible.bo[0][1]", "is 10", id="too long"),
        pytest.param({"present": {"bo": [7]}}, "present.bo[0]", "no list", id="no pair"),
        pytest.param({"maybe": {"bo": [[7]]}}, "maybe.bo[0]", "no pair", id="one end"),
        pytest.param(
            {"faces": [face(1, "bo", LEFT)]}, "faces[0].frame_idx", "not in labelled_frames",
            id="face on a frame that is not labelled",
        ),
        pytest.param(
            {"faces": [face(0, "cy", LEFT)]}, "faces[0].person", "not in persons", id="whose face"
        ),
        pytest.param(
            {"faces": [face(0, "bo", [0, 0, 9])]}, "faces[0].bbox_xyxy", "is no box", id="no box"
        ),
        pytest.param(
            {"faces": [face(0, "bo", [5, 0, 5, 9])]}, "faces[0].bbox_xyxy", "no area", id="flat"
        ),
        pytest.param(
            {"faces": [face(0, "bo", [190, 0, 210, 9])]}, "faces[0].bbox_xyxy",
            "leaves the picture of 200x50", id="outside",
        ),
        pytest.param(
            {"faces": [face(0, "bo", LEFT, hard=1)]}, "faces[0].hard", "neither true nor false",
            id="number for a flag",
        ),
        pytest.param(
            {"faces": [face(0, "bo", [200.1, 0, 200.9, 9])]}, "faces[0].bbox_xyxy",
            "no area in the picture of 200x50", id="outside by less than a px",
        ),
        pytest.param({"persons": {" ": {}}}, "persons. ", "without a name", id="nobody's name"),
        pytest.param(
            {"alt_reading": [{"person": "bo", "becomes": "", "start": 0, "end": 1}]},
            "alt_reading[0].becomes", "no text", id="empty name",
        ),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(changed: dict[str, Any], place: str, reason: str) -> None:
    with pytest.raises(TruthError) as raised:
        read_truth(document(**changed))

    assert raised.value.thing == place
    assert reason in raised.value.reason
    assert raised.value.way_out


FACES = [face(f, "ana", LEFT) for f in (0, 3)] + [face(0, "bo", RIGHT)]


@pytest.mark.parametrize(
    ("changed", "place", "reason"),
    [
        pytest.param(
            {"faces": [*FACES, face(3, "ana", RIGHT)]}, "faces[3]",
            "ana already has a face on frame 3", id="two faces",
        ),
        pytest.param(
            {"faces": [*FACES, face(3, "ana", RIGHT, hard=True)]}, "faces[3]",
            "ana already has a face on frame 3", id="a hard face beside a clear one",
        ),
        pytest.param(
            {"faces": [face(3, "ana", RIGHT, hard=True), *FACES]}, "faces[2]",
            "ana already has a face on frame 3", id="a clear face beside a hard one",
        ),
    ],
)  # fmt: skip
def test_two_faces_of_one_person_on_a_frame_are_refused(
    changed: dict[str, Any], place: str, reason: str
) -> None:
    with pytest.raises(TruthError) as raised:
        read_truth(document(**changed))

    assert raised.value.thing == place
    assert reason in raised.value.reason
    assert raised.value.way_out


def test_a_rate_may_be_the_fraction_of_shots_json() -> None:
    assert truth(fps="24000/1001").fps == 24000 / 1001


def test_boxes_that_leave_the_picture_by_rounding_are_clipped() -> None:
    rounded = face(0, "ana", [-0.4, 0, 200.9, 50.3])

    assert truth(faces=[rounded], persons=EXTRAS).faces[0].bbox_xyxy == (0.0, 0.0, 200.0, 50.0)


def test_something_else_than_an_object_is_no_truth() -> None:
    with pytest.raises(TruthError, match="truth: is no object but list"):
        read_truth([1])  # type: ignore[arg-type]


def test_the_demos_truth_is_one() -> None:
    assert len(read_truth(truth_of(STORYBOARD, "demo.mp4")).persons) == 8


@pytest.mark.shared
def test_the_labelled_clips_truths_are_read() -> None:
    paths = sorted((SHARED / "clips" / "truth").glob("*.json"))
    if not paths:
        pytest.skip("the labelled clips are not here")

    clear = {p.stem: sum(f.is_clear for f in read_truth(json.loads(p.read_text())).faces)
             for p in paths}  # fmt: skip

    assert clear == {
        "avenger2": 223, "dirtydancing": 159, "herapheri": 318, "short_hamilton_clip": 162,
    }  # fmt: skip


def test_in_the_other_reading_somebody_is_somebody_else_for_a_while() -> None:
    doubt = {"person": "ana", "becomes": "cy", "start": 4, "end": 7, "main": True}

    present = {"ana": [[0, 9]], "bo": [[0, 4]]}

    other = in_other_reading(truth(alt_reading=[doubt], present=present))

    assert [p.name for p in other.persons] == ["ana", "bo", "cy"]
    assert other.visible == {"ana": ((0, 3), (8, 9)), "bo": ((0, 4),), "cy": ((4, 7),)}
    assert other.present is not None
    assert other.present["cy"] == ((4, 7),)
    assert [f.frame_idx for f in other.faces if f.person == "cy"] == [6]
    assert other.other_readings == ()
