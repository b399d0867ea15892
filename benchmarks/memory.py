"""Peak memory of each stage on a short and a long episode of the same scenes.

What a stage returns may grow with the episode, and nothing else: not what it needs on the way,
nor what checks, pictures for people and the ledger need after it. So each stage runs in a
process of its own, whose peak is that of all of them, and what its result takes in memory is
taken off. The scan makes the first stage of faces and of bodies: these two share a process.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from benchmarks.contestants import Setup, run_product
from benchmarks.processes import measure
from screenalytics_assets.stores import Stores
from screenalytics_core.artifact_ref import ArtifactRef
from screenalytics_core.artifacts import ARTIFACTS, ArtifactKind, Codec
from screenalytics_core.stages import STAGE_ARTIFACTS, PipelineStage

LIMIT_MB: Final = 1500
# Of the short one's peak, over all the time that the long one is longer: the allocator's own
# ups and downs from run to run are 1 to 2 %.
LIMIT_GROWTH: Final = 0.10
SHORT_MINUTES: Final = 1.5
EP_ID: Final = "bench-s01e01"
_RUN: Final = "memory"
_Stage = PipelineStage
PROCESSES: Final = (
    (_Stage.DETECT_TRACK, _Stage.BODY_TRACKING),
    (_Stage.FACES_EMBED,),
    (_Stage.CLUSTER,),
    (_Stage.TRACK_FUSION,),
    (_Stage.SCREEN_TIME,),
    (_Stage.PDF_EXPORT,),
)


@dataclass(frozen=True, slots=True)
class StageMemory:
    """What a process of some stages took.

    Attributes:
        minutes: Length of the episode.
        peak_mb: Largest resident set, in 10^6 bytes.
        result_mb: What its results take in memory.
    """

    stages: str
    minutes: float
    peak_mb: float
    result_mb: float
    cpu_s: float


def bench_memory(setup: Setup, minutes: float) -> dict[str, Any]:
    """Measure an episode of `SHORT_MINUTES` and one of `minutes`, bodies included."""
    short, long = (compose(setup.work / "long", m) for m in (SHORT_MINUTES, minutes))
    return compare(measure_stages(setup, short, "short"), measure_stages(setup, long, "long"))


def compose(folder: Path, minutes: float) -> Path:
    """Compose an episode; in a process of its own, so that this one stays small."""
    command = [sys.executable, "-m", "benchmarks.composed", f"long:{minutes:g}"]
    return Path(measure([*command, "--out", str(folder)]).stdout.strip())


def measure_stages(setup: Setup, video: Path, root: str) -> list[StageMemory]:
    """Run all stages on `video`, a process for each of `PROCESSES`."""
    stores = Stores.open(setup.work / "product" / root)
    measured = []
    for stages in PROCESSES:
        only = [part for stage in stages for part in ("--stage", stage.value)]
        run = run_product(setup, video, root, more=["--run-id", _RUN, *only])
        result_bytes = sum(
            size_bytes(stores.require(EP_ID, _RUN, kind))
            for stage in stages
            for kind in STAGE_ARTIFACTS[stage]
        )
        seconds = stores.require(EP_ID, _RUN, ArtifactKind.SHOTS).read()["duration_s"]
        measured.append(
            StageMemory(
                "+".join(stages),
                minutes=seconds / 60,
                peak_mb=run.measured.peak_rss_mb,
                result_mb=result_bytes / 1e6,
                cpu_s=run.measured.cpu_s,
            )
        )
    return measured


def size_bytes(artifact: ArtifactRef) -> int:
    """Return what an artifact takes in memory.

    Tables and arrays are read. A document counts as long as its text, which is less than it is;
    an archive of pictures counts nothing, since it is written to disk as it grows.
    """
    total = 0
    for file, facts in zip(ARTIFACTS[artifact.kind].files, artifact.files, strict=True):
        if file.codec is Codec.ZIP:
            continue
        value = artifact.read(file.part)
        total += value.nbytes if isinstance(value, pa.Table | np.ndarray) else facts.size_bytes
    return total


def compare(short: list[StageMemory], long: list[StageMemory]) -> dict[str, Any]:
    """Return the figures of each process and the most that any of them grew."""
    rows = [_row(*pair) for pair in zip(short, long, strict=True)]
    return {
        "short_minutes": round(short[0].minutes, 2),
        "long_minutes": round(long[0].minutes, 2),
        "limit_mb": LIMIT_MB,
        "limit_growth": LIMIT_GROWTH,
        "stages": rows,
        "peak_mb": max(row["long_mb"] for row in rows),
        "growth": max(row["growth"] for row in rows),
    }


def _row(short: StageMemory, long: StageMemory) -> dict[str, Any]:
    result_mb = long.result_mb - short.result_mb
    beyond_mb = long.peak_mb - short.peak_mb - result_mb
    return {
        "stages": short.stages,
        "short_mb": round(short.peak_mb, 1),
        "long_mb": round(long.peak_mb, 1),
        "result_mb": round(result_mb, 2),
        "beyond_mb": round(beyond_mb, 2),
        "growth": round(beyond_mb / short.peak_mb, 4),
        "cpu_s_per_minute": [round(one.cpu_s / one.minutes, 1) for one in (short, long)],
    }


def holds(results: dict[str, Any]) -> bool:
    """Return whether the limits are kept."""
    return bool(
        results["peak_mb"] <= results["limit_mb"] and results["growth"] <= results["limit_growth"]
    )


def report(results: dict[str, Any]) -> list[str]:
    """Return the results as lines for people; the caller adds whether the limits hold."""
    lengths = f"{results['short_minutes']:g} and {results['long_minutes']:g} minutes"
    lines = [f"memory at {lengths}, peak of a process per stage, 10^6 bytes"]
    lines.append(f"{'':<24}{'short':>8}{'long':>8}{'result':>8}{'beyond':>8}{'CPU s/min':>16}")
    for row in results["stages"]:
        before, after = row["cpu_s_per_minute"]
        lines.append(
            f"{row['stages']:<24}{row['short_mb']:>8.0f}{row['long_mb']:>8.0f}"
            f"{row['result_mb']:>+8.1f}{row['beyond_mb']:>+8.1f}{before:>8.1f}{after:>8.1f}"
        )
    return lines
