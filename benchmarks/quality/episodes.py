"""Composed episodes with exact truth: made once, run in this process, scored in aggregate.

Every episode is run for faces alone and with bodies, under one data root, so that what the
second shares with the first is computed once. The data root is new for every run of this
bench: results of earlier code are never reused. Videos are kept, under the hash of the code
that draws them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import benchmarks.composed
import screenalytics_core
from benchmarks.composed.compose import Composed, compose
from benchmarks.composed.sampling import sampled_episode
from benchmarks.processes import BenchError
from benchmarks.quality.arguments import MIXED
from benchmarks.quality.figures import Row, figures_of, mean_row
from benchmarks.quality.scoring import product_prediction
from screenalytics_assets.engine import PipelineStage, run_episode
from screenalytics_assets.settings import Settings
from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.evaluation.bounds import BoundsSample, calibration
from screenalytics_core.evaluation.evaluate import evaluate
from screenalytics_core.evaluation.prediction import Prediction
from screenalytics_core.evaluation.truth import read_truth
from screenalytics_core.evaluation.verdict import Evaluation
from screenalytics_core.stages import STAGE_PLAN

# Nobody looks at the pages, and loose pictures are not scored.
STAGES: Final = tuple(stage for stage in STAGE_PLAN if stage is not PipelineStage.PDF_EXPORT)
QUIET: Final = {"save_crops": False, "workers": 1}
VARIANTS: Final[dict[str, dict[str, Any]]] = {
    "faces": {"body_tracking": False},
    "bodies": {"body_tracking": True},
}
# Of each episode; the rest is in the means.
TOLD: Final = (
    "bcubed_f1", "recall", "precision", "tolerant_error_percent", "identity_count_error",
    "split", "cut_f1",
)  # fmt: skip
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which random episodes: `count` seeds from `seed` up, drawn from the demo's pictures.

    Attributes:
        clips: Folder of labelled clips to draw from as well; None = pictures alone.
    """

    count: int
    seed: int
    clips: Path | None = None

    @property
    def seeds(self) -> range:
        """The seeds, one per episode."""
        return range(self.seed, self.seed + self.count)


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of running all episodes."""

    setup: str
    who: str
    config: EpisodeRunConfig


@dataclass(frozen=True, slots=True)
class Judged:
    """One run of one episode."""

    seed: int
    evaluation: Evaluation


def variants(setup: str, models: str, profile: str) -> list[Variant]:
    """Return the ways in which the episodes are run with some models."""
    return [
        Variant(
            setup,
            who,
            EpisodeRunConfig.from_mapping({"models": models, **QUIET, **given}, profile),
        )
        for who, given in VARIANTS.items()
    ]


def measure_composed(
    sampling: Sampling, ways: Sequence[Variant], videos: Path, data_root: Path, tell: Tell
) -> dict[str, Any]:
    """Compose, run and score; return the part `composed` of the results.

    Args:
        videos: Kept: what is there already is not drawn again.
        data_root: Empty; on the same disk everything that is computed stays until the end.

    Raises:
        BenchError: A run failed.
    """
    judged: dict[tuple[str, str], list[Judged]] = {(w.setup, w.who): [] for w in ways}
    settings = replace(
        Settings.from_env(), data_root=data_root, dagster_home=data_root / ".dagster"
    )
    seconds = 0.0
    for seed in sampling.seeds:
        tell(f"episode {seed}")
        made = composed_once(seed, sampling.clips, videos)
        truth = read_truth(made.truth())
        seconds += truth.frame_count / truth.fps
        for way in ways:
            prediction = _run(f"composed-s01e{seed:04d}", made.video_path, way, settings)
            evaluation = evaluate(truth, prediction)
            judged[way.setup, way.who].append(Judged(seed, evaluation))
    return {
        "seed": sampling.seed,
        "episodes": sampling.count,
        "material": MIXED if sampling.clips else "pictures",
        "drawn_by": drawn_by(),
        "seconds": round(seconds, 1),
        "rows": [aggregate(setup, who, own) for (setup, who), own in judged.items()],
    }


def _run(ep_id: str, video: Path, way: Variant, settings: Settings) -> Prediction:
    result = run_episode(ep_id, video, way.config, stages=STAGES, settings=settings)
    if not result.success:
        raise BenchError(f"{video.name} {way.setup} {way.who}: {result.error}")
    return product_prediction(settings.data_root, ep_id, result.run_id)[0]


def composed_once(seed: int, clips: Path | None, videos: Path) -> Composed:
    """Return a composed episode; it is drawn if it is not there or was drawn by other code."""
    folder = videos / f"{'mixed' if clips else 'pictures'}-{drawn_by()[:12]}" / f"{seed:04d}"
    names = sorted(folder.glob("*.truth.json"))
    if names:
        return Composed(names[0].with_name(names[0].name.replace(".truth.json", ".mp4")), names[0])
    return compose(sampled_episode(seed, clips), folder)


def drawn_by() -> str:
    """Return a sha256 over the code that draws episodes."""
    core = Path(screenalytics_core.__file__).parent
    own = Path(benchmarks.composed.__file__).parent
    sources = [*sorted(own.glob("*.py")), *sorted(core.glob("demo*.py"))]
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()


def aggregate(setup: str, who: str, judged: Sequence[Judged]) -> Row:
    """Return means over episodes, the calibration of all bounds, and the figures of each one."""
    rows = [
        {
            "setup": setup,
            "who": who,
            "clip": str(one.seed),
            **figures_of(one.evaluation.to_dict()),
        }
        for one in judged
    ]
    samples = [sample for one in judged for sample in one.evaluation.bounds_samples]
    found = calibration(samples)
    means = _rounded(mean_row(rows))
    return {
        **means,
        "clip": "all",
        "bounds": None if found is None else _rounded(asdict(found)),
        "outside": outside(judged),
        "each": {row["clip"]: _rounded({k: row[k] for k in TOLD}) for row in rows},
    }


def outside(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """Return the person-samples whose truth lies outside of the bounds, farthest first."""
    misses = [
        {"episode": one.seed, **_rounded(asdict(sample)), "off_s": round(_off(sample), 3)}
        for one in judged
        for sample in one.evaluation.bounds_samples
        if _off(sample) > 0
    ]
    return sorted(misses, key=lambda miss: -float(miss["off_s"]))


def _off(sample: BoundsSample) -> float:
    return max(sample.low_s - sample.truth_s, sample.truth_s - sample.high_s, 0.0)


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    rounded: dict[str, Any] = json.loads(
        json.dumps(values), parse_float=lambda v: round(float(v), 4)
    )
    return rounded
