"""The command: `python -m benchmarks.quality`; see `--help`.

With `--composed N` it composes N random episodes and measures on these instead. Seeds from 0 up
are for fitting; those from 1000 up are for judging and are best looked at seldom.

Exit code 0, or 1 if a figure became worse than in the last committed result by more than its
tolerance, a limit that held does not hold any more or is not judged any more, a clip could not be
measured, or the scorer disagrees. The kept result is replaced by its own command alone, and only
if nothing failed and nothing is lacking.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks.contestants import FACES_ONLY, Setup
from benchmarks.material import SHARED, compose_models
from benchmarks.media import clips_in
from benchmarks.processes import ROOT, BenchError
from benchmarks.quality.arguments import is_whole, parse_arguments, result_file
from benchmarks.quality.clips import (
    ClipRun,
    Contest,
    LabelledClip,
    facts_of,
    run_clips,
    sha256_of_file,
)
from benchmarks.quality.comparison import (
    changes,
    is_any_compared,
    last_committed,
    not_compared,
    not_measured,
)
from benchmarks.quality.figures import with_means
from benchmarks.quality.limits import LITE, judge_clips, judge_composed, judge_tracking
from benchmarks.quality.scoring import SCORER
from benchmarks.quality.table import result_lines
from benchmarks.tracking import compare_trackers
from screenalytics_assets.cli.evaluate import load_truth
from screenalytics_core.errors import ScreenalyticsError

TUD_CAMPUS: Final = SHARED / "tracking" / "TUD-Campus"
LIBRARIES: Final = (
    "numpy",
    "onnxruntime",
    "av",
    "opencv-python-headless",
    "trackers",
    "motmetrics",
    "trackeval",
)


def main(given: list[str] | None = None) -> int:
    """Run, score, print, write, compare; return the exit code."""
    args = parse_arguments(given)
    try:
        result = measure_all(args)
    except (BenchError, ScreenalyticsError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(result_lines(result)))
    file = result_file(args)
    before = last_committed(ROOT, file)
    out = args.out or (ROOT / file if may_be_kept(args, before, result) else None)
    if out is not None:
        out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(f"\nwritten to {out}")
    code = tell_changes(before, result)
    return 1 if result["problems"] else code


def may_be_kept(
    args: argparse.Namespace, before: dict[str, Any] | None, result: dict[str, Any]
) -> bool:
    """Return whether a run is the kept result's own, all of it was there, and nothing failed."""
    lacks = before is not None and not_measured(before, result)
    return is_whole(args, before) and not result["problems"] and not lacks


def measure_all(args: argparse.Namespace) -> dict[str, Any]:
    """Return the whole result; parts that were left out are absent.

    Raises:
        BenchError: There is nothing to run on, or a composed episode's run failed.
        ScreenalyticsError: The material cannot be used.
    """
    result: dict[str, Any] = {
        "profile": args.profile,
        "given": [] if args.bodies or args.composed else list(FACES_ONLY),
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
        "scorer_sha256": sha256_of_file(SCORER) if SCORER.is_file() else None,
        "limits": [],
        "problems": [],
        "remarks": [],
    }
    with tempfile.TemporaryDirectory(prefix="screenalytics-quality-") as folder:
        if args.composed:
            result |= measure_episodes(args, Path(folder))
            result["limits"] += [v.to_dict() for v in judge_composed(result["composed"])]
            return result
        if not args.skip_clips:
            result |= measure_clips(args, Path(folder))
            result["limits"] += [v.to_dict() for v in judge_clips(result["clips"])]
    if not args.skip_tracking and TUD_CAMPUS.is_dir():
        result["tracking"] = compare_trackers(TUD_CAMPUS)
        result["limits"] += [v.to_dict() for v in judge_tracking(result["tracking"])]
    return result


