"""Rows of the registry as the routes that list runs show them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from screenalytics_assets.stores import Stores
from screenalytics_core.errors import ArtifactCorruptError
from screenalytics_core.ledger.registry_table import RUNS
from screenalytics_core.ledger.run_rows import UNKNOWN
from screenalytics_core.run_record import RunRecord

_LOG: Final = logging.getLogger(__name__)
State = Literal["queued", "running", "completed", "failed", "canceled", "unknown"]


class RunRow(BaseModel):
    """A run as the registry tells of it.

    Attributes:
        created_at: When it was reserved, ISO 8601 in UTC.
        duration_s: Of the newest attempt.
        attempt: The highest that claimed the run; 0 before the first.
        screen_time_s: Sum of the people's seconds.
        cost_total: Of all attempts, markup included.
    """

    model_config = ConfigDict(extra="ignore")

    run_id: str
    state: State
    created_at: str
    started_at: str | None = None
    finished_at: str | None = None
    duration_s: float | None = None
    attempt: int = 0
    dagster_run_id: str | None = None
    parent_run_id: str | None = None
    code_ref: str | None = None
    config_hash: str | None = None
    people: int | None = None
    screen_time_s: float | None = None
    cost_total: float | None = None


def rows_of(stores: Stores, ep_ids: Iterable[str]) -> dict[str, list[RunRow]]:
    """Return the runs that the registry lists of some episodes, the oldest first.

    A registry that is damaged lists none, which is logged: what it tells of can be read in the
    run folders, and `screenalytics runs sync` makes it anew.
    """
    found: dict[str, list[RunRow]] = {}
    for row in _table(stores, ep_ids).to_pylist():
        found.setdefault(row["ep_id"], []).append(_row(row))
    return found


def row_of_record(record: RunRecord) -> RunRow:
    """Return a run that was reserved, and of which nothing else is known yet."""
    return RunRow(
        run_id=record.run_id,
        state=UNKNOWN,
        created_at=record.created_at,
        code_ref=record.code_ref,
        config_hash=record.settings_hash,
    )


def _table(stores: Stores, ep_ids: Iterable[str]) -> pa.Table:
    try:
        table = stores.ledger.registry.runs()
    except ArtifactCorruptError as error:
        _LOG.error("no run is listed: %s", error)
        return RUNS.empty()
    return table.filter(pc.is_in(table["ep_id"], value_set=pa.array(list(ep_ids), pa.string())))


def _row(row: dict[str, Any]) -> RunRow:
    return RunRow(**row, created_at=row["created_ts"])
