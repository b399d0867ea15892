"""The sensor that rolls seasons up once their episodes are done: facts for `launching.decide`."""

import json
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import dagster as dg

from screenalytics_assets.backfill_claims import planned_runs
from screenalytics_assets.jobs import SEASON_JOB
from screenalytics_assets.liveness import UNENDED
from screenalytics_assets.partitions import SEASONS
from screenalytics_assets.seasons.episodes import (
    known_seasons,
    season_episodes,
    seasons_with_runs,
)
from screenalytics_assets.seasons.making import cast_signature, is_current
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_assets.tags import PARTITION_TAG
from screenalytics_core.errors import ScreenalyticsError
from screenalytics_core.processes import ProcessIdentity
from screenalytics_core.seasons.keys import season_of
from screenalytics_core.seasons.launching import SeasonSeen, Verdict, decide, to_make_anew

_LOG: Final = logging.getLogger(__name__)
_INTERVAL_S: Final = 30
SIGNATURE_TAG: Final = "screenalytics/season_signature"
# A run's update time is set before its row is committed, and clocks differ a little.
_OVERLAP_S: Final = 30.0
# Failures of one season that are looked back at.
_MOST_FAILURES: Final = 20


@dataclass(slots=True)
class Memory:
    """What one tick leaves to the next: the sensor's cursor.

    Attributes:
        updated_s: Up to when runs were looked at, seconds since 1970; None = never.
        open: Season -> (its signature, since when), of those that something is still to be
            done about.
        settled: Seasons that have runs and no record, with nothing to be done about it.
    """

    updated_s: float | None = None
    open: dict[str, tuple[str, float]] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)

    @classmethod
    def parse(cls, cursor: str | None) -> "Memory":
        """Read a cursor; one that cannot be read is none, so every season is looked at."""
        if not cursor:
            return cls()
        try:
            told = json.loads(cursor)
            waiting = {str(k): (str(v[0]), float(v[1])) for k, v in told["open"].items()}
            return cls(float(told["updated_s"]), waiting, {str(s) for s in told["settled"]})
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            _LOG.warning("season cursor %r is not readable: every season is looked at", cursor)
            return cls()

    def to_cursor(self) -> str:
        """Return the cursor."""
        told = {"updated_s": self.updated_s, "open": self.open, "settled": sorted(self.settled)}
        return json.dumps(told, sort_keys=True)


