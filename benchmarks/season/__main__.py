"""Compose a season, or show what is done with one: `python -m benchmarks.season --help`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.material import SHARED
from benchmarks.season.composing import compose_season
from benchmarks.season.people import people_of
from benchmarks.season.plan import SeasonPlan


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
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    """Do what was asked for; return the exit code."""
    args = parse_arguments(given)
    people = people_of(None if args.pictures_only else args.clips, args.cast, args.pictured)
    plan = SeasonPlan(people, episodes=args.episodes, seed=args.seed)
    compose_season(plan, args.out, tell)
    return 0


def tell(line: str) -> None:
    """Say what is being done."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
