"""`backfills/{backfill_id}.json`: what was asked for, by whom and when; never changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Self

from screenalytics_core import layout
from screenalytics_core.config import EpisodeRunConfig
from screenalytics_core.episodes import EpisodeId, is_path_safe
from screenalytics_core.errors import ArtifactCorruptError, BackfillNotFoundError
from screenalytics_core.records import read_record
from screenalytics_core.run_ids import normalize_run_id
from screenalytics_core.shapes import check_time, check_types
from screenalytics_core.storage.base import Storage

SCHEMA_VERSION: Final = 1
How = Literal["processes", "queue", "schedule"]
_TYPES: Final = {
    **dict.fromkeys(("backfill_id", "created_at", "created_by", "how", "config_hash", "pack"), str),
    "jobs": int,
    "settings": dict,
}
_RESTORE: Final = "Move it away: it only says what was asked for; the runs are not touched."


@dataclass(frozen=True, slots=True)
class PlannedEpisode:
    """An episode that the backfill runs.

    Attributes:
        why: missing, failed, stale or all.
        is_resumed: Its run was there already, unfinished.
    """

    ep_id: str
    run_id: str
    why: str
    reason: str
    is_resumed: bool = False
    video_s: float | None = None
    stages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SkippedEpisode:
    """An episode of the selection that was left alone."""

    ep_id: str
    why: str
    reason: str


@dataclass(frozen=True, slots=True)
class BackfillRecord:
    """One backfill as it was asked for.

    Attributes:
        created_by: user@host, or the schedule.
        how: In processes of the command, through the daemon's queue, or by a schedule's tick.
        selection: As it was typed.
        which: missing, failed, stale, all.
        jobs: Runs at a time.
        settings: All fields, as a launch takes them; what the pack decides is null.
        config_hash: Over the settings that its runs are bound to.
        pack: Name of their models.
        process: The command that drives it (`ProcessIdentity`); None without one.
    """

    backfill_id: str
    created_at: str
    created_by: str
    how: How
    selection: tuple[str, ...]
    which: tuple[str, ...]
    jobs: int
    settings: Mapping[str, Any]
    config_hash: str
    pack: str
    episodes: tuple[PlannedEpisode, ...] = ()
    skipped: tuple[SkippedEpisode, ...] = ()
    process: Mapping[str, Any] | None = None
    schema_version: int = field(default=SCHEMA_VERSION)

    def config(self) -> EpisodeRunConfig:
        """Return the settings that its runs are launched with."""
        return EpisodeRunConfig.from_mapping(self.settings)

    def to_dict(self) -> dict[str, Any]:
        """Return it as it stands in its file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Self:
        """Build it from its file; ValueError, TypeError or KeyError if it is none."""
        check_types(record, _TYPES)
        check_time(record["created_at"])
        episodes = tuple(
            PlannedEpisode(**{**e, "stages": tuple(e["stages"])}) for e in record["episodes"]
        )
        for episode in episodes:
            EpisodeId.parse(episode.ep_id)
            normalize_run_id(episode.run_id)
        return cls(
            **{
                **record,
                "selection": tuple(record["selection"]),
                "which": tuple(record["which"]),
                "episodes": episodes,
                "skipped": tuple(SkippedEpisode(**s) for s in record["skipped"]),
            }
        )


class BackfillStore:
    """The backfills of a data root."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def create(self, record: BackfillRecord) -> bool:
        """Write a record unless its id is taken; tell whether it was written."""
        content = json.dumps(record.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        key = layout.backfill_key(record.backfill_id)
        return self._storage.create_exclusive(key, content.encode() + b"\n")

    def mint(self, created_at: datetime) -> str:
        """Return an id that is not taken yet: `backfill_YYYYMMDD_HHMMSS` in UTC."""
        while True:
            backfill_id = f"backfill_{created_at:%Y%m%d_%H%M%S}"
            if not self.has(backfill_id):
                return backfill_id
            created_at += timedelta(seconds=1)

    def has(self, backfill_id: str) -> bool:
        """Tell whether there is a backfill of this id."""
        return self._storage.exists(layout.backfill_key(backfill_id))

    def get(self, backfill_id: str) -> BackfillRecord:
        """Return a backfill.

        Raises:
            BackfillNotFoundError: There is none of this id.
            ArtifactCorruptError: Its file is damaged.
        """
        key = layout.backfill_key(backfill_id)
        record = read_record(self._storage, key, BackfillRecord.from_dict, _RESTORE)
        if record is None:
            known = ", ".join(self.list_ids()[-3:]) or "none"
            raise BackfillNotFoundError(
                thing=f"backfill {backfill_id!r}",
                reason="does not exist",
                way_out=f"Last ones by name: {known}.",
            )
        return replace(record, backfill_id=backfill_id)

    def newest(self) -> BackfillRecord:
        """Return the backfill that was asked for last.

        Raises:
            BackfillNotFoundError: There is none.
        """
        newest = max(self.list(), key=lambda r: (r.created_at, r.backfill_id), default=None)
        if newest is None:
            raise BackfillNotFoundError(
                thing="backfills",
                reason="there are none yet",
                way_out="Start one: screenalytics backfill rhobh-s05.",
            )
        return newest

    def list_ids(self) -> tuple[str, ...]:
        """Return the ids of all backfills, sorted."""
        names = (key.rpartition("/")[2] for key in self._storage.list(layout.BACKFILLS))
        ids = (name.removesuffix(".json") for name in names if name.endswith(".json"))
        return tuple(sorted(name for name in ids if is_path_safe(name)))

    def list(self) -> tuple[BackfillRecord, ...]:
        """Return the readable backfills, in the order of their ids."""
        found = []
        for backfill_id in self.list_ids():
            try:
                found.append(self.get(backfill_id))
            except ArtifactCorruptError:
                continue  # named by whoever asks for it
        return tuple(found)
