"""What the graph itself costs: wall time less the steps' compute and the imports."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

from benchmarks.contestants import Setup, run_product
from benchmarks.media import cut_video
from benchmarks.processes import measure

LIMIT_S = 6.0
CLIP_S = 10.0
# The command line and the graph it loads. What a step imports when it first runs counts as
# its compute, so it is not in here: that would take it off twice.
_IMPORTS = """
import screenalytics_assets.cli.imports
with screenalytics_assets.cli.imports.without_gc():
    import screenalytics_assets.cli, screenalytics_assets.engine, screenalytics_assets.definitions
"""


def bench_overhead(setup: Setup, clip: Path, rounds: int) -> dict[str, Any]:
    """Measure fresh runs of the first 10 s of `clip`, each in a data root of its own."""
    short = cut_video(clip, setup.work / f"{clip.stem}-10s.mp4", CLIP_S)
    samples = []
    for turn in range(rounds):
        imports_s = measure([sys.executable, "-c", _IMPORTS]).wall_s
        run = run_product(setup, short, f"overhead-{turn}")
        samples.append((run.measured.wall_s, run.compute_s, imports_s))
    overheads = [wall - compute - imports for wall, compute, imports in samples]
    return {
        "clip": clip.stem,
        "limit_s": LIMIT_S,
        "rounds": rounds,
        "wall_s": round(statistics.median(s[0] for s in samples), 2),
        "compute_s": round(statistics.median(s[1] for s in samples), 2),
        "imports_s": round(statistics.median(s[2] for s in samples), 2),
        "overhead_s": round(statistics.median(overheads), 2),
    }
