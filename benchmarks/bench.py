"""Speed, memory, overhead, the ledger and the job API in one run: `python -m benchmarks.bench`.

Writes benchmarks/results/latest.json and prints a table. `--only` picks a part; what `--out` holds
of the others stays, each with the code and the day that it was measured with.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import api, bodies, folding, memory, registered, registry
from benchmarks import report as report_bench
from benchmarks.contestants import Setup
from benchmarks.material import find_material
from benchmarks.overhead import bench_overhead
from benchmarks.processes import ROOT
from benchmarks.speed import bench_speed
from screenalytics_assets.code_ref import code_ref_of

PARTS = (
    "registry",
    "registered",
    "folding",
    "report",
    "overhead",
    "speed",
    "bodies",
    "memory",
    "api",
)
NEEDS_CLIPS = {"overhead", "speed", "bodies", "memory", "api"}
RESULTS = ROOT / "benchmarks" / "results"


def parse_arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, help="folder of labelled clips")
    parser.add_argument("--models", type=Path, help="folder with a detector and an embedder")
    parser.add_argument("--threads", type=int, default=1, help="of either contestant")
    parser.add_argument("--loops", type=int, default=3, help="each clip is looped N times")
    parser.add_argument("--memory-minutes", type=float, default=10, help="of the long episode")
    parser.add_argument("--rounds", type=int, default=1, help="of the speed comparison")
    parser.add_argument("--overhead-rounds", type=int, default=3)
    parser.add_argument("--only", choices=PARTS, action="append", help="may be given twice")
    parser.add_argument("--out", type=Path, default=RESULTS / "latest.json")
    return parser.parse_args()


def main() -> None:
    """Measure, write, print."""
    args = parse_arguments()
    parts = args.only or PARTS
    results: dict[str, Any] = {
        "machine": machine(),
        "measured": measured(parts, code_ref_of(ROOT), datetime.now(UTC)),
    }
    if "registry" in parts:
        results["registry"] = registry.measure()
    if "registered" in parts:
        results["registered"] = registered.measure()
    if "folding" in parts:
        results["folding"] = folding.measure()
    if "report" in parts:
        results["report"] = report_bench.measure()
    if NEEDS_CLIPS & set(parts):
        results |= measure_on_clips(args, parts)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    kept = json.loads(args.out.read_text(encoding="utf-8")) if args.out.is_file() else {}
    together = beside(kept, results) if args.only else results
    args.out.write_text(json.dumps(together, indent=2) + "\n", encoding="utf-8")
    print("\n".join(table(results)))
    print(f"\nwritten to {args.out}")


def measured(parts: Collection[str], code_ref: str, now: datetime) -> dict[str, dict[str, str]]:
    """Return of each part which code it was measured with, and on which day."""
    return {part: {"code_ref": code_ref, "day": f"{now:%Y-%m-%d}"} for part in parts}


def beside(kept: Mapping[str, Any], results: Mapping[str, Any]) -> dict[str, Any]:
    """Return a kept result with the parts that were measured anew in the place of its own."""
    together = {**kept.get("measured", {}), **results["measured"]}
    return {**kept, **results, "measured": together}


def measure_on_clips(args: argparse.Namespace, parts: Collection[str]) -> dict[str, Any]:
    """Return what the parts that need videos and models found."""
    with tempfile.TemporaryDirectory(prefix="screenalytics-bench-") as folder:
        material = find_material(args.clips, args.models, Path(folder))
        setup = Setup(models=material.models, threads=args.threads, work=Path(folder))
        results: dict[str, Any] = {"material": material.note}
        if "overhead" in parts:
            results["overhead"] = bench_overhead(setup, material.clips[0], args.overhead_rounds)
        if "speed" in parts:
            results["speed"] = bench_speed(setup, material.clips, args.loops, args.rounds)
        if "bodies" in parts:
            results["bodies"] = bodies.bench_bodies(setup, material.clips, args.loops, args.rounds)
        if "memory" in parts:
            results["memory"] = memory.bench_memory(setup, args.memory_minutes)
        if "api" in parts:
            results["api"] = api.bench_api(setup, material.clips[0])
        return results


def machine() -> dict[str, Any]:
    """Say what a reader needs to judge the absolute numbers."""
    return {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
    }


def table(results: dict[str, Any]) -> list[str]:
    """Return the results as lines for people."""
    lines = [results["material"]] if "material" in results else []
    if "registry" in results:
        lines += ["", *registry.report(results["registry"])]
    if "registered" in results:
        lines += ["", *registered.report(results["registered"])]
    if "folding" in results:
        lines += ["", *folding.report(results["folding"])]
    if "report" in results:
        lines += ["", *report_bench.report(results["report"])]
    if speed := results.get("speed"):
        lines += ["", f"{'clip':<22}{'product CPU s':>15}{'naive CPU s':>13}{'ratio':>8}{'MB':>8}"]
        for row in speed["clips"]:
            lines.append(
                f"{row['clip'] + ' x' + str(row['loops']):<22}{row['product']['cpu_s']:>15.1f}"
                f"{row['naive']['cpu_s']:>13.1f}{row['ratio']:>8.3f}"
                f"{row['product']['peak_rss_mb']:>8.0f}"
            )
        lines.append(
            f"{'all':<22}{speed['product_cpu_s']:>15.1f}{speed['naive_cpu_s']:>13.1f}"
            f"{speed['ratio']:>8.3f}{speed['peak_rss_mb']:>8.0f}   "
            + verdict(speed["ratio"] <= speed["limit"], f"at most {speed['limit']:.3f}")
        )
    if "bodies" in results:
        lines += ["", *bodies.report(results["bodies"])]
    if found := results.get("memory"):
        limit = f"at most {found['limit_mb']} MB, grows by {found['limit_growth']:.0%} at most"
        lines += ["", *memory.report(found), verdict(memory.holds(found), limit)]
    if "api" in results:
        lines += ["", *api.report(results["api"])]
    if overhead := results.get("overhead"):
        lines.append(
            f"\ngraph: {overhead['wall_s']:.2f} s wall - {overhead['compute_s']:.2f} s steps - "
            f"{overhead['imports_s']:.2f} s imports = {overhead['overhead_s']:.2f} s   "
            + verdict(overhead["overhead_s"] <= overhead["limit_s"], f"at most {LIMIT_TEXT}")
        )
    return lines


LIMIT_TEXT = "6 s on 10 s of video"


def verdict(holds: bool, limit: str) -> str:
    """Return whether a limit holds, in words."""
    return f"{'holds' if holds else 'MISSED'} ({limit})"


if __name__ == "__main__":
    main()
