"""The command that writes composed episodes, and what it says to what it cannot do."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.composed.__main__ import main, minutes_of, seeds_of
from tests.composed_scenes import labelled_clip


def test_seeds_and_minutes_are_read() -> None:
    assert list(seeds_of("sample:7")) == [7]
    assert list(seeds_of("sample:0-2")) == [0, 1, 2]
    assert minutes_of("long:10") == 10
    assert minutes_of("long:0.5") == 0.5


@pytest.mark.parametrize(
    ("what", "said"),
    [
        *((f"sample:{bad}", "names no seeds: write sample:7 or sample:7-9")
          for bad in ("abc", "-1", "5-3", "", "1-", "1.5", "1-2-3")),
        *((f"long:{bad}", "names no minutes: write long:10, a number above 0")
          for bad in ("abc", "0", "-1", "", "nan", "inf", "0.0")),
        ("elsewhere", "is no episode; there are: all, "),
    ],
)  # fmt: skip
def test_what_names_no_episode_is_told_in_one_line_and_nothing_is_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str, said: str
) -> None:
    assert main([what, "--out", str(tmp_path / "out")]) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{what}: {said}")
    assert not (tmp_path / "out").exists()


def test_clips_that_cannot_be_drawn_from_are_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out")

    assert main(["all", "--clips", str(tmp_path), "--out", out]) == 1
    assert "holds no labelled clip" in capsys.readouterr().err

    labelled_clip(tmp_path, fps="fast")
    assert main(["sample:0", "--clips", str(tmp_path), "--out", out]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "walk.json, fps: " in line
