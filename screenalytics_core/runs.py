"""Runs: reserved once, bound for ever to their settings, video and models."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal

from screenalytics_core import layout
from screenalytics_core.attempts import Clock, utc_now
from screenalytics_core.episodes import EpisodeId, is_path_safe
from screenalytics_core.errors import (
    ArtifactCorruptError,
    InvalidIdError,
    RunExistsError,
    RunNotFoundError,
    RunSettingsConflictError,
)
from screenalytics_core.records import read_record
from screenalytics_core.run_ids import (
    generate_attempt_run_id,
    generate_run_id,
    generate_timestamp_run_id,
    normalize_run_id,
)
from screenalytics_core.run_record import RunBinding, RunKey, RunRecord, binding_differences
from screenalytics_core.storage.base import Storage

__all__ = [
    "RunBinding",
    "RunKey",
    "RunRecord",
    "RunStore",
    "generate_attempt_run_id",
    "generate_run_id",
    "get_or_create_run_id",
    "normalize_run_id",
]

_LOG: Final = logging.getLogger(__name__)
_RESTORE: Final = "Restore it from a copy, or start a new run; other runs are not touched."
_ACTIVE_SCHEMA_VERSION: Final = 1
Scheme = Literal["timestamp", "attempt", "hex"]


class RunStore:
    """The runs under one data root."""

    def __init__(self, storage: Storage, clock: Clock = utc_now) -> None:
        self._storage = storage
        self._clock = clock

    def reserve(
        self,
        ep_id: str,
        binding: RunBinding,
        run_id: str | None = None,
        scheme: Scheme = "timestamp",
    ) -> RunRecord:
        """Reserve a run: exactly one caller gets each (ep_id, run_id).

        Args:
            run_id: Taken as given; None mints one by `scheme`.

        Raises:
            RunExistsError: The given run_id is taken.
            InvalidIdError: An id must not become a path.
        """
        ep_id = EpisodeId.parse(ep_id).text
        if run_id is not None:
            record = self._create(ep_id, normalize_run_id(run_id), binding)
            if record is None:
                raise RunExistsError(
                    thing=f"run {ep_id}/{run_id}",
                    reason="is already reserved",
                    way_out="Leave the run_id out to have a new one minted.",
                )
            return record
        # The loser of a race goes on to the next candidate.
        created = (
            self._create(ep_id, minted, binding) for minted in self._mint(ep_id, binding, scheme)
        )
        return next(record for record in created if record is not None)

    def _mint(self, ep_id: str, binding: RunBinding, scheme: Scheme) -> Iterator[str]:
        now = self._clock()
        sha256 = str(binding.video.get("sha256", ""))
        while True:
            if scheme == "hex":
                yield generate_run_id()
            elif scheme == "attempt":
                folders = self._storage.list_folders(layout.runs_prefix(ep_id))
                yield generate_attempt_run_id(folders, now)
            else:
                yield generate_timestamp_run_id(ep_id, binding.source, sha256, now)
                now += timedelta(seconds=1)

    def _create(self, ep_id: str, run_id: str, binding: RunBinding) -> RunRecord | None:
        record = RunRecord.of(ep_id, run_id, self._clock(), binding)
        content = json.dumps(record.to_dict(), indent=1, ensure_ascii=False).encode() + b"\n"
        key = layout.run_record_key(ep_id, run_id)
        return record if self._storage.create_exclusive(key, content) else None

    def bind(self, ep_id: str, run_id: str, binding: RunBinding) -> RunRecord:
        """Reserve the run, or check that it is bound to the same things.

        Raises:
            RunSettingsConflictError: It is bound to other settings, video or models; each
                difference is named with both values.
        """
        ep_id, run_id = EpisodeId.parse(ep_id).text, normalize_run_id(run_id)
        self._check_not_orphaned(ep_id, run_id)
        created = self._create(ep_id, run_id, binding)
        if created is not None:
            return created
        bound = self.require(ep_id, run_id)
        wanted = RunRecord.of(ep_id, run_id, self._clock(), binding)
        differences = binding_differences(bound, wanted)
        if differences:
            raise RunSettingsConflictError(
                thing=f"run {ep_id}/{run_id}",
                reason="is bound to other inputs: " + "; ".join(differences),
                way_out="Launch without this run_id: new settings, video or models mean a new run.",
                differences=differences,
            )
        return bound

    def release(self, record: RunRecord) -> None:
        """Give a reservation back which nothing was launched for; only who made it knows that."""
        self._storage.delete(layout.run_record_key(record.ep_id, record.run_id))
        self._storage.prune(layout.run_prefix(record.ep_id, record.run_id))

    def _check_not_orphaned(self, ep_id: str, run_id: str) -> None:
        """Refuse to bind a folder anew that lost its run.json: who knows how it was made."""
        key = layout.run_record_key(ep_id, run_id)
        has_artifacts = self._storage.exists(layout.manifest_key(ep_id, run_id))
        if has_artifacts and not self._storage.exists(key):
            raise ArtifactCorruptError(
                thing=self._storage.location(key),
                reason="is missing, although the run holds artifacts",
                way_out=_RESTORE,
            )

    def get(self, ep_id: str, run_id: str) -> RunRecord | None:
        """Return a run's record, or None if it is not reserved.

        Raises:
            ArtifactCorruptError: run.json is damaged, or that of another run.
        """
        key = layout.run_record_key(ep_id, run_id)
        record = read_record(self._storage, key, RunRecord.from_dict, _RESTORE)
        if record is not None and (record.ep_id, record.run_id) != (ep_id, run_id):
            raise ArtifactCorruptError(
                thing=self._storage.location(key),
                reason=f"belongs to {record.ep_id}/{record.run_id}, not to {ep_id}/{run_id}",
                way_out="A run folder cannot be copied or renamed; start a new run.",
            )
        return record

    def require(self, ep_id: str, run_id: str) -> RunRecord:
        """Return a run's record.

        Raises:
            RunNotFoundError: There is no such run; the episode's newest ones are named.
        """
        record = self.get(ep_id, run_id)
        if record is None:
            known = ", ".join(self.list_run_ids(ep_id)[-3:]) or "none"
            raise RunNotFoundError(
                thing=f"run {ep_id}/{run_id}",
                reason="does not exist",
                way_out=f"Newest runs of {ep_id}: {known}.",
            )
        return record

    def list_records(self, ep_id: str) -> tuple[RunRecord, ...]:
        """Return the episode's runs in the order they were reserved.

        A damaged run.json is logged and left out: one bad run must not stop new ones.
        """
        names = self._storage.list_folders(layout.runs_prefix(ep_id))
        records = (self._intact(ep_id, name) for name in names if is_path_safe(name))
        return tuple(sorted((r for r in records if r is not None), key=lambda r: r.order))

    def _intact(self, ep_id: str, run_id: str) -> RunRecord | None:
        try:
            return self.get(ep_id, run_id)
        except ArtifactCorruptError as error:
            _LOG.warning("left out of the runs of %s: %s", ep_id, error)
            return None

    def list_run_ids(self, ep_id: str) -> tuple[str, ...]:
        """Return the episode's run_ids in the order they were reserved."""
        return tuple(record.run_id for record in self.list_records(ep_id))

    def resolve_run(self, text: str, ep_id: str | None = None) -> RunKey:
        """Return the run that `EP/RUN` or a bare `RUN` means.

        Args:
            ep_id: Where to look for a bare RUN; None looks in every episode.

        Raises:
            RunNotFoundError: No run, or several: then the matches are listed.
        """
        episode, slash, bare = text.strip().rpartition("/")
        if slash:
            ep_id = episode
        run_id = normalize_run_id(bare)
        if ep_id is not None:
            record = self.require(EpisodeId.parse(ep_id).text, run_id)
            return RunKey(record.ep_id, record.run_id)
        episodes = self._storage.list_folders(layout.MANIFESTS)
        matches = [
            RunKey(name, run_id)
            for name in episodes
            if is_path_safe(name) and self._storage.exists(layout.run_record_key(name, run_id))
        ]
        if len(matches) != 1:
            listed = ", ".join("/".join(m) for m in matches)
            raise RunNotFoundError(
                thing=f"run {run_id!r}",
                reason=f"is ambiguous: {listed}" if matches else "does not exist in any episode",
                way_out="Name it as EP/RUN." if matches else "See `screenalytics runs list`.",
                matches=[tuple(m) for m in matches],
            )
        return matches[0]

    def active_run_id(self, ep_id: str) -> str | None:
        """Return the run that readers get by default, or None."""
        key = layout.active_run_key(ep_id)
        try:
            return read_record(self._storage, key, _pointed_at, _RESTORE)
        except ArtifactCorruptError as error:
            # It only points to a run; the next finished one writes it anew.
            _LOG.warning("no active run of %s: %s", ep_id, error)
            return None

    def activate(self, ep_id: str, run_id: str) -> bool:
        """Make a run the active one, unless one that was reserved later is.

        Returns:
            Whether it is the active run now.
        """
        record = self.require(ep_id, run_id)
        if self.active_run_id(ep_id) == record.run_id:
            return True
        with self._storage.lock(layout.shared_lock_key(ep_id)):
            active_id = self.active_run_id(ep_id)
            active = self.get(ep_id, active_id) if active_id else None
            if active is not None and active.order > record.order:
                return False
            content = {
                "schema_version": _ACTIVE_SCHEMA_VERSION,
                "ep_id": ep_id,
                "run_id": record.run_id,
            }
            key = layout.active_run_key(ep_id)
            self._storage.write_atomic(key, json.dumps(content, indent=1).encode() + b"\n")
        return True


def _pointed_at(record: Any) -> str:
    return normalize_run_id(record["run_id"])


def get_or_create_run_id(
    ep_id: str,
    run_id: str | None = None,
    *,
    data_root: Path = Path("data"),
    mint: Callable[[], str] = generate_run_id,
) -> str:
    """Return `run_id` normalised, or a new one, and make its folder (seed 000).

    The folder alone binds nothing: `RunStore.bind` does, at the first claim.

    Raises:
        InvalidIdError: An id must not become a path.
    """
    if run_id is not None:
        folder = data_root / layout.run_prefix(ep_id, run_id)
        folder.mkdir(parents=True, exist_ok=True)
        return folder.name
    folder = data_root / layout.run_prefix(ep_id, mint())
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        raise InvalidIdError(
            thing=f"run_id {folder.name!r}", reason="was minted twice", way_out="Try again."
        ) from error
    return folder.name
