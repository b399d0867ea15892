"""How fast a run's event log is written, read and folded."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from screenalytics_core.ledger.event_log import EventLog
from screenalytics_core.ledger.events import (
    EventKind,
    LedgerEvent,
    attempt_claimed,
    dagster_event_id,
)
from screenalytics_core.ledger.state import fold
from screenalytics_core.stages import PipelineStage
from screenalytics_core.storage.local import LocalStorage

LIMIT_PER_S: Final = 100_000
_RUN: Final = ("bench-s01e01", "bench")
_STEPS: Final = {
    "scan": PipelineStage.DETECT_TRACK,
    "tracks": PipelineStage.DETECT_TRACK,
    "faces": PipelineStage.FACES_EMBED,
    "embeddings": PipelineStage.FACES_EMBED,
    "identities": PipelineStage.CLUSTER,
    "body_tracks": PipelineStage.BODY_TRACKING,
    "track_fusion": PipelineStage.TRACK_FUSION,
    "screen_time": PipelineStage.SCREEN_TIME,
    "report": PipelineStage.PDF_EXPORT,
}
_FACTS: Final = {"cpu_s": 1.5, "frames": 900, "inferences": 300, "peak_rss_bytes": 600_000_000}


def measure(events: int = 5_000, appends: int = 500, rounds: int = 5) -> dict[str, Any]:
    """Measure a log of two attempts, most of it progress, as a long episode leaves it.

    Args:
        events: In the log that is read and folded.
        appends: Single events that are appended, each under the lock and synced.
        rounds: Of reading and folding; the median counts.
    """
    log_events = realistic_log(events)
    with tempfile.TemporaryDirectory(prefix="screenalytics-bench-") as folder:
        storage = LocalStorage(Path(folder))
        EventLog(storage).append(*_RUN, log_events)
        read_s = _median_s(lambda: EventLog(storage).read(*_RUN), rounds)
        append_s = _append_one_by_one(EventLog(storage), log_events[:appends])
    fold_s = _median_s(lambda: fold(log_events), rounds)
    return {
        "events": len(log_events),
        "appends": appends,
        "limit_per_s": LIMIT_PER_S,
        "folded_per_s": round(len(log_events) / fold_s),
        "read_per_s": round(len(log_events) / read_s),
        "appended_per_s": round(appends / append_s),
    }


def report(results: dict[str, Any]) -> list[str]:
    """Return the results as lines for people."""
    holds = results["folded_per_s"] >= results["limit_per_s"]
    return [
        f"ledger: of {results['events']:,} events {results['folded_per_s']:,} folded per s, "
        f"{results['read_per_s']:,} read per s; {results['appended_per_s']:,} appended per s "
        f"one by one   {'holds' if holds else 'MISSED'} "
        f"(at least {results['limit_per_s']:,} folded per s)"
    ]


def realistic_log(count: int) -> list[LedgerEvent]:
    """Return `count` events: a first attempt that fails half-way, a second that completes."""
    half = count // 2
    first = _attempt("bench-1", 1, half, list(_STEPS)[:4], EventKind.RUN_FAILED)
    second = _attempt("bench-2", 2, count - half, list(_STEPS), EventKind.RUN_COMPLETED)
    return first + second


def _attempt(
    dagster_run_id: str, n: int, count: int, steps: list[str], end: EventKind
) -> list[LedgerEvent]:
    """Return `count` events of one attempt; whatever its steps do not need is progress."""
    events = [attempt_claimed(dagster_run_id, n, _at(0), {"host": "bench", "pid": 1})]

    def tell(kind: EventKind, step: str | None = None, **data: Any) -> None:
        order = len(events)
        stage = _STEPS[step] if step else None
        event_id = dagster_event_id(dagster_run_id, order)
        events.append(
            LedgerEvent(event_id, kind, _at(order), dagster_run_id, order, n, stage, step, data)
        )

    tell(EventKind.RUN_QUEUED, created_at=_at(0), tags=["show=bench"])
    for step in _STEPS:
        tell(EventKind.STEP_PLANNED, step, asset=step)
    tell(EventKind.RUN_STARTED)
    reports = count - len(events) - 3 * len(steps) - 1
    for index, step in enumerate(steps):
        own = reports // len(steps) + (index < reports % len(steps))
        tell(EventKind.STEP_STARTED, step)
        for done in range(own):
            tell(EventKind.STEP_PROGRESS, step, done=done, total=own, message="", facts=_FACTS)
        tell(EventKind.ARTIFACT_PUBLISHED, step, asset=step, source="computed", facts=_FACTS)
        tell(EventKind.STEP_SUCCEEDED, step)
    tell(end)
    return events


def _at(second: int) -> str:
    return f"2026-01-02T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.000000+00:00"


def _append_one_by_one(log: EventLog, events: list[LedgerEvent]) -> float:
    """Return the seconds that it takes in a run of its own."""
    begun = time.perf_counter()
    for event in events:
        log.append(_RUN[0], "one-by-one", [event])
    return time.perf_counter() - begun


def _median_s(work: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


if __name__ == "__main__":
    print("\n".join(report(measure())))
