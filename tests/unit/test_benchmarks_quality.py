"""The quality bench's own parts: its figures, the scorer beside it, and its table."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.contestants import Setup
from benchmarks.processes import BenchError
from benchmarks.quality import clips
from benchmarks.quality.clips import (
    ClipRun,
    Contest,
    LabelledClip,
    problems_of,
    remarks_of,
    run_clips,
)
from benchmarks.quality.figures import figures_of, mean_row, split_main_people, with_means
from benchmarks.quality.scoring import (
    SCORER,
    Files,
    Scored,
    disagreements,
    naive_prediction,
    score,
    without_seconds,
)
from benchmarks.quality.table import clip_lines, limit_lines, result_lines
from screenalytics_core.evaluation.evaluate import evaluate
from screenalytics_core.evaluation.prediction import Identity, Prediction, track_boxes
from screenalytics_core.evaluation.truth import read_truth
from tests.quality_rows import FRAMES, row, truth_document


def write_run(folder: Path, identities: dict[str, list[int]]) -> Path:
    """Write what the naive peer writes: Ann is track 0 then 1, Bob is track 2."""
    spans = [(0, 0, 5), (0, 5, FRAMES), (50, 0, FRAMES)]
    tracks = [
        {"track_id": number, "frame_idxs": list(range(start, end)),
         "bboxes_xyxy": [[x, 0, x + 10, 10]] * (end - start)}
        for number, (x, start, end) in enumerate(spans)
    ]  # fmt: skip
    folder.mkdir(exist_ok=True)
    (folder / "tracks.jsonl").write_text("".join(json.dumps(t) + "\n" for t in tracks))
    rows = [{"identity_id": i, "label": None, "track_ids": t} for i, t in identities.items()]
    (folder / "identities.json").write_text(json.dumps({"identities": rows}))
    return folder


@pytest.fixture
def truth_path(tmp_path: Path) -> Path:
    path = tmp_path / "made.json"
    path.write_text(json.dumps(truth_document()))
    return path


def evaluated(folder: Path) -> dict[str, Any]:
    truth = read_truth(truth_document())
    return evaluate(truth, naive_prediction(folder, truth)[0]).to_dict()


def test_a_perfect_run_has_perfect_figures(tmp_path: Path) -> None:
    figures = figures_of(evaluated(write_run(tmp_path / "run", {"a": [0, 1], "b": [2]})))

    assert figures["bcubed_f1"] == figures["recall"] == figures["precision"] == 1
    assert figures["tolerant_error_percent"] == figures["error_percent"] == 0
    assert (figures["identities"], figures["people"], figures["main_people"]) == (2, 2, 2)
    assert figures["split"] == []
    # It did not look for cuts and states no bounds.
    assert figures["cut_f1"] is None
    assert figures["bounds_inside"] is None


@pytest.mark.parametrize(
    ("identities", "split"),
    [
        pytest.param({"a": [0], "c": [1], "b": [2]}, ["Ann"], id="one person as two"),
        pytest.param({"a": [0, 1]}, ["Bob"], id="one person as nobody"),
        pytest.param({"a": [0, 1, 2]}, ["Bob"], id="two people as one"),
    ],
)
def test_a_main_person_who_is_not_one_identity_is_named(
    tmp_path: Path, identities: dict[str, list[int]], split: list[str]
) -> None:
    figures = figures_of(evaluated(write_run(tmp_path / "run", identities)))

    assert figures["split"] == split
    assert figures["main_people_split"] == 1
    assert figures["bcubed_f1"] < 1


def test_people_in_the_background_may_be_split() -> None:
    person = {"person": "bg_01", "main": False, "identity": None, "identity_count": 3}

    assert split_main_people([person]) == []


def test_stated_bounds_that_hold_the_truth_are_counted() -> None:
    document = {
        **evaluation_document(),
        "bounds": {"samples": 8, "coverage": 7 / 8},
    }

    figures = figures_of(document)

    assert (figures["bounds_inside"], figures["bounds"]) == (7, 8)


def evaluation_document() -> dict[str, Any]:
    truth = read_truth(truth_document())
    nothing = Prediction(
        fps=10, width_px=200, height_px=50, frame_times_s=np.arange(FRAMES + 1) / 10,
        tracks=(), identities=(), cuts=(5,),
    )  # fmt: skip
    return evaluate(truth, nothing).to_dict()


def test_a_run_that_found_nobody_has_figures_too() -> None:
    figures = figures_of(evaluation_document())

    assert figures["recall"] == 0
    assert figures["precision"] is None
    assert figures["split"] == ["Ann", "Bob"]
    assert figures["cut_f1_exact"] == 1


with_scorer = pytest.mark.skipif(
    not SCORER.is_file(), reason="the scorer does not lie beside the checkout"
)


@with_scorer
@pytest.mark.parametrize(
    "identities", [{"a": [0, 1], "b": [2]}, {"a": [0, 2], "b": [1]}, {"a": [0]}, {}]
)
def test_scorer_and_evaluation_agree_on_every_figure(
    tmp_path: Path, truth_path: Path, identities: dict[str, list[int]]
) -> None:
    truth = read_truth(truth_document())
    prediction, files = naive_prediction(write_run(tmp_path / "run", identities), truth)

    scored = score(truth_path, prediction, files)

    assert scored.evaluation.faces.tp == 2 * FRAMES
    assert scored.disagreements == ()
    assert scored.has_even_frames


@with_scorer
def test_a_scorer_that_says_otherwise_is_told_with_the_figures(
    tmp_path: Path, truth_path: Path
) -> None:
    truth = read_truth(truth_document())
    _, files = naive_prediction(write_run(tmp_path / "run", {"a": [0, 1], "b": [2]}), truth)
    other = Prediction(
        fps=10, width_px=200, height_px=50, frame_times_s=np.arange(FRAMES + 1) / 10,
        tracks=(track_boxes(0, [0], [[0, 0, 10, 10]]),), identities=(Identity("a", (0,)),),
    )  # fmt: skip

    scored = score(truth_path, other, files)

    assert "faces.tp: 20 by the scorer, 1 by the evaluation" in scored.disagreements
    assert scored.evaluation.faces.tp == 1


def made_truth(folder: Path, **changed: Any) -> Path:
    path = folder / "made.json"
    path.write_text(json.dumps(truth_document() | changed))
    return path


@with_scorer
@pytest.mark.parametrize(
    ("said", "fps"), [(23.98, 24_000 / 1001), (29.97, 30_000 / 1001), (10, 10.0)]
)
def test_a_truth_that_rounds_the_frame_rate_is_scored_at_the_runs_own(
    tmp_path: Path, said: float, fps: float
) -> None:
    prediction, files = naive_prediction(
        write_run(tmp_path / "run", {"a": [0], "b": [2]}), read_truth(truth_document())
    )
    exact = replace(prediction, fps=fps, frame_times_s=0.5 + np.arange(FRAMES + 1) / fps)

    scored = score(made_truth(tmp_path, fps=said), exact, files)

    assert scored.disagreements == ()
    assert scored.has_even_frames


@with_scorer
def test_scorer_and_evaluation_agree_on_the_other_reading_too(tmp_path: Path) -> None:
    doubt = {"person": "Ann", "start": 5, "end": 9, "becomes": "Cleo", "main": True}
    path = made_truth(tmp_path, alt_reading=[doubt])
    prediction, files = naive_prediction(
        write_run(tmp_path / "run", {"a": [0, 1], "b": [2]}), read_truth(truth_document())
    )

    scored = score(path, prediction, files)

    assert scored.disagreements == ()
    assert scored.evaluation.other_reading is not None


@with_scorer
def test_a_truth_without_cuts_is_scored_without_them(tmp_path: Path) -> None:
    prediction, files = naive_prediction(
        write_run(tmp_path / "run", {"a": [0, 1], "b": [2]}), read_truth(truth_document())
    )
    shots = tmp_path / "shots.json"
    shots.write_text(json.dumps({"shots": [{"start_frame": 0}, {"start_frame": 5}]}))
    files, prediction = replace(files, shots=shots), replace(prediction, cuts=(5,))

    for cuts in (None, [5]):
        scored = score(made_truth(tmp_path, cuts=cuts), prediction, files)

        assert scored.disagreements == ()
        assert (scored.evaluation.cuts is None) == (cuts is None)


@with_scorer
def test_seconds_of_frames_that_stay_unevenly_long_are_not_held_against_the_scorers(
    tmp_path: Path, truth_path: Path
) -> None:
    prediction, files = naive_prediction(
        write_run(tmp_path / "run", {"a": [0], "b": [2]}), read_truth(truth_document())
    )
    times_s = np.array([0, 0.1, 0.2, 0.35, 0.4, 0.55, 0.62, 0.7, 0.8, 0.9, 1.0])

    scored = score(truth_path, replace(prediction, frame_times_s=times_s), files)

    assert scored.disagreements == ()
    assert not scored.has_even_frames
    assert "seconds were not held against" in remarks_of("lite product made", scored)[0]
    # All that is no time is held against it still.
    assert score(
        truth_path, replace(prediction, frame_times_s=times_s, tracks=()), files
    ).disagreements


def test_only_what_is_counted_in_seconds_is_left_out() -> None:
    figures = {
        "fps": 10, "faces": {"tp": 1}, "screen_time": {"mae_s": 1, "main_persons": 2},
        "persons": [{"time_iou": 1, "recall": 1, "pred_s": 1}],
    }  # fmt: skip

    assert without_seconds(figures) == {
        "fps": 10, "faces": {"tp": 1}, "screen_time": {"main_persons": 2},
        "persons": [{"recall": 1}],
    }  # fmt: skip


def scored_as(*disagreements: str) -> Scored:
    truth = read_truth(truth_document())
    nothing = Prediction(
        fps=10, width_px=200, height_px=50, frame_times_s=np.arange(FRAMES + 1) / 10,
        tracks=(), identities=(), cuts=(5,),
    )  # fmt: skip
    return Scored(evaluate(truth, nothing), disagreements)


def test_many_disagreements_are_one_problem_that_names_the_first_and_counts_the_rest() -> None:
    assert problems_of("lite naive one", scored_as()) == ()

    (told,) = problems_of("lite naive one", scored_as(*(f"figure {n}" for n in range(25))))

    assert told.splitlines()[0] == "lite naive one: the scorer and the evaluation disagree:"
    assert told.splitlines()[-2:] == ["  figure 19", "  and 5 more"]


def test_a_clip_that_fails_leaves_the_others_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_product(contest: Contest, clip: LabelledClip) -> ClipRun:
        if clip.name == "two":
            raise BenchError("two.mp4: no space left")
        problems = ("they disagree",) if clip.name == "one" else ()
        return ClipRun(row(clip=clip.name), problems=problems)

    monkeypatch.setattr(clips, "_run_product", run_product)
    three = [LabelledClip(Path(f"{n}.mp4"), Path(f"{n}.json"), 1) for n in ("one", "two", "three")]
    told: list[str] = []

    runs = list(
        run_clips(Contest("lite", Setup("lite", 1, tmp_path), with_naive=False), three, told.append)
    )

    assert [run.row and run.row["clip"] for run in runs] == ["one", None, "three"]
    assert [p for run in runs for p in run.problems] == [
        "they disagree", "lite product two: two.mp4: no space left",
    ]  # fmt: skip
    assert told[1:3] == ["they disagree", "lite product two: two.mp4: no space left"]


def test_figures_that_differ_by_rounding_agree_and_all_others_do_not() -> None:
    scorer = {"a": 0.3333, "b": {"c": [1, 2]}, "d": None, "e": True}

    assert list(disagreements(scorer, {"a": 1 / 3, "b": {"c": [1, 2]}, "d": None, "e": True})) == []
    said = list(disagreements(scorer, {"a": 0.334, "b": {"c": [1, 3]}, "d": 0.0}))
    assert [line.split(":")[0] for line in said] == ["a", "b.c[1]", "d", "e"]
    assert said[-1] == "e: True by the scorer, nothing by the evaluation"


def test_lists_of_other_lengths_disagree() -> None:
    assert len(list(disagreements({"cuts": [5]}, {"cuts": [5, 9]}))) == 1


def test_means_are_over_clips_and_counts_are_sums() -> None:
    mean = mean_row([row(), row(clip="two", bcubed_f1=0.95, main_people_split=2, cpu_s=5.0)])

    assert mean["clip"] == "mean"
    assert mean["bcubed_f1"] == pytest.approx(0.97)
    assert mean["main_people_split"] == 2
    assert mean["cpu_s"] == 15


def test_a_figure_that_a_clip_lacks_is_taken_over_the_others() -> None:
    mean = mean_row([row(precision=None, cut_f1=None), row(clip="two", cut_f1=None)])

    assert mean["precision"] == 1
    assert mean["cut_f1"] is None


def test_the_ratio_is_against_the_naive_peer_on_the_same_clip_and_models() -> None:
    rows = [
        row(), row(clip="two", cpu_s=30.0),
        row(who="naive", cpu_s=100.0), row(who="naive", clip="two", cpu_s=100.0),
        row(setup="lite"),
    ]  # fmt: skip

    told = {(r["setup"], r["who"], r["clip"]): r["cpu_ratio"] for r in with_means(rows)}

    assert told["scrfd", "product", "one"] == 0.1
    assert told["scrfd", "product", "two"] == 0.3
    assert told["scrfd", "product", "mean"] == 0.2
    assert told["scrfd", "naive", "one"] is None
    assert told["lite", "product", "mean"] is None


def test_the_table_has_a_line_per_run_and_names_who_is_not_one_identity() -> None:
    rows = with_means([row(), row(clip="two", split=["Ann", "Bob"], precision=None)])

    lines = clip_lines(rows)

    assert len(lines) == 1 + 3 + 1
    assert lines[1].split()[:4] == ["scrfd", "product", "one", "0.990"]
    assert " - " in lines[2]
    assert lines[-1] == "not one identity each, scrfd product two: Ann, Bob"
    assert len({len(line) for line in lines[:4]}) == 1


def test_a_limit_is_shown_with_its_value_and_whether_it_holds() -> None:
    lines = limit_lines(
        [
            {"what": "recall", "value": 0.99, "holds": True},
            {"what": "precision", "value": None, "holds": False},
        ]
    )

    assert lines[0].split() == ["holds", "0.99", "recall"]
    assert lines[1].split() == ["DOES", "NOT", "HOLD", "-", "precision"]


def test_a_result_with_parts_left_out_is_shown_without_them() -> None:
    assert "".join(result_lines({"limits": []})) == ""
    assert Files(Path("t"), Path("i")).shots is None


def test_remarks_and_problems_stand_below_the_table() -> None:
    lines = result_lines({"clips": [row()], "limits": [], "remarks": ["r"], "problems": ["p"]})

    assert lines[1].startswith("scrfd product one")
    assert lines[-2:] == ["r", "p"]
