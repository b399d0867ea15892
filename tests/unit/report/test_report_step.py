"""The PDF as people get it: pages, words, pictures, and the same bytes every time."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from screenalytics_core.artifacts import ARTIFACTS, ArtifactKind
from screenalytics_core.errors import ArtifactCorruptError
from screenalytics_core.steps.report import STEP
from tests.report_samples import NAMES, RUN_RECORD, SHA, Sample, sample_run

ROOT = Path(__file__).resolve().parents[3]


def pdf_of(sample: Sample) -> bytes:
    pdf = STEP.run(sample.step_input())[ArtifactKind.REPORT]["pdf"]
    assert isinstance(pdf, bytes)
    return pdf


def pages_of(sample: Sample) -> list[str]:
    reader = PdfReader(BytesIO(pdf_of(sample)))
    return [" ".join(page.extract_text().split()) for page in reader.pages]


def test_page_one_tells_the_analyst_who_how_long_and_when() -> None:
    sample = sample_run(6, unknown=True)
    person = sample.values[ArtifactKind.SCREEN_TIME]["screen_time"]["people"][3]

    first = pages_of(sample)[0]

    assert "rhobh · season 5, episode 14" in first
    assert "Nguyễn Thị Phương Thảo" in first
    assert f"{person['total_s']:,.1f} s" in first
    assert f"{100 * person['share']:.1f} %" in first
    assert f"{person['low_s']:,.1f} to {person['high_s']:,.1f} s" in first
    assert f"{person['face_s']:,.1f} s {person['body_only_s']:.1f} s" in first
    appearances = person["track_count"]
    assert len(person["segments"]) > appearances, "bodies go on where faces end"
    assert f"id_0004 · cast-3 · {appearances} appearances" in first
    assert "21.0 s an unidentified face 0.8 % of counted time" in first
    assert "When they are on screen" in first
    assert "unidentified faces" in first
    assert "Who is on screen together" in first


@pytest.mark.parametrize("name", NAMES)
def test_a_long_or_foreign_name_is_whole_in_the_table(name: str) -> None:
    text = "".join(pages_of(sample_run(6))).replace(" ", "")

    assert name.replace(" ", "") in text


def test_a_letter_that_the_font_lacks_is_marked_and_explained() -> None:
    sample = sample_run(1)
    sample.rename(0, "李 Li")

    first = pages_of(sample)[0]

    assert first.count("▯ Li") == 2, "in the table and in the timeline"
    assert "▯ stands for a letter that the report's font lacks" in first


def test_an_episode_without_a_face_has_a_sentence_and_no_chart() -> None:
    first = pages_of(sample_run(0))[0]

    assert "No face was found in this episode" in first
    assert "When they are on screen" not in first


def test_faces_without_identity_are_drawn_though_nobody_is_listed() -> None:
    first = pages_of(sample_run(0, unknown=True))[0]

    assert "none of them could be given an identity" in first
    assert "unidentified faces" in first


def test_the_pack_that_ran_is_named_with_files_hashes_and_licences() -> None:
    text = " ".join(pages_of(sample_run(1)))

    assert "The pack that ran is lite" in text
    for file in RUN_RECORD["models"]["files"]:
        assert file["name"] in text
        assert file["sha256"][:32] in text
        assert file["licence"] in text


def test_every_file_behind_the_report_is_listed() -> None:
    text = " ".join(pages_of(sample_run(1)))

    for kind in STEP.inputs:
        for file in ARTIFACTS[kind].files:
            assert f"{file.filename} 1,234 123.5 kB {SHA}" in text


def test_the_report_tells_no_path_of_the_machine() -> None:
    text = " ".join(pages_of(sample_run(1)))

    assert "/opt" not in text
    assert "packs/mine" not in text


def test_the_same_input_gives_the_same_bytes_in_any_process() -> None:
    here = pdf_of(sample_run(6, unknown=True))
    code = (
        "import hashlib; from tests.unit.report.test_report_step import pdf_of, sample_run;"
        "print(hashlib.sha256(pdf_of(sample_run(6, unknown=True))).hexdigest())"
    )
    there = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    ]

    assert pdf_of(sample_run(6, unknown=True)) == here
    assert there == [hashlib.sha256(here).hexdigest()] * 2


def test_every_person_has_a_face_in_the_report() -> None:
    reader = PdfReader(BytesIO(pdf_of(sample_run(6))))

    assert len(reader.pages[0].images) == 6


def test_a_face_that_is_not_in_the_archive_is_an_error() -> None:
    sample = sample_run(2)
    sample.values[ArtifactKind.FACES]["crops"] = sample_run(1).values[ArtifactKind.FACES]["crops"]

    with pytest.raises(ArtifactCorruptError, match=r"0000\d\d\.jpg"):
        pdf_of(sample)


def test_ids_as_long_as_they_may_be_fit_the_page() -> None:
    sample = sample_run(1)
    sample.run_record.update(ep_id="x" * 128, run_id="r" * 128)

    reader = PdfReader(BytesIO(pdf_of(sample)))

    for page in reader.pages:
        starts: dict[str, float] = {}
        page.extract_text(visitor_text=lambda t, cm, tm, fd, fs, d=starts: d.update({t: tm[4]}))
        header = next(x for t, x in starts.items() if t.startswith("run r") and "…" in t)
        assert 297 < header < 595, "the run's id stays in its half of the header"
        assert all(0 <= x < 595 for x in starts.values())
    assert "…" in reader.pages[0].extract_text()


def test_a_record_with_hardly_anything_still_gives_a_report() -> None:
    sample = sample_run(1)
    sample.run_record = {"ep_id": "pilot", "run_id": "r1"}

    text = " ".join(pages_of(sample))

    assert "The run's record names no model file." in text
    assert "pilot" in text
