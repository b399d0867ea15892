"""Scores the product and the naive peer on the labelled clips: `python -m benchmarks.quality`.

Uses the scorer and the truth beside the checkout; without them there is nothing to score.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.contestants import Setup, naive_output, run_naive, run_product
from benchmarks.material import SHARED, compose_models
from benchmarks.media import clips_in
from benchmarks.processes import measure

FIGURES = ("bcubed_f1", "recall", "precision", "mae_percent", "identities", "people")


def score(truth: Path, tracks: Path, identities: Path, shots: Path | None = None) -> dict[str, Any]:
    """Return the scorer's figures for one run."""
    command = [sys.executable, str(SHARED / "tools" / "score.py"), "--truth", str(truth)]
    command += ["--tracks", str(tracks), "--identities", str(identities)]
    command += ["--shots", str(shots)] if shots else []
    scored = json.loads(measure(command).stdout)
    return {
        "bcubed_f1": scored["bcubed"]["f1"],
        "recall": scored["faces"]["recall"],
        "precision": scored["faces"]["precision"],
        "mae_percent": scored["screen_time"]["mae_percent_of_clip"],
        "identities": scored["identities"]["predicted"],
        "people": scored["identities"]["truth_persons_with_clear_faces"],
        **({"cuts_f1": scored["cuts"]["tolerance_1"]["f1"]} if shots else {}),
    }


def score_product(setup: Setup, clip: Path, truth: Path, number: int) -> dict[str, Any]:
    """Run the product on a clip and score what it published."""
    artifacts = run_product(setup, clip, "quality", number).result["artifacts"]
    paths = {kind: Path(artifacts[kind]) for kind in ("tracks", "identities", "shots")}
    return score(truth, paths["tracks"], paths["identities"], paths["shots"])


def score_naive(setup: Setup, clip: Path, truth: Path) -> dict[str, Any]:
    """Run the naive peer on a clip and score its files."""
    run_naive(setup, clip, clip.stem)
    out = naive_output(setup, clip.stem)
    return score(truth, out / "tracks.jsonl", out / "identities.json")


def parse_arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, default=SHARED / "clips")
    parser.add_argument("--models", type=Path, help="folder with a detector and an embedder")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--profile", default="balanced")
    parser.add_argument("--skip-naive", action="store_true")
    parser.add_argument("--out", type=Path, help="also write the figures here, as JSON")
    return parser.parse_args()


def main() -> None:
    """Run, score, print."""
    args = parse_arguments()
    clips = clips_in(args.clips) if args.clips.is_dir() else []
    if not clips:
        raise SystemExit("there is nothing to score without the labelled clips and their truth")
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="screenalytics-quality-") as folder:
        models = args.models or compose_models(Path(folder) / "models")
        setup = Setup(str(models), args.threads, Path(folder), args.profile)
        for number, clip in enumerate(clips, start=1):
            truth = args.clips / "truth" / f"{clip.stem}.json"
            rows.append({"who": "product", "clip": clip.stem}
                        | score_product(setup, clip, truth, number))  # fmt: skip
            if not args.skip_naive:
                rows.append({"who": "naive", "clip": clip.stem} | score_naive(setup, clip, truth))
    print("\n".join(table(rows)))
    if args.out:
        args.out.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Return one line per run, and the mean of each contestant."""
    names = ("B-cubed F1", "recall", "precision", "error %", "ids", "people")
    lines = [f"{'':<30}" + "".join(f"{name:>11}" for name in names)]
    for who in dict.fromkeys(row["who"] for row in rows):
        own = [row for row in rows if row["who"] == who]
        means = {figure: mean(row[figure] or 0.0 for row in own) for figure in FIGURES}
        for row in [*own, {"who": who, "clip": "mean", **means}]:
            figures = "".join(f"{row[figure] or 0.0:>11.3f}" for figure in FIGURES)
            lines.append(f"{who + ' ' + row['clip']:<30}{figures}")
    return lines


if __name__ == "__main__":
    main()
