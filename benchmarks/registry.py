"""Recording one finished run: ours against read, concatenate, write back with pandas.

Both keep the same columns of the same runs. The two take turns, so that neither gets the
quieter machine. `python -m benchmarks.registry` prints the table.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pandas as pd

from screenalytics_core.ledger.registry import Registry
from screenalytics_core.ledger.registry_table import RUNS, STAGE_RUNS
from screenalytics_core.storage.local import LocalStorage

SIZES: Final = (0, 10_000, 100_000)
GOAL: Final = 10.0
ROUNDS: Final = 25
STAGES: Final = ("detect", "faces", "cluster", "body_tracking", "track_fusion", "screentime", "pdf")
_FILES: Final = ("screen_time.json", "screen_time.csv", "segments.parquet", "report.pdf")
_ARRIVAL_S: Final = 0.2

Row = dict[str, Any]


def measure(sizes: tuple[int, ...] = SIZES, rounds: int = ROUNDS) -> dict[str, Any]:
    """Record `rounds` runs beside each number of existing ones, both ways.

    Ours has its default settings, so folding is in the figures as it happens: a run every
    0.2 s is more than any cluster of ours finishes. `publishing_ms` is one publishing with
    one new run. The naive way fsyncs nothing and keeps no stages, both in its favour.
    """
    return {"goal": GOAL, "rounds": rounds, "sizes": [_measure_at(size, rounds) for size in sizes]}


def report(results: dict[str, Any]) -> list[str]:
    """Return the results as lines for people."""
    head = f"{'rows':<10}{'ours p50 ms':>13}{'mean':>9}{'publishing':>12}{'pandas p50 ms':>15}"
    lines = [
        f"{row['rows']:<10,}{row['ours_p50_ms']:>13.1f}{row['ours_mean_ms']:>9.1f}"
        f"{row['publishing_ms']:>12.1f}{row['pandas_p50_ms']:>15.1f}{row['ratio']:>8.1f}x"
        for row in results["sizes"]
    ]
    last = results["sizes"][-1]
    word = "holds" if last["ratio"] >= results["goal"] else "MISSED"
    lines.append(f"{word} (at least {results['goal']:g}x at {last['rows']:,} rows)")
    return [f"{head}{'ratio':>9}", *lines]


def _measure_at(size: int, rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="screenalytics-registry-") as folder:
        registry = Registry(LocalStorage(Path(folder) / "ours"))
        naive = Path(folder) / "naive.parquet"
        _fill(LocalStorage(Path(folder) / "ours"), naive, size)
        ours_s, pandas_s = [], []
        for n in range(size, size + rounds):
            run = run_row(n)
            stages = [stage_row(n, run, stage) for stage in STAGES]
            start = time.perf_counter()
            ours_s.append(_seconds(lambda r=run, s=stages: registry.record(r, s)))  # type: ignore[misc]
            pandas_s.append(_seconds(lambda r=run: append_with_pandas(naive, r)))  # type: ignore[misc]
            time.sleep(max(0.0, _ARRIVAL_S - (time.perf_counter() - start)))
        registry.publish(wait=False)
        registry.record(run_row(size + rounds), [])
        publishing_s = _seconds(lambda: registry.publish(wait=False))
        kept = registry.runs().num_rows, len(pd.read_parquet(naive))
        if kept != (size + rounds + 1, size + rounds):
            raise RuntimeError(f"rows were lost: {kept} of {size + rounds}")
    ours_ms, pandas_ms = (statistics.median(s) * 1e3 for s in (ours_s, pandas_s))
    return {
        "rows": size,
        "ours_p50_ms": round(ours_ms, 2),
        "ours_mean_ms": round(statistics.mean(ours_s) * 1e3, 2),
        "ours_max_ms": round(max(ours_s) * 1e3, 2),
        "publishing_ms": round(publishing_s * 1e3, 2),
        "pandas_p50_ms": round(pandas_ms, 2),
        "ratio": round(pandas_ms / ours_ms, 1),
    }


def _seconds(act: Callable[[], None]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def append_with_pandas(path: Path, row: Row) -> None:
    """Add a row as most registries do."""
    frame = pd.DataFrame([row])
    if path.exists():
        frame = pd.concat([pd.read_parquet(path), frame], ignore_index=True)
    frame.to_parquet(path, index=False)


def _fill(storage: LocalStorage, naive: Path, size: int) -> None:
    """Write both registries as they stand after `size` runs."""
    if not size:
        return
    runs = [run_row(n) for n in range(size)]
    stages = [stage_row(n, run, stage) for n, run in enumerate(runs) for stage in STAGES]
    for table, rows in ((RUNS, runs), (STAGE_RUNS, stages)):
        content = table.taken_in(table.spec.from_rows(rows), rows[:1])
        storage.write_atomic(table.key, table.encode(content, {}))
    pd.DataFrame(runs).to_parquet(naive, index=False)


def run_row(n: int) -> Row:
    """Return the row of the n-th run: names as long, and values as varied, as real ones."""
    show, season, episode = f"show{n % 7}", n % 9 + 1, n % 24 + 1
    ep_id = f"{show}-s{season:02d}e{episode:02d}"
    unique = uuid.uuid5(uuid.NAMESPACE_OID, str(n))
    run_id = f"20260102_{n % 240_000:06d}_{unique.hex[:8]}"
    folder = f"manifests/{ep_id}/runs/{run_id}"
    return {
        "run_id": run_id,
        "run_type": "episode",
        "slate_id": ep_id,
        "status": "failed" if n % 10 == 0 else "success",
        "primary_outputs": [f"{folder}/{name}" for name in _FILES],
        "metrics_path": f"{folder}/track_metrics.json",
        "created_ts": _time(n, 0),
        "tags": ["team=night"],
        "ep_id": ep_id,
        "show": show,
        "season": season,
        "episode": episode,
        "state": "failed" if n % 10 == 0 else "completed",
        "started_at": _time(n, 1),
        "finished_at": _time(n, 50),
        "duration_s": 49.0 + n / 7,
        "attempt": 1,
        "dagster_run_id": str(unique),
        "parent_run_id": None,
        "code_ref": "0f7a2a4e",
        "config_hash": f"{n % 40:064x}",
        "people": n % 12,
        "screen_time_s": n / 3,
        "cost_total": None,
        "sequence": 50,
    }


def stage_row(n: int, run: Row, stage: str) -> Row:
    """Return the row of a stage of the n-th run."""
    return {
        **{k: run[k] for k in ("run_id", "ep_id", "started_at", "finished_at", "code_ref")},
        "stage": stage,
        "status": "completed",
        "error": None,
        "input_fingerprint": uuid.uuid5(uuid.NAMESPACE_OID, f"{n}{stage}").hex * 2,
        "config_hash": run["config_hash"],
        "rows_in": n,
        "rows_out": 2 * n,
        "duration_seconds": 7 + n / 7,
        "llm_calls": 0,
        "tokens": 0,
        "trace_id": None,
        "source": "computed",
        "attempt": 1,
        "frames": 900 + n,
        "inferences": 300 + n,
        "peak_rss_bytes": 400_000_000 + n,
        "sequence": 50,
    }


def _time(n: int, second: int) -> str:
    day, rest = n // 1440 % 28 + 1, n % 1440
    return f"2026-01-{day:02d}T{rest // 60:02d}:{rest % 60:02d}:{second:02d}.{n:06d}+00:00"


if __name__ == "__main__":
    print("\n".join(report(measure())))
