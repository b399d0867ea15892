"""The product and the naive peer as commands, each in a process of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import BIN, BenchError, Measured, measure


@dataclass(frozen=True, slots=True)
class Setup:
    """What both contestants get.

    Attributes:
        models: Folder of ONNX files, or a pack's name.
        threads: Threads of the naive peer's inferences, one-thread workers of the product.
        work: Folder for data roots and outputs.
    """

    models: str
    threads: int
    work: Path
    profile: str = "balanced"


@dataclass(frozen=True, slots=True)
class ProductRun:
    """A measured run of the product and what it said of itself."""

    measured: Measured
    result: dict[str, Any]

    @property
    def compute_s(self) -> float:
        """Seconds that the steps themselves took.

        Raises:
            BenchError: The steps say that they computed longer than they ran.
        """
        stages = self.result["stages"]
        # In sum: the stage of bodies is charged a share of the scan, which ran before it.
        computed_s = sum(float(stage["compute_sec"]) for stage in stages)
        if computed_s > sum(float(stage["runtime_sec"]) for stage in stages):
            raise BenchError(f"compute is counted twice: {stages}")
        return computed_s


FACES_ONLY = ("body_tracking=false",)


def run_product(
    setup: Setup,
    video: Path,
    root: str,
    episode: int = 1,
    given: Sequence[str] = (),
    more: Sequence[str] = (),
) -> ProductRun:
    """Run `screenalytics run` on `video`; nothing is reused between different roots.

    Args:
        given: Settings beside the profile's, as `name=value`.
        more: Further options of the command.

    Raises:
        BenchError: The run failed.
    """
    data_root = setup.work / "product" / root
    measured = measure(
        [
            str(BIN / "screenalytics"), "run", str(video),
            "--ep-id", f"bench-s01e{episode:02d}",
            "--models", setup.models,
            "--profile", setup.profile,
            "--set", f"workers={setup.threads}",
            *(part for setting in given for part in ("--set", setting)),
            *more,
            "--json",
        ],
        SCREENALYTICS_DATA_ROOT=str(data_root),
        DAGSTER_HOME=str(data_root / ".dagster"),
    )  # fmt: skip
    result = json.loads(measured.stdout)
    if not result["success"]:
        raise BenchError(f"{video.name}: {result['error']}")
    return ProductRun(measured, result)


def run_naive(setup: Setup, video: Path, out: str) -> Measured:
    """Run the naive peer on `video`; its files lie in `naive_output(setup, out)`."""
    return measure(
        [
            sys.executable, "-m", "benchmarks.naive_peer", str(video),
            "--models", setup.models,
            "--threads", str(setup.threads),
            "--out", str(naive_output(setup, out)),
        ]
    )  # fmt: skip


def naive_output(setup: Setup, out: str) -> Path:
    """Return the folder that the naive peer writes into."""
    return setup.work / "naive" / out
