"""What `gc` must know of each run: how it ended, who works on it, what it holds on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from screenalytics_core import layout
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.attempts import AttemptRecord
from screenalytics_core.episodes import is_path_safe
from screenalytics_core.errors import ScreenalyticsError
from screenalytics_core.ledger.ledger import Ledger
from screenalytics_core.ledger.run_facts import RunFacts
from screenalytics_core.processes import ProcessIdentity, pid_started_s
from screenalytics_core.run_record import RunKey
from screenalytics_core.run_tools.gc import RunSummary
from screenalytics_core.run_tools.lives import Life, life_of
from screenalytics_core.run_tools.removal_record import removal_in_progress, removal_key
from screenalytics_core.run_tools.wording import moment
from screenalytics_core.runs import RunStore
from screenalytics_core.storage.base import DiskFile, Storage

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class GcFacts:
    """Summaries of the runs under one data root.

    Args:
        here: The process that asks.
        pid_started_s: Start time of a live pid on this machine, None if there is none.
    """

    def __init__(
        self,
        storage: Storage,
        runs: RunStore,
        ledger: Ledger,
        here: ProcessIdentity | None = None,
        pid_started_s: Callable[[int], float | None] = pid_started_s,
    ) -> None:
        self._storage = storage
        self._runs = runs
        self._ledger = ledger
        self._here = here or ProcessIdentity.current()
        self._pid_started_s = pid_started_s

    def keys(self, ep_id: str | None = None) -> tuple[RunKey, ...]:
        """Return every run, half-removed ones too, of one episode or of all."""
        known = set(self._ledger.log.list_runs())
        for episode in self._storage.list_folders(layout.MANIFESTS):
            if is_path_safe(episode):
                names = self._storage.list_folders(layout.runs_prefix(episode))
                known |= {
                    RunKey(episode, name)
                    for name in names
                    if is_path_safe(name) and self._storage.exists(removal_key(episode, name))
                }
        return tuple(sorted(k for k in known if ep_id in (None, k.ep_id)))

    def summary(self, key: RunKey) -> RunSummary:
        """Return what is known of a run now; what cannot be read becomes a doubt."""
        files = tuple(self._files(key))
        active = self._runs.active_run_id(key.ep_id) == key.run_id
        try:
            facts = self._ledger.facts(*key)
            newest = self._ledger.attempts.newest(*key)
            is_half_removed, life = self._removal_and_life(key, facts, newest)
        except ScreenalyticsError as error:
            return RunSummary(
                key,
                None,
                Life.UNKNOWN,
                ("", key.run_id),
                _LONG_AGO,
                active,
                False,
                str(error),
                files,
            )
        created_at = facts.record.created_at if facts.record else facts.state.created_at or ""
        return RunSummary(
            key=key,
            status=facts.status,
            life=life,
            order=(created_at, key.run_id),
            last_seen=self._last_seen(facts, newest),
            is_active=active,
            is_half_removed=is_half_removed,
            files=files,
            dagster_run_ids=self._dagster_run_ids(key, facts),
        )

    def _removal_and_life(
        self, key: RunKey, facts: RunFacts, newest: AttemptRecord | None
    ) -> tuple[bool, Life]:
        """Tell whether a removal of the run was interrupted, and whether somebody works on it."""
        removal = removal_in_progress(self._storage, key)
        if removal is not None:
            known = {attempt.dagster_run_id for attempt in facts.state.attempts}
            if newest is not None:
                known.add(newest.dagster_run_id)
            if known <= set(removal.dagster_run_ids):
                # They were over when it began; what could prove it may be deleted by now.
                return True, Life.OVER
        # Without a removal, or launched again since: what the run holds now is new.
        beat_age_s = self._heartbeat_age_s(newest)
        life = life_of(facts.state, newest, beat_age_s, self._here, self._pid_started_s)
        return False, life

    def _heartbeat_age_s(self, newest: AttemptRecord | None) -> float | None:
        if newest is None:
            return None
        key = layout.heartbeat_key(newest.ep_id, newest.run_id, newest.n)
        if not self._storage.exists(key):
            return None
        return self._ledger.attempts.heartbeat_age_s(newest)

    def _last_seen(self, facts: RunFacts, newest: AttemptRecord | None) -> datetime:
        told = [facts.state.updated_at, facts.record.created_at if facts.record else None]
        times = [moment(at) for at in told if at]
        if newest is not None:
            times.append(self._ledger.attempts.last_beat(newest))
        return max(times, default=_LONG_AGO)

    def _dagster_run_ids(self, key: RunKey, facts: RunFacts) -> tuple[str, ...]:
        told = [a.dagster_run_id for a in (*facts.state.attempts, *facts.state.refused)]
        claimed = [a.dagster_run_id for a in self._ledger.attempts.list(*key)]
        return tuple(dict.fromkeys((*told, *claimed)))

    def _files(self, key: RunKey) -> Iterator[DiskFile]:
        for prefix in folders_of(key):
            yield from self._storage.disk_files(prefix)


def folders_of(key: RunKey) -> tuple[str, ...]:
    """Return the folders that are a run's alone; the one with its record is the last."""
    index_folder = layout.run_index_key(*key).rpartition("/")[0]
    pictures = layout.media_prefix(key.ep_id, ArtifactKind.FRAMES_ROOT, key.run_id)
    return (pictures, index_folder, layout.run_prefix(*key))
