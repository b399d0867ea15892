"""The pages at every size of cast: how many, what stands on them, and nothing over the edge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from typing import Any, NamedTuple
from unicodedata import normalize

import pytest
from pypdf import PageObject, PdfReader
from reportlab.pdfbase.pdfmetrics import stringWidth

from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.report import style
from screenalytics_core.report.text import DASH
from screenalytics_core.report.wording import NO_MODELS
from screenalytics_core.vision.quality_counters import quality_counters
from tests.report_html import FRAMES
from tests.report_samples import RUN_RECORD, Sample, sample_run
from tests.unit.report.test_report_step import pages_of, pdf_of

# A line's blanks may be drawn a little narrower than they are.
SHRUNK = 4.0


class Line(NamedTuple):
    """Text as it stands on a page, in points from the page's left and bottom edges."""

    text: str
    left: float
    right: float
    bottom: float


def lines_of(page: PageObject) -> list[Line]:
    lines: list[Line] = []

    def visit(written: str, cm: Any, tm: Any, font: Any, size: float) -> None:
        name = str((font or {}).get("/BaseFont", "")).rpartition("+")[2]
        left = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
        bottom = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
        texts = filter(None, (line.strip() for line in written.splitlines()))
        lines.extend(Line(t, left, left + stringWidth(t, name, size), bottom) for t in texts)

    page.extract_text(visitor_text=visit)
    return lines


@cache
def reader_of(people: int, *, unknown: bool = False, bodies: bool = True) -> PdfReader:
    """The pages of a run as it is made; drawn once, many tests read it."""
    return PdfReader(BytesIO(pdf_of(sample_run(people, unknown=unknown, bodies=bodies))))


@cache
def lines_by_page(people: int, *, bodies: bool = True) -> list[list[Line]]:
    pages = reader_of(people, unknown=True, bodies=bodies).pages
    return [lines_of(page) for page in pages]


@cache
def texts_of(people: int, *, unknown: bool = False) -> list[str]:
    pages = reader_of(people, unknown=unknown).pages
    return [" ".join(page.extract_text().split()) for page in pages]


def named_on(page: str) -> Iterator[str]:
    yield from re.findall(r"id_\d{4}", page)


@pytest.mark.parametrize("bodies", [True, False], ids=["bodies", "faces only"])
@pytest.mark.parametrize(("people", "pages"), [(0, 3), (1, 3), (6, 4), (40, 13)])
def test_any_size_of_cast_fits_its_pages(people: int, pages: int, bodies: bool) -> None:
    pages_lines = lines_by_page(people, bodies=bodies)

    assert abs(len(pages_lines) - pages) <= 1
    for number, lines in enumerate(pages_lines, 1):
        words = {line.text for line in lines}
        assert {"rhobh-s05e14", f"run {RUN_RECORD['run_id']}"} <= words
        assert f"{number} / {len(pages_lines)}" in words
        for line in lines:
            assert line.left >= style.MARGIN - 1, line
            assert line.right <= style.PAGE_WIDTH - style.MARGIN + SHRUNK, line
            assert 0 < line.bottom < style.PAGE_HEIGHT, line


def test_no_page_is_nearly_empty_but_the_last() -> None:
    for lines in lines_by_page(40)[:-1]:
        assert min(line.bottom for line in lines[3:]) < style.PAGE_HEIGHT / 2


@pytest.mark.parametrize("people", [1, 6, 40])
def test_everybody_is_in_the_table_once_and_has_a_lane(people: int) -> None:
    sample = sample_run(people)
    for place in range(people):
        sample.rename(place, f"Person-{place:02d}")
    analyst = " ".join(pages_of(sample)).split("HOW IT WAS MEASURED")[0]

    tables = re.findall(r"(Person-\d\d) id_\d{4}", analyst)

    assert len(tables) == people == len(set(tables))
    for place in range(people):
        assert analyst.count(f"Person-{place:02d}") >= 2, "in the table and in a lane"


