"""Stretches of time on the command line, and the command that sets trims."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from screenalytics_assets.cli.stretches import clock, parse_stretch
from screenalytics_core.episode_registry import load_video, register_video
from screenalytics_core.errors import SettingsError
from screenalytics_core.storage.local import LocalStorage
from screenalytics_core.vision.decode import probe_video
from tests.command_line import in_this_process
from tests.videos import make_video, solid

EP = "show-s01e01"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0:00-1:35", (0, 95)),
        ("41:10 - 43:00.5", (2470, 2580.5)),
        ("1:02:03-1:02:03.25", (3723, 3723.25)),
        ("75:00-90:00", (4500, 5400)),
        ("0-95.5", (0, 95.5)),
    ],
)
def test_a_stretch_is_written_as_clock_or_seconds(text: str, expected: tuple[float, float]) -> None:
    assert parse_stretch("--recap", text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1:35", "is no stretch"),
        ("", "is no stretch"),
        ("0:00-", "is no stretch"),
        ("-5-10", "is no stretch"),
        ("0:00-1:75", "is no stretch"),
        ("0:75:00-1:00:00", "is no stretch"),
        ("0-nan", "is no stretch"),
        ("1e3-2e3", "is no stretch"),
        ("\N{ARABIC-INDIC DIGIT ZERO}-5", "is no stretch"),
        ("1:35-1:35", "does not end after its start"),
        ("2:00-1:00", "does not end after its start"),
    ],
)
def test_anything_else_is_refused_with_an_example(text: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason) as raised:
        parse_stretch("--credits", text)

    assert "--credits 41:10-43:00" in str(raised.value)


@pytest.mark.parametrize("text", ["0:00", "1:35.5", "59:59.999", "1:02:03", "12:00:00.25"])
def test_a_clock_shows_what_was_parsed(text: str) -> None:
    assert clock(parse_stretch("", f"{text}-99:00:00")[0]) == text


def test_trims_are_set_shown_and_cleared(tmp_path: Path) -> None:
    root = tmp_path / "data"
    video = make_video(tmp_path / "clip.mp4", (solid((0, 0, 90)) for _ in range(10)), fps=25)
    register_video(LocalStorage(root), EP, video, probe=probe_video)

    done = in_this_process(
        "episodes", "trim", EP, "--recap", "0:00-1:35", "--credits", "41:10-43:00", data_root=root
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "recap: 0:00 to 1:35\ncredits: 41:10 to 43:00\n"
    shown = in_this_process("episodes", "trim", EP, "--json", data_root=root)
    assert json.loads(shown.stdout) == {
        "ep_id": EP, "trims": {"recap": [0.0, 95.0], "credits": [2470.0, 2580.0]},
    }  # fmt: skip

    cleared = in_this_process("episodes", "trim", EP, "--clear", data_root=root)
    assert cleared.stderr == "recap: none\ncredits: none\n"
    assert load_video(LocalStorage(root), EP).trims == {"recap": None, "credits": None}


def test_a_trim_of_nothing_is_refused(tmp_path: Path) -> None:
    slip = in_this_process("episodes", "trim", EP, "--recap", "1:35", data_root=tmp_path)
    nobody = in_this_process("episodes", "trim", EP, "--recap", "0-5", data_root=tmp_path)

    assert (slip.returncode, nobody.returncode) == (2, 1)
    assert "is no stretch of time" in slip.stderr
    assert "has no registered video" in nobody.stderr
