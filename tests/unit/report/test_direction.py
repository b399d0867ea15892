"""Names from right to left: ordered and joined as they are drawn, cut at their end."""

from __future__ import annotations

from pathlib import Path

import pytest

from screenalytics_core.report import direction, fonts
from screenalytics_core.report.direction import visual
from screenalytics_core.report.flowables import measure
from screenalytics_core.report.style import register_fonts

HEBREW = "אבגדה"


@pytest.mark.parametrize(
    ("written", "drawn"),
    [
        pytest.param("Ana (2) de la Cruz", "Ana (2) de la Cruz", id="left to right"),
        pytest.param(HEBREW, HEBREW[::-1], id="Hebrew"),
        pytest.param("Noa אבג", "Noa גבא", id="Hebrew after Latin"),
        pytest.param("אבג Noa 12", "Noa 12 גבא", id="Hebrew before Latin"),
        pytest.param("אבג (דה)", "(הד) גבא", id="brackets that run to the left"),
        pytest.param("Noa (אבג)", "Noa (גבא)", id="brackets that run to the right"),
        pytest.param("Noa [אבג (x)]", "Noa [גבא (x)]", id="brackets beside each other"),
        pytest.param("אבג ([דה])", "([הד]) גבא", id="both run to the left"),
    ],
)
def test_what_is_drawn_stands_from_left_to_right(written: str, drawn: str) -> None:
    assert visual(written) == drawn


def test_arabic_letters_are_joined() -> None:
    assert visual("محمد") == "\ufeaa\ufee4\ufea4\ufee3", "final, medial, medial, initial form"


@pytest.mark.parametrize("name", ["محمد علي", "عبد الله", "سلام", "گوگوش", "پریچهر"])
def test_the_font_has_every_joined_letter(name: str) -> None:
    drawn = visual(fonts.displayable(name))

    assert fonts.MISSING_GLYPH not in drawn
    assert fonts.displayable(drawn) == drawn


def test_the_environment_changes_no_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = visual("سلام")
    file = tmp_path / "reshaper.ini"
    file.write_text("[ArabicReshaper]\nsupport_ligatures = no\n")
    monkeypatch.setenv("PYTHON_ARABIC_RESHAPER_CONFIGURATION_FILE", str(file))
    direction._reshaper.cache_clear()

    assert visual("سلام") == usual


def test_a_name_is_cut_at_its_logical_end() -> None:
    register_fonts()
    width = measure(fonts.REGULAR, 8)

    cut = fonts.fit(HEBREW, width(HEBREW[:3] + fonts.ELLIPSIS), width)

    assert visual(cut) == "…גבא"


def test_what_is_measured_is_what_is_drawn() -> None:
    register_fonts()
    width = measure(fonts.REGULAR, 8)

    assert width("محمد") == pytest.approx(
        sum(width(form) for form in ("\ufeaa", "\ufee4", "\ufea4", "\ufee3"))
    )
    assert width("محمد") < sum(width(letter) for letter in "محمد")


@pytest.mark.parametrize(
    "control", "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
def test_nothing_turns_a_name_around(control: str) -> None:
    assert fonts.displayable(f"{control}evil{control}") == "evil"
