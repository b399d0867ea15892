"""Dagster's SQLite storage with connections that stay open for as long as the instance.

Dagster opens and closes a database for every event. Closing the last connection of a
database in WAL mode copies its log back and removes it, with three syncs: that, and not the
writing, is what an event costs. What is on disk is the same either way, and every commit is
synced as before, so other processes may use Dagster's own classes on it meanwhile.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock, RLock
from typing import Any, Self
from uuid import uuid4

import dagster as dg
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    INDEX_SHARD_NAME,
    SqliteEventLogStorage,
)
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import QueuePool


class _Databases:
    """Engines by connection string, each with one connection that stays open."""

    def __init__(self) -> None:
        self._engines: dict[str, Engine] = {}
        self._lock = Lock()

    @contextmanager
    def transaction(self, conn_string: str) -> Iterator[Connection]:
        with self._lock:
            engine = self._engines.get(conn_string)
            if engine is None:
                engine = self._engines[conn_string] = create_engine(
                    conn_string,
                    poolclass=QueuePool,
                    pool_size=1,
                    connect_args={
                        "timeout": SQLITE_BUSY_TIMEOUT_SECONDS,
                        # The follower's thread takes what the run's thread has given back.
                        "check_same_thread": False,
                    },
                )
        with engine.begin() as connection:
            yield connection

    def close(self) -> None:
        with self._lock:
            for engine in self._engines.values():
                engine.dispose()
            self._engines.clear()


class _Together(ExitStack):
    """One transaction for each database that is written to, from its first use to the end."""

    def __init__(self, begin: Callable[[str], AbstractContextManager[Connection]]) -> None:
        super().__init__()
        self._begin = begin
        self._begun: dict[str, Connection] = {}

    def connection(self, shard: str) -> Connection:
        if shard not in self._begun:
            self._begun[shard] = self.enter_context(self._begin(shard))
        return self._begun[shard]


def events_together(instance: dg.DagsterInstance) -> AbstractContextManager[None]:
    """Return what makes one commit of many events, where the storage of `instance` is ours."""
    storage = instance.event_log_storage
    return storage.together() if isinstance(storage, KeptEventLogStorage) else nullcontext()


@cache
def _empty_database() -> bytes:
    """Return what Dagster makes for a run that has no event yet."""
    with TemporaryDirectory(prefix="screenalytics-") as folder:
        Path(folder, f"{INDEX_SHARD_NAME}.db").touch()  # else it makes that one, too
        dagsters = SqliteEventLogStorage(folder)
        with dagsters.run_connection("empty"):
            pass
        return Path(dagsters.path_for_shard("empty")).read_bytes()


def _put(content: bytes, path: Path) -> bool:
    """Create a file, whole or not at all; False where somebody else was first, or it cannot be."""
    part = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)
    except OSError:
        return False
    finally:
        part.unlink(missing_ok=True)
    return True


class KeptRunStorage(SqliteRunStorage):
    """Runs, over one open connection."""

    def __init__(self, conn_string: str, inst_data: ConfigurableClassData | None = None) -> None:
        """Take what `from_local` gives, which has made the database."""
        self._databases = _Databases()
        super().__init__(conn_string, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """Open what `dagster.yaml`, or what stands for it, says."""
        return cls.from_local(inst_data=inst_data, **config_value)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Yield the connection inside a transaction."""
        with self._databases.transaction(self._conn_string) as connection:
            yield connection

    def dispose(self) -> None:
        """Close the connection."""
        self._databases.close()
        super().dispose()


class KeptEventLogStorage(SqliteEventLogStorage):
    """Events, over one open connection to the index and to each run's database in use."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        """Open the event logs in `base_dir`, made if they do not exist."""
        self._databases = _Databases()
        self._made: set[str] = set()
        self._tables: set[str] = set()
        self._turn = RLock()
        self._together: _Together | None = None
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """Open what `dagster.yaml`, or what stands for it, says."""
        return cls(inst_data=inst_data, **config_value)

    def run_connection(self, run_id: str | None = None) -> AbstractContextManager[Connection]:
        """Yield the connection to a run's events inside a transaction, one user at a time."""
        return self._transaction(str(run_id))

    def index_connection(self) -> AbstractContextManager[Connection]:
        """Yield the connection to what is indexed of all runs, likewise."""
        return self._transaction(INDEX_SHARD_NAME)

    def has_table(self, table_name: str) -> bool:
        """Tell whether the index has a table; asked at every look at a partition."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    @contextmanager
    def together(self) -> Iterator[None]:
        """Commit what this thread writes meanwhile once per database; others wait.

        Dagster writes an event, and commits it two times, for each asset and check of a run
        that it creates. What fails before the end leaves none of them.
        """
        with self._turn:
            try:
                with _Together(self._begun) as self._together:
                    yield
            finally:
                self._together = None

    @contextmanager
    def _transaction(self, shard: str) -> Iterator[Connection]:
        with self._turn:
            if self._together is not None:
                yield self._together.connection(shard)
                return
            with self._begun(shard) as connection:
                yield connection

    @contextmanager
    def _begun(self, shard: str) -> Iterator[Connection]:
        if shard not in self._made:
            self._make(shard)
            self._made.add(shard)
        with self._databases.transaction(self.conn_string_for_shard(shard)) as connection:
            yield connection

    def _make(self, shard: str) -> None:
        """Make the database of a new run as a copy of an empty one, or let Dagster look at it.

        Dagster makes tables one by one and reads the scripts of all its migrations to say which
        was the last: for each run some 150 ms of a core, always with the same outcome.
        """
        path = Path(self.path_for_shard(shard))
        if shard == INDEX_SHARD_NAME or path.exists() or not _put(_empty_database(), path):
            with super().run_connection(shard):
                pass

    def dispose(self) -> None:
        """Close all connections."""
        self._databases.close()
        super().dispose()
