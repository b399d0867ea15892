"""What a plan has to know of episodes, gathered from the data root and from Dagster.

The decision itself is the pure `backfills.choice`. A sweep comes first, so that what a killed
backfill left behind is seen as what it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import dagster as dg

from screenalytics_assets.backfill_claims import planned_runs
from screenalytics_assets.binding import Bound, Tell, bind_models, binding_of
from screenalytics_assets.graph import OUTPUTS
from screenalytics_assets.known_people import KnownPeople
from screenalytics_assets.liveness import UNENDED, attempt_is_alive, sweep
from screenalytics_assets.mirror import mirror_runs, run_key_of
from screenalytics_assets.outdated import outdated_outputs
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.backfills.facts import EpisodeSeen, Outdated, RunSeen, results_of
from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.episode_registry import load_video
from screenalytics_core.errors import ArtifactCorruptError, ScreenalyticsError, VideoError
from screenalytics_core.ledger.vocabulary import RunStatus
from screenalytics_core.processes import ProcessIdentity
from screenalytics_core.run_record import binding_differences
from screenalytics_core.runs import RunKey, RunRecord
from screenalytics_core.vision.models.protocols import ModelPack

_KINDS: Final = frozenset(kind for output in OUTPUTS.values() for kind in output.kinds)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What runs would be bound to now, but for the video.

    Attributes:
        config: As it was given.
        resolved: With what the pack and the machine decide.
    """

    config: EpisodeRunConfig
    resolved: EpisodeRunConfig
    pack: ModelPack

    @classmethod
    def of(cls, settings: Settings, config: EpisodeRunConfig, tell: Tell) -> Wanted:
        """Find the pack; ModelError if there is none, or it is unusable."""
        return cls(config, *bind_models(settings, config, tell))


class Survey:
    """Looks at episodes one after the other; what they share is read once."""

    def __init__(self, instance: dg.DagsterInstance, stores: Stores, wanted: Wanted) -> None:
        self._instance = instance
        self._stores = stores
        self._wanted = wanted
        self._here = ProcessIdentity.current()
        mirror_runs(instance, stores, sweep(instance, stores.attempts, self._here))
        self._taken = {**planned_runs(stores, self._here), **_unended_runs(instance)}
        names = ("ep_id", "run_id", "state")
        table = stores.ledger.registry.runs()
        columns = zip(*(table[name].to_pylist() for name in names), strict=True)
        self._states = {RunKey(ep_id, run_id): state for ep_id, run_id, state in columns}

    def episode(self, ep_id: str) -> EpisodeSeen:
        """Return what is known of an episode."""
        try:
            video = load_video(self._stores.storage, ep_id)
        except VideoError as error:
            return EpisodeSeen(ep_id, problem=str(error))
        binding = binding_of(video, self._wanted.resolved, self._wanted.pack)
        like = RunRecord.of(ep_id, "new", datetime.now(UTC), binding)
        records = self._stores.runs.list_records(ep_id)
        runs = [self._run(record, like) for record in records]
        known = {run.run_id for run in runs}
        runs += [
            RunSeen(key.run_id, RunStatus.QUEUED, busy)
            for key, busy in self._taken.items()
            if key.ep_id == ep_id and key.run_id not in known
        ]
        active = self._stores.runs.active_run_id(ep_id)
        place = results_of(tuple(runs), active)
        bound = Bound(binding, self._wanted.resolved, self._wanted.pack)
        outdated = self._outdated(records[place], bound) if place is not None else ()
        results = [records[place].run_id] if place is not None else [r.run_id for r in records]
        return EpisodeSeen(
            ep_id,
            tuple(runs),
            active,
            outdated,
            is_redacted=any(self._is_redacted(RunKey(ep_id, run_id)) for run_id in results),
            video_s=video.duration_s,
        )

    def _run(self, record: RunRecord, like: RunRecord) -> RunSeen:
        key = RunKey(record.ep_id, record.run_id)
        status = self._status(key)
        error = None
        if status not in (None, RunStatus.COMPLETED):
            error = self._stores.ledger.log.state(*key).error
        held = self._held(key)
        return RunSeen(
            run_id=record.run_id,
            status=status,
            busy=self._busy(key),
            is_whole=held is not None and held >= _KINDS,
            fits=held is not None and not binding_differences(record, like),
            error=error,
        )

    def _is_redacted(self, key: RunKey) -> bool:
        """Tell whether somebody was taken out of a run; of a damaged one nobody knows."""
        try:
            entries = self._stores.artifacts.manifest(*key).entries
        except ArtifactCorruptError:
            return False
        return any(entry.redacted for entry in entries.values())

    def _held(self, key: RunKey) -> frozenset[ArtifactKind] | None:
        """Return what a run holds; None of a damaged one, which cannot be resumed."""
        try:
            return frozenset(self._stores.artifacts.manifest(*key).entries)
        except ArtifactCorruptError:
            return None

    def _status(self, key: RunKey) -> RunStatus | None:
        """Return a run's state; the registry is asked first, which reads no log."""
        state = self._states.get(key)
        if state in (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELED):
            return RunStatus(state)
        return self._stores.ledger.log.state(*key).status

    def _busy(self, key: RunKey) -> str | None:
        """Say who works on a run, or None."""
        if key in self._taken:
            return self._taken[key]
        try:
            newest = self._stores.attempts.newest(*key)
        except ScreenalyticsError:
            return None  # whoever launches into it is told what is damaged
        if newest is None or self._has_ended(key, newest.dagster_run_id):
            return None
        if not attempt_is_alive(self._instance, newest, self._stores.attempts, self._here):
            return None
        process = newest.process
        return f"is running as process {process.pid} on {process.host} since {newest.claimed_at}"

    def _has_ended(self, key: RunKey, dagster_run_id: str) -> bool:
        """Tell whether the log says so: another home's Dagster runs are not known here."""
        attempts = self._stores.ledger.log.state(*key).attempts
        return any(a.dagster_run_id == dagster_run_id and a.status.is_terminal for a in attempts)

    def _outdated(self, record: RunRecord, bound: Bound) -> tuple[Outdated, ...]:
        known = KnownPeople(self._stores, record.ep_id, bound.pack)
        try:
            return outdated_outputs(self._stores, bound, record, known)
        except ArtifactCorruptError as error:
            # What people decided, or the show's cast: whether it changed cannot be told.
            return (Outdated("cast", (str(error),)),)


def survey(
    instance: dg.DagsterInstance, stores: Stores, wanted: Wanted, ep_ids: Sequence[str]
) -> tuple[EpisodeSeen, ...]:
    """Return what is known of episodes, in their order."""
    looking = Survey(instance, stores, wanted)
    return tuple(looking.episode(ep_id) for ep_id in ep_ids)


def _unended_runs(instance: dg.DagsterInstance) -> Mapping[RunKey, str]:
    """Return the runs that this home's Dagster has not ended, with what to say of each."""
    found: dict[RunKey, str] = {}
    for run in instance.get_runs(dg.RunsFilter(statuses=list(UNENDED))):
        key = run_key_of(run)
        if key is not None:
            found[key] = _WORDS.get(run.status, "is running")
    return found


_WORDS: Final[dict[Any, str]] = {
    dg.DagsterRunStatus.QUEUED: "is queued",
    dg.DagsterRunStatus.NOT_STARTED: "is queued",
    dg.DagsterRunStatus.CANCELING: "is being canceled",
}
