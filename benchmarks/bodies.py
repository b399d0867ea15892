"""CPU seconds of a run with bodies against the same run with faces alone."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from benchmarks.contestants import FACES_ONLY, Setup, run_product
from benchmarks.media import loop_video

LIMIT = 1.40
_VARIANTS = {"faces": FACES_ONLY, "bodies": ()}


def bench_bodies(setup: Setup, clips: list[Path], loops: int, rounds: int) -> dict[str, Any]:
    """Measure both on every clip, in turns, and compare the sums of the rounds' medians."""
    rows: list[dict[str, Any]] = []
    for number, clip in enumerate(clips, start=1):
        video = loop_video(clip, setup.work / f"{clip.stem}-bodies.mp4", loops)
        pairs = [_pair(setup, video, number, turn) for turn in range(rounds)]
        medians = {
            name: round(statistics.median(pair[name] for pair in pairs), 2) for name in _VARIANTS
        }
        rows.append({"clip": clip.stem, "loops": loops, **_compared(medians)})
    sums = {name: round(sum(float(r[f"{name}_cpu_s"]) for r in rows), 1) for name in _VARIANTS}
    return {"limit": LIMIT, "profile": setup.profile, "clips": rows, **_compared(sums)}


def _pair(setup: Setup, video: Path, number: int, turn: int) -> dict[str, float]:
    """Measure both once; who goes first changes, so that a drifting machine hurts both."""
    order = list(_VARIANTS)[:: 1 if turn % 2 == number % 2 else -1]
    return {
        name: run_product(
            setup, video, f"bodies-{name}-{turn}", number, _VARIANTS[name]
        ).measured.cpu_s
        for name in order
    }


def _compared(cpu_s: dict[str, float]) -> dict[str, float]:
    return {
        "faces_cpu_s": cpu_s["faces"],
        "bodies_cpu_s": cpu_s["bodies"],
        "ratio": round(cpu_s["bodies"] / cpu_s["faces"], 4),
    }


def report(found: dict[str, Any]) -> list[str]:
    """Return the result as lines for people."""
    head = f"{'clip':<22}{'faces CPU s':>13}{'with bodies':>13}{'ratio':>8}"
    lines = [
        f"{row['clip'] + ' x' + str(row['loops']):<22}{row['faces_cpu_s']:>13.1f}"
        f"{row['bodies_cpu_s']:>13.1f}{row['ratio']:>8.3f}"
        for row in (*found["clips"], {"clip": "all", "loops": "", **found})
    ]
    word = "holds" if found["ratio"] <= found["limit"] else "MISSED"
    return [head, *lines, f"bodies add: {word} (at most {found['limit'] - 1:.0%} more)"]