@dataclass(slots=True)
class Tick:
    """What a tick decided: the verdict about each season that was looked at."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    signatures: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)

    @property
    def launched(self) -> list[str]:
        """The seasons to roll up now."""
        return [s for s, verdict in self.verdicts.items() if verdict is Verdict.LAUNCH]

    @property
    def with_figures(self) -> set[str]:
        """The seasons that can be rolled up, which are to be partitions."""
        return {s for s, verdict in self.verdicts.items() if verdict is not Verdict.EMPTY}

    def say(self) -> str:
        """Return it in words."""
        said = [f"{season} {verdict.value}" for season, verdict in self.verdicts.items()]
        return "; ".join([*said, *self.problems]) or "no episode has changed"


def look(instance: dg.DagsterInstance, stores: Stores, memory: Memory, now_s: float) -> Tick:
    """Decide about every season with episodes that changed or lost its record, and those open.

    Args:
        now_s: Seconds since 1970.
    """
    with_runs = seasons_with_runs(stores)
    made = {season for season in with_runs if stores.seasons.is_made(season)}
    tick = Tick(memory=Memory(now_s - _OVERLAP_S, settled=memory.settled & (with_runs - made)))
    anew = to_make_anew(with_runs, made, memory.settled)
    seasons = sorted({*_changed(instance, stores, memory), *memory.open, *anew})
    if not seasons:
        return tick
    work = _Work.of(instance, stores)
    for season in seasons:
        before = memory.open.get(season, ("", now_s))
        try:
            seen = _see(instance, stores, season, work, before, now_s)
        except ScreenalyticsError as error:
            tick.problems.append(f"{season}: {error}")
            tick.memory.open[season] = before
            continue
        verdict = tick.verdicts[season] = decide(seen)
        tick.signatures[season] = seen.signature
        if not verdict.is_settled:
            tick.memory.open[season] = (seen.signature, now_s - seen.unchanged_s)
        elif season in with_runs - made:
            tick.memory.settled.add(season)
    return tick


@dataclass(frozen=True, slots=True)
class _Work:
    """Seasons that are being rolled up, and those with episodes at work."""

    rolling: frozenset[str]
    episodes: frozenset[str]

    @classmethod
    def of(cls, instance: dg.DagsterInstance, stores: Stores) -> "_Work":
        """Ask Dagster for runs that have not ended, and backfills for those to come."""
        runs = instance.get_runs(dg.RunsFilter(statuses=list(UNENDED)))
        partitions = [(run.job_name, run.tags.get(PARTITION_TAG, "")) for run in runs]
        planned = planned_runs(stores, ProcessIdentity.current())
        ep_ids = [*(key.ep_id for key in planned), *(partition for _, partition in partitions)]
        return cls(
            frozenset(partition for job, partition in partitions if job == SEASON_JOB),
            frozenset(_seasons(ep_ids)),
        )


def _see(
    instance: dg.DagsterInstance,
    stores: Stores,
    season: str,
    work: _Work,
    before: tuple[str, float],
    now_s: float,
) -> SeasonSeen:
    if season in work.rolling or season in work.episodes:
        # What it will be made from is not settled yet, so it need not be looked at.
        return SeasonSeen("", is_rolling=season in work.rolling, is_at_work=season in work.episodes)
    episodes = season_episodes(stores, season)
    record = stores.seasons.record(season)
    signature = cast_signature(stores.seasons, season, episodes)
    return SeasonSeen(
        signature,
        has_figures=any(e.is_counted for e in episodes) or bool(record.parts),
        is_current=is_current(record, signature),
        unchanged_s=now_s - before[1] if before[0] == signature else 0.0,
        failed=_failed(instance, season),
    )


def _changed(instance: dg.DagsterInstance, stores: Stores, memory: Memory) -> Iterable[str]:
    """Return the seasons of runs whose status changed since the tick before; all at first."""
    if memory.updated_s is None:
        return known_seasons(stores)
    since = datetime.fromtimestamp(max(memory.updated_s, 0.0), UTC)
    runs = instance.get_runs(dg.RunsFilter(updated_after=since))
    return _seasons(run.tags.get(PARTITION_TAG, "") for run in runs)


def _seasons(ep_ids: Iterable[str]) -> Iterable[str]:
    return {season for ep_id in ep_ids if (season := season_of(ep_id)) is not None}


def _failed(instance: dg.DagsterInstance, season: str) -> frozenset[str]:
    """Return the signatures that a launched roll-up of a season failed at."""
    failed = instance.get_runs(
        dg.RunsFilter(
            job_name=SEASON_JOB,
            tags={PARTITION_TAG: season},
            statuses=[dg.DagsterRunStatus.FAILURE],
        ),
        limit=_MOST_FAILURES,
    )
    return frozenset(run.tags[SIGNATURE_TAG] for run in failed if SIGNATURE_TAG in run.tags)


def build_season_sensor(settings: Settings, job: Any) -> Any:
    """Return the sensor that rolls up the seasons of `settings.data_root`."""
    stores = Stores.open(settings.data_root)

    @dg.sensor(
        name="seasons",
        job=job,
        minimum_interval_seconds=_INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Rolls a season up a quiet minute after the last run of its episodes.",
    )
    def seasons_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        tick = look(context.instance, stores, Memory.parse(context.cursor), time.time())
        for problem in tick.problems:
            context.log.warning(problem)
        requests = [
            dg.RunRequest(partition_key=season, tags={SIGNATURE_TAG: tick.signatures[season]})
            for season in tick.launched
        ]
        known = set(context.instance.get_dynamic_partitions(str(SEASONS.name)))
        new = sorted(tick.with_figures - known)
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else tick.say(),
            cursor=tick.memory.to_cursor(),
            dynamic_partitions_requests=[SEASONS.build_add_request(new)] if new else [],
        )

    return seasons_sensor
