"""Peak memory of a clip against the same clip many times over: it must not grow with length."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.contestants import Setup, run_product
from benchmarks.media import loop_video

LIMIT_MB = 1500
LIMIT_GROWTH = 0.10


def bench_memory(setup: Setup, clip: Path, loops: int) -> dict[str, Any]:
    """Measure the product's peak resident memory on `clip`, once and `loops` times over."""
    long = loop_video(clip, setup.work / f"{clip.stem}-x{loops}.mp4", loops)
    once = run_product(setup, clip, "memory-once").measured
    many = run_product(setup, long, "memory-many").measured
    return {
        "clip": clip.stem,
        "loops": loops,
        "limit_mb": LIMIT_MB,
        "limit_growth": LIMIT_GROWTH,
        "once_mb": round(once.peak_rss_mb, 1),
        "looped_mb": round(many.peak_rss_mb, 1),
        "ratio": round(many.peak_rss_mb / once.peak_rss_mb, 4),
    }
