"""FCPXML, parsed with exact fractions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from xml.etree import ElementTree as ET

import pytest

from screenalytics_core.segment_formats.fcpxml import write_fcpxml
from screenalytics_core.segment_formats.model import episode_segments
from tests.unit.segment_formats.samples import MEDIA, Span, episode, row, shots

NTSC = Fraction(30000, 1001)
SPANS: tuple[Span, ...] = (
    ("Anna", 0.0, 61.3, "face"),
    ("Anna", 61.3, 125.017, "body"),
    ("Anna", 3599.96, 7199.99, "face"),
    ("Bob", 0.52, 0.53, "face"),
    ("Bob", 60.0, 62.5, "face"),
)
TIMES = ("start", "offset", "duration", "tcStart", "frameDuration")


def seconds(text: str) -> Fraction:
    assert text.endswith("s")
    return Fraction(text[:-1])


def parse(*spans: Span, **more: object) -> ET.Element:
    return ET.fromstring(write_fcpxml(episode(*spans, **more)))  # type: ignore[arg-type]


def need(parent: ET.Element, path: str) -> ET.Element:
    found = parent.find(path)
    assert found is not None, path
    return found


@pytest.mark.parametrize(
    "rate", [Fraction(25), Fraction(24000, 1001), NTSC, Fraction(60), Fraction(2997, 100)]
)
def test_every_time_is_a_whole_number_of_frames(rate: Fraction) -> None:
    root = parse(*SPANS, fps=rate, media=replace(MEDIA, start_timecode="01:00:00:00"))
    frame = seconds(need(root, "resources/format").attrib["frameDuration"])

    times = [seconds(e.attrib[n]) for e in root.iter() for n in TIMES if n in e.attrib]

    assert abs(1 / frame - rate) < Fraction(1, 100)
    assert len(times) > 15
    assert [t for t in times if (t / frame).denominator != 1] == []


@pytest.mark.parametrize("rate", [Fraction(25), NTSC, Fraction(3840000, 239239)])
@pytest.mark.parametrize("start_timecode", [None, "01:00:00:00"])
def test_segments_come_back_within_half_a_frame(rate: Fraction, start_timecode: str | None) -> None:
    root = parse(*SPANS, fps=rate, media=replace(MEDIA, start_timecode=start_timecode))
    half = seconds(need(root, "resources/format").attrib["frameDuration"]) / 2
    whole = need(root, ".//spine/asset-clip")

    clips = whole.findall("asset-clip")

    assert len(clips) == len(SPANS)
    for clip, (name, start_s, end_s, source) in zip(clips, SPANS, strict=True):
        start = seconds(clip.attrib["offset"]) - seconds(whole.attrib["start"])
        end = start + seconds(clip.attrib["duration"])
        assert clip.attrib["name"] == f"{name} ({source})"
        assert clip.attrib["start"] == clip.attrib["offset"]
        assert abs(start - Fraction(start_s)) <= half
        # One that is shorter than a frame lasts one.
        assert abs(end - Fraction(max(end_s, start_s + float(half)))) <= 2 * half


def test_each_person_has_a_lane_and_a_role() -> None:
    clips = parse(("Anna B. Cee", 0, 5, "face"), ("Bob", 1, 2, "body")).findall(
        ".//spine/asset-clip/asset-clip"
    )

    assert [(c.attrib["lane"], c.attrib["videoRole"]) for c in clips] == [
        ("1", "Anna B  Cee"),
        ("2", "Bob"),
    ]
    assert {c.attrib["srcEnable"] for c in clips} == {"video"}


def test_a_name_of_dots_alone_gives_way_to_the_id() -> None:
    rows = [row("...", 0, 5, "face", identity_id="id_0007")]

    document = write_fcpxml(episode_segments("ep", "first", shots(Fraction(25)), rows, MEDIA))

    clip = need(ET.fromstring(document), ".//spine/asset-clip/asset-clip")
    assert clip.attrib["videoRole"] == "id_0007"


def test_nothing_in_a_lane_overlaps() -> None:
    flicker = [("Anna", i / 1000, (i + 1) / 1000, "face") for i in range(200)]

    clips = parse(*flicker).findall(".//spine/asset-clip/asset-clip")

    ends = [seconds(c.attrib["offset"]) + seconds(c.attrib["duration"]) for c in clips]
    assert all(e <= seconds(c.attrib["offset"]) for e, c in zip(ends, clips[1:], strict=False))


def test_the_timeline_is_the_episode_and_refers_to_its_file() -> None:
    root = parse(fps=NTSC, media=replace(MEDIA, start_timecode="10:00:00;00"))

    sequence, asset = need(root, ".//sequence"), need(root, "resources/asset")
    clip = need(root, ".//spine/asset-clip")
    assert need(asset, "media-rep").attrib["src"] == MEDIA.url
    assert clip.attrib["ref"] == asset.attrib["id"]
    assert sequence.attrib["format"] == need(root, "resources/format").attrib["id"]
    assert sequence.attrib["tcFormat"] == "DF"
    assert abs(seconds(sequence.attrib["duration"]) - 7200) < 1 / NTSC
    assert {
        e.attrib[n] for e, n in ((sequence, "tcStart"), (asset, "start"), (clip, "offset"))
    } == {clip.attrib["start"]}
    assert asset.attrib["hasAudio"] == "1"


def test_a_silent_file_is_not_said_to_have_sound() -> None:
    root = parse(media=replace(MEDIA, has_audio=False))

    assert "hasAudio" not in need(root, "resources/asset").attrib


def test_any_name_is_well_formed() -> None:
    name = 'Zoë <"&\x00\x01\ufffe\ud800> 小林'

    (clip,) = parse((name, 0, 1, "face")).findall(".//spine/asset-clip/asset-clip")

    assert clip.attrib["name"] == 'Zoë <"&> 小林 (face)'


def test_the_document_says_what_it_is() -> None:
    text = write_fcpxml(episode())

    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n')
    assert ET.fromstring(text).attrib["version"] == "1.10"
