"""The command: `python -m benchmarks.quality`; see `--help`.

With `--composed N` it composes N random episodes and measures on these instead. Seeds from 0 up
are for fitting; those from 1000 up are for judging and are best looked at seldom.

Exit code 0, or 1 if a figure became worse than in the last committed result by more than its
tolerance or a limit that held does not hold any more.
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
from benchmarks.quality.clips import (
    ClipRun,
    Contest,
    LabelledClip,
    facts_of,
    run_clips,
    sha256_of_file,
)
from benchmarks.quality.comparison import changes, last_committed, not_compared
from benchmarks.quality.figures import with_means
from benchmarks.quality.limits import LITE, SCRFD, judge_clips, judge_composed, judge_tracking
from benchmarks.quality.scoring import SCORER
from benchmarks.quality.table import result_lines
from benchmarks.tracking import compare_trackers

FILE: Final = "benchmarks/results/quality.json"
COMPOSED_FILE: Final = "benchmarks/results/composed.json"
JUDGING_SEED: Final = 1000
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


def parse_arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], prog="quality")
    parser.add_argument("--clips", type=Path, default=SHARED / "clips", help="with truth/ inside")
    parser.add_argument("--only", action="append", metavar="CLIP", help="may be given twice")
    parser.add_argument("--models", type=Path, help=f"folder of ONNX files for {SCRFD!r}")
    parser.add_argument(
        "--setups", nargs="+", choices=(SCRFD, LITE), help=f"default: both; {SCRFD} for --composed"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--profile", default="balanced")
    parser.add_argument("--bodies", action="store_true", help="the product looks for bodies too")
    parser.add_argument("--skip-naive", action="store_true")
    parser.add_argument("--skip-clips", action="store_true")
    parser.add_argument("--skip-tracking", action="store_true")
    parser.add_argument("--composed", type=int, metavar="N", help="measure on N composed episodes")
    parser.add_argument("--seed", type=int, default=0, help="of the first composed episode")
    parser.add_argument("--mixed", action="store_true", help="compose from the clips too")
    parser.add_argument("--work", type=Path, help="keeps the composed videos")
    parser.add_argument(
        "--out", type=Path, help="default: the kept result, and nothing for a run of parts"
    )
    args = parser.parse_args(given)
    args.setups = args.setups or ([SCRFD] if args.composed else [SCRFD, LITE])
    return args


def main(given: list[str] | None = None) -> int:
    """Run, score, print, write, compare; return the exit code."""
    args = parse_arguments(given)
    try:
        result = measure_all(args)
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(result_lines(result)))
    file = COMPOSED_FILE if args.composed else FILE
    out = args.out or (ROOT / file if is_whole(args) else None)
    if out is not None:
        out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(f"\nwritten to {out}")
    return tell_changes(result, file)


def is_whole(args: argparse.Namespace) -> bool:
    """Return whether nothing was left out or exchanged that belongs into the kept result."""
    left_out = args.skip_naive or args.skip_clips or args.skip_tracking or args.only
    is_other = args.bodies or args.models or args.profile != "balanced" or args.threads != 1
    if args.composed:
        is_judging = args.seed == JUDGING_SEED and not args.mixed
        return is_judging and not is_other and args.setups == [SCRFD]
    return not left_out and not is_other and set(args.setups) == {SCRFD, LITE}


def measure_all(args: argparse.Namespace) -> dict[str, Any]:
    """Return the whole result; parts that were left out are absent.

    Raises:
        BenchError: A run failed, the scorer disagrees, or there is nothing to run on.
    """
    result: dict[str, Any] = {
        "profile": args.profile,
        "given": [] if args.bodies or args.composed else list(FACES_ONLY),
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
        "scorer_sha256": sha256_of_file(SCORER) if SCORER.is_file() else None,
        "limits": [],
    }
    with tempfile.TemporaryDirectory(prefix="screenalytics-quality-") as folder:
        if args.composed:
            result["composed"] = measure_episodes(args, Path(folder))
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
    """Return what composed episodes say."""
    # Here, since Dagster's import takes seconds.
    from benchmarks.quality.episodes import Sampling, measure_composed, variants

    sampling = Sampling(args.composed, args.seed, args.clips if args.mixed else None)
    ways = [
        way
        for name in args.setups
        for way in variants(name, models_of(name, args.models, work), args.profile)
    ]
    videos = args.work or work / "videos"
    return measure_composed(sampling, ways, videos, work / "data", tell)


def measure_clips(args: argparse.Namespace, work: Path) -> dict[str, Any]:
    """Return what the labelled clips say."""
    clips = labelled_clips(args.clips, args.only)
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
        "clips": with_means([run.row for run in runs]),
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


def tell_changes(result: dict[str, Any], file: str = FILE) -> int:
    """Print what moved since the last committed result; return the exit code."""
    before = last_committed(ROOT, file)
    if before is None:
        print("no committed result to compare with")
        return 0
    for sentence in not_compared(before, result):
        print(sentence)
    moved = changes(before, result)
    for change in moved:
        print(change.describe())
    if not moved:
        print("nothing moved by more than its tolerance since the last committed result")
    return 0 if all(change.is_better for change in moved) else 1


if __name__ == "__main__":
    sys.exit(main())
