"""The quality bench's own parts: its figures, the scorer beside it, and its table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.processes import BenchError
from benchmarks.quality.figures import figures_of, mean_row, split_main_people, with_means
from benchmarks.quality.scoring import SCORER, Files, disagreements, naive_prediction, score
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


@pytest.mark.skipif(not SCORER.is_file(), reason="the scorer does not lie beside the checkout")
@pytest.mark.parametrize(
    "identities", [{"a": [0, 1], "b": [2]}, {"a": [0, 2], "b": [1]}, {"a": [0]}, {}]
)
def test_scorer_and_evaluation_agree_on_every_figure(
    tmp_path: Path, truth_path: Path, identities: dict[str, list[int]]
) -> None:
    truth = read_truth(truth_document())
    prediction, files = naive_prediction(write_run(tmp_path / "run", identities), truth)

    assert score(truth_path, prediction, files).faces.tp == 2 * FRAMES


@pytest.mark.skipif(not SCORER.is_file(), reason="the scorer does not lie beside the checkout")
def test_a_scorer_that_says_otherwise_is_an_error_that_names_the_figures(
    tmp_path: Path, truth_path: Path
) -> None:
    truth = read_truth(truth_document())
    _, files = naive_prediction(write_run(tmp_path / "run", {"a": [0, 1], "b": [2]}), truth)
    other = Prediction(
        fps=10, width_px=200, height_px=50, frame_times_s=np.arange(FRAMES + 1) / 10,
        tracks=(track_boxes(0, [0], [[0, 0, 10, 10]]),), identities=(Identity("a", (0,)),),
    )  # fmt: skip

    with pytest.raises(BenchError, match=r"made: .* disagree:\n(.|\n)*faces\.tp: 20 by the scorer"):
        score(truth_path, other, files)


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
