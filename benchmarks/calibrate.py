"""Measures a pack's own thresholds on labelled runs: `python -m benchmarks.calibrate`.

Each argument is a truth file and the folder of a run of that clip, with the pack in question:

    python -m benchmarks.calibrate truth/a.json=data/manifests/a/runs/RUN ...

What it prints belongs into `vision/models/packs.py`: use more clips than you tune on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.processes import BenchError
from screenalytics_assets.cli.evaluate import load_truth
from screenalytics_core.errors import ScreenalyticsError
from screenalytics_core.evaluation.prediction import Prediction, TrackBoxes
from screenalytics_core.evaluation.scene import labelled_frames
from screenalytics_core.evaluation.truth import Truth

Array = NDArray[np.float64]
DET_STEPS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
# A track that is less of one person, or mostly hard to see, says nothing about likeness.
PURE_PART = 0.9
CLEAR_PART = 0.5
RUN_FILES = ("tracks.jsonl", "track_reps.jsonl", "detections.jsonl")
# Strangers that may be as alike as two tracks that are joined.
STRANGERS_JOINED = 0.01


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike tracks are, as `identities` compares them.

    Attributes:
        same: Similarity of each two tracks of one person; `strangers`: of two people.
        own: Of each track to the centre of its person's other tracks; `others`: to those of
            other people.
    """

    same: Array
    strangers: Array
    own: Array
    others: Array


def runs_of(given: Sequence[str]) -> list[tuple[Path, Path]]:
    """Return truth files and folders of runs, as the command line names them.

    Raises:
        BenchError: An argument is no pair, or its folder is none of a run.
    """
    pairs = []
    for pair in given:
        truth, is_pair, run = pair.partition("=")
        if not (is_pair and truth and run):
            raise BenchError(
                f"{pair}: is no TRUTH=RUN_FOLDER: write truth/a.json=data/manifests/a/runs/RUN"
            )
        missing = [name for name in RUN_FILES if not (Path(run) / name).is_file()]
        if missing:
            raise BenchError(
                f"{run}: holds no {' and no '.join(missing)}: name the folder of a finished run, "
                "data/manifests/EPISODE/runs/RUN"
            )
        pairs.append((Path(truth), Path(run)))
    return pairs


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Read a JSONL file.

    Raises:
        BenchError: It cannot be read.
    """
    try:
        return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]
    except (OSError, ValueError) as error:
        raise BenchError(f"{path}: cannot be read: {error}: run the clip anew") from error


def boxes_of(row: dict[str, Any], id_: int) -> TrackBoxes:
    """Return a row of tracks.jsonl, or of detections.jsonl as a track of one frame."""
    frames = row.get("frame_idxs") or [row["frame_idx"]]
    boxes = row.get("bboxes_xyxy") or [row["bbox_xyxy"]]
    return TrackBoxes(id_, np.array(frames, np.int64), np.array(boxes, np.float64))


def seen(truth: Truth, boxes: Iterable[TrackBoxes]) -> Prediction:
    """Return boxes as a run of which nothing else is known."""
    times_s = np.arange(truth.frame_count + 1) / truth.fps
    return Prediction(truth.fps, truth.width_px, truth.height_px, times_s, tuple(boxes), ())


def people_of_tracks(truth: Truth, tracks: Sequence[dict[str, Any]]) -> dict[int, str]:
    """Return track_id -> person, of tracks that show one person, mostly well."""
    shown: defaultdict[int, Counter[str]] = defaultdict(Counter)
    clear: Counter[int] = Counter()
    for frame in labelled_frames(truth, seen(truth, (boxes_of(t, t["track_id"]) for t in tracks))):
        for row, face in enumerate(frame.faces):
            track_id = frame.found_by(row)
            if track_id is not None:
                shown[track_id][face.person] += 1
                clear[track_id] += face.is_clear
    people = {}
    for track_id, persons in shown.items():
        person, frames = persons.most_common(1)[0]
        total = persons.total()
        if frames >= PURE_PART * total and clear[track_id] >= CLEAR_PART * total:
            people[track_id] = person
    return people


def likeness(people: dict[int, str], reps: Sequence[dict[str, Any]]) -> Likeness:
    """Compare all tracks of one clip."""
    known = [rep for rep in reps if rep["track_id"] in people]
    names = np.array([people[rep["track_id"]] for rep in known])
    vectors = np.array([np.array(r["embedding"]) * r["clarity"] for r in known]).reshape(-1, 512)
    alike, is_same = vectors @ vectors.T, names[:, None] == names[None, :]
    upper = np.triu(np.ones_like(is_same), 1)
    own: list[float] = []
    others: list[float] = []
    for row, name in enumerate(names):
        for person in sorted(set(names)):
            members = np.flatnonzero((names == person) & (np.arange(len(names)) != row))
            if len(members):
                centre = vectors[members].mean(axis=0)
                value = vectors[row] @ centre / np.linalg.norm(centre)
                (own if person == name else others).append(value)
    return Likeness(
        alike[is_same & upper], alike[~is_same & upper], np.array(own), np.array(others)
    )


def found_and_right(
    truth: Truth, detections: Sequence[dict[str, Any]], det_thresh: float
) -> tuple[int, int, int]:
    """Return clear faces found, clear faces, and boxes on no face, at a minimum confidence."""
    strong = [d for d in detections if d["confidence"] >= det_thresh]
    looked_at = {d["frame_idx"] for d in detections}
    frames = labelled_frames(truth, seen(truth, (boxes_of(d, n) for n, d in enumerate(strong))))
    found = faces = wrong = 0
    for frame in frames:
        if frame.frame_idx in looked_at:
            clear = [row for row, face in enumerate(frame.faces) if face.is_clear]
            faces += len(clear)
            found += sum(row in frame.track_of for row in clear)
            matched = np.isin(np.arange(len(frame.track_ids)), list(frame.track_of.values()))
            wrong += int((~matched & ~frame.is_ignored).sum())
    return found, faces, wrong


def joined_at(strangers: Array) -> float:
    """Return the similarity that one pair of strangers in a hundred reaches."""
    return float(np.quantile(strangers, 1 - STRANGERS_JOINED))


def equal_error(own: Array, others: Array) -> float:
    """Return the similarity below which as many of a person's own lie as others lie above."""
    steps = np.unique(np.concatenate([own, others]))
    errors = [abs((own < step).mean() - (others >= step).mean()) for step in steps]
    return float(steps[int(np.argmin(errors))])


