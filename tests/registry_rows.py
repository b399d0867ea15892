"""Rows for the registry, and what processes run that write and read it."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from screenalytics_core.episodes import EpisodeId
from screenalytics_core.ledger.registry import Registry
from screenalytics_core.storage.local import LocalStorage
from tests.stores import EP, FakeClock

OTHER_EP = "rhobh-s05e15"
CREATED = "2026-01-02T03:04:05.000000+00:00"
STARTED = "2026-01-02T03:04:06.000000+00:00"
ENDED = "2026-01-02T03:05:06.500000+00:00"


def run_row_of(run_id: str = "first", ep_id: str = EP, **given: Any) -> dict[str, Any]:
    """Return the row of a run that completed; `given` columns differ."""
    folder, episode = f"manifests/{ep_id}/runs/{run_id}", EpisodeId.parse(ep_id)
    row = {
        "run_id": run_id,
        "run_type": "episode",
        "slate_id": ep_id,
        "status": "success",
        "primary_outputs": [f"{folder}/screen_time.json", f"{folder}/report.pdf"],
        "metrics_path": f"{folder}/track_metrics.json",
        "created_ts": CREATED,
        "tags": ["team=night"],
        "ep_id": ep_id,
        "show": episode.show,
        "season": episode.season,
        "episode": episode.episode,
        "state": "completed",
        "started_at": STARTED,
        "finished_at": ENDED,
        "duration_s": 60.5,
        "attempt": 1,
        "dagster_run_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{ep_id}/{run_id}")),
        "parent_run_id": None,
        "code_ref": "c0de",
        "config_hash": "c" * 64,
        "people": 3,
        "screen_time_s": 41.25,
        "cost_total": None,
        "sequence": 50,
    }
    assert not given.keys() - row.keys()
    return {**row, **given}


def stage_row_of(run_id: str = "first", stage: str = "detect", **given: Any) -> dict[str, Any]:
    """Return the row of a stage that completed."""
    row = {
        "run_id": run_id,
        "ep_id": EP,
        "stage": stage,
        "status": "completed",
        "error": None,
        "input_fingerprint": "f" * 64,
        "code_ref": "c0de",
        "config_hash": "c" * 64,
        "started_at": STARTED,
        "finished_at": ENDED,
        "rows_in": None,
        "rows_out": 300,
        "duration_seconds": 60.5,
        "llm_calls": 0,
        "tokens": 0,
        "trace_id": None,
        "source": "computed",
        "attempt": 1,
        "frames": 900,
        "inferences": 300,
        "peak_rss_bytes": 400_000_000,
        "sequence": 50,
    }
    assert not given.keys() - row.keys()
    return {**row, **given}


def keys_of(table: Any) -> list[tuple[str, str]]:
    return list(zip(table["ep_id"].to_pylist(), table["run_id"].to_pylist(), strict=True))


class Desk:
    """A registry with a clock that the test moves."""

    def __init__(self, root: Path, storage: LocalStorage | None = None) -> None:
        self.root = root
        self.clock = FakeClock()
        self.slept: list[float] = []
        self.registry = Registry(storage or LocalStorage(root), self.clock, 1.0, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.pass_s(seconds)

    @property
    def runs_file(self) -> Path:
        return self.root / "registry" / "runs.parquet"

    @property
    def stages_file(self) -> Path:
        return self.root / "registry" / "stage_runs.parquet"

    def notices(self) -> list[Path]:
        return sorted((self.root / "registry" / "_log").glob("*.json"))

    def set_aside(self) -> list[Path]:
        return sorted((self.root / "registry" / "_damaged").iterdir())

    def published(self) -> list[tuple[str, str]]:
        return keys_of(pq.read_table(self.runs_file))

    def only_row(self) -> dict[str, Any]:
        [row] = self.registry.runs().to_pylist()
        return dict(row)


def registry_at(root: Path, min_period_s: float = 1.0) -> Registry:
    return Registry(LocalStorage(root), min_period_s=min_period_s)


def finish_runs(root: Path, name: str, count: int, min_period_s: float) -> list[str]:
    """Record runs, look after each one if it is there; return those that were not."""
    registry = registry_at(root, min_period_s)
    missed = []
    for n in range(count):
        run_id = f"{name}-{n:03d}"
        registry.record(run_row_of(run_id), [stage_row_of(run_id), stage_row_of(run_id, "faces")])
        if (EP, run_id) not in keys_of(registry.runs()):
            missed.append(run_id)
    registry.publish(wait=True)
    return missed


def record_for_ever(root: Path, name: str, told: Path) -> None:
    """Record and publish without a pause; write each run_id to `told` once it is recorded."""
    registry = registry_at(root, min_period_s=0.0)
    with told.open("a") as file:
        n = 0
        while True:
            n += 1
            run_id = f"{name}-{n}"
            registry.record(run_row_of(run_id), [stage_row_of(run_id)])
            file.write(f"{run_id}\n")
            file.flush()
