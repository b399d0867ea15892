"""Edit decision lists, read back by OpenTimelineIO's own parser."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import opentimelineio as otio
import pytest

from screenalytics_core.segment_formats.edl import write_edl
from tests.unit.segment_formats.samples import MEDIA, episode

NTSC = Fraction(30000, 1001)
EVENT = re.compile(r"^(\d+)  (\S+) +V     C        (\S+) (\S+) (\S+) (\S+)$", re.MULTILINE)
SPANS = (
    ("Anna", 0.0, 1.0, "face"),
    ("Anna", 61.48, 125.0, "body"),
    ("Anna", 3599.96, 3661.2, "face"),
    ("Bob", 0.52, 0.56, "face"),
    ("Bob", 60.0, 62.5, "face"),
)


def read(text: str, rate: Fraction) -> list[otio.schema.Clip]:
    timeline = otio.adapters.read_from_string(text, adapter_name="cmx_3600", rate=float(rate))
    (track,) = timeline.tracks
    return [item for item in track if isinstance(item, otio.schema.Clip)]


@pytest.mark.parametrize(
    "rate", [Fraction(25), Fraction(24000, 1001), NTSC, 2 * NTSC, Fraction(60)]
)
@pytest.mark.parametrize("first_frame_s", [0.0, 1.48])
def test_segments_come_back_within_half_a_frame(rate: Fraction, first_frame_s: float) -> None:
    clips = read(write_edl(episode(*SPANS, fps=rate, first_frame_s=first_frame_s)), rate)

    half = float(1 / (2 * rate)) + 1e-9
    assert len(clips) == len(SPANS)
    for clip, (name, start_s, end_s, _) in zip(clips, SPANS, strict=True):
        frames = clip.source_range
        assert clip.name == name
        assert frames.start_time.value / float(rate) == pytest.approx(start_s, abs=half)
        assert frames.end_time_exclusive().value / float(rate) == pytest.approx(end_s, abs=half)


def test_record_times_follow_each_other_without_a_gap() -> None:
    events = EVENT.findall(write_edl(episode(*SPANS, fps=NTSC)))

    assert events[0][4] == "00:00:00;00"
    assert [e[4] for e in events[1:]] == [e[5] for e in events[:-1]]


def test_each_event_names_person_and_source() -> None:
    text = write_edl(episode(("Anna", 1, 2, "body")))

    assert text == (
        "TITLE: show-s01e02 first\n"
        "FCM: NON-DROP FRAME\n"
        "\n"
        "001  SHS01E02 V     C        00:00:01:00 00:00:02:00 00:00:00:00 00:00:01:00\n"
        "* FROM CLIP NAME: Anna\n"
        "* COMMENT: id_Anna, body, confidence 0.88\n"
        "* SOURCE FILE: episode.mp4\n"
    )


@pytest.mark.parametrize(
    ("rate", "mode"),
    [
        (NTSC, "DROP FRAME"),
        (Fraction(2997, 100), "DROP FRAME"),
        (2 * NTSC, "DROP FRAME"),
        (Fraction(30), "NON-DROP FRAME"),
        (Fraction(24000, 1001), "NON-DROP FRAME"),
    ],
)
def test_the_list_says_how_frames_are_numbered(rate: Fraction, mode: str) -> None:
    text = write_edl(episode(("Anna", 60, 62, "face"), fps=rate))

    assert f"\nFCM: {mode}\n" in text
    assert (";" in text) == (mode == "DROP FRAME")


def test_a_file_with_a_timecode_of_its_own_keeps_it() -> None:
    media = replace(MEDIA, start_timecode="10:00:00:00")

    ((_, _, start, end, record, _),) = EVENT.findall(
        write_edl(episode(("Anna", 1, 2, "face"), media=media))
    )

    assert (start, end, record) == ("10:00:01:00", "10:00:02:00", "00:00:00:00")


def test_the_thousandth_event_has_a_number_of_its_own() -> None:
    spans = [("Anna", float(i), i + 0.5, "face") for i in range(1200)]

    text = write_edl(episode(*spans))

    assert [int(e[0]) for e in EVENT.findall(text)] == list(range(1, 1201))
    assert len(read(text, Fraction(25))) == 1200


@pytest.mark.parametrize(
    ("name", "written"),
    [
        pytest.param("Zoë Müller", "Zoe Muller", id="accents"),
        pytest.param("Søren", "S?ren", id="a letter of its own"),
        pytest.param("小林", "id_", id="no letter left"),
        pytest.param("A\nB\x00", "A B", id="lines"),
    ],
)
def test_names_are_ascii(name: str, written: str) -> None:
    text = write_edl(episode((name, 0, 1, "face")))

    assert text.isascii()
    assert f"* FROM CLIP NAME: {written}\n" in text


def test_nobody_is_an_empty_list() -> None:
    assert write_edl(episode()) == "TITLE: show-s01e02 first\nFCM: NON-DROP FRAME\n"