def test_page_one_of_a_large_cast_is_complete_in_itself() -> None:
    sample = sample_run(40, unknown=True)
    most = sorted(sample.people, key=lambda p: -p["total_s"])

    first = texts_of(40, unknown=True)[0]

    shown = int(re.findall(r"The (\d+) people with most time on screen", first)[0])
    assert shown >= 5
    assert f"{40 - shown} other people on the next pages." in first
    assert next(named_on(first)) == most[0]["identity_id"]
    assert "When they are on screen" in first
    assert "Who is on screen together" in first


def test_six_people_of_long_names_are_all_on_page_one_with_their_matrix() -> None:
    sample = sample_run(6, unknown=True)

    first = texts_of(6, unknown=True)[0]

    assert {p["identity_id"] for p in sample.people} == set(named_on(first))
    for pair in sample.values[ArtifactKind.SCREEN_TIME]["screen_time"]["co_appearances"]:
        assert f"{pair['together_s']:,.1f} s" in first


def test_people_who_never_meet_get_a_sentence_instead_of_a_matrix() -> None:
    sample = sample_run(2)
    sample.values[ArtifactKind.SCREEN_TIME]["screen_time"]["co_appearances"] = []

    assert "No two of them are ever on screen together." in pages_of(sample)[0]


def test_one_person_alone_has_no_chart_of_meetings() -> None:
    assert "Who is on screen together" not in " ".join(texts_of(1))


@pytest.mark.parametrize(
    ("setting", "models", "why"),
    [
        (False, RUN_RECORD["models"], "the setting body_tracking was off"),
        (True, {"pack": "own", "files": []}, "no person detector was installed"),
    ],
)
def test_a_run_without_bodies_says_why_seconds_are_faces(
    setting: bool, models: dict[str, Any], why: str
) -> None:
    sample = sample_run(2, bodies=False)
    sample.run_record |= {
        "settings": {**RUN_RECORD["settings"], "body_tracking": setting}, "models": models,
    }  # fmt: skip

    first = pages_of(sample)[0]

    assert "Seconds are those of faces only" in first
    assert why in first
    assert "body only" not in first


def test_what_is_not_counted_is_said() -> None:
    sample = sample_run(1)
    document = sample.values[ArtifactKind.SCREEN_TIME]["screen_time"]
    document.update(
        counted_s=document["duration_s"] - 31.0,
        trims=[{"name": "recap", "start_s": 0.0, "end_s": 31.0}],
    )

    first = pages_of(sample)[0]

    assert "counted length without 31.0 s of trims" in first
    assert "Not counted: recap (0:00.0 to 0:31.0)." in first


@pytest.mark.parametrize(
    ("total_s", "shown"), [(0.25, "0.25 s"), (0.001, "< 0.01 s"), (0.0, "0 s")]
)
def test_hardly_any_time_is_told_apart_from_none(total_s: float, shown: str) -> None:
    sample = sample_run(1)
    sample.people[0].update(total_s=total_s, low_s=0.0, high_s=total_s, share=total_s / 2531)

    assert f" {shown} 0 to {shown}" in pages_of(sample)[0]


def test_seconds_of_a_day_long_episode_stay_on_their_line() -> None:
    sample = sample_run(1, bodies=True)
    sample.people[0].update(
        total_s=88_478.7, face_s=77_478.7, body_only_s=11_000.0, low_s=70_000.2, high_s=88_888.8
    )

    reader = PdfReader(BytesIO(pdf_of(sample)))

    lines = {line.text for line in lines_of(reader.pages[0])}
    assert {"88,479 s", "77,479 s", "11,000 s", "70,000 to 88,889 s"} <= lines


