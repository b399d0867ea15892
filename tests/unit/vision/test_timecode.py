"""Timecode of frames, against OpenTimelineIO's."""

from __future__ import annotations

from fractions import Fraction

import opentimelineio as otio
import pytest

from screenalytics_core.vision.timecode import EDITOR_RATES, FrameClock, nominal_rate

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("stated", "meant"),
    [
        pytest.param(Fraction(2997, 100), NTSC, id="rounded"),
        pytest.param(Fraction(24000, 1001), Fraction(24000, 1001), id="exact"),
        pytest.param(Fraction(3840000, 239239), Fraction(30), id="a variable rate of 16"),
        pytest.param(Fraction(25, 2), Fraction(25), id="half of one"),
        pytest.param(Fraction(15), Fraction(30), id="half of 30"),
        pytest.param(Fraction(1), Fraction(24000, 1001), id="a slide show"),
        pytest.param(Fraction(120), Fraction(60), id="faster than all"),
    ],
)
def test_a_video_gets_the_rate_that_editors_know(stated: Fraction, meant: Fraction) -> None:
    assert nominal_rate(stated) == meant


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(60), NTSC, 2 * NTSC])
def test_timecode_is_that_of_another_implementation(rate: Fraction) -> None:
    clock = FrameClock.of(rate)
    minute = 60 * round(rate)
    frames = [0, 1, minute - 1, minute, minute + 1, 10 * minute, 17 * minute + 3, 130 * minute]
    frames += range(0, 200 * minute, 997)

    for frame in frames:
        theirs = otio.opentime.RationalTime(frame, float(rate)).to_timecode()
        assert clock.timecode(frame) == theirs


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(24000, 1001), NTSC, 2 * NTSC])
def test_a_files_timecode_is_read_and_written_alike(rate: Fraction) -> None:
    for number in (0, 1799, 1800, 17982, 107892, 108000, 1_000_001):
        text = FrameClock.of(rate).timecode(number)

        clock = FrameClock.of(rate, text)

        assert clock.start_frame == number
        assert clock.timecode(clock.start_frame) == text


def test_a_file_numbered_without_drops_stays_so() -> None:
    clock = FrameClock.of(NTSC, "01:00:00:00")

    assert not clock.is_drop_frame
    assert clock.start_frame == 108000


@pytest.mark.parametrize(
    "text", ["", "1:2", "00:61:00:00", "00:00:00:25", "no timecode", "\u0660\u0661:00:00:00"]
)
def test_what_is_no_timecode_is_ignored(text: str) -> None:
    assert FrameClock.of(Fraction(25), text) == FrameClock.of(Fraction(25))


@pytest.mark.parametrize("rate", EDITOR_RATES)
def test_a_time_comes_back_from_its_frame_within_half_a_frame(rate: Fraction) -> None:
    clock = FrameClock.of(rate)

    for time_s in (0.0, 0.02, 1.0, 59.99, 3600.123, 86399.5):
        assert abs(clock.nearest(time_s) / rate - Fraction(time_s)) <= 1 / (2 * rate)


def test_timecode_starts_anew_after_a_day() -> None:
    assert FrameClock.of(Fraction(25)).timecode(25 * 86400 + 3) == "00:00:00:03"
