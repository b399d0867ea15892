"""CPU seconds of the product against the naive peer, on the same looped clips.

The peer looks for faces alone, so the product does here too; what bodies add is measured in
`bodies`.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from benchmarks.contestants import FACES_ONLY, Setup, run_naive, run_product
from benchmarks.media import loop_video

LIMIT = 1 / 6


def bench_speed(setup: Setup, clips: list[Path], loops: int, rounds: int) -> dict[str, Any]:
    """Measure both on every clip, in turns, and compare them by medians over the rounds."""
    looped = [
        loop_video(clip, setup.work / f"{clip.stem}-x{loops}.mp4", loops) if loops > 1 else clip
        for clip in clips
    ]
    rows = []
    for number, (clip, video) in enumerate(zip(clips, looped, strict=True), start=1):
        pairs = [_pair(setup, video, number, turn) for turn in range(rounds)]
        rows.append({"clip": clip.stem, "loops": loops, **_medians(pairs)})
    return {
        "limit": LIMIT,
        "threads": setup.threads,
        "profile": setup.profile,
        "clips": rows,
        "product_cpu_s": round(sum(row["product"]["cpu_s"] for row in rows), 1),
        "naive_cpu_s": round(sum(row["naive"]["cpu_s"] for row in rows), 1),
        "ratio": round(
            sum(row["product"]["cpu_s"] for row in rows)
            / sum(row["naive"]["cpu_s"] for row in rows),
            4,
        ),
        "peak_rss_mb": max(row["product"]["peak_rss_mb"] for row in rows),
    }


def _pair(setup: Setup, video: Path, number: int, turn: int) -> dict[str, dict[str, float]]:
    """Measure both once; who goes first changes, so that a drifting machine hurts both."""

    def product() -> dict[str, float]:
        run = run_product(setup, video, f"speed-{turn}", number, FACES_ONLY)
        return run.measured.figures()

    def naive() -> dict[str, float]:
        return run_naive(setup, video, f"{video.stem}-{turn}").figures()

    if turn % 2 == number % 2:
        second, first = naive(), product()
        return {"product": first, "naive": second}
    return {"product": product(), "naive": naive()}


def _medians(pairs: list[dict[str, dict[str, float]]]) -> dict[str, Any]:
    row: dict[str, Any] = {
        who: {
            figure: round(statistics.median(pair[who][figure] for pair in pairs), 2)
            for figure in pairs[0][who]
        }
        for who in ("product", "naive")
    }
    row["ratio"] = round(row["product"]["cpu_s"] / row["naive"]["cpu_s"], 4)
    return row
