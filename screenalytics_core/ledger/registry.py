"""The registry: two parquet files that list every run and every stage that ran.

A row is recorded as a notice, at once and without a lock. Now and then somebody folds all
notices into the files, under the registry's lock. Readers here see both, so their answer is
complete at every moment; a reader of the bare files sees the last publishing.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from screenalytics_core import layout
from screenalytics_core.attempts import Clock, utc_now
from screenalytics_core.errors import (
    ArtifactCorruptError,
    KeyMissingError,
    SchemaMismatchError,
    ScreenalyticsError,
)
from screenalytics_core.ledger.notices import Notice, NoticeBoard
from screenalytics_core.ledger.registry_table import (
    RUNS,
    STAGE_RUNS,
    UNREADABLE,
    RegistryTable,
    Row,
    RunId,
)
from screenalytics_core.storage.base import Storage

_LOG: Final = logging.getLogger(__name__)
_NOTE: Final = "screenalytics"
# With many runs a publishing takes a while; recording spends at most this part of the time on it.
_PUBLISHING_SHARE: Final = 0.05
_WAITS: Final = 3


class _Published(NamedTuple):
    """When the files were last written, and how long that took."""

    at: datetime
    took_s: float


class Registry:
    """The registry under one data root; any number of processes may use it at once.

    Args:
        min_period_s: Recording publishes no more often than this.
        sleep: What `publish` waits with, seconds.
    """

    def __init__(
        self,
        storage: Storage,
        clock: Clock = utc_now,
        min_period_s: float = 1.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._min_period_s = min_period_s
        self._sleep = sleep
        self._board = NoticeBoard(storage, clock)
        self._last_seen: _Published | None = None

    def record(self, run: Row, stages: Iterable[Row]) -> None:
        """Record the rows of a run; publish them if the last publishing is old enough.

        Raises:
            SchemaMismatchError: A row does not conform; nothing was recorded.
        """
        self._board.put(Notice.of(run, stages))
        try:
            if self._left_s(thrifty=True) > 0:
                return
            with self._storage.lock(layout.RUNS_REGISTRY_KEY):
                # Whoever held the lock has most likely just published.
                if self._left_s(thrifty=True) <= 0:
                    self._fold()
        except ScreenalyticsError as error:
            _LOG.warning("%s/%s is recorded, not yet published: %s", *_name(run), error)

    def publish(self, *, wait: bool) -> None:
        """Publish what is recorded.

        Args:
            wait: Until the last publishing is `min_period_s` old, or somebody else has
                published what was recorded by now.
        """
        mine = set(self._board.keys())
        for _ in range(_WAITS if wait else 0):
            left_s = self._left_s(thrifty=False)
            if left_s <= 0 or not mine:
                break
            self._sleep(left_s)
            mine &= set(self._board.keys())
        if not mine:
            return
        with self._storage.lock(layout.RUNS_REGISTRY_KEY):
            # Whoever held the lock may have published them.
            if mine & set(self._board.keys()):
                self._fold()

    def runs(self) -> pa.Table:
        """Return every run, oldest first.

        Raises:
            ArtifactCorruptError: The file is damaged.
        """
        return self._complete(RUNS)

    def stage_runs(self) -> pa.Table:
        """Return every stage that ran, in the order they started.

        Raises:
            ArtifactCorruptError: The file is damaged.
        """
        return self._complete(STAGE_RUNS)

    def rebuild(self, runs: Iterable[Row], stages: Iterable[Row]) -> None:
        """Put rows in the place of all that was published of these runs.

        Other runs stay. A notice that is not folded yet counts if it is later than the row;
        one that was published since the row was rendered does not, so a run that may be
        going on is to be recorded once more after this.

        Raises:
            SchemaMismatchError: A row does not conform; nothing was changed.
        """
        rows = {RUNS: RUNS.checked(runs), STAGE_RUNS: STAGE_RUNS.checked(stages)}
        with self._storage.lock(layout.RUNS_REGISTRY_KEY):
            self._fold(rows, {_name(row) for given in rows.values() for row in given})

    def remove(self, keys: Iterable[RunId]) -> None:
        """Forget runs."""
        gone = {(ep_id, run_id) for ep_id, run_id in keys}
        with self._storage.lock(layout.RUNS_REGISTRY_KEY):
            self._fold(dropped=gone, forgotten=gone)

    def _complete(self, table: RegistryTable) -> pa.Table:
        # Notices first: one that is folded while they are read stands in the file afterwards.
        pending = self._board.read()
        try:
            published = self._read(table)
        except SchemaMismatchError as error:
            raise ArtifactCorruptError(
                thing=self._storage.location(table.key),
                reason=error.reason,
                way_out="Rebuild it from the run folders: screenalytics runs sync.",
            ) from error
        held = published if published is not None else table.empty()
        return table.taken_in(held, pending.rows(table))

    def _fold(
        self,
        rows: dict[RegistryTable, list[Row]] | None = None,
        dropped: Iterable[RunId] = (),
        forgotten: Iterable[RunId] = (),
    ) -> None:
        """Write what the notices say into the files, then take them down. Under the lock.

        Args:
            rows: More of them.
            dropped: Runs whose published rows are forgotten.
            forgotten: Runs whose notices are.
        """
        start = time.perf_counter()
        pending = self._board.read()
        gone, unheard, changed = set(dropped), set(forgotten), False
        # The runs last: when they were published counts for both.
        for table in (STAGE_RUNS, RUNS):
            said = [row for row in pending.rows(table) if _name(row) not in unheard]
            said += rows[table] if rows else []
            published = self._read_or_set_aside(table)
            held = published if published is not None else table.empty()
            grown = table.taken_in(held, said, gone)
            if changed or published is None or grown is not held:
                changed = True
                self._write(table, grown, start)
        self._board.take_down(pending)

    def _write(self, table: RegistryTable, content: pa.Table, start: float) -> None:
        at, took_s = self._clock(), round(time.perf_counter() - start, 3)
        note = json.dumps({"published_at": at.isoformat(), "took_s": took_s})
        self._storage.write_atomic(table.key, table.encode(content, {_NOTE: note}))
        self._last_seen = _Published(at, took_s)

    def _read(self, table: RegistryTable) -> pa.Table | None:
        """Read a published file, by one look at it; None if there is none."""
        try:
            return table.decode(self._storage.read_bytes(table.key))
        except KeyMissingError:
            return None

    def _read_or_set_aside(self, table: RegistryTable) -> pa.Table | None:
        try:
            return self._read(table)
        except SchemaMismatchError as error:
            name = table.key.rsplit("/", 1)[-1]
            aside = f"{layout.REGISTRY_DAMAGED_PREFIX}/{uuid.uuid4().hex[:8]}-{name}"
            self._storage.link_or_copy(table.key, aside)
            _LOG.error(
                "%s is damaged (%s): kept as %s and begun anew; "
                "run `screenalytics runs sync` to list all runs again",
                *(table.key, error.reason, aside),
            )
            return None

    def _left_s(self, *, thrifty: bool) -> float:
        """Return the seconds until the files may be published again; 0 if they may be now.

        Args:
            thrifty: Wait longer after a publishing that took long.
        """
        seen = self._last_seen
        # Somebody may have published since, but never earlier than what was last seen.
        left_s = self._left_after_s(seen, thrifty) if seen else 0.0
        if left_s > 0:
            return left_s
        self._last_seen = self._last_published()
        return self._left_after_s(self._last_seen, thrifty) if self._last_seen else 0.0

    def _left_after_s(self, published: _Published, thrifty: bool) -> float:
        share = published.took_s / _PUBLISHING_SHARE if thrifty else 0.0
        due = published.at + timedelta(seconds=max(self._min_period_s, share))
        now = self._clock()
        # A time ahead of ours was written by a clock that was wrong.
        return (due - now).total_seconds() if published.at <= now < due else 0.0

    def _last_published(self) -> _Published | None:
        """Read it from the footer of the file that is written last."""
        try:
            with self._storage.open_read(RUNS.key) as file:
                notes: dict[bytes, Any] = pq.read_metadata(file).metadata or {}
            said = json.loads(notes[_NOTE.encode()])
            return _Published(datetime.fromisoformat(said["published_at"]), float(said["took_s"]))
        except (KeyMissingError, *UNREADABLE):
            return None


def _name(row: Row) -> RunId:
    return row["ep_id"], row["run_id"]
