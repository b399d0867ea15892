"""Thresholds by measurement: which tracks count, what is compared, what is proposed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.calibrate import (
    equal_error,
    found_and_right,
    joined_at,
    likeness,
    main,
    people_of_tracks,
    table,
)
from screenalytics_core.evaluation.truth import read_truth

ANNA_BOX, BEN_BOX, WALL = [10, 10, 30, 30], [60, 10, 80, 30], [110, 10, 130, 30]


def truth_document(**changed: Any) -> dict[str, Any]:
    faces = [
        {"frame_idx": f, "person": person, "bbox_xyxy": box}
        for f in range(0, 10, 2)
        for person, box in (("Anna", ANNA_BOX), ("Ben", BEN_BOX))
    ]
    everywhere = {"Anna": [[0, 9]], "Ben": [[0, 9]]}
    return {
        "clip": "c", "fps": 25, "frames": 10, "width": 160, "height": 90, "cuts": [],
        "persons": {"Anna": {"main": True}, "Ben": {"main": True}},
        "labelled_frames": list(range(0, 10, 2)), "faces": faces, "visible": everywhere,
    } | changed  # fmt: skip


def track(track_id: int, box: list[int], first: int = 0, last: int = 9) -> dict[str, Any]:
    return {"track_id": track_id, "frame_idxs": [first, last], "bboxes_xyxy": [box, box]}


def rep(track_id: int, *direction: float, clarity: float = 1.0) -> dict[str, Any]:
    vector = np.zeros(512)
    vector[: len(direction)] = direction
    vector /= np.linalg.norm(vector)
    return {"track_id": track_id, "embedding": vector.tolist(), "clarity": clarity}


def detection(frame_idx: int, box: list[int], confidence: float) -> dict[str, Any]:
    return {"frame_idx": frame_idx, "bbox_xyxy": box, "confidence": confidence}


def test_a_track_is_whose_face_it_lies_on_and_nobodys_where_it_lies_on_two() -> None:
    switching = {"track_id": 3, "frame_idxs": [0, 3, 6, 9],
                 "bboxes_xyxy": [ANNA_BOX, ANNA_BOX, BEN_BOX, BEN_BOX]}  # fmt: skip
    truth = read_truth(truth_document())

    assert people_of_tracks(truth, [track(1, ANNA_BOX), track(2, BEN_BOX), track(9, WALL)]) == {
        1: "Anna", 2: "Ben",
    }  # fmt: skip
    assert people_of_tracks(truth, [switching]) == {}


def test_hard_faces_calibrate_nothing() -> None:
    hard = [face | {"hard": True} for face in truth_document()["faces"]]

    assert people_of_tracks(read_truth(truth_document(faces=hard)), [track(1, ANNA_BOX)]) == {}


def test_likeness_is_cosine_times_clarity() -> None:
    people = {1: "Anna", 2: "Anna", 3: "Ben"}
    reps = [rep(1, 1), rep(2, 1, clarity=0.8), rep(3, 0.6, 0.8), rep(4, 1)]

    found = likeness(people, reps)

    assert found.same.tolist() == pytest.approx([0.8])
    assert sorted(found.strangers) == pytest.approx([0.48, 0.6])
    assert sorted(found.own) == pytest.approx([0.8, 1.0])
    assert sorted(found.others) == pytest.approx([0.48, 0.6, 0.6])


def test_detections_are_counted_from_the_confidence_up_on_frames_that_were_looked_at() -> None:
    truth = read_truth(truth_document())
    detections = [
        detection(0, ANNA_BOX, 0.9), detection(0, BEN_BOX, 0.5), detection(0, WALL, 0.6),
        detection(4, ANNA_BOX, 0.4),
    ]  # fmt: skip

    assert found_and_right(truth, detections, 0.3) == (3, 4, 1)
    assert found_and_right(truth, detections, 0.55) == (1, 4, 1)
    assert found_and_right(truth, detections, 0.7) == (1, 4, 0)


def test_the_proposals_are_the_strangers_tail_and_the_equal_error() -> None:
    assert joined_at(np.linspace(0, 1, 101)) == pytest.approx(0.99)
    own, others = np.linspace(0.4, 1, 100), np.linspace(-0.2, 0.6, 100)

    middle = equal_error(own, others)

    assert (own < middle).mean() == pytest.approx((others >= middle).mean(), abs=0.02)


def written(
    folder: Path, truth: dict[str, Any], tracks: list[dict[str, Any]], reps: list[dict[str, Any]]
) -> tuple[Path, Path]:
    """A truth file and the folder of a run that found both people on every frame."""
    run = folder / "run"
    run.mkdir()
    files = {
        "tracks.jsonl": tracks,
        "track_reps.jsonl": reps,
        "detections.jsonl": [detection(f, b, 0.9) for f in range(10) for b in (ANNA_BOX, BEN_BOX)],
    }
    for name, rows in files.items():
        (run / name).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    path = folder / "truth.json"
    path.write_text(json.dumps(truth), "utf-8")
    return path, run


TRACKS = [track(1, ANNA_BOX, 0, 4), track(2, ANNA_BOX, 5, 9), track(3, BEN_BOX)]
REPS = [rep(1, 1), rep(2, 1), rep(3, 0, 1)]


def test_the_table_is_made_of_a_runs_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth, run = written(tmp_path, truth_document(), TRACKS, REPS)

    lines = table([(truth, run)])

    assert lines[1].split() == ["0.3", "1.000", "1.000"]
    assert lines[8].split() == ["0.95", "0.000", "0.000"]
    assert "same (1)  strangers (2)" in lines[9]
    assert lines[-2] == "one stranger in a hundred: cluster_thresh 0.00"
    assert main([f"{truth}={run}"]) == 0
    assert capsys.readouterr().out.splitlines() == "\n".join(lines).splitlines()


NOBODY = {"faces": [], "persons": {}, "visible": {}}
ANNA_ALONE = {
    "faces": [f for f in truth_document()["faces"] if f["person"] == "Anna"],
    "persons": {"Anna": {"main": True}}, "visible": {"Anna": [[0, 9]]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "tracks", "said"),
    [
        pytest.param(NOBODY, TRACKS, "no clear face", id="nobody"),
        pytest.param(ANNA_ALONE, TRACKS, "no two people", id="one person"),
        pytest.param(
            {}, [track(1, ANNA_BOX), track(3, BEN_BOX)], "nobody with two", id="once each"
        ),
    ],
)
def test_runs_that_show_too_little_are_told_what_they_lack(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, Any],
    tracks: list[dict[str, Any]],
    said: str,
) -> None:
    truth, run = written(tmp_path, truth_document(**changed), tracks, REPS)

    assert main([f"{truth}={run}"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"truth.json: {said}")
    assert line.endswith("add runs of clips that show several people, each more than once")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{truth}", "{truth}: is no TRUTH=RUN_FOLDER: write "),
        ("{truth}=", "{truth}=: is no TRUTH=RUN_FOLDER: write "),
        ("={run}", "={run}: is no TRUTH=RUN_FOLDER: write "),
        ("{truth}={run}/elsewhere", "{run}/elsewhere: holds no tracks.jsonl and no "),
        ("{run}={run}", "truth file {run}: cannot be read"),
        ("{run}/tracks.jsonl={run}", "truth file {run}/tracks.jsonl: is no JSON"),
    ],
)
def test_an_argument_that_cannot_be_used_is_named_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str, said: str
) -> None:
    truth, run = written(tmp_path, truth_document(), TRACKS, REPS)

    assert main([given.format(truth=truth, run=run)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(said.format(truth=truth, run=run))


def test_a_file_of_a_run_that_is_broken_is_named_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth, run = written(tmp_path, truth_document(), TRACKS, REPS)
    (run / "track_reps.jsonl").write_text("{", "utf-8")

    assert main([f"{truth}={run}"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{run / 'track_reps.jsonl'}: cannot be read")
