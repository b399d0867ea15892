"""`Ledger`: the one writer of every view of a run.

The event log is the truth; what stands here only renders it. A view that cannot be written
is logged and named, and everything else goes on: `screenalytics runs sync` repairs it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from screenalytics_core import layout
from screenalytics_core.artifact_store import ArtifactStore
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.attempts import AttemptStore, Clock, utc_now
from screenalytics_core.errors import ScreenalyticsError
from screenalytics_core.ledger.event_log import EventLog
from screenalytics_core.ledger.events import EventKind, LedgerEvent, index_patched
from screenalytics_core.ledger.markers import is_newer, marker
from screenalytics_core.ledger.registry import Registry
from screenalytics_core.ledger.run_facts import RunFacts, load_run_facts
from screenalytics_core.ledger.run_index import check_patch, run_index
from screenalytics_core.ledger.run_rows import run_row
from screenalytics_core.ledger.stage_rows import stage_rows
from screenalytics_core.ledger.state import RunState
from screenalytics_core.ledger.status import status_document
from screenalytics_core.ledger.view_files import without_sequence, write_view
from screenalytics_core.runs import RunStore
from screenalytics_core.stages import STAGE_PHASES, PipelineStage
from screenalytics_core.storage.base import Storage

DASHBOARD_URL: Final = "http://127.0.0.1:3000"
"""Where `screenalytics dev` serves Dagster's UI unless it is told otherwise."""

_LOG: Final = logging.getLogger(__name__)
_STATUS: Final = "episode_status.json"
_INDEX: Final = "index.json"
_ACTIVE: Final = "active_run.json"
_REGISTRY: Final = "registry"
# They say how far a step is, or what it used, and change the state of nothing.
_REPORTS: Final = frozenset({EventKind.STEP_PROGRESS, EventKind.STEP_MEASURED})
# Codecs raise ValueErrors of their own at a value that has no place in a file.
_UNWRITABLE: Final = (ScreenalyticsError, OSError, ValueError)

# Those of about a hundred runs at once.
_MARKERS_KEPT: Final = 1000

Write = Callable[[], object]
Document = Mapping[str, Any]


