"""The product and the naive peer on the labelled clips, each run in a process of its own.

The peer looks for faces alone, so the product does here too (as in the comparison of speed),
unless bodies are asked for; then no stated bounds can be judged, since the clips' labels say
nothing of bodies. What goes wrong on one clip is kept for the end: the others have cost minutes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.contestants import FACES_ONLY, Setup, naive_output, run_naive, run_product
from benchmarks.processes import BenchError
from benchmarks.quality.figures import Row, figures_of
from benchmarks.quality.scoring import (
    Scored,
    naive_prediction,
    product_prediction,
    score,
)
from screenalytics_assets.cli.evaluate import load_truth
from screenalytics_assets.stores import Stores
from screenalytics_core.errors import ScreenalyticsError
from screenalytics_core.run_record import RunRecord

Tell = Callable[[str], None]
# Of one clip; the first ones name what is wrong.
_MOST_TOLD: Final = 20


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
    """A row of the results, and for the product what its run was bound to.

    Attributes:
        row: None where there was nothing to score.
        problems: Why the row is no result to keep, or why there is none; empty if all is well.
        remarks: What a reader must know beside the figures.
    """

    row: Row | None
    record: RunRecord | None = None
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def run_clips(contest: Contest, clips: Sequence[LabelledClip], tell: Tell) -> Iterator[ClipRun]:
    """Run and score everybody on every clip; each row is told as soon as it is there."""
    contestants = {"product": _run_product} | ({"naive": _run_naive} if contest.with_naive else {})
    for clip in clips:
        for who, run_one in contestants.items():
            name = f"{contest.name} {who} {clip.name}"
            try:
                run = run_one(contest, clip)
            except (BenchError, ScreenalyticsError) as error:
                run = ClipRun(None, problems=(f"{name}: {error}",))
            for line in (*((_told(run.row),) if run.row else ()), *run.problems, *run.remarks):
                tell(line)
            yield run


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
    scored = score(clip.truth, *product_prediction(data_root, ep_id, run_id))
    record = Stores.open(data_root).runs.require(ep_id, run_id)
    return _run_of(contest, "product", clip, scored, run.measured.cpu_s, record)


def _run_naive(contest: Contest, clip: LabelledClip) -> ClipRun:
    out = f"quality-{contest.name}-{clip.name}"
    measured = run_naive(contest.setup, clip.video, out)
    said = naive_prediction(naive_output(contest.setup, out), load_truth(clip.truth))
    return _run_of(contest, "naive", clip, score(clip.truth, *said), measured.cpu_s)


def _run_of(
    contest: Contest,
    who: str,
    clip: LabelledClip,
    scored: Scored,
    cpu_s: float,
    record: RunRecord | None = None,
) -> ClipRun:
    figures = figures_of(scored.evaluation.to_dict())
    row = {
        "setup": contest.name,
        "who": who,
        "clip": clip.name,
        **{k: round(v, 4) if isinstance(v, float) else v for k, v in figures.items()},
        "cpu_s": round(cpu_s, 2),
    }
    name = f"{contest.name} {who} {clip.name}"
    return ClipRun(row, record, problems_of(name, scored), remarks_of(name, scored))


def problems_of(name: str, scored: Scored) -> tuple[str, ...]:
    """Return what the scorer says otherwise, as one problem."""
    if not scored.disagreements:
        return ()
    told, more = scored.disagreements[:_MOST_TOLD], len(scored.disagreements) - _MOST_TOLD
    lines = [f"{name}: the scorer and the evaluation disagree:", *(f"  {line}" for line in told)]
    return ("\n".join([*lines, *([f"  and {more} more"] if more > 0 else [])]),)


def remarks_of(name: str, scored: Scored) -> tuple[str, ...]:
    """Say that the scorer's seconds were left out, where they were."""
    if scored.has_even_frames:
        return ()
    return (
        f"{name}: its frames stay unevenly long, which the scorer does not know: its seconds "
        "were not held against the evaluation's",
    )


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
