"""The product and the naive peer on the labelled clips, each run in a process of its own.

The peer looks for faces alone, so the product does here too (as in the comparison of speed),
unless bodies are asked for; then no stated bounds can be judged, since the clips' labels say
nothing of bodies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contestants import FACES_ONLY, Setup, naive_output, run_naive, run_product
from benchmarks.quality.figures import Row, figures_of
from benchmarks.quality.scoring import (
    naive_prediction,
    product_prediction,
    score,
)
from screenalytics_assets.cli.evaluate import load_truth
from screenalytics_assets.stores import Stores
from screenalytics_core.evaluation.verdict import Evaluation
from screenalytics_core.run_record import RunRecord

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """A clip, its truth, and its place among all of them."""

    video: Path
    truth: Path
    number: int

    @property
    def name(self) -> str:
        """How it is called in results."""
        return self.video.stem


@dataclass(frozen=True, slots=True)
class Contest:
    """Models under a name, and who runs with them."""

    name: str
    setup: Setup
    with_naive: bool = True
    with_bodies: bool = False


@dataclass(frozen=True, slots=True)
class ClipRun:
    """A row of the results, and for the product what its run was bound to."""

    row: Row
    record: RunRecord | None = None


def run_clips(contest: Contest, clips: Sequence[LabelledClip], tell: Tell) -> Iterator[ClipRun]:
    """Run and score everybody on every clip; each row is told as soon as it is there.

    Raises:
        BenchError: A run failed, or scorer and evaluation disagree.
    """
    for clip in clips:
        run = _run_product(contest, clip)
        tell(_told(run.row))
        yield run
        if contest.with_naive:
            row = _run_naive(contest, clip)
            tell(_told(row))
            yield ClipRun(row)


def _told(row: Row) -> str:
    return (
        f"{row['setup']} {row['who']} {row['clip']}: B-cubed F1 {row['bcubed_f1']}, "
        f"error {row['tolerant_error_percent']} %, {row['cpu_s']} s CPU"
    )


def _run_product(contest: Contest, clip: LabelledClip) -> ClipRun:
    root = f"quality-{contest.name}"
    given = () if contest.with_bodies else FACES_ONLY
    run = run_product(contest.setup, clip.video, root, clip.number, given)
    ep_id, run_id = run.result["ep_id"], run.result["run_id"]
    data_root = contest.setup.work / "product" / root
    evaluation = score(clip.truth, *product_prediction(data_root, ep_id, run_id))
    record = Stores.open(data_root).runs.require(ep_id, run_id)
    return ClipRun(_row(contest, "product", clip, evaluation, run.measured.cpu_s), record)


def _run_naive(contest: Contest, clip: LabelledClip) -> Row:
    out = f"quality-{contest.name}-{clip.name}"
    measured = run_naive(contest.setup, clip.video, out)
    said = naive_prediction(naive_output(contest.setup, out), load_truth(clip.truth))
    return _row(contest, "naive", clip, score(clip.truth, *said), measured.cpu_s)


def _row(
    contest: Contest, who: str, clip: LabelledClip, evaluation: Evaluation, cpu_s: float
) -> Row:
    figures = figures_of(evaluation.to_dict())
    return {
        "setup": contest.name,
        "who": who,
        "clip": clip.name,
        **{k: round(v, 4) if isinstance(v, float) else v for k, v in figures.items()},
        "cpu_s": round(cpu_s, 2),
    }


def facts_of(record: RunRecord) -> dict[str, Any]:
    """Return which models and settings a run had; where the models lie does not matter."""
    return {
        "models": {
            f["role"]: {"name": f["name"], "sha256": f["sha256"]} for f in record.models["files"]
        },
        "calibration": record.models["calibration"],
        "settings_sha256": record.settings_hash,
    }


def sha256_of_file(path: Path) -> str:
    """Return the sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