class Ledger:
    """The logs and views under one data root.

    Args:
        dashboard_url: Where Dagster's UI is served; empty if nowhere.
    """

    def __init__(
        self,
        storage: Storage,
        runs: RunStore,
        attempts: AttemptStore,
        artifacts: ArtifactStore,
        dashboard_url: str = DASHBOARD_URL,
        clock: Clock = utc_now,
    ) -> None:
        self.attempts = attempts
        self.log = EventLog(storage)
        self.registry = Registry(storage, clock=clock)
        self._storage = storage
        self._runs = runs
        self._artifacts = artifacts
        self._dashboard_url = dashboard_url
        self._clock = clock
        self._markers: dict[str, Document] = {}

    def record(self, ep_id: str, run_id: str, events: Iterable[LedgerEvent]) -> RunState:
        """Append what the log does not hold yet, render what that changes, return the state.

        Raises:
            StorageError, DiskSpaceError: The log cannot be written; a view that cannot be
                is only logged.
        """
        kinds = {event.kind for event in self.log.append(ep_id, run_id, events)}
        state = self.log.known(ep_id, run_id)
        if kinds:
            self._render(ep_id, run_id, self._changed_by(kinds), state)
        return state

    def patch_index(self, ep_id: str, run_id: str, patch: Mapping[str, Any]) -> None:
        """Merge `patch` into the run index, for good (`updateRunIndex` of seed 002).

        Raises:
            SettingsError: It sets keys that are written from events, or is no JSON object.
            RunNotFoundError: There is no such run.
            StorageError, DiskSpaceError: The log cannot be written.
        """
        check_patch(patch)
        if not self.log.state(ep_id, run_id).sequence:
            self._runs.require(ep_id, run_id)
        self.record(ep_id, run_id, [index_patched(patch, self._clock())])

    def facts(self, ep_id: str, run_id: str, state: RunState | None = None) -> RunFacts:
        """Return what a run's views are rendered from, as it is now.

        Args:
            state: The folded log, of whoever has just looked at it.
        """
        # The log first: what its events tell is then in the manifest that is read after it.
        if state is None:
            state = self.log.state(ep_id, run_id)
        return load_run_facts(self._runs, self._artifacts, ep_id, run_id, state)

    def render(self, ep_id: str, run_id: str, *, registry: bool = True) -> list[str]:
        """Write every view of a run; return the names of those that could not be.

        Args:
            registry: False leaves its rows to whoever rebuilds the registry next.
        """
        self._markers.clear()  # whoever asks for all wants to have them looked at
        views = self._all_views if registry else self._views_of_the_run
        return self._render(ep_id, run_id, views)

    def _render(
        self,
        ep_id: str,
        run_id: str,
        views: Callable[[RunFacts], Iterator[tuple[str, Write]]],
        state: RunState | None = None,
    ) -> list[str]:
        try:
            facts = self.facts(ep_id, run_id, state)
        except _UNWRITABLE as error:
            _LOG.warning("no view of run %s/%s was written: %s", ep_id, run_id, error)
            return ["every view"]
        return [name for name, write in views(facts) if not _is_written(facts, name, write)]

    def _changed_by(
        self, kinds: set[EventKind]
    ) -> Callable[[RunFacts], Iterator[tuple[str, Write]]]:
        if kinds == {EventKind.INDEX_PATCHED}:
            return self._index_view
        if kinds <= _REPORTS | {EventKind.INDEX_PATCHED}:
            return self._progress_views
        return self._all_views

    def _all_views(self, facts: RunFacts) -> Iterator[tuple[str, Write]]:
        yield from self._views_of_the_run(facts)
        yield _REGISTRY, lambda: self.registry.record(run_row(facts), stage_rows(facts))

    def _views_of_the_run(self, facts: RunFacts) -> Iterator[tuple[str, Write]]:
        yield from self._progress_views(facts)
        for stage in STAGE_PHASES:
            yield from self._marker_views(facts, stage)
        yield _ACTIVE, lambda: self._activate(facts)

    def _progress_views(self, facts: RunFacts) -> Iterator[tuple[str, Write]]:
        key = layout.status_key(facts.ep_id, facts.run_id)
        yield _STATUS, lambda: self._write(facts, key, status_document(facts, self._clock()))
        yield from self._index_view(facts)

    def _index_view(self, facts: RunFacts) -> Iterator[tuple[str, Write]]:
        key = layout.run_index_key(facts.ep_id, facts.run_id)
        yield _INDEX, lambda: self._write(facts, key, run_index(facts, self._dashboard_url))

    def _marker_views(self, facts: RunFacts, stage: PipelineStage) -> Iterator[tuple[str, Write]]:
        name = f"{STAGE_PHASES[stage]}.json"
        yield name, lambda: self._write_marker(facts, stage)
        yield f"legacy {name}", lambda: self._write_legacy_marker(facts, stage)

    def _write_marker(self, facts: RunFacts, stage: PipelineStage) -> None:
        document = marker(facts, stage)
        key = layout.run_marker_key(facts.ep_id, facts.run_id, stage)
        if document is not None and not self._has_written(key, document):
            self._write(facts, key, document)
            self._note_marker(key, document)

    def _note_marker(self, key: str, document: Document) -> None:
        if len(self._markers) >= _MARKERS_KEPT:
            self._markers.clear()
        self._markers[key] = without_sequence(document)

    def _has_written(self, key: str, document: Document) -> bool:
        """Tell whether this object wrote that marker last: few change, and all are rendered."""
        return self._markers.get(key) == without_sequence(document)

    def _write_legacy_marker(self, facts: RunFacts, stage: PipelineStage) -> None:
        document = marker(facts, stage)
        # A stage that came along from another run, or never began, was not attempted here.
        if document is None or document["started_at"] is None:
            return

        def is_outdated_by(held: Document) -> bool:
            if held.get("run_id") == facts.run_id:
                return self._is_later(facts, held)
            return is_newer(held, document)

        key = layout.legacy_marker_key(facts.ep_id, stage)
        if not self._has_written(key, document):
            lock_key = layout.shared_lock_key(facts.ep_id)
            write_view(self._storage, key, document, is_outdated_by, lock_key)
            self._note_marker(key, document)

    def _write(self, facts: RunFacts, key: str, document: Document) -> None:
        # That of the log, which was taken a moment ago: on a server a lock costs more than a view.
        lock_key = layout.run_lock_key(facts.ep_id, facts.run_id)
        write_view(self._storage, key, document, lambda held: self._is_later(facts, held), lock_key)

    def _is_later(self, facts: RunFacts, held: Document) -> bool:
        """Tell whether a document was rendered from more of the log than `facts`.

        One that claims more lines than the log has is of a log that was lost; it yields.
        """
        sequence = held.get("sequence")
        if not isinstance(sequence, int) or sequence <= facts.state.sequence:
            return False
        return sequence <= self.log.state(facts.ep_id, facts.run_id).sequence

    def _activate(self, facts: RunFacts) -> None:
        entry = facts.manifest.entries.get(ArtifactKind.SCREEN_TIME)
        if facts.record is not None and entry is not None and entry.source != "inherited":
            self._runs.activate(facts.ep_id, facts.run_id)


def _is_written(facts: RunFacts, name: str, write: Write) -> bool:
    try:
        write()
    except _UNWRITABLE as error:
        _LOG.warning(
            "%s of run %s/%s was not written: %s. `screenalytics runs sync` repairs it.",
            name, facts.ep_id, facts.run_id, error,
        )  # fmt: skip
        return False
    return True
