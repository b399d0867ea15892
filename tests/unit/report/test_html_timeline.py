"""The timeline of the page: what a stretch says of itself, and whose face it shows."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from screenalytics_core.report.html_faces import MOST_MOMENTS, crops_shown, faces_of
from screenalytics_core.report.html_names import TO, exact
from screenalytics_core.report.model import FacePicture, PersonRow, ReportModel, Trim
from tests.report_html import FRAMES, model_of, page_of, seen, source_of


def one_person(**changed: object) -> PersonRow:
    return replace(model_of(1).people[0], **changed)  # type: ignore[arg-type]


def with_people(*people: PersonRow) -> ReportModel:
    return replace(model_of(1), people=people)


def titles(model: ReportModel) -> list[str]:
    """What every stretch says, in the order of the page."""
    return re.findall(r'<rect class="seg [^>]*><title>(.*?)</title>', source_of(model), re.DOTALL)


def test_a_stretch_says_who_from_what_when_and_how_sure() -> None:
    stretch = seen(
        10.01,
        12.345,
        first_frame_idx=300,
        last_frame_idx=369,
        confidence=0.876,
        track_ids=(7, 9),
        body_track_ids=(3,),
    )

    (title,) = titles(with_people(one_person(name="Ana", segments=(stretch,), sheet=())))

    assert title.split("\n") == [
        "Ana",
        f"face 0:10.010{TO}0:12.345 (2.335 s)",
        f"timecode 00:00:10;00{TO}00:00:12;10",
        f"frames 300{TO}369",
        "shot 0",
        "track 7, 9",
        "body-track 3",
        "confidence 0.88",
    ]


def test_the_frames_of_a_stretch_are_those_whose_timestamps_lie_in_it() -> None:
    (person,) = model_of(1).people

    for stretch in person.segments:
        inside = np.flatnonzero(
            (stretch.start_s - 1e-6 <= FRAMES[:-1]) & (FRAMES[:-1] < stretch.end_s - 1e-6)
        )
        assert (stretch.first_frame_idx, stretch.last_frame_idx) == (inside[0], inside[-1])


def test_times_count_from_the_first_frame_where_timecodes_do() -> None:
    model = replace(with_people(one_person(segments=(seen(6.0, 7.0),))), start_s=5.0, fps="25")

    assert f"timecode 00:00:01:00{TO}00:00:02:00" in titles(model)[0]


def test_a_stretch_over_a_cut_names_both_shots() -> None:
    model = replace(
        with_people(one_person(segments=(seen(1.0, 2.0), seen(1.0, 3.0), seen(4.0, 5.0)))),
        shots_s=((0.0, 2.0), (2.0, 4.0), (4.0, 9.0)),
    )

    shots = [line for t in titles(model) for line in t.split("\n") if line.startswith("shot")]

    assert shots == ["shot 0", f"shots 0{TO}1", "shot 2"]


def test_a_body_differs_from_a_face_in_its_shape() -> None:
    page = page_of(with_people(one_person(segments=(seen(1, 2), seen(2, 3, source="body")))))

    face, body = page.all("rect", "seg")

    assert (face["class"], face["height"]) == ("seg f", "20")
    assert (body["class"], body["height"]) == ("seg b", "12")
    assert "body seen, no face" in page.text


def test_a_stretch_stands_where_it_is_in_the_episode() -> None:
    model = replace(
        with_people(one_person(segments=(seen(5.0, 7.5),))), start_s=0.0, duration_s=10.0
    )

    (stretch,) = page_of(model).all("rect", "seg")

    assert (stretch["x"], stretch["width"]) == ("50%", "25%")


def test_cuts_and_what_is_not_counted_are_marked() -> None:
    model = replace(model_of(1, shots=4), trims=(Trim("recap", 0.0, 60.0),))
    source, page = source_of(model), page_of(model)

    (cuts,) = re.findall(r'<path d="((?:M\d+ 0V1)+)">', source)
    assert cuts.count("M") == 3
    assert f"not counted: recap, 0:00.0{TO}1:00.0" in page.text
    assert len(page.all("rect", "trim")) == 3, "in the legend, the shots and behind the lanes"


def test_there_is_a_lane_for_everybody_and_one_for_strangers() -> None:
    page = page_of(model_of(6, unknown=True))

    assert len(page.all("li", "row")) == 7
    assert [li.get("data-who") for li in page.all("li", "row")][-1] is None


# ---- faces


def face(crop: str, at_s: float) -> FacePicture:
    return FacePicture(crop, 1, 1, 0, at_s, 0.9)


def test_a_stretch_shows_its_own_face() -> None:
    person = one_person(segments=(seen(1, 2, "own.jpg"),), sheet=(face("other.jpg", 1.5),))

    (shown,) = faces_of(person, {"own.jpg", "other.jpg"})

    assert (shown.crop, shown.at_s) == ("own.jpg", None)


@pytest.mark.parametrize(
    ("at_s", "crop", "from_s"),
    [
        pytest.param((4.0, 5.0), "early.jpg", 3.0, id="the one before"),
        pytest.param((7.0, 8.0), "late.jpg", 9.0, id="the one after"),
        pytest.param((2.5, 3.5), "early.jpg", None, id="one from within"),
        pytest.param((100.0, 101.0), "late.jpg", 9.0, id="beyond all"),
    ],
)
def test_a_stretch_without_a_face_shows_the_nearest_in_time(
    at_s: tuple[float, float], crop: str, from_s: float | None
) -> None:
    person = one_person(
        crop="portrait.jpg",
        segments=(seen(*at_s, source="body"),),
        sheet=(face("late.jpg", 9.0), face("early.jpg", 3.0)),
    )

    (shown,) = faces_of(person, {"portrait.jpg", "early.jpg", "late.jpg"})

    assert (shown.crop, shown.at_s) == (crop, from_s)


def test_without_any_face_in_time_a_stretch_shows_the_portrait_and_else_nothing() -> None:
    person = one_person(crop="portrait.jpg", segments=(seen(1, 2),), sheet=())

    assert faces_of(person, {"portrait.jpg"})[0].crop == "portrait.jpg"
    assert faces_of(person, set())[0].crop is None


def test_a_face_from_another_moment_says_which() -> None:
    person = one_person(segments=(seen(1, 2, source="body"),), sheet=(face("late.jpg", 65.0),))
    model = with_people(person)

    assert "picture from 1:05.0" in titles(model)[0]


def test_a_page_holds_the_faces_of_the_longest_stretches_when_there_are_too_many() -> None:
    count = MOST_MOMENTS + 50
    stretches = tuple(
        seen(10.0 * i, 10.0 * i + 1 + i / count, f"{i:04d}.jpg") for i in range(count)
    )
    person = one_person(crop="portrait.jpg", segments=stretches, sheet=(face("sheet.jpg", 1.0),))
    model = with_people(person)

    held = crops_shown(model)

    assert set(held) == {"portrait.jpg", "sheet.jpg"} | {f"{i:04d}.jpg" for i in range(50, count)}
    assert faces_of(person, held)[49].crop == "0050.jpg", "the nearest that is there"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0, "0:00.000"), (59.9996, "1:00.000"), (61.0305, "1:01.030"), (3723.4, "1:02:03.400")],
)
def test_a_moment_is_written_to_the_millisecond(seconds: float, written: str) -> None:
    assert exact(seconds) == written
