"""Removes a run so that a kill at any moment leaves nothing that lies.

The manifest goes first, so it never names a file that is gone; the record goes last; a note
says from before the first to after the last file that a removal is under way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from screenalytics_core import layout
from screenalytics_core.errors import RunBusyError
from screenalytics_core.ledger.events import iso
from screenalytics_core.ledger.ledger import Ledger
from screenalytics_core.ledger.markers import is_newer
from screenalytics_core.ledger.view_files import read_view, write_view
from screenalytics_core.run_record import RunKey
from screenalytics_core.run_tools.gc import Decision, RunSummary
from screenalytics_core.run_tools.gc_facts import GcFacts, folders_of
from screenalytics_core.run_tools.removal_record import (
    RemovalRecord,
    append_audit,
    removal_in_progress,
    removal_key,
)
from screenalytics_core.stages import STAGE_PHASES, PipelineStage
from screenalytics_core.storage.base import Storage


class RunRemover:
    """Removes runs of one data root.

    Args:
        who: Name of the user, for the audit.
    """

    def __init__(self, storage: Storage, facts: GcFacts, ledger: Ledger, who: str) -> None:
        self._storage = storage
        self._facts = facts
        self._ledger = ledger
        self._who = who

    def remove(self, decision: Decision, now: datetime) -> RemovalRecord:
        """Remove a run, or finish its removal.

        Raises:
            RunBusyError: Somebody has worked on the run since it was decided.
            StorageError: A file cannot be deleted; the next gc goes on from there.
        """
        key = decision.run.key
        with self._storage.lock(layout.run_lock_key(*key)):
            _check_unchanged(decision.run, self._facts.summary(key))
            removal = self._begin(decision, now)
            self._delete_files(key)
            self._ledger.registry.remove([key])
            self._take_out_of_markers(key)
            self._storage.delete(layout.run_record_key(*key))
            append_audit(self._storage, removal)
            self._storage.delete(removal_key(*key))
            for prefix in folders_of(key):
                self._storage.prune(prefix)
        return removal

    def _begin(self, decision: Decision, now: datetime) -> RemovalRecord:
        """Write the note, or take up the one of a removal that was interrupted."""
        key = decision.run.key
        begun = removal_in_progress(self._storage, key) if decision.run.is_half_removed else None
        if begun is not None:
            return begun
        removal = RemovalRecord(
            *key,
            at=iso(now),
            who=self._who,
            why=decision.reason,
            size_bytes=decision.size_bytes,
            freed_bytes=decision.freed_bytes,
            dagster_run_ids=decision.run.dagster_run_ids,
        )
        self._storage.write_atomic(removal_key(*key), removal.to_line())
        return removal

    def _delete_files(self, key: RunKey) -> None:
        # A power cut must not bring the manifest back without its files.
        self._storage.delete(layout.manifest_key(*key), durable=True)
        kept = {layout.run_record_key(*key), removal_key(*key)}
        attempts = layout.attempts_prefix(*key) + "/"
        keys = [k for prefix in folders_of(key) for k in self._storage.list(prefix)]
        # Attempts late: they tell whether somebody launched the run again.
        for name in sorted(
            (k for k in keys if k not in kept), key=lambda k: k.startswith(attempts)
        ):
            self._storage.delete(name)

    def _take_out_of_markers(self, key: RunKey) -> None:
        """Let the episode's markers point to the newest run that is left, or to none."""
        others = [k.run_id for k in self._facts.keys(key.ep_id) if k != key]
        for stage in STAGE_PHASES:
            marker_key = layout.legacy_marker_key(key.ep_id, stage)
            with self._storage.lock(layout.shared_lock_key(key.ep_id)):
                held = read_view(self._storage, marker_key)
                if held is None or held.get("run_id") != key.run_id:
                    continue
                self._storage.delete(marker_key)
                self._point_to_newest(key.ep_id, stage, others)

    def _point_to_newest(self, ep_id: str, stage: PipelineStage, run_ids: Iterable[str]) -> None:
        for run_id in run_ids:
            document = read_view(self._storage, layout.run_marker_key(ep_id, run_id, stage))
            if document is None or document.get("started_at") is None:
                continue  # nothing, or what came along from another run
            self._write_unless_newer(ep_id, stage, document)

    def _write_unless_newer(
        self, ep_id: str, stage: PipelineStage, document: dict[str, Any]
    ) -> None:
        write_view(
            self._storage,
            layout.legacy_marker_key(ep_id, stage),
            document,
            lambda held: is_newer(held, document),
            layout.shared_lock_key(ep_id),
        )


def _check_unchanged(decided: RunSummary, found: RunSummary) -> None:
    """Refuse to remove a run that is not what it was when it was decided."""
    same = replace(found, files=decided.files, order=decided.order, last_seen=decided.last_seen)
    if same != decided or found.last_seen > decided.last_seen:
        raise RunBusyError(
            thing=f"run {decided.key.ep_id}/{decided.key.run_id}",
            reason="was worked on since it was decided that it goes",
            way_out="It is kept; gc again if it shall go.",
            ep_id=decided.key.ep_id,
            run_id=decided.key.run_id,
        )
