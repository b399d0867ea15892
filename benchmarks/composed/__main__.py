"""Write composed episodes: `python -m benchmarks.composed NAME|all|sample:SEED --out DIR`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from benchmarks.composed.compose import Episode, compose
from benchmarks.composed.contact_sheet import draw_sheet
from benchmarks.composed.episodes import EPISODES
from benchmarks.composed.sampling import sampled_episode


def parse_arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", help="a name, all, sample:SEED or sample:FIRST-LAST")
    parser.add_argument("--out", type=Path, required=True, help="folder for videos and truth")
    parser.add_argument("--clips", type=Path, help="folder of labelled clips to draw from too")
    parser.add_argument("--sheets", action="store_true", help="also a PNG of each, truth drawn in")
    return parser.parse_args()


def chosen(what: str, clips_dir: Path | None) -> Iterator[Episode]:
    """Yield the episodes that `what` names."""
    if what.startswith("sample:"):
        first, _, last = what.removeprefix("sample:").partition("-")
        for seed in range(int(first), int(last or first) + 1):
            yield sampled_episode(seed, clips_dir)
        return
    if what != "all" and what not in EPISODES:
        raise SystemExit(f"no episode {what}; there are: all, {', '.join(EPISODES)}, sample:SEED")
    for name, make in EPISODES.items():
        if what in ("all", name):
            yield make()


def main() -> None:
    """Compose what was asked for."""
    args = parse_arguments()
    for episode in chosen(args.what, args.clips):
        made = compose(episode, args.out)
        print(made.video_path)
        if args.sheets:
            draw_sheet(made, made.video_path.with_suffix(".png"))


if __name__ == "__main__":
    main()
