"""What the names of video files say, the usual ways to write an episode and the traps."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from screenalytics_core.episode_names import EpisodeNames, compile_pattern
from screenalytics_core.errors import SettingsError

TEMPLATE = "{show}.S{season:02d}E{episode:02d}.*.mp4"


def named(path: str, **asked: object) -> str | None:
    names = EpisodeNames.of(**{"show": "rhobh", **asked})  # type: ignore[arg-type]
    return names.recognise(PurePosixPath(path)).ep_id


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("S05E01.mp4", "s05e01"),
        ("s05e01.mkv", "s05e01"),
        ("s5e1.mp4", "s05e01"),
        ("S05E100.mp4", "s05e100"),
        ("S00E03.mp4", "s00e03"),
        ("The.Show.S05E14.1080p.x264-GROUP.mp4", "s05e14"),
        ("The Show - s05.e14 - Title.mp4", "s05e14"),
        ("The Show S05 E14.mp4", "s05e14"),
        ("The Show s05_ep14.mp4", "s05e14"),
        ("the_show_S05E14_x265.mp4", "s05e14"),
        ("Show 5x01.mp4", "s05e01"),
        ("Show - 05x14 - Part 2.mp4", "s05e14"),
        ("Season 5 Episode 14.mp4", "s05e14"),
        ("rhobh-s05e14.mp4", "s05e14"),
        ("Season 5/Episode 01.mp4", "s05e01"),
        ("Season 05/E01 - Pilot.mp4", "s05e01"),
        ("season_5/ep.7.mp4", "s05e07"),
        ("Series 5/Episode 7.mp4", "s05e07"),
        ("S05/07 - Title.mp4", "s05e07"),
        ("Season 5/14.mp4", "s05e14"),
        ("The Show (2010)/Season 5/The Show - S05E02.mp4", "s05e02"),
        ("Show.S05E03.1080p/show.mkv", "s05e03"),
        ("S04E09/S05E03.mp4", "s05e03"),
        ("Show.1920x1080.S05E03.mp4", "s05e03"),
    ],
)
def test_the_usual_names_are_recognised(path: str, expected: str) -> None:
    assert named(path) == f"rhobh-{expected}"


@pytest.mark.parametrize(
    ("path", "why_not"),
    [
        ("trailer.mp4", "no season and episode"),
        ("Show.1920x1080.mp4", "no season and episode"),
        ("Show.x264.mp4", "no season and episode"),
        ("Episode 3.mp4", "no season and episode"),
        ("03 - Title.mp4", "no season and episode"),
        ("Season 5/trailer.mp4", "no episode"),
        ("Season 5/720p.mp4", "no episode"),
        ("S05E01E02.mp4", "more than one episode"),
        ("S05E01-E02.mp4", "more than one episode"),
        ("S05E01-02.mp4", "more than one episode"),
        ("Show 5x01x02.mp4", "more than one episode"),
        ("Show 5x01-02.mp4", "more than one episode"),
        ("Show 5x01-5x02.mp4", "more than one episode"),
        ("S12345E01.mp4", "no season and episode"),
    ],
)
def test_what_says_no_episode_says_why(path: str, why_not: str) -> None:
    found = EpisodeNames.of("rhobh").recognise(PurePosixPath(path))

    assert found.ep_id is None
    assert why_not in found.why_not


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Episode 3.mp4", "rhobh-s05e03"),
        ("03 - Title.mp4", "rhobh-s05e03"),
        ("e3.mp4", "rhobh-s05e03"),
        ("S05E03.mp4", "rhobh-s05e03"),
        ("S06E03.mp4", None),
        ("Season 6/Episode 3.mp4", None),
        ("trailer.mp4", None),
    ],
)
def test_a_given_season_fills_in_and_must_not_be_contradicted(
    path: str, expected: str | None
) -> None:
    assert named(path, season=5) == expected


@pytest.mark.parametrize(
    ("path", "asked", "expected"),
    [
        ("rhobh.S05E01.1080p.mp4", {}, "rhobh-s05e01"),
        ("RHOBH.s05e01.web.MP4", {}, "rhobh-s05e01"),
        ("deep/down/rhobh.S05E01.a.mp4", {}, "rhobh-s05e01"),
        ("rhobh.S05E01.mp4", {}, None),
        ("rhobh.S5E01.a.mp4", {}, None),
        ("other.S05E01.a.mp4", {}, None),
        ("The.Office (US).S05E01.a.mp4", {"show": None}, "the-office-us-s05e01"),
        ("!!.S05E01.a.mp4", {"show": None}, None),
        ("rhobh.S05E01.a.mp4", {"season": 6}, None),
        ("ep-7.mov", {"pattern": "ep-{episode}.*", "season": 5}, "rhobh-s05e07"),
        ("5/07.mp4", {"pattern": "{season}/{episode}.mp4"}, "rhobh-s05e07"),
        ("x/5/07.mp4", {"pattern": "{season}/{episode}.mp4"}, "rhobh-s05e07"),
        ("15/07.mp4", {"pattern": "{season:1d}/{episode}.mp4"}, "rhobh-s15e07"),
        ("tape_05_07b.mp4", {"pattern": r"_(?P<season>\d+)_(?P<episode>\d+)"}, "rhobh-s05e07"),
        ("tape.mp4", {"pattern": r"tape(?P<episode>\d+)?", "season": 5}, None),
        ("tape-xx.mp4", {"pattern": r"tape-(?P<episode>\w+)", "season": 5}, None),
        ("a[1].S05E01.mp4", {"pattern": "a[1].S{season}E{episode}.mp4"}, "rhobh-s05e01"),
    ],
)
def test_a_pattern_finds_what_it_names(
    path: str, asked: dict[str, object], expected: str | None
) -> None:
    assert named(path, **{"pattern": TEMPLATE, **asked}) == expected


@pytest.mark.parametrize(
    ("path", "season", "expected"),
    [
        ("rhobh-s05e14.mp4", None, "rhobh-s05e14"),
        ("RHOBH-S05E14.mp4", 5, "rhobh-s05e14"),
        ("Season 5/rhobh-s05e14.mp4", None, "rhobh-s05e14"),
        ("rhobh-s05e14.mp4", 6, None),
        ("The Show S05E14.mp4", None, None),
        ("Season 5/Episode 14.mp4", None, None),
        ("trailer.mp4", None, None),
    ],
)
def test_without_a_show_a_file_is_known_by_its_id_alone(
    path: str, season: int | None, expected: str | None
) -> None:
    assert named(path, show=None, season=season) == expected


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"show": None, "pattern": "S{season}E{episode}.mp4"}, "not know the show.*--show"),
        ({"show": "../x"}, "must be letters"),
        ({"show": ""}, "must be letters"),
        ({"pattern": "x{episode}.mp4"}, "does not know the season"),
        ({"pattern": "S{season}.mp4"}, "does not know the episode"),
        ({"pattern": "{title}.mp4"}, "knows no field 'title'"),
        ({"pattern": "{}.mp4"}, "knows no field"),
        ({"pattern": "{season:x}"}, "is no width"),
        ({"pattern": "{show:3}"}, "takes no width"),
        ({"pattern": "{season"}, "expected '}'"),
        ({"pattern": "(?P<season>"}, "missing"),
        ({"pattern": r"(?P<season>\d)(?P<epis>\d)"}, "knows no field 'epis'"),
    ],
)
def test_what_cannot_be_known_is_refused_before_any_file(
    asked: dict[str, object], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        EpisodeNames.of(**{"show": "rhobh", **asked})  # type: ignore[arg-type]


def test_a_field_named_twice_must_say_the_same() -> None:
    pattern = compile_pattern("S{season}/S{season}E{episode}.mp4")

    assert pattern.search("S5/S5E01.mp4")
    assert not pattern.search("S5/S6E01.mp4")
