"""A run's event log, events.jsonl: appended under the run's lock, read by anybody."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from screenalytics_core import layout
from screenalytics_core.episodes import EpisodeId, is_path_safe
from screenalytics_core.errors import InvalidIdError
from screenalytics_core.ledger.event_check import check_event
from screenalytics_core.ledger.events import AFTER_ALL, LedgerEvent
from screenalytics_core.ledger.log_lines import (
    START,
    LogPart,
    LogPosition,
    format_lines,
    parse_lines,
    read_log,
)
from screenalytics_core.ledger.state import RunState, fold
from screenalytics_core.run_record import RunKey
from screenalytics_core.storage.base import Storage

_LOG: Final = logging.getLogger(__name__)
_RUNS_KEPT: Final = 64
_TELL_OF_A_RUN: Final = (layout.run_record_key, layout.events_key, layout.manifest_key)


@dataclass(slots=True)
class _Followed:
    """What is known of one log; only lines that were added since are read again."""

    guard: threading.Lock = field(default_factory=threading.Lock)
    position: LogPosition = START
    event_ids: set[str] = field(default_factory=set)
    newest_orders: dict[str, int] = field(default_factory=dict)
    state: RunState = field(default_factory=lambda: fold(()))
    not_folded: list[LedgerEvent] = field(default_factory=list)

    def take(self, part: LogPart) -> None:
        """Go on with what was read; from nothing, if the log is another one."""
        if not part.is_rest:
            self.event_ids, self.newest_orders = set(), {}
            self.state, self.not_folded = fold(()), []
        self.position = part.end
        self.not_folded += part.events
        for event in part.events:
            self.event_ids.add(event.event_id)
            if event.order < AFTER_ALL:
                newest = self.newest_orders.get(event.dagster_run_id, -1)
                self.newest_orders[event.dagster_run_id] = max(newest, event.order)

    def folded(self) -> RunState:
        """Return the state after all that was read."""
        if self.not_folded:
            self.state = fold(self.not_folded, self.state)
            self.not_folded = []
        return self.state


class EventLog:
    """The event logs under one data root. Any thread may use it."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._guard = threading.Lock()
        self._followed: OrderedDict[str, _Followed] = OrderedDict()
        self._told: set[tuple[str, int]] = set()

    def read(self, ep_id: str, run_id: str) -> tuple[LedgerEvent, ...]:
        """Return the events of a run, oldest line first; `sequence` is the line number.

        A line that is no event is logged once and left out, and so is a last line that is
        not whole.
        """
        key = layout.events_key(ep_id, run_id)
        part = read_log(self._storage, key)
        self._tell(key, part)
        return part.events

    def append(
        self, ep_id: str, run_id: str, events: Iterable[LedgerEvent]
    ) -> tuple[LedgerEvent, ...]:
        """Add the events that the log does not hold yet, and return these, numbered.

        An event that no reader would take is logged and left out.

        Raises:
            StorageError: The log cannot be written, or its lock is not to be had.
            DiskSpaceError: The disk is full. Nothing was added in either case.
        """
        offered = tuple(events)
        if self._holds(ep_id, run_id, offered):
            return ()
        key, new = layout.events_key(ep_id, run_id), dict[str, LedgerEvent]()
        with (
            self._storage.lock(layout.run_lock_key(ep_id, run_id)),
            self._caught_up(ep_id, run_id) as log,
        ):
            for event in offered:
                if event.event_id not in log.event_ids and _is_sound(event):
                    new.setdefault(event.event_id, event)
            first = log.position.lines + 1
            numbered = tuple(replace(e, sequence=n) for n, e in enumerate(new.values(), first))
            if numbered:
                content = format_lines(numbered)
                self._storage.append(key, content)
                # As a reader would find it, so that nobody need read it for that.
                log.take(parse_lines(content, log.position))
        return numbered

    def _holds(self, ep_id: str, run_id: str, events: tuple[LedgerEvent, ...]) -> bool:
        """Tell whether the log held all of `events` when it was last looked at: it loses none."""
        with self._of(layout.events_key(ep_id, run_id)) as log:
            return all(event.event_id in log.event_ids for event in events)

    def known(self, ep_id: str, run_id: str) -> RunState:
        """Return the state as of the last look or append through this object; asks nobody."""
        with self._of(layout.events_key(ep_id, run_id)) as log:
            return log.folded()

    def state(self, ep_id: str, run_id: str) -> RunState:
        """Return the folded log; an empty state if there is none."""
        with self._caught_up(ep_id, run_id) as log:
            return log.folded()

    def newest_order(self, ep_id: str, run_id: str, dagster_run_id: str) -> int:
        """Return the highest storage id of a Dagster run's events in the log, -1 if none."""
        with self._caught_up(ep_id, run_id) as log:
            return log.newest_orders.get(dagster_run_id, -1)

    def list_runs(self, ep_id: str | None = None) -> tuple[RunKey, ...]:
        """Return every run that has a record, a manifest or a log, in order of the ids.

        Args:
            ep_id: Of one episode; None = of all.
        """
        found = []
        episodes = self._storage.list_folders(layout.MANIFESTS) if ep_id is None else (ep_id,)
        for episode in episodes:
            if is_path_safe(episode) and EpisodeId.parse(episode).text == episode:
                names = self._storage.list_folders(layout.runs_prefix(episode))
                found += [RunKey(episode, name) for name in names if self._is_run(episode, name)]
        return tuple(found)

    def _is_run(self, ep_id: str, name: str) -> bool:
        try:
            keys = [key(ep_id, name) for key in _TELL_OF_A_RUN]
        except InvalidIdError:
            return False
        return any(self._storage.exists(key) for key in keys)

    @contextmanager
    def _caught_up(self, ep_id: str, run_id: str) -> Iterator[_Followed]:
        """Give what is known of a log, after reading what is new in it."""
        key = layout.events_key(ep_id, run_id)
        with self._of(key) as log:
            part = read_log(self._storage, key, log.position)
            log.take(part)
            self._tell(key, part)
            yield log

    @contextmanager
    def _of(self, key: str) -> Iterator[_Followed]:
        """Give what is known of a log, as it is."""
        with self._guard:
            log = self._followed.setdefault(key, _Followed())
            self._followed.move_to_end(key)
            while len(self._followed) > _RUNS_KEPT:
                self._followed.popitem(last=False)
        with log.guard:
            yield log

    def _tell(self, key: str, part: LogPart) -> None:
        for number in part.damaged:
            if (key, number) not in self._told:
                self._told.add((key, number))
                _LOG.warning("%s: line %d is no event and is left out", key, number)


def _is_sound(event: LedgerEvent) -> bool:
    """Tell whether readers will take an event; else it would be added again and again."""
    try:
        check_event(event)
    except (ValueError, KeyError, TypeError) as error:
        _LOG.warning("event %s is left out: %s", event.event_id, error)
        return False
    return True
