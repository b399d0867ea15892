"""A run held against the truth, by the product's own evaluation and by the scorer beside it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.material import SHARED
from benchmarks.processes import BenchError, measure
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


@dataclass(frozen=True, slots=True)
class Files:
    """What the scorer reads of a run; `shots` is None where nobody looked for cuts."""

    tracks: Path
    identities: Path
    shots: Path | None = None


def score(truth_path: Path, prediction: Prediction, files: Files) -> Evaluation:
    """Return the evaluation of a run.

    Raises:
        BenchError: The scorer says otherwise.
    """
    evaluation = evaluate(load_truth(truth_path), prediction)
    if SCORER.is_file():
        differences = [*disagreements(ask_scorer(truth_path, files), evaluation.to_dict())]
        if differences:
            raise BenchError(
                f"{truth_path.stem}: the scorer and the evaluation disagree:\n"
                + "\n".join(differences[:20])
            )
    return evaluation


def ask_scorer(truth_path: Path, files: Files) -> dict[str, Any]:
    """Return what the scorer prints."""
    command = [sys.executable, str(SCORER), "--truth", str(truth_path)]
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
