"""Which runs and stage attempts, from the registry's tables. Pure.

Rows leave Arrow only once they are chosen: a registry of years is read for ten lines. Times
are text in one spelling, so they sort and compare as they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from screenalytics_core.errors import SettingsError
from screenalytics_core.ledger.events import iso
from screenalytics_core.ledger.vocabulary import RunStatus, parse_run_status
from screenalytics_core.stages import PipelineStage

Row = dict[str, Any]
StageKey = tuple[str, str, str, int]

_AGO: Final = re.compile(r"(\d{1,6})\s*([smhdw])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_STAGE_WORDS: Final = {
    RunStatus.RUNNING: "running",
    RunStatus.COMPLETED: "completed",
    RunStatus.FAILED: "failed",
    # Stage rows know no other word for it; the run's own row says that it was canceled.
    RunStatus.CANCELED: "failed",
}


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs are wanted; None lets everything through.

    Attributes:
        status: Of the run; with a stage, of that stage as its newest attempt left it.
        since: Runs reserved at this time or later.
    """

    stage: PipelineStage | None = None
    status: RunStatus | None = None
    since: datetime | None = None
    ep_id: str | None = None


def parse_since(text: str, now: datetime) -> datetime:
    """Return the time that `2d`, `90m`, `2026-11-01` or an ISO 8601 time means.

    Args:
        now: What `2d` counts back from. A time without an offset is in UTC.

    Raises:
        SettingsError: It is none of these.
    """
    ago = _AGO.fullmatch(text.strip().lower())
    try:
        if ago:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        at = datetime.fromisoformat(text.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise SettingsError(
            thing=f"--since {text!r}",
            reason="is no time",
            way_out="Write 2d, 12h, 90m, 2026-11-01 or 2026-11-01T18:00+01:00.",
        ) from None


def parse_filter_status(word: str, stage: PipelineStage | None) -> RunStatus:
    """Return the status to filter by.

    Raises:
        SettingsError: No state has that name, or it is one that a stage cannot have.
    """
    status = parse_run_status(word)
    if stage is not None and status not in _STAGE_WORDS:
        raise SettingsError(
            thing=f"--status {word} with --stage {stage}",
            reason="cannot be: a stage starts at once or has no row",
            way_out=f"Use one of {', '.join(_STAGE_WORDS)}, or leave --stage out.",
        )
    return status


def newest_stage_runs(stage_runs: pa.Table, n: int) -> list[Row]:
    """Return the last `n` of the stage attempts, which stand in the order they started."""
    rows: list[Row] = stage_runs.slice(max(0, stage_runs.num_rows - n)).to_pylist()
    return rows


def count_statuses(stage_runs: pa.Table) -> dict[str, int]:
    """Return status -> number of stage attempts, the frequent ones first."""
    counted = Counter(stage_runs["status"].to_pylist())
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


class ChangedRows:
    """Follows the table of stage attempts: gives each row once, and again when it changed."""

    def __init__(self, seen: pa.Table) -> None:
        self._seen = dict(_shown(seen))

    def take(self, stage_runs: pa.Table) -> list[Row]:
        """Return the rows that are new or look different than before, in the table's order."""
        shown = _shown(stage_runs)
        places = [i for i, (key, look) in enumerate(shown) if self._seen.get(key) != look]
        self._seen = dict(shown)
        rows: list[Row] = stage_runs.take(pa.array(places, pa.int64())).to_pylist()
        return rows


def _shown(stage_runs: pa.Table) -> list[tuple[StageKey, tuple[Any, ...]]]:
    """Return for each row its key and what a reader sees of it."""
    keys = [stage_runs[name].to_pylist() for name in ("ep_id", "run_id", "stage", "attempt")]
    names = ("status", "source", "finished_at", "rows_in", "rows_out", "error")
    looks = [stage_runs[name].to_pylist() for name in names]
    return list(zip(zip(*keys, strict=True), zip(*looks, strict=True), strict=True))


def list_runs(runs: pa.Table, stage_runs: pa.Table, wanted: RunFilter) -> list[Row]:
    """Return the runs that pass the filter, newest first."""
    if wanted.since is not None:
        runs = since(runs, "created_ts", wanted.since)
    rows: Iterable[Row] = runs.to_pylist()
    if wanted.ep_id is not None:
        rows = (row for row in rows if row["ep_id"] == wanted.ep_id)
    if wanted.stage is not None:
        words = _newest_words(stage_runs, wanted.stage)
        rows = (row for row in rows if _passes(row, words, wanted.status))
    elif wanted.status is not None:
        rows = (row for row in rows if row["state"] == wanted.status)
    return sorted(rows, key=lambda row: (row["created_ts"], row["run_id"]), reverse=True)


def _passes(row: Row, words: dict[tuple[str, str], str], status: RunStatus | None) -> bool:
    word = words.get((row["ep_id"], row["run_id"]))
    if word is None or status is None:
        return word is not None
    if status is RunStatus.CANCELED and row["state"] != RunStatus.CANCELED:
        return False
    return word == _STAGE_WORDS[status]


def _newest_words(stage_runs: pa.Table, stage: PipelineStage) -> dict[tuple[str, str], str]:
    """Return (ep_id, run_id) -> status of a stage in the run's newest attempt of it."""
    names = ("stage", "started_at", "attempt", "ep_id", "run_id", "status")
    columns = zip(*(stage_runs[name].to_pylist() for name in names), strict=True)
    own = sorted(values[1:] for values in columns if values[0] == stage)
    return {(ep_id, run_id): status for _, _, ep_id, run_id, status in own}


def since(table: pa.Table, column: str, at: datetime) -> pa.Table:
    """Return the rows whose time in `column` is `at` or later."""
    return table.filter(pc.greater_equal(table[column], iso(at)))


def choose_stage_runs(stage_runs: pa.Table, at: datetime | None, ep_id: str | None) -> list[Row]:
    """Return the stage attempts that started at `at` or later, of one episode or of all."""
    table = stage_runs if at is None else since(stage_runs, "started_at", at)
    if ep_id is not None:
        table = table.filter(pc.equal(table["ep_id"], ep_id))
    rows: list[Row] = table.to_pylist()
    return rows
