"""What people write for several episodes, and which keys it means."""

from __future__ import annotations

from pathlib import Path

import pytest

from screenalytics_core.episode_selection import expand, gaps, known_of, natural_order
from screenalytics_core.errors import SettingsError

FIVE = tuple(f"rhobh-s05e{n:02d}" for n in (1, 2, 9, 10, 100))
SIX = ("rhobh-s06e01", "rhobh-s06e02")
KNOWN = (*sorted([*FIVE, *SIX, "other-s01e01"]), "pilot", "Reunion.Part1")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        pytest.param(["rhobh-s05e09"], ["rhobh-s05e09"], id="an episode"),
        pytest.param(["RHOBH-S05E09"], ["rhobh-s05e09"], id="upper case"),
        pytest.param(["rhobh-s5e9"], ["rhobh-s05e09"], id="one digit"),
        pytest.param(["rhobh-s005e0100"], ["rhobh-s05e100"], id="more digits"),
        pytest.param(["Reunion.Part1"], ["Reunion.Part1"], id="an id of another form"),
        pytest.param(["rhobh-s05"], FIVE, id="a season, in natural order"),
        pytest.param(["rhobh-S5"], FIVE, id="a season, one digit"),
        pytest.param(["rhobh"], [*FIVE, *SIX], id="a show"),
        pytest.param(["rhobh-s05e02..e10"], FIVE[1:4], id="a range"),
        pytest.param(["rhobh-s05e02..rhobh-s05e10"], FIVE[1:4], id="a range, written out"),
        pytest.param(["rhobh-s05e02 .. E10"], FIVE[1:4], id="a range with spaces"),
        pytest.param(["rhobh-s05e09..e09"], ["rhobh-s05e09"], id="a range of one"),
        pytest.param(["rhobh-s05e100..rhobh-s06e01"], [FIVE[4], SIX[0]], id="over two seasons"),
        pytest.param(["pilot", "rhobh-s06", "pilot"], ["pilot", *SIX], id="each once, in order"),
        pytest.param(["rhobh-s06e02", "rhobh-s06"], [SIX[1], SIX[0]], id="the first place counts"),
    ],
)
def test_a_text_means_these_episodes(texts: list[str], expected: list[str]) -> None:
    assert expand(texts, KNOWN) == tuple(expected)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        pytest.param(
            ["rhobh-s05e90"], r"e90. is not registered .nearest: rhobh-s05e\d+.", id="episode"
        ),
        pytest.param(["rhobx"], "'rhobx' is not registered .nearest: rhobh.", id="show"),
        pytest.param(["rhobh-s07"], "nearest: rhobh-s0[56]", id="season"),
        pytest.param(["rhobh-s05e20..e30"], "holds no registered episode", id="empty range"),
        pytest.param(["rhobh-s05e08..e01"], "is reversed", id="reversed"),
        pytest.param(["rhobh-s06e01..rhobh-s05e09"], "is reversed", id="reversed seasons"),
        pytest.param(["rhobh-s05e01..other-s05e02"], "one show to another", id="two shows"),
        pytest.param(["rhobh-s05..e08"], "is no range", id="no first episode"),
        pytest.param(["rhobh-s05e01..8"], "is no range", id="a bare number"),
        pytest.param(["rhobh-s05e01.."], "is no range", id="an open range"),
        pytest.param(["../etc"], "is no range", id="a path"),
        pytest.param(["a/b"], "'a/b' is no episode", id="no id"),
        pytest.param([], "names none.*rhobh-s05e01..e08", id="nothing"),
        pytest.param(["  "], "names none", id="blank"),
        pytest.param(["z1", "z2", "z3", "z4", "z5"], "'z3' is not.*; and 2 more", id="many"),
    ],
)
def test_what_means_nothing_is_named_with_the_way_out(texts: list[str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        expand(texts, KNOWN)


def test_an_unknown_one_among_known_ones_is_not_dropped_silently() -> None:
    with pytest.raises(SettingsError, match="'rhobh-s05e03' is not registered"):
        expand(["rhobh-s05e01", "rhobh-s05e03"], KNOWN)


def test_without_any_episode_the_way_out_is_to_add_some() -> None:
    with pytest.raises(SettingsError, match="screenalytics episodes add FOLDER"):
        expand(["rhobh-s05"], ())


def test_a_text_that_is_a_season_and_a_show_is_refused() -> None:
    known = ("x-s05e01", "x-s05e02", "x-s05-s01e01")

    with pytest.raises(SettingsError, match=r"both a season and a show.*x-s05e01\.\.x-s05e02"):
        expand(["x-s05"], known)
    assert expand(["x-s05-s01"], known) == ("x-s05-s01e01",)
    assert expand(["x-s05e01..x-s05e02"], known) == ("x-s05e01", "x-s05e02")


def test_an_id_that_is_also_a_show_is_the_episode() -> None:
    assert expand(["pilot"], ("pilot", "pilot-s01e01")) == ("pilot",)


def test_a_file_names_a_line_each(tmp_path: Path) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text("\ufeff# tonight\r\nrhobh-s06e02  # the reunion\r\n\r\nrhobh-s05e01..e02\r\n")

    assert expand([f"@{keys}", "pilot"], KNOWN) == (SIX[1], FIVE[0], FIVE[1], "pilot")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "No such file", id="missing"),
        pytest.param(b"\xff\xfe\x00", "no UTF-8 text", id="binary"),
        pytest.param(b"# nothing\n", "names none", id="only comments"),
        pytest.param(b"@more.txt\n", "cannot name another", id="another file"),
        pytest.param(b"rhobh-s05e77\n", "'rhobh-s05e77' is not registered", id="unknown"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    keys = tmp_path / "keys.txt"
    if content is not None:
        keys.write_bytes(content)

    with pytest.raises(SettingsError, match=said):
        expand([f"@{keys}"], KNOWN)


def test_ids_are_sorted_as_people_count() -> None:
    ids = ["e10", "e2", "a-s01e100", "a-s01e99", "a-s10e01", "a-s02e01", "e02", "7", "b"]

    assert sorted(ids, key=natural_order) == [
        "7", "a-s01e99", "a-s01e100", "a-s02e01", "a-s10e01", "b", "e02", "e2", "e10",
    ]  # fmt: skip


def test_the_order_of_the_known_ones_does_not_matter() -> None:
    assert expand(["rhobh"], KNOWN[::-1]) == expand(["rhobh"], KNOWN)


def test_a_season_of_a_hundred_is_in_natural_order() -> None:
    assert expand(["a-s01"], ("a-s01e100", "a-s01e99")) == ("a-s01e99", "a-s01e100")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        pytest.param(["rhobh-s05e01..e04"], ["rhobh-s05e03", "rhobh-s05e04"], id="a range"),
        pytest.param(["rhobh-s05e09..rhobh-s05e10"], [], id="a range without one"),
        pytest.param(["rhobh-s05e03..e09"], [f"rhobh-s05e{n:02d}" for n in range(3, 9)], id="ends"),
        pytest.param(["rhobh-s05e09"], [], id="an episode"),
        pytest.param(["pilot", "rhobh-s06"], [], id="a whole season"),
        pytest.param(["rhobh-s05e100..rhobh-s06e01"], [], id="over two seasons"),
        pytest.param(["rhobh-s06e01..e04", "rhobh-s06e02..e04"],
                     ["rhobh-s06e03", "rhobh-s06e04"], id="each once"),
    ],
)  # fmt: skip
def test_what_a_selection_passes_over_is_named(texts: list[str], expected: list[str]) -> None:
    assert gaps(texts, KNOWN) == tuple(expected)


def test_a_season_has_gaps_between_its_first_and_last_episode() -> None:
    assert gaps(["rhobh"], KNOWN)[:7] == tuple(f"rhobh-s05e{n:02d}" for n in (3, 4, 5, 6, 7, 8, 11))


def test_of_a_mistyped_range_a_hundred_gaps_are_enough() -> None:
    assert len(gaps(["rhobh-s06e01..e99999999"], KNOWN)) == 100


def test_a_selection_is_parted_into_what_is_known_and_what_is_not() -> None:
    texts = ["rhobh-s05", "rhobh-s07", "pilot", "other-s01e02..e03"]

    assert known_of(texts, KNOWN) == (("rhobh-s05", "pilot"), ("rhobh-s07", "other-s01e02..e03"))
    with pytest.raises(SettingsError, match="is reversed"):
        known_of(["rhobh-s05e09..e01"], KNOWN)
