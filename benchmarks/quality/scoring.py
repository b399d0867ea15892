"""A run held against the truth, by the product's own evaluation and by the scorer beside it.

The scorer counts frames and divides by a rate: it gets the run's own, since a truth may round it
(23.98 for 24000/1001). Where frames stay unevenly long, that is no measure of seconds, so those
are not held against each other then.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.material import SHARED
from benchmarks.processes import measure
from screenalytics_assets.cli.evaluate import load_truth, prediction_of_run
from screenalytics_assets.stores import Stores
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.evaluation.evaluate import evaluate
from screenalytics_core.evaluation.prediction import (
    Identity,
    Prediction,
    track_boxes,
)
from screenalytics_core.evaluation.truth import Truth
from screenalytics_core.evaluation.verdict import Evaluation
from screenalytics_core.storage.data_root import DataRoot

SCORER: Final = SHARED / "tools" / "score.py"
# The scorer prints four decimals.
_ROUNDING: Final = 1e-4
# Seconds of the evaluation have six decimals; frames that are off by less are even for it.
_EVEN_S: Final = 1e-6
_SECONDS: Final = ("_s", "_percent_of_clip", "time_iou")


@dataclass(frozen=True, slots=True)
class Files:
    """What the scorer reads of a run; `shots` is None where nobody looked for cuts."""

    tracks: Path
    identities: Path
    shots: Path | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """The evaluation of a run, beside what the scorer says.

    Attributes:
        disagreements: Figures that the scorer has otherwise, a line each.
        has_even_frames: False where the scorer's seconds were left out.
    """

    evaluation: Evaluation
    disagreements: tuple[str, ...] = ()
    has_even_frames: bool = True


def score(truth_path: Path, prediction: Prediction, files: Files) -> Scored:
    """Return the evaluation of a run; without a scorer nothing disagrees.

    Raises:
        BenchError: The scorer fails.
        TruthError: The truth cannot be read, or is of another video.
    """
    truth = load_truth(truth_path)
    evaluation = evaluate(truth, prediction)
    if not SCORER.is_file():
        return Scored(evaluation)
    is_even = has_even_frames(prediction)
    # The scorer looks for the cuts of a truth whenever it is given shots.
    asked = files if truth.cuts is not None else replace(files, shots=None)
    said = ask_scorer(truth_path, asked, prediction.fps)
    said = said if is_even else without_seconds(said)
    return Scored(evaluation, tuple(disagreements(said, evaluation.to_dict())), is_even)


def has_even_frames(prediction: Prediction) -> bool:
    """Return whether every frame stays as long as the run's average rate says."""
    times_s = prediction.frame_times_s
    even_s = times_s[0] + np.arange(len(times_s)) / prediction.fps
    return bool(np.abs(times_s - even_s).max() <= _EVEN_S)


def without_seconds(figures: Any) -> Any:
    """Return a part of the scorer's document without what it counted in frames over a rate."""
    if isinstance(figures, Mapping):
        return {k: without_seconds(v) for k, v in figures.items() if not k.endswith(_SECONDS)}
    return [without_seconds(v) for v in figures] if isinstance(figures, list) else figures


def ask_scorer(truth_path: Path, files: Files, fps: float) -> dict[str, Any]:
    """Return what the scorer prints, at the run's frame rate."""
    command = [sys.executable, str(SCORER), "--truth", str(truth_path), "--fps", str(fps)]
    command += ["--tracks", str(files.tracks), "--identities", str(files.identities)]
    command += ["--shots", str(files.shots)] if files.shots else []
    printed: dict[str, Any] = json.loads(measure(command).stdout)
    return printed


def disagreements(scorer: Any, ours: Any, place: str = "") -> Iterator[str]:
    """Yield each figure of the scorer that the evaluation has otherwise, or not at all."""
    if isinstance(scorer, Mapping) and isinstance(ours, Mapping):
        for key, value in scorer.items():
            name = f"{place}.{key}" if place else str(key)
            if key in ours:
                yield from disagreements(value, ours[key], name)
            else:
                yield f"{name}: {value} by the scorer, nothing by the evaluation"
    elif isinstance(scorer, list) and isinstance(ours, Sequence) and len(scorer) == len(ours):
        for at, value in enumerate(scorer):
            yield from disagreements(value, ours[at], f"{place}[{at}]")
    elif not _equal(scorer, ours):
        yield f"{place}: {scorer} by the scorer, {ours} by the evaluation"


def _equal(scorer: Any, ours: Any) -> bool:
    if _is_number(scorer) and _is_number(ours):
        return bool(abs(scorer - ours) <= _ROUNDING)
    return bool(scorer == ours)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def product_prediction(data_root: DataRoot, ep_id: str, run_id: str) -> tuple[Prediction, Files]:
    """Return what a run of the product says, and the files that say it."""
    stores = Stores.open(data_root)

    def path(kind: ArtifactKind) -> Path:
        return stores.require(ep_id, run_id, kind).fetch()

    kinds = (ArtifactKind.TRACKS, ArtifactKind.IDENTITIES, ArtifactKind.SHOTS)
    return prediction_of_run(stores, ep_id, run_id), Files(*(path(kind) for kind in kinds))


def naive_prediction(folder: Path, truth: Truth) -> tuple[Prediction, Files]:
    """Return what the naive peer says, and its files; it knows frames alone, no timestamps."""
    files = Files(folder / "tracks.jsonl", folder / "identities.json")
    tracks = [json.loads(line) for line in files.tracks.read_text(encoding="utf-8").splitlines()]
    document = json.loads(files.identities.read_text(encoding="utf-8"))
    prediction = Prediction(
        fps=truth.fps,
        width_px=truth.width_px,
        height_px=truth.height_px,
        frame_times_s=np.arange(truth.frame_count + 1) / truth.fps,
        tracks=tuple(track_boxes(t["track_id"], t["frame_idxs"], t["bboxes_xyxy"]) for t in tracks),
        identities=tuple(
            Identity(i["identity_id"], tuple(i["track_ids"])) for i in document["identities"]
        ),
    )
    return prediction, files
