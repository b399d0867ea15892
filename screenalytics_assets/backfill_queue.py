"""Backfills through the daemon's queue: what Dagster is asked to run, and who must be there.

A queued backfill is its record. A sensor asks Dagster for its runs, each by a key of its own,
so that a tick that is repeated, or a daemon that dies between record and runs, changes nothing.
"""

import json
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import dagster as dg

from screenalytics_assets.partitions import add_episode
from screenalytics_assets.resources import settings_run_config
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_assets.supervisor.place import Place
from screenalytics_assets.tags import BACKFILL_ID_TAG, ONCE_TAG, RUN_ID_TAG
from screenalytics_core.backfills.record import BackfillRecord, BackfillStore
from screenalytics_core.errors import ArtifactCorruptError, DaemonMissingError

_LOG: Final = logging.getLogger(__name__)
# A run that somebody asked for by itself has 0: it goes before every backfill that waits.
PRIORITY: Final = -10
_INTERVAL_S: Final = 5
# A daemon beats every 30 s. Of a supervisor's it is known at once that it has gone.
_DEAD_AFTER_S: Final = 90.0
# Who takes runs from the queue, and who puts them there.
_NEEDED: Final = ("QUEUED_RUN_COORDINATOR", "SENSOR")


def run_requests(instance: dg.DagsterInstance, record: BackfillRecord) -> Iterator[dg.RunRequest]:
    """Yield one request per episode, equal whoever makes it, after making it a partition."""
    run_config = settings_run_config(record.config())
    for planned in record.episodes:
        add_episode(instance, planned.ep_id)
        yield dg.RunRequest(
            run_key=f"{record.backfill_id}:{planned.ep_id}",
            partition_key=planned.ep_id,
            run_config=run_config,
            tags={
                RUN_ID_TAG: planned.run_id,
                BACKFILL_ID_TAG: record.backfill_id,
                ONCE_TAG: "true",
                "dagster/priority": str(PRIORITY),
            },
        )


def build_backfill_sensor(settings: Settings, job: Any) -> Any:
    """Return the sensor that puts the runs of queued backfills into Dagster's queue."""
    stores = Stores.open(settings.data_root)

    @dg.sensor(
        name="backfills",
        job=job,
        minimum_interval_seconds=_INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Queues the runs of `screenalytics backfill --queue`.",
    )
    def backfills_sensor(context: dg.SensorEvaluationContext) -> Iterator[Any]:
        store = BackfillStore(stores.storage)
        ids = store.list_ids()
        seen = _seen(context.cursor)
        records = list(_queued(store, (name for name in ids if name not in seen)))
        if not records:
            yield dg.SkipReason("no backfill waits")
        for record in records:
            yield from run_requests(context.instance, record)
        if set(ids) != seen:
            context.update_cursor(json.dumps(ids))

    return backfills_sensor


def check_daemon(instance: dg.DagsterInstance, now_s: float) -> None:
    """Refuse to queue what nobody would take.

    Args:
        now_s: Seconds since 1970.

    Raises:
        DaemonMissingError: No daemon of this DAGSTER_HOME has beaten lately, or that of its
            supervisor does not run.
    """
    beats = instance.get_daemon_heartbeats()
    missing = [
        name
        for name in _NEEDED
        if name not in beats or now_s - beats[name].timestamp > _DEAD_AFTER_S
    ]
    if missing or Place(Path(instance.root_directory)).lacks_daemon():
        raise DaemonMissingError(
            thing=f"DAGSTER_HOME {instance.root_directory}",
            reason="no daemon works on its queue",
            way_out="Start one with `screenalytics dev`, or leave --queue out: then the runs are "
            "processes of this command.",
        )


def _queued(store: BackfillStore, ids: Iterable[str]) -> Iterator[BackfillRecord]:
    for backfill_id in ids:
        try:
            record = store.get(backfill_id)
        except ArtifactCorruptError as error:
            _LOG.warning("backfill %s is not queued: %s", backfill_id, error)
            continue
        if record.how == "queue":
            yield record


def _seen(cursor: str | None) -> set[str]:
    try:
        return set(json.loads(cursor)) if cursor else set()
    except (ValueError, TypeError):
        _LOG.warning("cursor %r is not readable: each run is asked for again", cursor)
        return set()
