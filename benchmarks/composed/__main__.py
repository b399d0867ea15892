"""Write composed episodes: `python -m benchmarks.composed NAME|all|sample:SEED --out DIR`.

With `--clips`, `all` and the names are also those of the labelled clips' episodes, and samples
are drawn from both. `long:MINUTES` repeats one until it is so long.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from benchmarks.composed.clip_episodes import clip_episodes
from benchmarks.composed.compose import Composed, Episode, compose
from benchmarks.composed.contact_sheet import draw_sheet
from benchmarks.composed.episodes import EPISODES
from benchmarks.composed.long_episode import long_episode
from benchmarks.composed.sampling import sampled_episode


def parse_arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", help="a name, all, sample:SEED, sample:FIRST-LAST or long:MINUTES")
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
    known = EPISODES | (clip_episodes(clips_dir) if clips_dir else {})
    if what != "all" and what not in known:
        raise SystemExit(f"no episode {what}; there are: all, {', '.join(known)}, sample:SEED")
    for name, make in known.items():
        if what in ("all", name):
            yield make()


def composed(args: argparse.Namespace) -> Iterator[Composed]:
    """Yield what was asked for, rendered."""
    if args.what.startswith("long:"):
        yield long_episode(float(args.what.removeprefix("long:")), args.out)
        return
    for episode in chosen(args.what, args.clips):
        yield compose(episode, args.out)


def main() -> None:
    """Compose what was asked for."""
    args = parse_arguments()
    for made in composed(args):
        print(made.video_path)
        if args.sheets:
            draw_sheet(made, made.video_path.with_suffix(".png"))


if __name__ == "__main__":
    main()
