"""What other backfills are about to run, and what killed ones are still about to end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import dagster as dg

from screenalytics_assets.binding import Tell
from screenalytics_assets.liveness import UNENDED, sweep
from screenalytics_assets.mirror import mirror_runs, run_key_of
from screenalytics_assets.stores import Stores
from screenalytics_assets.tags import BACKFILL_ID_TAG
from screenalytics_core.attempts import process_is_alive, utc_now
from screenalytics_core.backfills.progress import PLANNED, episode_progress
from screenalytics_core.backfills.record import BackfillRecord, BackfillStore
from screenalytics_core.errors import ArtifactCorruptError, BackfillNotFoundError
from screenalytics_core.ledger.events import iso
from screenalytics_core.processes import ProcessIdentity, pid_started_s
from screenalytics_core.runs import RunKey

# A daemon looks for what it is to queue every few seconds; until then only the record says it.
_ON_ITS_WAY_S: Final = 120.0
# Somewhat longer than a child has to end after its backfill.
_LONGEST_WAIT_S: Final = 70.0
_POLL_S: Final = 0.3


def planned_runs(stores: Stores, here: ProcessIdentity) -> dict[RunKey, str]:
    """Return the runs that a living backfill has planned and not begun, with what to say."""
    found: dict[RunKey, str] = {}
    for record in BackfillStore(stores.storage).list():
        if not _is_about_to_run(record, here):
            continue
        for planned in record.episodes:
            key = RunKey(planned.ep_id, planned.run_id)
            state = stores.ledger.log.state(*key)
            if episode_progress(planned, record, state, now=iso(utc_now())).state == PLANNED:
                found[key] = f"is planned by backfill {record.backfill_id}"
    return found


def await_orphans(instance: dg.DagsterInstance, stores: Stores, tell: Tell) -> None:
    """Wait for runs to end whose backfill was killed: they notice within a moment."""
    here = ProcessIdentity.current()
    deadline_s = time.monotonic() + _LONGEST_WAIT_S
    is_told = False
    while names := sorted(_orphans(instance, stores, here)):
        if time.monotonic() > deadline_s:
            tell(f"still running, left alone: {', '.join(names)}")
            return
        if not is_told:
            tell(f"a killed backfill's runs are ending: {', '.join(names)}")
            is_told = True
        time.sleep(_POLL_S)


def _is_about_to_run(record: BackfillRecord, here: ProcessIdentity) -> bool:
    process = _process_of(record)
    if process is not None:
        is_alive = process_is_alive(process, None, here, pid_started_s)
        return is_alive and process != here
    created_at = datetime.fromisoformat(record.created_at)
    return (utc_now() - created_at).total_seconds() < _ON_ITS_WAY_S


def _orphans(instance: dg.DagsterInstance, stores: Stores, here: ProcessIdentity) -> Iterator[str]:
    """Yield the unended runs, as `EP/RUN`, of backfills whose process on this machine is dead."""
    mirror_runs(instance, stores, sweep(instance, stores.attempts, here))
    for run in instance.get_runs(dg.RunsFilter(statuses=list(UNENDED))):
        backfill_id, key = run.tags.get(BACKFILL_ID_TAG), run_key_of(run)
        if backfill_id is None or key is None:
            continue
        try:
            process = _process_of(BackfillStore(stores.storage).get(backfill_id))
        except (BackfillNotFoundError, ArtifactCorruptError):
            continue
        if process is None or not process.shares_pids_with(here):
            continue
        if not process_is_alive(process, None, here, pid_started_s):
            yield "/".join(key)


def _process_of(record: BackfillRecord) -> ProcessIdentity | None:
    return ProcessIdentity.from_dict(record.process) if record.process else None
