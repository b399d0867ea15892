"""The command: `python -m benchmarks.quality`; see `--help`.

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
from benchmarks.quality.limits import LITE, SCRFD, judge_clips, judge_tracking
from benchmarks.quality.scoring import SCORER
from benchmarks.quality.table import result_lines
from benchmarks.tracking import compare_trackers

FILE: Final = "benchmarks/results/quality.json"
TUD_CAMPUS: Final = SHARED / "tracking" / "TUD-Campus"
LIBRARIES: Final = ("numpy", "onnxruntime", "av", "opencv-python-headless", "trackers", "trackeval")


def parse_arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], prog="quality")
    parser.add_argument("--clips", type=Path, default=SHARED / "clips", help="with truth/ inside")
    parser.add_argument("--only", action="append", metavar="CLIP", help="may be given twice")
    parser.add_argument("--models", type=Path, help=f"folder of ONNX files for {SCRFD!r}")
    parser.add_argument("--setups", nargs="+", choices=(SCRFD, LITE), default=[SCRFD, LITE])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--profile", default="balanced")
    parser.add_argument("--bodies", action="store_true", help="the product looks for bodies too")
    parser.add_argument("--skip-naive", action="store_true")
    parser.add_argument("--skip-clips", action="store_true")
    parser.add_argument("--skip-tracking", action="store_true")
    parser.add_argument(
        "--out", type=Path, help=f"default: {FILE}, and nothing for a run that leaves parts out"
    )
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    """Run, score, print, write, compare; return the exit code."""
    args = parse_arguments(given)
    try:
        result = measure_all(args)
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(result_lines(result)))
    out = args.out or (ROOT / FILE if is_whole(args) else None)
    if out is not None:
        out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(f"\nwritten to {out}")
    return tell_changes(result)


def is_whole(args: argparse.Namespace) -> bool:
    """Return whether nothing was left out or exchanged that belongs into the kept result."""
    left_out = args.skip_naive or args.skip_clips or args.skip_tracking or args.only
    is_other = args.bodies or args.models or args.profile != "balanced" or args.threads != 1
    return not left_out and not is_other and set(args.setups) == {SCRFD, LITE}


def measure_all(args: argparse.Namespace) -> dict[str, Any]:
    """Return the whole result; parts that were left out are absent.

    Raises:
        BenchError: A run failed, the scorer disagrees, or there is nothing to run on.
    """
    result: dict[str, Any] = {
        "profile": args.profile,
        "given": [] if args.bodies else list(FACES_ONLY),
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
        "scorer_sha256": sha256_of_file(SCORER) if SCORER.is_file() else None,
        "limits": [],
    }
    with tempfile.TemporaryDirectory(prefix="screenalytics-quality-") as folder:
        if not args.skip_clips:
            result |= measure_clips(args, Path(folder))
            result["limits"] += [v.to_dict() for v in judge_clips(result["clips"])]
    if not args.skip_tracking and TUD_CAMPUS.is_dir():
        result["tracking"] = compare_trackers(TUD_CAMPUS)
        result["limits"] += [v.to_dict() for v in judge_tracking(result["tracking"])]
    return result


def measure_clips(args: argparse.Namespace, work: Path) -> dict[str, Any]:
    """Return what the labelled clips say."""
    clips = labelled_clips(args.clips, args.only)
    runs: list[ClipRun] = []
    facts: dict[str, Any] = {}
    for name in args.setups:
        setup = Setup(models_of(name, args.models, work), args.threads, work, args.profile)
        contest = Contest(name, setup, not args.skip_naive, args.bodies)
        for run in run_clips(contest, clips, lambda line: print(line, file=sys.stderr)):
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


def tell_changes(result: dict[str, Any]) -> int:
    """Print what moved since the last committed result; return the exit code."""
    before = last_committed(ROOT, FILE)
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
