"""Compose a season, or show what is done with one: `python -m benchmarks.season --help`.

`show` does everything on the command line: a folder becomes a season, a backfill is killed
twice on the way, the cast is named once, and every figure is held against the truth.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.material import SHARED
from benchmarks.processes import ROOT, BenchError
from benchmarks.season.composing import compose_season
from benchmarks.season.people import people_of
from benchmarks.season.plan import LENGTH_S, SeasonPlan

FILE: Final = "benchmarks/results/season.json"
STEPS: Final = ("register", "backfill", "name", "suggest", "link", "review", "roll-up", "recluster")


def parse_arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], prog="season")
    commands = parser.add_subparsers(dest="command", required=True)
    composing = commands.add_parser("compose", help="write the episodes and their truth")
    composing.add_argument("--out", type=Path, required=True)
    composing.add_argument("--clips", type=Path, default=SHARED / "clips", help="labelled clips")
    composing.add_argument("--pictures-only", action="store_true", help="no clips")
    composing.add_argument("--cast", type=int, default=8)
    composing.add_argument("--pictured", type=int, default=2, help="of them from pictures")
    composing.add_argument("--episodes", type=int, default=12)
    composing.add_argument("--seed", type=int, default=0)
    composing.add_argument("--length", type=float, default=LENGTH_S, help="least s of an episode")
    showing = commands.add_parser("show", help="backfill, name, roll up and judge it")
    showing.add_argument("--videos", type=Path, required=True, help="folder that `compose` wrote")
    showing.add_argument("--data-root", type=Path, help="new or empty; default: a temporary one")
    showing.add_argument("--models", help="pack or folder; default: lite's embedder with SCRFD")
    showing.add_argument("--set", action="append", default=[], dest="settings", metavar="K=V")
    showing.add_argument("--recluster", type=float, nargs="+", default=[], metavar="THRESH")
    showing.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    showing.add_argument("--seed", type=int, default=0, help="of the moments of killing")
    showing.add_argument("--out", type=Path, help=f"default: {FILE} if every step is done")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    """Do what was asked for; return 0, or 1 if something failed or a limit does not hold."""
    args = parse_arguments(given)
    if args.command == "compose":
        people = people_of(None if args.pictures_only else args.clips, args.cast, args.pictured)
        plan = SeasonPlan(people, episodes=args.episodes, seed=args.seed, length_s=args.length)
        compose_season(plan, args.out, tell)
        return 0
    try:
        with tempfile.TemporaryDirectory(prefix="screenalytics-season-") as folder:
            return show(args, Path(folder))
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1


def show(args: argparse.Namespace, work: Path) -> int:
    """Tell the story, print and write what came of it; return the exit code.

    Raises:
        BenchError: A command failed.
    """
    # Here, since the stores' imports are not needed to compose.
    from benchmarks.season.table import result_lines, verdicts
    from benchmarks.season.telling import tell_story

    result = tell_story(args, work, tell)
    result["limits"] = [verdict.to_dict() for verdict in verdicts(result)]
    print("\n".join(result_lines(result)))
    out = args.out or (ROOT / FILE if args.steps == list(STEPS) else None)
    if out is not None:
        out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(f"\nwritten to {out}")
    return 0 if all(limit["holds"] for limit in result["limits"]) else 1


def tell(line: str) -> None:
    """Say what is being done."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
