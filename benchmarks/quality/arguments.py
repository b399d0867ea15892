"""The command line of `python -m benchmarks.quality`, and which one makes a kept result."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.material import SHARED
from benchmarks.quality.limits import LITE, SCRFD

FILE: Final = "benchmarks/results/quality.json"
COMPOSED_FILE: Final = "benchmarks/results/composed.json"
# Only pictures' people have a truth about their bodies, so bounds with bodies are judged on these.
PICTURES_FILE: Final = "benchmarks/results/composed_pictures.json"
# How a result says what its episodes were drawn from.
MIXED: Final = "pictures and clips"
# Where things are put changes no figure.
_PLACES: Final = ("out", "work")


def parse_arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(
        description="How right the product is: labelled clips, a tracking benchmark, composed "
        "episodes.",
        prog="quality",
    )
    parser.add_argument("--clips", type=Path, default=SHARED / "clips", help="with truth/ inside")
    parser.add_argument("--only", action="append", metavar="CLIP", help="may be given twice")
    parser.add_argument("--models", type=Path, help=f"folder of ONNX files for {SCRFD!r}")
    parser.add_argument(
        "--setups", nargs="+", choices=(SCRFD, LITE), help=f"default: both; {SCRFD} for --composed"
    )
    parser.add_argument("--threads", type=count, default=1)
    parser.add_argument("--profile", default="balanced")
    parser.add_argument("--bodies", action="store_true", help="the product looks for bodies too")
    parser.add_argument("--skip-naive", action="store_true")
    parser.add_argument("--skip-clips", action="store_true")
    parser.add_argument("--skip-tracking", action="store_true")
    parser.add_argument(
        "--composed", type=count, metavar="N", help="measure on N composed episodes"
    )
    parser.add_argument("--seed", type=seed, default=0, help="of the first composed episode")
    parser.add_argument("--mixed", action="store_true", help="compose from the clips too")
    parser.add_argument("--work", type=Path, help="keeps the composed videos")
    parser.add_argument(
        "--out", type=Path, help="default: the kept result, and nothing for any other run"
    )
    args = parser.parse_args(given)
    args.setups = args.setups or ([SCRFD] if args.composed else [SCRFD, LITE])
    return args


def count(text: str) -> int:
    """Return a whole number from 1 up."""
    return _whole(text, 1)


def seed(text: str) -> int:
    """Return a whole number from 0 up: no other begins a series of random numbers."""
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} up")
    return int(text)


def result_file(args: argparse.Namespace) -> str:
    """Return the kept result that this run is compared with, as a path in the repository."""
    if not args.composed:
        return FILE
    return COMPOSED_FILE if args.mixed else PICTURES_FILE


def is_whole(args: argparse.Namespace, kept: Mapping[str, Any] | None) -> bool:
    """Return whether this is the kept result's own command: no other run may replace it."""
    own = own_command(kept) if args.composed else ()
    return own is not None and _choices(args) == _choices(parse_arguments([*own]))


def own_command(kept: Mapping[str, Any] | None) -> tuple[str, ...] | None:
    """Return the options that made a kept result of composed episodes; None if none is kept."""
    if kept is None or "composed" not in kept:
        return None
    made = kept["composed"]
    mixed = ("--mixed",) if made["material"] == MIXED else ()
    return "--composed", str(made["episodes"]), *mixed, "--seed", str(made["seed"])


def _choices(args: argparse.Namespace) -> dict[str, Any]:
    choices = {name: value for name, value in vars(args).items() if name not in _PLACES}
    return choices | {"setups": set(args.setups)}