def measure_episodes(args: argparse.Namespace, work: Path) -> dict[str, Any]:
    """Return what composed episodes say, and the clips that they were drawn from.

    Raises:
        BenchError: They are to be drawn from clips that are not there, or a run failed.
    """
    # Here, since Dagster's import takes seconds.
    from benchmarks.composed.clips import labelled_clips as clips_to_draw_from
    from benchmarks.quality.episodes import Sampling, measure_composed, variants

    drawn_from = [clip.path for clip in clips_to_draw_from(args.clips)] if args.mixed else []
    if args.mixed and not drawn_from:
        raise BenchError(
            f"{args.clips} holds no clip with a truth to draw from: give --clips FOLDER, with "
            "NAME.mp4 and truth/NAME.json in it, or leave out --mixed"
        )
    truths = [path.parent / "truth" / f"{path.stem}.json" for path in drawn_from]
    for path in truths:
        load_truth(path)
    sampling = Sampling(args.composed, args.seed, args.clips if args.mixed else None)
    ways = [
        way
        for name in args.setups
        for way in variants(name, models_of(name, args.models, work), args.profile)
    ]
    videos = args.work or work / "videos"
    return {
        "clips_sha256": {path.stem: sha256_of_file(path) for path in drawn_from},
        "truth_sha256": {path.stem: sha256_of_file(path) for path in truths},
        "composed": measure_composed(sampling, ways, videos, work / "data", tell),
    }


def measure_clips(args: argparse.Namespace, work: Path) -> dict[str, Any]:
    """Return what the labelled clips say.

    Raises:
        BenchError: There is nothing to run on.
        TruthError: A clip's truth cannot be read.
    """
    clips = labelled_clips(args.clips, args.only)
    for clip in clips:
        # All of them before the first minutes are spent.
        load_truth(clip.truth)
    runs: list[ClipRun] = []
    facts: dict[str, Any] = {}
    for name in args.setups:
        setup = Setup(models_of(name, args.models, work), args.threads, work, args.profile)
        contest = Contest(name, setup, not args.skip_naive, args.bodies)
        for run in run_clips(contest, clips, tell):
            runs.append(run)
            if run.record is not None:
                facts[name] = facts_of(run.record)
    return {
        "clips_sha256": {clip.name: sha256_of_file(clip.video) for clip in clips},
        "truth_sha256": {clip.name: sha256_of_file(clip.truth) for clip in clips},
        "setups": facts,
        "clips": with_means([run.row for run in runs if run.row is not None]),
        "problems": [problem for run in runs for problem in run.problems],
        "remarks": [remark for run in runs for remark in run.remarks],
    }


def labelled_clips(folder: Path, only: list[str] | None) -> list[LabelledClip]:
    """Return the clips to run.

    Raises:
        BenchError: There is none, or one that was asked for is not there.
    """
    found = clips_in(folder) if folder.is_dir() else []
    clips = [
        LabelledClip(video, folder / "truth" / f"{video.stem}.json", number)
        for number, video in enumerate(found, start=1)
    ]
    unknown = sorted(set(only or ()) - {clip.name for clip in clips})
    if unknown or not clips:
        names = ", ".join(clip.name for clip in clips) or "none"
        raise BenchError(
            f"{', '.join(unknown) or 'there is nothing to score'}: no labelled clip of that "
            f"name in {folder} (there: {names})"
        )
    return [clip for clip in clips if not only or clip.name in only]


def models_of(name: str, given: Path | None, work: Path) -> str:
    """Return the folder or the pack of a setup."""
    if name == LITE:
        return LITE
    return str(given or compose_models(work / "models"))


def tell(line: str) -> None:
    """Say what is being done."""
    print(line, file=sys.stderr, flush=True)


def tell_changes(before: dict[str, Any] | None, result: dict[str, Any]) -> int:
    """Print what moved since the last committed result; return the exit code."""
    if before is None:
        print("no committed result to compare with")
        return 0
    for sentence in not_compared(before, result):
        print(sentence)
    moved = changes(before, result)
    for change in moved:
        print(change.describe())
    if not moved and is_any_compared(before, result):
        print("nothing moved by more than its tolerance since the last committed result")
    return 0 if all(change.is_better for change in moved) else 1


if __name__ == "__main__":
    sys.exit(main())
