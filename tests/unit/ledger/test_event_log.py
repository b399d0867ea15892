"""The log of a run: nothing lost, nothing doubled, nothing read twice without need."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from screenalytics_core import layout
from screenalytics_core.ledger.event_log import EventLog
from screenalytics_core.ledger.events import LedgerEvent
from screenalytics_core.ledger.state import fold
from screenalytics_core.ledger.vocabulary import RunStatus
from screenalytics_core.runs import RunKey
from screenalytics_core.stages import PipelineStage
from screenalytics_core.storage.local import LocalStorage
from tests.ledger_writers import report_progress
from tests.stores import EP, race
from tests.unit.ledger.event_samples import STEPS, Told, patched

RUN = (EP, "r1")
KEY = layout.events_key(*RUN)


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "data")


@pytest.fixture
def log(storage: LocalStorage) -> EventLog:
    return EventLog(storage)


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Let threads take turns as often as they can, so that a race shows."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def lines(storage: LocalStorage) -> list[bytes]:
    return storage.read_bytes(KEY).splitlines(keepends=True)


def ids(events: tuple[LedgerEvent, ...]) -> list[tuple[int, str]]:
    return [(event.sequence, event.event_id) for event in events]


def test_a_run_without_a_log_has_no_events_and_no_state(log: EventLog) -> None:
    assert log.read(*RUN) == ()
    assert log.state(*RUN) == fold([])
    assert log.newest_order(*RUN, "d1") == -1
    assert log.append(*RUN, []) == ()


def test_what_is_appended_is_read_back_with_its_line_number(
    log: EventLog, storage: LocalStorage
) -> None:
    told = Told().begins(1)
    first, second = told.events[:3], told.events[3:]

    assert log.append(*RUN, first) == tuple(first)
    added = log.append(*RUN, second)

    assert [e.sequence for e in added] == list(range(4, len(told) + 1))
    assert log.read(*RUN) == tuple(told)
    assert [e.sequence for e in log.read(*RUN)] == list(range(1, len(told) + 1))
    assert [json.loads(line)["sequence"] for line in lines(storage)] == [
        e.sequence for e in log.read(*RUN)
    ]


def test_an_event_that_the_log_holds_is_not_added_again(log: EventLog) -> None:
    events = Told().begins(1).events
    log.append(*RUN, [events[0], events[1], events[0]])

    again = log.append(*RUN, [events[1], events[2], events[2], events[0]])

    assert ids(again) == [(3, events[2].event_id)]
    assert ids(log.read(*RUN)) == [(n + 1, events[n].event_id) for n in range(3)]


def test_another_writers_events_are_seen_and_not_added_again(
    log: EventLog, storage: LocalStorage
) -> None:
    told = Told().begins(1)
    log.append(*RUN, told.events[:2])
    EventLog(storage).append(*RUN, told.events[2:5])

    assert [e.sequence for e in log.append(*RUN, told)] == list(range(6, len(told) + 1))
    assert log.state(*RUN) == fold(told)


def test_the_newest_order_of_each_dagster_run_is_known_without_our_own_events(
    log: EventLog,
) -> None:
    told = Told("d1").begins(1).started("scan")
    log.append(*RUN, told)
    log.append(*RUN, reversed(Told("d2").queued().events))

    assert log.newest_order(*RUN, "d1") == told.events[-1].order
    assert log.newest_order(*RUN, "d2") == len(STEPS)
    assert log.newest_order(*RUN, "d3") == -1


def test_the_state_says_how_many_lines_it_is_of(log: EventLog) -> None:
    told = Told().begins(1)
    log.append(*RUN, told)
    assert log.state(*RUN).sequence == len(told)

    log.append(*RUN, told.started("scan"))
    assert log.state(*RUN).sequence == len(told)
    assert log.state(*RUN) == fold(told)
    assert log.state(*RUN) is log.state(*RUN)


def test_text_of_any_kind_is_kept(log: EventLog, storage: LocalStorage) -> None:
    patch = {"title": "Zoë\n\u2028 ☕ \udc80", "empty": ""}
    log.append(*RUN, [patched(patch)])

    assert EventLog(storage).state(*RUN).index_patch == patch


# --- damage -------------------------------------------------------------------------------------


def test_a_torn_last_line_is_no_line_and_the_next_writer_cuts_it(
    log: EventLog, storage: LocalStorage
) -> None:
    told = Told().begins(1)
    log.append(*RUN, told.events[:3])
    torn = lines(storage)
    with storage.local_path(KEY).open("ab") as file:
        file.write(torn[0][:-1])

    assert ids(EventLog(storage).read(*RUN)) == ids(log.read(*RUN))
    assert len(log.read(*RUN)) == 3
    assert log.append(*RUN, told.events[3:4])[0].sequence == 4
    assert lines(storage)[:3] == torn
    assert len(lines(storage)) == 4


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\0\0\0\0",
        b"{",
        b"[1, 2]",
        b"null",
        b'{"kind": "run_started"}',
        b'{"event_id": "x", "kind": "run_started", "at": "t", "dagster_run_id": "d1"}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_damaged_line_is_left_out_told_once_and_still_counts_as_a_line(
    log: EventLog, storage: LocalStorage, caplog: pytest.LogCaptureFixture, line: bytes
) -> None:
    told = Told().begins(1)
    log.append(*RUN, told.events[:2])
    storage.append(KEY, line + b"\n")

    with caplog.at_level(logging.WARNING):
        added = log.append(*RUN, told)
        log.state(*RUN)
        log.read(*RUN)
        log.read(*RUN)

    assert added[0].sequence == 4
    assert ids(log.read(*RUN)) == [
        (n + 1 if n < 2 else n + 2, event.event_id) for n, event in enumerate(told)
    ]
    assert log.state(*RUN) == fold(told)
    assert [r.getMessage() for r in caplog.records] == [
        f"{KEY}: line 3 is no event and is left out"
    ]


def test_the_line_number_counts_and_not_what_a_line_says_of_itself(
    log: EventLog, storage: LocalStorage
) -> None:
    log.append(*RUN, Told().begins(1).events[:2])
    storage.write_atomic(KEY, b"".join(reversed(lines(storage))))

    assert [e.sequence for e in log.read(*RUN)] == [1, 2]


@pytest.mark.parametrize("length", ["shorter", "longer", "the same", "none"])
def test_a_log_that_was_replaced_is_read_anew(
    log: EventLog, storage: LocalStorage, length: str
) -> None:
    log.append(*RUN, Told("d1").begins(1).does("scan"))
    other = Told("d2").begins(1)
    if length == "the same":
        other.does("scan")
    elif length == "longer":
        other.does(*STEPS)
    log.state(*RUN)
    storage.delete(KEY)
    if length == "none":
        other.events.clear()
    EventLog(storage).append(*RUN, other)

    assert log.state(*RUN) == fold(other)
    assert log.newest_order(*RUN, "d1") == -1
    assert log.append(*RUN, other) == ()


def test_a_log_that_was_cut_and_written_on_is_read_anew(
    log: EventLog, storage: LocalStorage
) -> None:
    told = Told().begins(1).does(*STEPS)
    log.append(*RUN, told)
    log.state(*RUN)
    os.truncate(storage.local_path(KEY), len(b"".join(lines(storage)[:3])) + 5)

    assert log.state(*RUN) == fold(told.events[:3])
    assert len(log.append(*RUN, told)) == len(told) - 3
    assert log.state(*RUN) == fold(told)


# --- cost ---------------------------------------------------------------------------------------


class CountingStorage(LocalStorage):
    """Counts the bytes that are read from files."""

    bytes_read = 0

    def open_read(self, key: str, sha256: str | None = None) -> BinaryIO:
        outer, file = self, super().open_read(key)

        class CountingFile(io.BufferedReader):
            def read(self, size: int | None = -1) -> bytes:
                data = super().read(size)
                outer.bytes_read += len(data)
                return data

        return cast(BinaryIO, CountingFile(cast(Any, file).detach()))


def test_appending_one_by_one_reads_each_line_about_once(tmp_path: Path) -> None:
    storage = CountingStorage(tmp_path)
    log = EventLog(storage)
    told = Told().begins(1).started("scan")
    for n in range(300):
        told.reported("scan", n, 300)

    for event in told:
        log.append(*RUN, [event])
        log.state(*RUN)

    # Each line when it is new, and as the line to know the log by when there is news.
    assert storage.bytes_read < 4 * storage.size(KEY)
    assert log.state(*RUN) == fold(told)


def test_more_runs_than_are_kept_in_mind_are_all_right(tmp_path: Path) -> None:
    log = EventLog(LocalStorage(tmp_path))
    runs = [(EP, f"r{n}") for n in range(70)]
    for n, run in enumerate(runs):
        log.append(*run, Told(f"d{n}").begins(1))

    for n, run in enumerate(runs):
        assert log.append(*run, Told(f"d{n}").begins(1).completed())[0].sequence == 10
        assert log.state(*run).status is RunStatus.COMPLETED


# --- many at once -------------------------------------------------------------------------------


def test_threads_that_share_a_log_lose_nothing(log: EventLog, eager_threads: None) -> None:
    told = Told().begins(1).does(*STEPS, *STEPS, *STEPS)
    added: list[LedgerEvent] = []

    def copy(start: int) -> None:
        for event in told.events[start:] + told.events[:start]:
            added.extend(log.append(*RUN, [event]))
            log.state(*RUN)

    threads = [threading.Thread(target=copy, args=(15 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(e.sequence for e in added) == list(range(1, len(told) + 1))
    assert {e.event_id for e in added} == {e.event_id for e in told}
    assert log.state(*RUN) == fold(told)


def test_threads_that_read_while_the_log_grows_miss_nothing(
    log: EventLog, storage: LocalStorage, eager_threads: None
) -> None:
    told = Told().begins(1).does(*STEPS, *STEPS, *STEPS, *STEPS)
    is_over = threading.Event()

    def look() -> None:
        while not is_over.is_set():
            log.state(*RUN)

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    writer = EventLog(storage)
    for event in told:
        writer.append(*RUN, [event])
    is_over.set()
    for thread in threads:
        thread.join()

    assert log.state(*RUN) == fold(told)


def test_four_processes_that_report_2000_times_lose_and_double_nothing(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    log = EventLog(storage)
    begun = log.append(*RUN, Told().begins(1).started("scan"))

    added = race(report_progress, [(tmp_path, RUN, part, 500) for part in range(4)])

    stage = log.state(*RUN).stages[PipelineStage.DETECT_TRACK]
    assert added == [500] * 4
    assert stage.progress is not None
    assert (stage.progress.done, stage.progress.total) == (2000, 2000)
    events = log.read(*RUN)
    assert [e.sequence for e in events] == list(range(1, len(begun) + 2001))
    assert len({e.event_id for e in events}) == len(lines(storage)) == len(events)


# --- which runs there are -----------------------------------------------------------------------


def test_every_folder_with_a_record_a_manifest_or_a_log_is_a_run(
    log: EventLog, storage: LocalStorage
) -> None:
    log.append("x-s01e02", "logged", Told().begins(1))
    storage.write_atomic(layout.run_record_key("x-s01e01", "reserved"), b"{}")
    storage.write_atomic(layout.manifest_key("x-s01e01", "made"), b"{}")
    storage.write_atomic("manifests/x-s01e01/runs/empty/attempts/0001.json", b"{}")
    storage.write_atomic("manifests/x-s01e01/runs/active_run.json/run.json", b"{}")
    storage.write_atomic("manifests/x-s01e01/runs/a b/run.json", b"{}")
    storage.write_atomic("manifests/X-S01E01/runs/shouted/run.json", b"{}")
    storage.write_atomic("manifests/x..y/runs/r/run.json", b"{}")

    assert log.list_runs() == (
        RunKey("x-s01e01", "made"),
        RunKey("x-s01e01", "reserved"),
        RunKey("x-s01e02", "logged"),
    )


def test_without_a_data_root_there_are_no_runs(log: EventLog) -> None:
    assert log.list_runs() == ()


def test_an_event_that_no_reader_takes_is_not_added_again_and_again(
    log: EventLog, storage: LocalStorage
) -> None:
    sound = Told().reported("scan", 1, 2).events[0]
    endless = replace(sound, event_id="d1/9", data={"done": 10**400, "total": 10**401})

    for _ in range(2):
        log.append(*RUN, [endless, sound])

    assert ids(log.read(*RUN)) == [(1, sound.event_id)]
    assert len(lines(storage)) == 1
