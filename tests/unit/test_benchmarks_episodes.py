"""The part of the quality bench on composed episodes: drawn once, run for real, pooled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.composed.compose import Episode
from benchmarks.composed.encoding import Encoding
from benchmarks.composed.shots import EpisodeShot
from benchmarks.composed.stage import EVERYBODY, LAMP, staged, standing
from benchmarks.quality import episodes
from benchmarks.quality.comparison import changes
from benchmarks.quality.episodes import (
    Judged,
    Sampling,
    aggregate,
    composed_once,
    measure_composed,
    outside,
    variants,
)
from benchmarks.quality.limits import judge_composed
from benchmarks.quality.table import composed_lines
from screenalytics_core.evaluation.bounds import BoundsSample
from screenalytics_core.evaluation.evaluate import evaluate
from screenalytics_core.evaluation.prediction import Prediction
from screenalytics_core.evaluation.truth import read_truth
from screenalytics_core.evaluation.verdict import Evaluation
from tests.quality_rows import FRAMES, truth_document


def two_short_shots(seed: int, clips: Path | None = None) -> Episode:
    shots = (
        EpisodeShot(staged(24, EVERYBODY)),
        EpisodeShot(staged(24, LAMP, standing("red shirt", 260, 620))),
    )
    return Episode(f"short_{seed:04d}", shots, Encoding())


def judged(seed: int, *samples: BoundsSample) -> Judged:
    nothing = Prediction(
        fps=10, width_px=200, height_px=50, frame_times_s=np.arange(FRAMES + 1) / 10,
        tracks=(), identities=(), cuts=(5,),
    )  # fmt: skip
    made: Evaluation = evaluate(read_truth(truth_document()), nothing)
    return Judged(seed, replace(made, bounds_samples=samples))


INSIDE = BoundsSample(truth_s=2.0, low_s=1.5, high_s=2.5, estimate_s=2.0)
TOO_LOW = BoundsSample(truth_s=2.0, low_s=0.5, high_s=1.5, estimate_s=1.0)
TOO_HIGH = BoundsSample(truth_s=2.0, low_s=4.0, high_s=5.0, estimate_s=4.5)


def test_bounds_are_judged_over_the_people_of_all_episodes_together() -> None:
    row = aggregate("scrfd", "faces", [judged(7, INSIDE, TOO_LOW), judged(8, INSIDE, INSIDE)])

    assert row["bounds"]["samples"] == 4
    assert row["bounds"]["coverage"] == 0.75
    assert row["bounds"]["median_relative_width"] == 0.5
    assert row["recall"] == 0
    assert set(row["each"]) == {"7", "8"}


def test_who_lies_outside_of_the_bounds_is_told_the_farthest_first() -> None:
    misses = outside([judged(7, TOO_LOW, INSIDE), judged(8, TOO_HIGH)])

    assert [(m["episode"], m["off_s"]) for m in misses] == [(8, 2.0), (7, 0.5)]


def test_without_bounds_nothing_is_judged_and_the_rest_is_told() -> None:
    row = aggregate("scrfd", "faces", [judged(7)])
    composed = {"seed": 7, "episodes": 1, "seconds": 1.0, "rows": [row]}

    assert row["bounds"] is None
    assert judge_composed(composed) == []
    assert composed_lines(composed)[2].startswith("scrfd faces")


def test_other_episodes_are_not_compared() -> None:
    def result(seed: int, *samples: BoundsSample) -> dict[str, object]:
        row = aggregate("scrfd", "faces", [judged(seed, *samples)])
        return {"composed": {"seed": seed, "episodes": 1, "rows": [row]}}

    now = result(7, INSIDE)
    now["composed"]["rows"][0]["recall"] = 0.5  # type: ignore[index]

    assert [c.place for c in changes(result(7, INSIDE), now)] == ["composed scrfd faces"]
    assert changes(result(8, INSIDE), now) == []


def test_an_episode_is_drawn_once_and_again_when_the_code_that_draws_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []

    def draw(seed: int, clips: Path | None = None) -> Episode:
        drawn.append(seed)
        return two_short_shots(seed)

    monkeypatch.setattr(episodes, "sampled_episode", draw)
    first = composed_once(3, None, tmp_path)

    assert composed_once(3, None, tmp_path) == first
    assert first.truth()["frames"] == 48
    assert drawn == [3]
    monkeypatch.setattr(episodes, "drawn_by", lambda: "0" * 64)
    assert composed_once(3, None, tmp_path) != first
    assert drawn == [3, 3]


@pytest.mark.models
def test_an_episode_is_run_for_faces_alone_and_with_bodies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(episodes, "sampled_episode", two_short_shots)

    composed = measure_composed(
        Sampling(1, 5), variants("lite", "lite", "balanced"), tmp_path / "videos",
        tmp_path / "data", lambda line: None,
    )  # fmt: skip

    faces, bodies = composed["rows"]
    assert (faces["who"], bodies["who"]) == ("faces", "bodies")
    assert faces["recall"] == bodies["recall"] > 0.5
    assert faces["cut_f1"] == 1
    # Everybody at the table and the one before the lamp.
    assert faces["bounds"]["samples"] > 2
    assert list(faces["each"]) == ["5"]
