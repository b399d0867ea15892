"""Schedules of the data root's `schedules.yaml`: each tick plans and asks for its runs.

A tick's backfill and the runs in it are named after the schedule and the time that the tick is
for. So when several daemons, or one twice, evaluate the same tick, they mean the same runs:
one does each, the others' end canceled.
"""

import logging
from collections.abc import Iterator
from typing import Any, Final

import dagster as dg
from dagster._utils.schedules import is_valid_cron_string

from screenalytics_assets.backfill_facts import Wanted
from screenalytics_assets.backfill_plan import Request, plan_and_record
from screenalytics_assets.backfill_queue import run_requests
from screenalytics_assets.binding import silent
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core import layout
from screenalytics_core.backfills.schedule_file import Schedule, read_schedules
from screenalytics_core.episode_registry import list_episodes
from screenalytics_core.episode_selection import known_of
from screenalytics_core.errors import KeyMissingError, ScheduleError
from screenalytics_core.storage.base import Storage

_LOG: Final = logging.getLogger(__name__)
_CRON_FIELDS: Final = 5


def load_schedules(storage: Storage) -> tuple[Schedule, ...]:
    """Return the schedules of a data root; none without a file.

    Raises:
        ScheduleError: The file is wrong somewhere.
    """
    try:
        text = storage.read_bytes(layout.SCHEDULES_KEY).decode()
    except KeyMissingError:
        return ()
    except UnicodeDecodeError as error:
        raise ScheduleError(
            thing=layout.SCHEDULES_KEY, reason=f"is not UTF-8: {error}", line=1, field=""
        ) from error
    return read_schedules(text, _is_cron)


def build_schedules(settings: Settings, job: Any) -> list[Any]:
    """Return a Dagster schedule for each of the data root's.

    A wrong file is logged and leaves the code location without schedules: sensors, jobs and
    assets must not be lost to a slip of the pen. `screenalytics doctor` names it too.
    """
    try:
        schedules = load_schedules(Stores.open(settings.data_root).storage)
    except ScheduleError as error:
        _LOG.error("no schedules: %s", error)
        return []
    return [_build(settings, schedule, job) for schedule in schedules if schedule.is_enabled]


def _build(settings: Settings, schedule: Schedule, job: Any) -> Any:
    @dg.schedule(
        name=schedule.name,
        job=job,
        cron_schedule=schedule.cron,
        execution_timezone=schedule.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Runs what is {' or '.join(schedule.which)} of "
        f"{', '.join(schedule.selection)}.",
    )
    def tick(context: dg.ScheduleEvaluationContext) -> Iterator[Any]:
        stores = Stores.open(settings.data_root)
        tick_id = schedule.tick_id(context.scheduled_execution_time)
        selection, unknown = known_of(schedule.selection, list_episodes(stores.storage))
        if unknown:
            # A season that is still to come must not keep the others from being run.
            context.log.warning(f"{tick_id}: not registered: {', '.join(unknown)}")
        if not selection:
            yield dg.SkipReason(f"{tick_id}: not registered: {', '.join(unknown)}")
            return
        request = Request(
            selection=selection,
            which=schedule.which,
            how="schedule",
            template="{backfill_id}",
            backfill_id=tick_id,
            created_by=f"schedule {schedule.name}",
        )
        wanted = Wanted.of(settings, schedule.config, silent)
        record = plan_and_record(context.instance, stores, wanted, request)
        if not record.episodes:
            yield dg.SkipReason(f"{tick_id}: nothing to run of {len(record.skipped)} episodes")
        yield from run_requests(context.instance, record)

    return tick


def _is_cron(text: str) -> bool:
    return len(text.split()) == _CRON_FIELDS and is_valid_cron_string(text)
