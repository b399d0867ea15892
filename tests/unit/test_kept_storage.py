"""Dagster's files with connections that stay open: what other processes find in them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType, EngineEventData
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from screenalytics_assets.kept_storage import KeptEventLogStorage, events_together

RUNS = ("run-1", "run-2")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("history")
    KeptEventLogStorage(str(folder)).dispose()
    return folder


@pytest.fixture
def kept(home: Path) -> Iterator[KeptEventLogStorage]:
    storage = KeptEventLogStorage(str(home))
    yield storage
    storage.dispose()


def event(run_id: str, text: str) -> EventLogEntry:
    told = DagsterEvent(
        DagsterEventType.ENGINE_EVENT.value,
        "episode",
        message=text,
        event_specific_data=EngineEventData(),
    )
    return EventLogEntry(
        error_info=None,
        level=20,
        user_message=text,
        run_id=run_id,
        timestamp=time.time(),
        dagster_event=told,
    )


def seen_by_dagster(home: Path, run_id: str) -> list[str]:
    """Return a run's events as another process reads them, with Dagster's own class."""
    return [e.user_message for e in SqliteEventLogStorage(str(home)).get_logs_for_run(run_id)]


def test_events_that_are_written_together_are_seen_together(
    home: Path, kept: KeptEventLogStorage
) -> None:
    with kept.together():
        for run_id in RUNS:
            kept.store_event(event(run_id, "one"))
            kept.store_event(event(run_id, "two"))
        meanwhile = [seen_by_dagster(home, run_id) for run_id in RUNS]
        own = [e.user_message for e in kept.get_logs_for_run(RUNS[0])]
    afterwards = [seen_by_dagster(home, run_id) for run_id in RUNS]
    kept.store_event(event(RUNS[0], "three"))

    assert (meanwhile, own) == ([[], []], ["one", "two"])
    assert afterwards == [["one", "two"]] * 2
    assert seen_by_dagster(home, RUNS[0]) == ["one", "two", "three"], "each alone again"


def test_of_events_that_belong_together_none_is_left_by_a_failure(
    home: Path, kept: KeptEventLogStorage
) -> None:
    def fail() -> None:
        with kept.together():
            kept.store_event(event("broken", "one"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    kept.store_event(event("broken", "later"))

    assert seen_by_dagster(home, "broken") == ["later"]


def test_the_database_of_a_run_is_as_dagster_makes_it(home: Path, tmp_path: Path) -> None:
    def facts(folder: Path, run_id: str) -> list[object]:
        with sqlite3.connect(folder / f"{run_id}.db") as database:
            return [
                sorted(database.execute("SELECT type, name, sql FROM sqlite_master"), key=str),
                database.execute("SELECT * FROM alembic_version").fetchall(),
                database.execute("PRAGMA journal_mode").fetchall(),
                database.execute("PRAGMA integrity_check").fetchall(),
            ]

    kept = KeptEventLogStorage(str(home))
    kept.store_event(event("ours", "one"))
    kept.dispose()
    theirs = SqliteEventLogStorage(str(tmp_path))
    theirs.store_event(event("theirs", "one"))

    assert facts(home, "ours") == facts(tmp_path, "theirs")
    assert [path for path in home.iterdir() if path.name.startswith(".")] == []


def test_a_run_whose_database_is_there_keeps_what_it_holds(
    home: Path, kept: KeptEventLogStorage
) -> None:
    SqliteEventLogStorage(str(home)).store_event(event("known", "theirs"))

    kept.store_event(event("known", "ours"))

    assert seen_by_dagster(home, "known") == ["theirs", "ours"]


def test_a_storage_that_is_not_ours_writes_as_it_does() -> None:
    with dg.DagsterInstance.ephemeral() as instance, events_together(instance):
        assert instance.get_runs_count() == 0
