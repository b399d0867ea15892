"""How far a backfill is, and how long runs take here: read from the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from screenalytics_core.attempts import AttemptRecord, AttemptStore, process_is_alive, utc_now
from screenalytics_core.backfills.expected import Finished, History
from screenalytics_core.backfills.progress import (
    EpisodeProgress,
    Totals,
    episode_progress,
    totals,
)
from screenalytics_core.backfills.record import BackfillRecord
from screenalytics_core.errors import ScreenalyticsError
from screenalytics_core.ledger.events import iso
from screenalytics_core.ledger.ledger import Ledger
from screenalytics_core.ledger.registry import Registry
from screenalytics_core.ledger.state import RunState
from screenalytics_core.processes import ProcessIdentity, pid_started_s
from screenalytics_core.runs import RunKey, RunStore

# Newer runs tell more of this machine and this code; each costs the reading of its run.json.
_MOST_RUNS: Final = 100

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BackfillProgress:
    """A backfill, its episodes in the order they were planned, and what they amount to."""

    record: BackfillRecord
    rows: tuple[EpisodeProgress, ...]
    totals: Totals


def progress_of(
    record: BackfillRecord,
    runs: RunStore,
    attempts: AttemptStore,
    ledger: Ledger,
) -> BackfillProgress:
    """Return how far a backfill is."""
    table = ledger.registry.runs()
    rows: list[Row] = table.to_pylist()
    people = {RunKey(row["ep_id"], row["run_id"]): row["people"] for row in rows}
    now, is_dead = iso(utc_now()), dead_here()
    found = []
    for planned in record.episodes:
        key = RunKey(planned.ep_id, planned.run_id)
        state = ledger.log.state(*key)
        gone = _is_gone(state, key, attempts, is_dead)
        found.append(
            episode_progress(planned, record, state, now=now, people=people.get(key), is_gone=gone)
        )
    history = history_of(ledger.registry, runs, rows)
    rate = history.rate(record.config_hash, record.pack)
    return BackfillProgress(record, tuple(found), totals(found, rate, record.jobs))


def history_of(registry: Registry, runs: RunStore, rows: list[Row] | None = None) -> History:
    """Return the newest finished runs that computed everything in their first attempt.

    Args:
        rows: Of the registry, if they were read already.
    """
    if rows is None:
        rows = registry.runs().to_pylist()
    columns = ["ep_id", "run_id", "stage", "source", "duration_seconds"]
    reused: set[RunKey] = set()
    stage_s: dict[RunKey, dict[str, float]] = {}
    for row in registry.stage_runs().select(columns).to_pylist():
        key = RunKey(row["ep_id"], row["run_id"])
        if row["source"] != "computed":
            reused.add(key)
        stage_s.setdefault(key, {})[row["stage"]] = row["duration_seconds"] or 0.0
    whole = [
        row
        for row in rows
        if row["state"] == "completed"
        and row["attempt"] == 1
        and row["duration_s"]
        and RunKey(row["ep_id"], row["run_id"]) not in reused
        and row["people"] is not None
    ]
    newest = sorted(whole, key=lambda row: (row["created_ts"], row["run_id"]))[-_MOST_RUNS:]
    found = (
        _finished(row, runs, stage_s.get(RunKey(row["ep_id"], row["run_id"]), {})) for row in newest
    )
    return History(tuple(run for run in found if run is not None))


def dead_here() -> Callable[[AttemptRecord], bool]:
    """Return what tells of a claim whether its process, one of this machine, is dead."""
    here = ProcessIdentity.current()

    def is_dead(claim: AttemptRecord) -> bool:
        is_ours = claim.process.shares_pids_with(here)
        return is_ours and not process_is_alive(claim.process, None, here, pid_started_s)

    return is_dead


def _finished(row: Row, runs: RunStore, stage_s: Mapping[str, float]) -> Finished | None:
    try:
        record = runs.get(row["ep_id"], row["run_id"])
    except ScreenalyticsError:
        return None  # a damaged run.json tells nothing
    video_s = record.video.get("duration_s") if record else None
    if record is None or not video_s:
        return None
    pack = str(record.models.get("pack", ""))
    return Finished(record.settings_hash, pack, float(row["duration_s"]), float(video_s), stage_s)


def _is_gone(
    state: RunState,
    key: RunKey,
    attempts: AttemptStore,
    is_dead: Callable[[AttemptRecord], bool],
) -> bool:
    current = state.current
    if current is None or current.status.is_terminal or current.attempt is None:
        return False
    try:
        claim = attempts.find(*key, current.dagster_run_id)
    except ScreenalyticsError:
        return False
    return claim is not None and is_dead(claim)
