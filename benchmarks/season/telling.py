"""The order of the story's steps, and what is said of the season beforehand."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from benchmarks.material import compose_models
from benchmarks.season.commands import Commands
from benchmarks.season.composing import PLAN_NAME
from benchmarks.season.seen_runs import SeenRuns
from benchmarks.season.story import Story, Tell

# Nobody labelled the bodies of the clips' people, so seconds are those of faces.
_FACES_ONLY: Final = ("--set", "body_tracking=false")
# So much looser and stricter than the pack's own threshold the episodes are clustered anew.
_AROUND: Final = 0.05


def tell_story(args: argparse.Namespace, work: Path, tell: Tell) -> dict[str, Any]:
    """Do the steps in `args.steps`, in their order; return the result without limits.

    Args:
        work: Temporary folder, for what the arguments do not place.

    Raises:
        BenchError: A command failed.
    """
    data_root = args.data_root or work / "data"
    models = args.models or str(compose_models(work / "models"))
    given = [word for assignment in args.settings for word in ("--set", assignment)]
    runs = SeenRuns.of(data_root, args.videos)
    story = Story(
        Commands(data_root),
        runs,
        args.videos,
        season_of(runs),
        ("--models", models, *_FACES_ONLY, *given),
        tell,
        args.seed,
    )
    story.result.update(about(runs, args.videos))
    steps: dict[str, Callable[[], None]] = {
        "register": story.register,
        "backfill": story.backfill_with_kills,
        "name": story.name_the_cast,
        "suggest": story.confirm_suggestions,
        "link": story.confirm_links,
        "review": story.review,
        "roll-up": story.roll_up,
        "recluster": lambda: story.recluster(args.recluster or story.thresholds(_AROUND)),
    }
    for name, step in steps.items():
        if name in args.steps:
            step()
    return story.result


def season_of(runs: SeenRuns) -> str:
    """Return the season that the episodes are of, as `demo-s01`."""
    return min(runs.truths).rpartition("e")[0]


def about(runs: SeenRuns, videos: Path) -> dict[str, Any]:
    """Return what the season is made of."""
    plan = json.loads((videos / PLAN_NAME).read_text(encoding="utf-8"))
    seconds = sum(truth.frame_count / truth.fps for truth in runs.truths.values())
    return {
        "episodes": len(runs.truths),
        "seconds": round(seconds, 1),
        "seed": plan["seed"],
        "cast": sorted(runs.cast),
        "stretches": plan["stretches"],
    }
