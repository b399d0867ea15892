"""Write composed episodes: `python -m benchmarks.composed NAME|all|sample:SEED --out DIR`.

With `--clips`, `all` and the names are also those of the labelled clips' episodes, and samples
are drawn from both. `long:MINUTES` repeats one until it is so long.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.composed.clip_episodes import clip_episodes
from benchmarks.composed.compose import Composed, Episode, compose
from benchmarks.composed.contact_sheet import draw_sheet
from benchmarks.composed.episodes import EPISODES
from benchmarks.composed.long_episode import long_episode
from benchmarks.composed.sampling import sampled_episode
from benchmarks.processes import BenchError
from screenalytics_core.errors import ScreenalyticsError


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description="Write composed episodes.", prog="composed")
    parser.add_argument("what", help="a name, all, sample:SEED, sample:FIRST-LAST or long:MINUTES")
    parser.add_argument("--out", type=Path, required=True, help="folder for videos and truth")
    parser.add_argument("--clips", type=Path, help="folder of labelled clips to draw from too")
    parser.add_argument("--sheets", action="store_true", help="also a PNG of each, truth drawn in")
    return parser.parse_args(given)


def seeds_of(what: str) -> range:
    """Return the seeds that `sample:SEED` or `sample:FIRST-LAST` names.

    Raises:
        BenchError: They are no whole numbers from 0 up, or the last is before the first.
    """
    first, is_range, last = what.removeprefix("sample:").partition("-")
    ends = (first, last if is_range else first)
    if not all(end.isdecimal() for end in ends) or int(ends[1]) < int(ends[0]):
        raise BenchError(
            f"{what}: names no seeds: write sample:7 or sample:7-9, whole numbers from 0 up, the "
            "last not before the first"
        )
    return range(int(ends[0]), int(ends[1]) + 1)


def minutes_of(what: str) -> float:
    """Return the minutes that `long:MINUTES` names.

    Raises:
        BenchError: They are no number above 0.
    """
    text = what.removeprefix("long:")
    # No sign, no exponent, and neither nan nor inf.
    if not text.replace(".", "", 1).isdecimal() or float(text) <= 0:
        raise BenchError(f"{what}: names no minutes: write long:10, a number above 0")
    return float(text)


def chosen(what: str, clips_dir: Path | None) -> Iterator[Episode]:
    """Yield the episodes that `what` names.

    Raises:
        BenchError: It names none.
        ScreenalyticsError: The clips cannot be drawn from.
    """
    if what.startswith("sample:"):
        for seed in seeds_of(what):
            yield sampled_episode(seed, clips_dir)
        return
    known = EPISODES | (clip_episodes(clips_dir) if clips_dir else {})
    if what != "all" and what not in known:
        raise BenchError(
            f"{what}: is no episode; there are: all, {', '.join(known)}, sample:SEED, long:MINUTES"
        )
    for name, make in known.items():
        if what in ("all", name):
            yield make()


def composed(args: argparse.Namespace) -> Iterator[Composed]:
    """Yield what was asked for, rendered."""
    if args.what.startswith("long:"):
        yield long_episode(minutes_of(args.what), args.out)
        return
    for episode in chosen(args.what, args.clips):
        yield compose(episode, args.out)


def main(given: Sequence[str] | None = None) -> int:
    """Compose what was asked for; return 0, or 1 if it cannot be."""
    args = parse_arguments(given)
    try:
        for made in composed(args):
            print(made.video_path)
            if args.sheets:
                draw_sheet(made, made.video_path.with_suffix(".png"))
    except (BenchError, ScreenalyticsError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