def table(runs: Sequence[tuple[Path, Path]]) -> list[str]:
    """Return what is measured, line by line.

    Raises:
        BenchError: The runs show too little: no clear face, no two people, nobody twice.
        TruthError: A truth file is wrong.
    """
    parts: list[Likeness] = []
    counts = np.zeros((len(DET_STEPS), 3))
    for truth_path, run in runs:
        truth = load_truth(truth_path)
        people = people_of_tracks(truth, rows_of(run / "tracks.jsonl"))
        parts.append(likeness(people, rows_of(run / "track_reps.jsonl")))
        detections = rows_of(run / "detections.jsonl")
        counts += [found_and_right(truth, detections, step) for step in DET_STEPS]
    same, strangers = (
        np.concatenate([getattr(p, n) for p in parts]) for n in ("same", "strangers")
    )
    own, others = (np.concatenate([getattr(p, n) for p in parts]) for n in ("own", "others"))
    _check_enough(runs, counts, strangers, own)
    lines = ["det_thresh   recall  precision"]
    for step, (found, faces, wrong) in zip(DET_STEPS, counts, strict=True):
        lines.append(f"{step:<12} {found / faces:6.3f}  {found / max(found + wrong, 1):9.3f}")
    lines.append(f"\ncluster_thresh   same ({len(same)})  strangers ({len(strangers)})")
    lines += [
        f"{step:<16.2f} {(same >= step).mean():9.3f}  {(strangers >= step).mean():9.3f}"
        for step in np.arange(0.16, 0.42, 0.04)
    ]
    lines.append(f"one stranger in a hundred: cluster_thresh {joined_at(strangers):.2f}")
    lines.append(f"equal error: min_identity_sim {equal_error(own, others):.2f}")
    return lines


def _check_enough(
    runs: Sequence[tuple[Path, Path]], counts: Array, strangers: Array, own: Array
) -> None:
    lacks = (
        (counts[:, 1].any(), "no clear face on a frame that was looked at"),
        (len(strangers), "no two people of one clip with a track each that is theirs alone"),
        (len(own), "nobody with two tracks that are theirs alone"),
    )
    for found, what in lacks:
        if not found:
            names = ", ".join(truth.name for truth, _ in runs)
            raise BenchError(
                f"{names}: {what}: nothing to measure thresholds by; add runs of clips that "
                "show several people, each more than once"
            )


def main(given: Sequence[str] | None = None) -> int:
    """Measure and print; return 0, or 1 if it cannot be measured."""
    parser = argparse.ArgumentParser(
        description="Measures a pack's own thresholds on labelled runs.", prog="calibrate"
    )
    parser.add_argument("runs", nargs="+", metavar="TRUTH=RUN_FOLDER")
    try:
        lines = table(runs_of(parser.parse_args(given).runs))
    except (BenchError, ScreenalyticsError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
