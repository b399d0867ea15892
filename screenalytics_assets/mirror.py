"""Dagster's event log into each run's own: incremental, idempotent, bounded in time.

The same functions serve the sensor, the command line while it waits, and `runs sync`. What
was taken in already is told by the run's log itself, so any two of them may work at once,
and a mirror killed anywhere goes on where the log ends.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

import dagster as dg
from dagster._core.event_api import EventLogCursor

from screenalytics_assets.graph import OUTPUTS
from screenalytics_assets.jobs import EPISODE_JOB
from screenalytics_assets.liveness import sweep
from screenalytics_assets.normalise import MIRRORED_TYPES, normalise, queued_event
from screenalytics_assets.stores import Stores
from screenalytics_assets.tags import PARTITION_TAG, run_id_of
from screenalytics_core import layout
from screenalytics_core.attempts import AttemptRecord, Clock, utc_now
from screenalytics_core.episodes import EpisodeId
from screenalytics_core.errors import ArtifactCorruptError, InvalidIdError, ScreenalyticsError
from screenalytics_core.ledger.events import (
    EventKind,
    LedgerEvent,
    attempt_claimed,
    run_priced,
)
from screenalytics_core.ledger.price_file import load_prices
from screenalytics_core.ledger.state import RunState
from screenalytics_core.processes import ProcessIdentity
from screenalytics_core.run_tools.removal_record import removed_dagster_runs
from screenalytics_core.runs import RunKey

_LOG: Final = logging.getLogger(__name__)
_PAGE: Final = 500
# A run's update time is set before its row is committed, and clocks differ a little.
_OVERLAP_S: Final = 30.0
# SQLite dates the row of a run that nobody started yet by the whole second.
_ONE_SECOND_S: Final = 1.0
_BUDGET_S: Final = 10.0
# The second is Dagster's own, of what is materialised asset by asset.
_OUR_JOBS: Final = {EPISODE_JOB, "__ASSET_JOB"}
_ENDS: Final = {EventKind.RUN_COMPLETED, EventKind.RUN_FAILED, EventKind.RUN_CANCELED}
# Their events flow although their row does not change; a queued run's row changes first.
_FLOWING: Final = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def run_key_of(run: dg.DagsterRun) -> RunKey | None:
    """Return the run of ours that a Dagster run belongs to; None if it is not about an episode."""
    partition = run.tags.get(PARTITION_TAG)
    if partition is None or not _makes_ours(run):
        return None
    try:
        key = RunKey(EpisodeId.parse(partition).text, run_id_of(run.tags, run.run_id))
        layout.run_prefix(*key)  # refuses the name of a file that stands beside the folders
    except InvalidIdError as error:
        # Dagster takes any text as a partition key; ours failed that run and says so there.
        _LOG.debug("Dagster run %s is not mirrored: %s", run.run_id, error)
        return None
    return key


def _makes_ours(run: dg.DagsterRun) -> bool:
    """Tell whether a run is of our graph: other assets of the location have other partitions."""
    selected = {key.to_user_string() for key in run.asset_selection or ()}
    return bool(selected & OUTPUTS.keys()) if selected else run.job_name in _OUR_JOBS


def mirror_run(
    instance: dg.DagsterInstance,
    stores: Stores,
    record: dg.RunRecord,
    *,
    from_start: bool = False,
) -> int:
    """Take the new events of one Dagster run into its run's log; return how many were new.

    Args:
        from_start: Read every event again: finds what an earlier reading could not see yet.
    """
    run = record.dagster_run
    key = run_key_of(run)
    if key is None:
        return 0
    newest = stores.ledger.log.newest_order(*key, run.run_id)
    if newest < 0 and run.run_id in removed_dagster_runs(stores.storage):
        return 0  # `runs gc` removed its run, which would come back as a ghost
    newest = -1 if from_start else newest
    known = stores.ledger.log.known(*key)
    n = next((a.attempt for a in known.attempts if a.dagster_run_id == run.run_id), None)
    # What the log tells already need not be looked up in the run's folder.
    attempt = _attempt_of(stores, key, run.run_id) if n is None or from_start else None
    n = attempt.n if attempt else n
    events = [queued_event(record)] if newest < 0 else []
    events += read_events(instance, run.run_id, max(newest, 0), n)
    if not from_start and any(event.kind in _ENDS for event in events):
        # Concurrent writers may commit a lower storage id later; after the end none is out.
        events = [queued_event(record), *read_events(instance, run.run_id, 0, n)]
    if attempt is not None:
        events.append(claim_event(attempt))
    if n is not None:
        events += price_events(stores, key, known)
    before = known.sequence
    return stores.ledger.record(*key, events).sequence - before


def claim_event(claim: AttemptRecord) -> LedgerEvent:
    """Return the event that says which attempt a Dagster run became."""
    return attempt_claimed(claim.dagster_run_id, claim.n, claim.claimed_at, asdict(claim.process))


def price_events(stores: Stores, key: RunKey, state: RunState | None = None) -> list[LedgerEvent]:
    """Return the event that fixes what a claimed run is billed by; none if it is fixed already.

    A price file that cannot be read holds no run up: `runs sync` prices it once it can.
    """
    if (state or stores.ledger.log.state(*key)).prices is not None:
        return []
    try:
        return [run_priced(load_prices(stores.storage), utc_now())]
    except ScreenalyticsError as error:
        _LOG.warning("run %s is not priced: %s", "/".join(key), error)
        return []


def _attempt_of(stores: Stores, key: RunKey, dagster_run_id: str) -> AttemptRecord | None:
    try:
        return stores.attempts.find(*key, dagster_run_id)
    except ArtifactCorruptError as error:
        _LOG.warning("Dagster run %s is mirrored without its attempt: %s", dagster_run_id, error)
        return None


def read_events(
    instance: dg.DagsterInstance, dagster_run_id: str, after: int = 0, attempt: int | None = None
) -> list[LedgerEvent]:
    """Return what Dagster stored of a run since number `after`, in our words.

    Args:
        attempt: The attempt that the Dagster run claimed, if it did.
    """
    cursor = EventLogCursor.from_storage_id(after).to_string()
    found: list[LedgerEvent] = []
    while True:
        page = instance.get_records_for_run(
            dagster_run_id, cursor=cursor, of_type=set(MIRRORED_TYPES), limit=_PAGE
        )
        said = (normalise(record, attempt) for record in page.records)
        found += [event for event in said if event is not None]
        if not page.has_more:
            return found
        cursor = page.cursor


@contextmanager
def tolerated(run: str, problems: list[str]) -> Iterator[None]:
    """Log what is wrong with one run and note it in `problems`, so that the others go on.

    Args:
        run: Names it: a Dagster run's id, or `EP/RUN`.
    """
    try:
        yield
    except ScreenalyticsError as error:
        _LOG.warning("the ledger of run %s is not current: %s", run, error)
        problems.append(str(error))
    except Exception as error:  # noqa: BLE001 - the ledger degrades, it never stops a run
        _LOG.exception("the ledger of run %s is not current", run)
        problems.append(f"run {run}: {type(error).__name__}: {error}")


def mirror_runs(
    instance: dg.DagsterInstance, stores: Stores, dagster_run_ids: Sequence[str]
) -> list[str]:
    """Take in some Dagster runs now; return what is wrong, which `runs sync` repairs."""
    problems: list[str] = []
    for dagster_run_id in dagster_run_ids:
        with tolerated(dagster_run_id, problems):
            record = instance.get_run_record_by_id(dagster_run_id)
            if record is not None:
                mirror_run(instance, stores, record)
    return problems


def tick(
    instance: dg.DagsterInstance,
    stores: Stores,
    cursor: str | None,
    budget_s: float = _BUDGET_S,
    clock: Clock = utc_now,
) -> str:
    """Sweep the dead and take in what is new; return the cursor of the next tick.

    Args:
        cursor: What the tick before returned; None takes in everything that Dagster knows.
        budget_s: Runs that do not fit are left to the next tick; every tick gets a bit further.
    """
    deadline_s = time.monotonic() + budget_s
    # Up to here no row is still to come. A cursor beyond it would miss one; a cursor that
    # stayed behind what was read would never get past more changes than fit a tick.
    settled_s = clock().timestamp() - _OVERLAP_S
    sweep(instance, stores.attempts, ProcessIdentity.current())
    flowing = instance.get_run_records(dg.RunsFilter(statuses=_FLOWING))
    seen = {record.dagster_run.run_id for record in flowing}
    for record in flowing:
        with tolerated(record.dagster_run.run_id, []):
            mirror_run(instance, stores, record)
    before_s = updated_s = _parse_cursor(cursor)
    for record in _updated_since(instance, updated_s - _ONE_SECOND_S):
        if record.dagster_run.run_id not in seen:
            with tolerated(record.dagster_run.run_id, []):
                mirror_run(instance, stores, record)
        updated_s = max(updated_s, record.update_timestamp.timestamp())
        if updated_s > before_s and time.monotonic() > deadline_s:
            break
    stores.ledger.registry.publish(wait=False)
    return json.dumps({"updated_s": min(updated_s, settled_s)})


def _updated_since(instance: dg.DagsterInstance, since_s: float) -> Iterator[dg.RunRecord]:
    """Yield runs whose status changed since then, oldest change first."""
    since_s = max(since_s, 0.0)
    while True:
        records = instance.get_run_records(
            dg.RunsFilter(updated_after=datetime.fromtimestamp(since_s, UTC)),
            limit=_PAGE,
            order_by="update_timestamp",
            ascending=True,
        )
        yield from records
        if len(records) < _PAGE:
            return
        since_s = records[-1].update_timestamp.timestamp()


def _parse_cursor(cursor: str | None) -> float:
    try:
        return float(json.loads(cursor)["updated_s"]) if cursor else 0.0
    except (ValueError, KeyError, TypeError):
        _LOG.warning("mirror cursor %r is not readable: everything is taken in again", cursor)
        return 0.0
