"""How numbers and names read, and how they are cut to fit."""

from __future__ import annotations

from typing import Any

import pytest

from screenalytics_core.report import fonts, text
from screenalytics_core.report.flowables import ticks


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00.0"), (7.26, "0:07.3"), (59.96, "1:00.0"), (3723.44, "1:02:03.4"), (-1, "0:00.0")],
)
def test_clock(seconds: float, shown: str) -> None:
    assert text.clock(seconds) == shown


@pytest.mark.parametrize(("at", "shown"), [(5, "0:05"), (720, "12:00"), (3720, "1:02:00")])
def test_tick(at: float, shown: str) -> None:
    assert text.tick(at) == shown


@pytest.mark.parametrize(
    ("length_s", "shown"),
    [(1234.56, "1,234.6 s"), (9999.94, "9,999.9 s"), (9999.96, "10,000 s"),
     (13478.7, "13,479 s"), (1.0, "1.0 s"), (0.996, "1.0 s"), (0.25, "0.25 s"),
     (0.004, "< 0.01 s"), (0.0, "0 s")],
)  # fmt: skip
def test_seconds(length_s: float, shown: str) -> None:
    assert text.seconds(length_s) == shown


@pytest.mark.parametrize(
    ("share", "shown"), [(1.0, "100.0 %"), (0.0005, "0.1 %"), (0.0004, "< 0.1 %"), (0.0, "0 %")]
)
def test_percent(share: float, shown: str) -> None:
    assert text.percent(share) == shown


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        pytest.param("one two", ("one two",), id="fits"),
        pytest.param("one two three", ("one two", "three"), id="at a blank"),
        pytest.param("onetwothree", ("onetwoth", "ree"), id="within a word"),
        pytest.param("one two three four five", ("one two", "three f…"), id="too long for both"),
        pytest.param("", (), id="nothing"),
    ],
)
def test_wrap(written: str, lines: tuple[str, ...]) -> None:
    assert fonts.wrap(written, 8, lambda t: float(len(t)), 2) == lines


@pytest.mark.parametrize(
    ("size", "shown"), [(12, "12 B"), (123_456, "123.5 kB"), (734_003_200, "734.0 MB")]
)
def test_size(size: int, shown: str) -> None:
    assert text.size(size) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, text.DASH), (0.123456, "0.1235"), (12.0, "12"), (123456.7, "123,457")],
)
def test_number(value: float | None, shown: str) -> None:
    assert text.number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(None, text.DASH), (True, "yes"), (False, "no"), (8.0, "8"), ("a", "a")]
)
def test_plain(value: Any, shown: str) -> None:
    assert text.plain(value) == shown


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("/srv/packs/mine", "mine"),
        ("C:\\packs\\mine", "mine"),
        ("folder /srv/packs/mine, checked", "folder mine, checked"),
        ("from D:\\packs\\mine.onnx", "from mine.onnx"),
        ("https://example.org/a/b.onnx", "https://example.org/a/b.onnx"),
        ("npm pack@0.0.1 model/fr.onnx", "npm pack@0.0.1 model/fr.onnx"),
        ("30000/1001", "30000/1001"),
    ],
)
def test_only_absolute_folders_are_taken_out(written: str, left: str) -> None:
    assert text.without_folders(written) == left


@pytest.mark.parametrize(
    ("width", "middle", "shown"),
    [
        (8, False, "abcdefgh"),
        (5, False, "abcd…"),
        (5, True, "ab…gh"),
        (1, True, "…"),
        (2, True, "a…"),
    ],
)
def test_fit(width: int, middle: bool, shown: str) -> None:
    assert fonts.fit("abcdefgh", width, lambda t: float(len(t)), middle=middle) == shown


def test_letters_beyond_the_font_become_boxes_and_lines_become_one() -> None:
    assert fonts.displayable("Ana\n  Søn 李") == f"Ana Søn {fonts.MISSING_GLYPH}"


def test_a_decomposed_accent_is_composed() -> None:
    assert fonts.displayable("e\u0301") == "é"


@pytest.mark.parametrize(
    ("span", "marks"),
    [
        ((0, 30), [0, 5, 10, 15, 20, 25, 30]),
        ((1, 9), [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ((0, 2531), [0, 300, 600, 900, 1200, 1500, 1800, 2100, 2400]),
        ((0, 100_000), [0, 14_400, 28_800, 43_200, 57_600, 72_000, 86_400]),
    ],
)
def test_ticks_are_round_and_few(span: tuple[float, float], marks: list[float]) -> None:
    assert ticks(*span, 9) == marks