@pytest.mark.parametrize(
    ("name", "read"),
    [
        pytest.param("אבגדה", "אבגדה", id="Hebrew"),
        pytest.param("Noa אבג", "אבג", id="mixed"),
        pytest.param("محمد علي", "محمد علي", id="Arabic"),
        pytest.param("\u202eevil", "evil", id="turned around"),
    ],
)
def test_a_name_in_any_script_is_read_as_written_wherever_it_is_drawn(name: str, read: str) -> None:
    sample = sample_run(2)
    sample.rename(0, name)

    first = PdfReader(BytesIO(pdf_of(sample))).pages[0]

    # A reader takes letters of right-to-left scripts from right to left, as people do.
    written = normalize("NFKC", "\n".join(line.text for line in lines_of(first)))
    assert written.count(read) == 3, "in table, timeline and meetings"
    assert "letter that the report's font lacks" not in written


def test_a_name_of_sixty_letters_is_whole_in_table_and_lane() -> None:
    name = "Maria Esperanza Fernandez de la Vega y Castellanos Montejo X"
    sample = sample_run(2)
    sample.rename(0, name)

    first = pages_of(sample)[0].replace(" ", "")

    assert len(name) == 60
    assert first.count(name.replace(" ", "")) == 3, "in table, timeline and meetings"


def test_every_crossed_limit_has_its_advice_and_no_other() -> None:
    sample = sample_run(6)
    values = sample.values
    counters = quality_counters(
        values[ArtifactKind.TRACK_METRICS]["track_metrics"],
        values[ArtifactKind.FACES]["faces"],
        values[ArtifactKind.IDENTITIES]["identities"],
    )

    text = " ".join(texts_of(6))

    assert f"{sum(c.is_warning for c in counters)} of {len(counters)} figures lie outside" in text
    for counter in counters:
        assert counter.title in text
        assert counter.advice is None or counter.advice in text


def test_settings_that_differ_come_first() -> None:
    text = " ".join(texts_of(1))

    assert "1 of 30 differ from the profile balanced" in text
    assert re.search(r"marked ●\. ● stride 5 \(else 12\)", text)


def test_contact_sheets_show_faces_of_every_person() -> None:
    reader, pages = reader_of(6), texts_of(6)

    (page,) = (n for n, text in enumerate(pages) if "Contact sheets" in text)

    assert len(reader.pages[page].images) > 12
    assert "confidence 0.9" in pages[page]


def test_doubtful_tracks_are_listed_with_time_frame_and_rival() -> None:
    text = " ".join(texts_of(4, unknown=True))

    assert "Tracks to review" in text
    when = f"41:08.7 to 42:11.5 frames 74062{DASH}75945 62.8 s"
    assert f"3006 confidence 0.20 {when} Nguyễn Thị Phương Thảo" in text
    assert "similarity 0.31" in text
    assert "similarity 0.30" in text
    assert "no face good enough to compare" in text


def test_a_run_without_doubt_says_so() -> None:
    assert "No track is in doubt." in " ".join(texts_of(1))


def test_bodies_are_told_by_detector_and_evidence() -> None:
    text = " ".join(texts_of(6))

    assert "nanodet_m.onnx looked for bodies and found 19 body tracks." in text
    assert "the face inside the body 11" in text
    assert "the colours of its clothes stands for a hidden face for up to 10 s" in text


def test_an_unknown_way_of_telling_bodies_apart_is_named_as_it_is() -> None:
    sample = Sample(sample_run(1).values, {**RUN_RECORD, "models": {"pack": "own"}})

    text = " ".join(pages_of(sample))

    assert "A person detector looked for bodies" in text
    assert NO_MODELS in text


def test_doubtful_bodies_are_listed_only_where_there_are_any() -> None:
    sample = sample_run(2)
    assert "Bodies to review" not in " ".join(pages_of(sample))
    tie = sample.values[ArtifactKind.TRACK_FUSION]["track_fusion"]["associations"][0]
    tie.update(confidence=0.12)
    sample.values[ArtifactKind.SHOTS]["frame_times"] = FRAMES

    text = " ".join(pages_of(sample))

    when = f"1:03.3 to 1:03.7 frames 1897{DASH}1908 0.40 s"
    assert f"{tie['body_track_id']} {when}" in text
    assert "the face inside the body 0.12" in text
    assert "No track is in doubt." not in text
