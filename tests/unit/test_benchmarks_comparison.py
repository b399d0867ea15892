"""What the quality bench calls reached, better and worse, and the exit code that says so."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks.processes import BenchError
from benchmarks.quality import __main__ as command
from benchmarks.quality.arguments import (
    COMPOSED_FILE,
    FILE,
    PICTURES_FILE,
    is_whole,
    own_command,
    parse_arguments,
    result_file,
)
from benchmarks.quality.comparison import (
    changes,
    is_any_compared,
    last_committed,
    not_compared,
    not_measured,
)
from benchmarks.quality.figures import with_means
from benchmarks.quality.limits import judge_bounds, judge_clips, judge_composed, judge_tracking
from tests.quality_rows import row


def verdicts(*rows: dict[str, Any]) -> dict[str, bool]:
    return {v.what: v.holds for v in judge_clips(with_means(list(rows)))}


def test_a_result_at_the_limits_holds_all_of_them() -> None:
    at_limit = row(bcubed_f1=0.98, tolerant_error_percent=1.0, recall=0.98, precision=0.98)
    lite = row(setup="lite", bcubed_f1=0.92, tolerant_error_percent=3.0)

    told = verdicts(at_limit, lite)

    assert len(told) == 10
    assert all(told.values())


@pytest.mark.parametrize(
    ("worse", "missed"),
    [
        ({"bcubed_f1": 0.94}, ["bcubed_f1, mean", "bcubed_f1, each"]),
        ({"bcubed_f1": 0.96}, ["bcubed_f1, mean"]),
        ({"tolerant_error_percent": 2.1}, ["percent, mean", "percent, each"]),
        ({"recall": 0.97}, ["recall"]),
        ({"precision": None}, ["precision"]),
        ({"main_people_split": 1}, ["main_people_split"]),
        ({"cut_f1": 0.94}, ["cut_f1"]),
        ({"setup": "lite", "bcubed_f1": 0.91}, ["lite: bcubed_f1"]),
    ],
)
def test_a_figure_beyond_its_limit_does_not_hold(worse: dict[str, Any], missed: list[str]) -> None:
    told = verdicts(row(**worse))

    held_not = [what for what, holds in told.items() if not holds]
    assert len(held_not) == len(missed)
    assert all(part in what for part, what in zip(missed, held_not, strict=True))


def test_one_bad_clip_misses_the_limit_of_each_though_the_mean_holds() -> None:
    told = verdicts(
        *(row(clip=str(n), bcubed_f1=1.0) for n in range(9)), row(clip="bad", bcubed_f1=0.9)
    )

    assert [what for what, holds in told.items() if not holds] == [
        "scrfd: bcubed_f1, each: at least 0.95"
    ]


def test_limits_of_models_that_were_not_run_are_not_judged() -> None:
    assert all(what.startswith("lite") for what in verdicts(row(setup="lite")))


def tracked(who: str, mota: float, idf1: float, stride: int = 1) -> dict[str, Any]:
    return {"who": who, "stride": stride, "mota": mota, "idf1": idf1, "hota": 0.5, "switches": 4}


def test_the_tracker_is_judged_on_every_frame_at_the_peers_own_threshold_and_at_its_own() -> None:
    rows = [
        tracked("product", 0.1, 0.7), tracked("product at 0.7", 0.6, 0.5),
        tracked("bytetrack", 0.5, 0.6), tracked("product at 0.7", 0.1, 0.1, stride=2),
        tracked("bytetrack", 0.9, 0.9, stride=2),
    ]  # fmt: skip

    assert [(v.value, v.holds) for v in judge_tracking(rows)] == [
        (0.6, True), (0.5, False), (0.1, False), (0.7, True),
    ]  # fmt: skip


BOUNDS = {
    "samples": 200, "level": 0.9, "coverage": 0.9, "median_relative_width": 0.2,
    "interval_score_s": 1.0,
    "baseline": {"half_width_s": 0.6, "coverage": 0.9, "median_relative_width": 0.3,
                 "interval_score_s": 1.2},
}  # fmt: skip


@pytest.mark.parametrize(
    ("worse", "missed"),
    [
        ({}, []),
        ({"samples": 199}, [0]),
        ({"coverage": 0.84}, [1]),
        ({"coverage": 0.98}, [1]),
        ({"median_relative_width": 0.26}, [2]),
        ({"interval_score_s": 1.2}, [3]),
    ],
)
def test_bounds_are_worth_stating_if_they_are_right_narrow_and_better_than_one_for_all(
    worse: dict[str, Any], missed: list[int]
) -> None:
    told = judge_bounds("faces", {**BOUNDS, **worse})

    assert [at for at, verdict in enumerate(told) if not verdict.holds] == missed


@pytest.mark.parametrize(
    ("samples", "judged"),
    [
        ({"faces": 229, "bodies": 3}, ["faces"]),
        ({"faces": 229, "bodies": 229}, ["faces", "bodies"]),
        ({"faces": 30, "bodies": 3}, ["faces"]),
        ({"faces": None, "bodies": None}, []),
    ],
)
def test_bounds_are_judged_where_enough_can_be_judged_or_else_where_most_can(
    samples: dict[str, int | None], judged: list[str]
) -> None:
    rows = [
        {"setup": "scrfd", "who": who, "bounds": n and {**BOUNDS, "samples": n}}
        for who, n in samples.items()
    ]

    told = judge_composed({"rows": rows})

    assert list(dict.fromkeys(v.what.split()[2].strip(":") for v in told)) == judged
    assert all(v.holds for v in told) == (samples["faces"] != 30)


def result(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    told = with_means(list(rows))
    return {"clips": told, "limits": [v.to_dict() for v in judge_clips(told)], **more}


def moved(before: dict[str, Any], now: dict[str, Any]) -> list[tuple[str, str, bool]]:
    return [(c.place, c.figure, c.is_better) for c in changes(before, now)]


def test_a_change_within_its_tolerance_is_none() -> None:
    assert moved(result(row()), result(row(bcubed_f1=0.985, tolerant_error_percent=0.7))) == []


def test_more_of_a_good_figure_is_better_and_of_an_error_is_worse() -> None:
    now = result(row(bcubed_f1=0.997, tolerant_error_percent=0.8, cpu_s=99.0))

    assert moved(result(row()), now) == [
        ("scrfd one", "bcubed_f1", True),
        ("scrfd one", "tolerant_error_percent", False),
        ("scrfd mean of one", "bcubed_f1", True),
        ("scrfd mean of one", "tolerant_error_percent", False),
    ]


def test_a_limit_that_is_crossed_is_a_change_though_the_step_is_small() -> None:
    now = result(row(bcubed_f1=0.979))
    before = result(row(bcubed_f1=0.982))

    assert moved(before, now) == [("limit", "scrfd: bcubed_f1, mean: at least 0.98", False)]
    assert [is_better for *_, is_better in moved(now, before)] == [True]


def test_a_figure_that_is_gone_is_worse_and_said_to_be_gone() -> None:
    change = changes(result(row(cut_f1_exact=0.9)), result(row(cut_f1_exact=None)))[0]

    assert not change.is_better
    assert change.describe() == "WORSE  scrfd one: cut_f1_exact 0.9 -> none"


def test_a_ratio_is_not_missed_where_the_peer_was_left_out() -> None:
    with_peer = result(row(), row(who="naive", cpu_s=50.0))

    assert moved(with_peer, result(row())) == []


def test_the_peers_own_figures_are_no_matter() -> None:
    before = result(row(), row(who="naive", bcubed_f1=0.9))

    assert moved(before, result(row(), row(who="naive", bcubed_f1=0.5))) == []


def test_a_mean_over_other_clips_is_not_compared() -> None:
    before = result(row(), row(clip="two", bcubed_f1=0.5))
    now = result(row())

    assert moved(before, now) == moved(now, before) == []
    assert not_compared(before, now) == ["not measured this time: scrfd two; scrfd mean of one,two"]


def test_other_material_is_said() -> None:
    before = result(row(), clips_sha256={"one": "a", "two": "b"}, scorer_sha256="x")

    assert not_compared(before, result(row(), clips_sha256={"one": "a"}, scorer_sha256="x")) == []
    assert not_compared(before, result(row(), clips_sha256={"one": "c"}, scorer_sha256="y")) == [
        "clips_sha256: other than in the last result",
        "scorer_sha256: other than in the last result",
    ]


def test_the_products_tracker_is_compared_and_the_peers_is_not() -> None:
    before = {"tracking": [tracked("product", 0.5, 0.6), tracked("bytetrack", 0.9, 0.9)]}
    now = {"tracking": [tracked("product", 0.4, 0.602), tracked("bytetrack", 0.1, 0.1)]}

    assert moved(before, now) == [("tracking product stride 1", "mota", False)]


def test_a_tracking_limit_that_is_crossed_is_a_change() -> None:
    def told(holds: bool, *rows: dict[str, Any]) -> dict[str, Any]:
        limits = [{"what": "tracking, product: mota", "value": 0.5, "holds": holds}]
        return {"limits": limits, "tracking": list(rows)}

    same = tracked("product", 0.5, 0.5)
    assert [c.is_better for c in changes(told(True, same), told(False, same))] == [False]


def composed(**more: Any) -> dict[str, Any]:
    """Two ways of running the same episodes, of which the first states bounds."""
    facts = {
        "seed": 1000, "episodes": 40, "material": "pictures and clips", "drawn_by": "a" * 64,
    }  # fmt: skip
    rows = [row(who="faces", bounds=BOUNDS), row(who="bodies", bounds=None)]
    part = {**facts, "rows": rows, **more}
    return {
        "profile": "balanced", "given": [], "composed": part,
        "limits": [v.to_dict() for v in judge_composed(part)],
    }  # fmt: skip


def test_what_the_stated_bounds_are_worth_is_compared() -> None:
    worse = {**BOUNDS, "interval_score_s": 1.15}

    told = changes(composed(), composed(rows=[row(who="faces", bounds=worse)]))

    assert [c.describe() for c in told] == [
        "WORSE  composed scrfd faces: interval_score_s 1 -> 1.15"
    ]


def test_bounds_and_limits_that_vanish_are_worse() -> None:
    now = composed(rows=[row(who="faces", bounds=None), row(who="bodies", bounds=None)])

    told = [c.describe() for c in changes(composed(), now)]

    assert now["limits"] == []
    assert told[0] == "WORSE  composed scrfd faces: interval_score_s 1 -> none"
    assert len(told) == 1 + 4
    assert all(line.startswith("WORSE  limit: composed, scrfd faces: ") for line in told[1:])
    assert all(line.endswith("-> none") for line in told[1:])


def test_limits_of_what_was_left_out_have_not_vanished() -> None:
    both = result(row(), row(setup="lite"), tracking=[tracked("product", 0.5, 0.5)])
    both["limits"].append({"what": "tracking, product: mota", "value": 0.5, "holds": True})

    assert changes(both, result(row(setup="lite"))) == []
    assert changes(composed(), composed(rows=[row(who="bodies", bounds=None)])) == []


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"seed": 0}, "seed was 1000 and is 0"),
        ({"episodes": 2}, "episodes was 40 and is 2"),
        ({"material": "pictures"}, "material was pictures and clips and is pictures"),
        ({"drawn_by": "b" * 64}, "drawn_by was aaaaaaaaaaaa and is bbbbbbbbbbbb"),
    ],
)
def test_other_episodes_are_not_compared_and_it_is_said_why(
    other: dict[str, Any], reason: str
) -> None:
    now = composed(**other, rows=[row(who="faces", bcubed_f1=0.5, bounds=None)])

    assert changes(composed(), now) == []
    assert not is_any_compared(composed(), now)
    assert not_compared(composed(), now)[0] == f"not compared, because {reason}"


def test_episodes_drawn_from_other_clips_are_not_compared() -> None:
    before = composed() | {"clips_sha256": {"one": "a"}}
    now = composed(rows=[row(who="faces", bcubed_f1=0.5, bounds=None)])

    assert changes(before, now | {"clips_sha256": {"one": "a"}})
    for clips in ({"one": "b"}, {"one": "a", "two": "c"}):
        other = now | {"clips_sha256": clips}
        assert changes(before, other) == []
        assert "drawn from differs" in not_compared(before, other)[0]


def test_runs_with_other_settings_are_not_compared_and_it_is_said_why() -> None:
    for before, bad in (
        (composed(), composed(rows=[row(who="faces", bcubed_f1=0.5, bounds=BOUNDS)])),
        (result(row(), profile="balanced"), result(row(bcubed_f1=0.5))),
    ):
        now = bad | {"profile": "low_power"}

        assert changes(before, now) == []
        assert not_compared(before, now)[0] == (
            "not compared, because profile was balanced and is low_power"
        )


def test_trackers_are_compared_whatever_the_profile() -> None:
    before = {"profile": "balanced", "tracking": [tracked("product", 0.5, 0.6)]}
    now = {"profile": "low_power", "tracking": [tracked("product", 0.4, 0.6)]}

    assert moved(before, now) == [("tracking product stride 1", "mota", False)]


def test_libraries_that_differ_are_named() -> None:
    before = composed() | {"libraries": {"numpy": "2.4.6", "av": "18.1.0"}}
    now = composed() | {"libraries": {"numpy": "2.5.0", "av": "18.1.0"}}

    assert not_compared(before, before) == []
    assert not_compared(before, now) == ["library numpy: 2.4.6 in the last result, 2.5.0 now"]


def commit(repository: Path, content: dict[str, Any]) -> None:
    path = repository / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    for arguments in (("init", "-q"), ("add", "."), (*identity, "commit", "-qm", "result")):
        subprocess.run(["git", *arguments], cwd=repository, check=True)


def test_the_last_result_is_the_committed_one_whatever_lies_there_now(tmp_path: Path) -> None:
    commit(tmp_path, result(row()))
    (tmp_path / FILE).write_text("{}")

    assert last_committed(tmp_path, FILE) == result(row())


def test_no_committed_result_is_no_result(tmp_path: Path) -> None:
    assert last_committed(tmp_path, FILE) is None


@pytest.mark.parametrize(
    ("now", "code", "said"),
    [
        pytest.param(result(row()), 0, "nothing moved", id="as before"),
        pytest.param(result(row(bcubed_f1=1.0)), 0, "better", id="better"),
        pytest.param(result(row(recall=0.99)), 1, "WORSE  scrfd one: recall 1 -> 0.99", id="worse"),
    ],
)
def test_the_exit_code_says_whether_anything_became_worse(
    capsys: pytest.CaptureFixture[str], now: dict[str, Any], code: int, said: str
) -> None:
    assert command.tell_changes(result(row()), now) == code
    assert said in capsys.readouterr().out


def test_nothing_is_said_to_have_stayed_where_nothing_was_compared(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.tell_changes(composed(), composed(seed=0)) == 0
    assert capsys.readouterr().out == "not compared, because seed was 1000 and is 0\n"


def test_without_a_committed_result_nothing_is_worse(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.tell_changes(None, result(row())) == 0
    assert "no committed result" in capsys.readouterr().out


def test_material_that_cannot_be_used_ends_the_command_with_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(args: Any) -> dict[str, Any]:
        raise BenchError("there is no clip")

    monkeypatch.setattr(command, "measure_all", fail)

    assert command.main([]) == 1
    assert "there is no clip" in capsys.readouterr().err


def ended(
    repository: Path, monkeypatch: pytest.MonkeyPatch, measured: dict[str, Any], *given: str
) -> tuple[int, dict[str, Any]]:
    """The exit code and the kept result, of a command that measured this."""
    if not (repository / FILE).exists():
        commit(repository, result(row()))
    monkeypatch.setattr(command, "ROOT", repository)
    monkeypatch.setattr(command, "measure_all", lambda args: {"problems": []} | measured)
    code = command.main(list(given))
    return code, json.loads((repository / FILE).read_text())


def test_a_whole_run_replaces_the_kept_result_even_by_a_worse_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, kept = ended(tmp_path, monkeypatch, result(row(recall=0.99)))

    assert code == 1
    assert kept["clips"][0]["recall"] == 0.99


def test_a_run_with_a_problem_tells_it_with_its_figures_and_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = "scrfd product one: the scorer and the evaluation disagree"

    code, kept = ended(tmp_path, monkeypatch, result(row(bcubed_f1=0.991), problems=[problem]))

    assert code == 1
    assert kept == result(row())
    said = capsys.readouterr().out
    assert problem in said
    assert "0.991" in said


def test_a_run_that_lacks_rows_of_the_kept_result_does_not_replace_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = result(row(clip="two"))

    assert not_measured(result(row()), now) == ["scrfd one", "scrfd mean of one"]
    assert ended(tmp_path, monkeypatch, now) == (0, result(row()))


def test_a_run_of_parts_is_written_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "mine.json"

    _, kept = ended(
        tmp_path, monkeypatch, result(row(recall=0.999)), "--skip-naive", "--out", str(out)
    )

    assert kept == result(row())
    assert json.loads(out.read_text())["clips"][0]["recall"] == 0.999


COMPOSED = ("--composed", "40", "--mixed", "--seed", "1000")


@pytest.mark.parametrize(
    ("given", "whole"),
    [
        ([], True),
        (["--setups", "lite", "scrfd"], True),
        (["--setups", "lite"], False),
        (["--only", "avenger2"], False),
        (["--skip-naive"], False),
        (["--skip-tracking"], False),
        (["--bodies"], False),
        (["--profile", "low_power"], False),
        (["--models", "elsewhere"], False),
        (["--clips", "elsewhere"], False),
        (["--threads", "2"], False),
        (["--out", "elsewhere.json"], True),
        ([*COMPOSED], True),
        ([*COMPOSED, "--work", "elsewhere"], True),
        ([*COMPOSED, "--composed", "2"], False),
        ([*COMPOSED, "--seed", "0"], False),
        ([*COMPOSED, "--setups", "lite"], False),
        ([*COMPOSED, "--clips", "elsewhere"], False),
        ([*COMPOSED, "--profile", "low_power"], False),
        ([*COMPOSED, "--threads", "2"], False),
        (["--composed", "40", "--seed", "1000"], False),
    ],
)
def test_only_its_own_command_replaces_a_kept_result(given: list[str], whole: bool) -> None:
    assert is_whole(parse_arguments(given), composed()) == whole


def test_the_own_command_of_a_kept_result_is_told_by_what_it_was_made_of() -> None:
    pictures = composed(seed=7, episodes=3, material="pictures")

    assert own_command(composed()) == COMPOSED
    assert own_command(pictures) == ("--composed", "3", "--seed", "7")
    assert is_whole(parse_arguments(["--composed", "3", "--seed", "7"]), pictures)
    assert not is_whole(parse_arguments([*COMPOSED]), None)


@pytest.mark.parametrize("file", [COMPOSED_FILE, PICTURES_FILE])
def test_a_committed_composed_result_can_be_made_anew_by_its_own_command(file: str) -> None:
    kept = json.loads((command.ROOT / file).read_text())

    own = parse_arguments([*(own_command(kept) or ())])

    assert (result_file(own), is_whole(own, kept)) == (file, True)


@pytest.mark.parametrize(
    ("option", "value", "least"),
    [
        ("--composed", "-1", 1), ("--composed", "0", 1), ("--composed", "two", 1),
        ("--seed", "-1", 0), ("--seed", "1.5", 0), ("--threads", "0", 1),
    ],
)  # fmt: skip
def test_a_number_that_cannot_be_is_named_with_those_that_can(
    option: str, value: str, least: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse_arguments([option, value])

    said = capsys.readouterr().err
    assert f"argument {option}: '{value}' is no whole number from {least} up" in said


def test_clips_to_draw_from_that_are_not_there_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--composed", "1", "--mixed", "--clips", str(tmp_path)]) == 1
    assert f"{tmp_path} holds no clip with a truth" in capsys.readouterr().err


def test_a_truth_that_cannot_be_read_ends_the_command_before_anything_is_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "avenger2.mp4").touch()
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "avenger2.json").write_text("{}")

    assert command.main(["--clips", str(tmp_path), "--skip-tracking"]) == 1
    assert "avenger2.json, frames: is missing" in capsys.readouterr().err


def test_a_clip_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    (tmp_path / "avenger2.mp4").touch()

    assert [c.name for c in command.labelled_clips(tmp_path, ["avenger2"])] == ["avenger2"]
    with pytest.raises(BenchError, match=r"avenger: no labelled clip .*there: avenger2"):
        command.labelled_clips(tmp_path, ["avenger"])
    with pytest.raises(BenchError, match="nothing to score"):
        command.labelled_clips(tmp_path / "nowhere", None)
