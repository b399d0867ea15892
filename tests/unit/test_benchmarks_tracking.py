"""The tracking bench's own parts: what it reads, what it fills in, and how it counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.material import SHARED
from benchmarks.mot import Boxes, filled, read_mot, score_mot
from benchmarks.processes import BenchError
from benchmarks.tracking import bytetrack_boxes, product_boxes

TUD_CAMPUS = SHARED / "tracking" / "TUD-Campus"


def walking(frames: list[int], x: float = 0.0, number: int = 1) -> Boxes:
    """A box of 40 x 100 px that goes 2 px to the right per frame."""
    at = np.array(frames)
    left = x + 2.0 * at
    bboxes = np.stack([left, np.zeros(len(at)), left + 40, np.full(len(at), 100.0)], axis=1)
    return Boxes(at, np.full(len(at), number), bboxes, np.full(len(at), 0.9))


def both(first: Boxes, second: Boxes) -> Boxes:
    columns = [np.concatenate(pair) for pair in zip(first, second, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return Boxes(*(column[order] for column in columns))


def test_a_row_of_a_file_is_a_box_by_its_corners_on_a_frame_from_zero(tmp_path: Path) -> None:
    path = tmp_path / "det.txt"
    path.write_text("2,-1,10,20,30,40,0.5,-1,-1,-1\n1,-1,1.5,2,3,4,0.25,-1,-1,-1\n")

    made = read_mot(path)

    assert made.frames.tolist() == [0, 1]
    assert made.ids.tolist() == [-1, -1]
    assert made.bboxes_xyxy.tolist() == [[1.5, 2, 4.5, 6], [10, 20, 40, 60]]
    assert made.confidences.tolist() == [0.25, 0.5]


def test_a_file_of_one_row_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "gt.txt"
    path.write_text("1,7,0,0,10,10,1,-1,-1,-1\n")

    assert read_mot(path).ids.tolist() == [7]


@pytest.mark.parametrize(
    ("max_gap", "frames"),
    [
        pytest.param(4, [0, 1, 2, 3, 4, 5], id="filled"),
        pytest.param(3, [0, 1, 5], id="too long to be filled"),
        pytest.param(0, [0, 1, 5], id="nothing is filled"),
    ],
)
def test_a_gap_is_filled_on_the_straight_line_if_it_is_short_enough(
    max_gap: int, frames: list[int]
) -> None:
    made = filled({3: walking([0, 1, 5])}, max_gap)

    assert made.frames.tolist() == frames
    assert set(made.ids.tolist()) == {3}
    assert made.bboxes_xyxy == pytest.approx(walking(frames).bboxes_xyxy)


def test_nothing_followed_is_no_box_at_all() -> None:
    assert len(filled({}, 5).frames) == 0


def test_the_truth_scores_one_against_itself() -> None:
    truth = both(walking([0, 1, 2, 3]), walking([1, 2, 3], x=200, number=2))

    assert score_mot(truth, truth) == pytest.approx(
        {"mota": 1.0, "idf1": 1.0, "hota": 1.0, "switches": 0}
    )


def test_a_name_that_changes_half_way_is_one_switch_and_half_of_the_identity() -> None:
    truth = walking([0, 1, 2, 3])
    made = both(walking([0, 1], number=5), walking([2, 3], number=6))

    scores = score_mot(truth, made)

    assert scores["switches"] == 1
    assert scores["mota"] == pytest.approx(1 - 1 / 4)
    assert scores["idf1"] == pytest.approx(2 * 2 / (4 + 4))


def test_a_missed_and_a_false_box_are_two_errors() -> None:
    truth = walking([0, 1, 2, 3])

    scores = score_mot(truth, walking([0, 1, 2, 3]).where(np.arange(4) > 0))
    assert scores["mota"] == pytest.approx(1 - 1 / 4)
    false = both(truth, walking([2], x=300, number=9))
    assert score_mot(truth, false)["mota"] == pytest.approx(1 - 1 / 4)


def test_a_published_scorer_that_says_otherwise_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("benchmarks.mot._by_motmetrics", lambda _: {"mota": 1.0, "switches": 1})

    with pytest.raises(BenchError, match=r"'switches': 1.* by the published scorers"):
        score_mot(walking([0, 1]), walking([0, 1]))


def test_nobody_followed_is_scored_as_everybody_missed() -> None:
    made = filled({}, 5)

    assert score_mot(walking([0, 1]), made) == {"mota": 0, "idf1": 0, "hota": 0, "switches": 0}


@pytest.mark.parametrize("looks", [[0, 1, 2, 3, 4, 5, 6], [0, 2, 4, 6]])
def test_both_contestants_follow_two_people_and_fill_in_what_was_not_looked_at(
    looks: list[int],
) -> None:
    everybody = both(walking([*range(7)]), walking([*range(7)], x=300, number=2))
    seen = everybody.where(np.isin(everybody.frames, looks))
    unnamed = seen._replace(ids=np.full(len(seen.ids), -1))

    ours = product_boxes(unnamed, np.array(looks))
    peers = bytetrack_boxes(unnamed, np.array(looks), {}, max_gap=2)

    assert score_mot(everybody, ours)["mota"] == 1.0
    # It names a box from the second time on that it sees it.
    assert sorted(set(peers.frames.tolist())) == [*range(looks[1], 7)]
    assert len(set(peers.ids.tolist())) == 2


@pytest.mark.shared
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_begun_at_the_same_confidence_the_product_is_ahead_of_bytetrack(stride: int) -> None:
    if not TUD_CAMPUS.is_dir():
        pytest.skip("the benchmark does not lie beside the checkout")
    truth, found = read_mot(TUD_CAMPUS / "gt.txt"), read_mot(TUD_CAMPUS / "det.txt")
    looks = np.unique([*range(0, 71, stride), 70])
    seen = found.where(np.isin(found.frames, looks))

    ours = score_mot(truth, product_boxes(seen, looks, body_thresh=0.7))
    peers = score_mot(truth, bytetrack_boxes(seen, looks, {}, stride))

    assert ours["mota"] >= peers["mota"]
    assert ours["idf1"] >= peers["idf1"]
