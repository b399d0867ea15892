"""WebVTT, read back by webvtt-py."""

from __future__ import annotations

import html
import random
from itertools import pairwise

import webvtt

from screenalytics_core.segment_formats.vtt import write_vtt
from tests.unit.segment_formats.samples import Span, episode


def cues(*spans: Span) -> list[tuple[float, float, str]]:
    text = write_vtt(episode(*spans))
    return [
        (
            c.start_in_seconds + c.start_time.milliseconds / 1000,
            c.end_in_seconds + c.end_time.milliseconds / 1000,
            html.unescape(c.text),
        )
        for c in webvtt.from_string(text)
    ]


def test_a_cue_lasts_as_long_as_the_same_people_are_there() -> None:
    assert cues(("Anna", 0.5, 6, "face"), ("Bob", 2, 3, "face"), ("Bob", 3, 4.25, "body")) == [
        (0.5, 2, "Anna"),
        (2, 3, "Anna, Bob"),
        (3, 4.25, "Anna, Bob (body)"),
        (4.25, 6, "Anna"),
    ]


def test_nobody_on_screen_has_no_cue() -> None:
    assert cues(("Anna", 1, 2, "face"), ("Bob", 3601.001, 3602, "face")) == [
        (1, 2, "Anna"),
        (3601.001, 3602, "Bob"),
    ]


def test_a_segment_that_goes_on_is_one_cue() -> None:
    assert cues(("Anna", 0, 1, "face"), ("Anna", 1, 2, "face")) == [(0, 2, "Anna")]


def test_a_gap_that_is_shorter_than_a_millisecond_is_none() -> None:
    assert cues(("Anna", 0, 1.0001, "face"), ("Anna", 1.0002, 2, "face")) == [(0, 2, "Anna")]


def test_names_cannot_break_the_file() -> None:
    name = "A <b>&amp; --> \n\n00:00:01.000 --> 00:00:02.000 B"

    text = write_vtt(episode((name, 0, 1, "face")))

    assert text.count("-->") == 1
    (cue,) = webvtt.from_string(text)
    assert html.unescape(cue.text) == " ".join(name.split())


def test_every_segment_comes_back_from_the_cues() -> None:
    noise = random.Random(7)
    spans: list[Span] = []
    for name in ("Anna", "Bob", "Cyd"):
        at = 0.0
        for _ in range(50):
            start = at + noise.uniform(0.01, 4)
            at = start + noise.uniform(0.04, 3)
            spans.append((name, start, at, noise.choice(["face", "body"])))

    found = cues(*spans)

    assert all(a[1] <= b[0] for a, b in pairwise(found))
    for name, start_s, end_s, source in spans:
        word = name if source == "face" else f"{name} (body)"
        inside = [c for c in found if c[0] >= start_s - 0.001 and c[1] <= end_s + 0.001]
        assert {word in c[2].split(", ") for c in inside} == {True}
        assert abs(sum(c[1] - c[0] for c in inside) - (end_s - start_s)) <= 0.001


def test_an_episode_without_people_is_a_valid_file() -> None:
    assert write_vtt(episode()).startswith("WEBVTT\n")
    assert cues() == []
