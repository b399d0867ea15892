"""Dagster's SQLite storage with connections that stay open for as long as the instance.

Dagster opens and closes a database for every event. Closing the last connection of a
database in WAL mode copies its log back and removes it, with three syncs: that, and not the
writing, is what an event costs. What is on disk is the same either way, and every commit is
synced as before, so other processes may use Dagster's own classes on it meanwhile.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import Any, Self

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
        self._turn = Lock()
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
    def _transaction(self, shard: str) -> Iterator[Connection]:
        with self._turn:
            if shard not in self._made:
                with super().run_connection(shard):  # makes its tables
                    self._made.add(shard)
            with self._databases.transaction(self.conn_string_for_shard(shard)) as connection:
                yield connection

    def dispose(self) -> None:
        """Close all connections."""
        self._databases.close()
        super().dispose()
