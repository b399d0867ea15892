"""`decisions.jsonl` of an episode: appended to by people, read by every run, never rewritten."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from screenalytics_core import layout
from screenalytics_core.decisions.records import Decision
from screenalytics_core.errors import ArtifactCorruptError, KeyMissingError
from screenalytics_core.shapes import check_types
from screenalytics_core.storage.base import Storage

_TYPES: Final = {"sequence": int, "at": str, "by": str, "run_id": str}
_OPTIONAL: Final = {"cast_id": str, "label": str, "undoes": int}
_NOT_ONE: Final = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


class DecisionLog:
    """The decisions of a data root's episodes."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def read(self, ep_id: str) -> tuple[Decision, ...]:
        """Return the episode's decisions, oldest first.

        Raises:
            ArtifactCorruptError: A line is not a decision; a torn last one was never promised
                to anybody and is left out.
        """
        key = layout.decisions_key(ep_id)
        try:
            content = self._storage.read_bytes(key)
        except KeyMissingError:
            return ()
        lines = content.split(b"\n")[:-1]
        return tuple(self._parse(key, number, line) for number, line in enumerate(lines, start=1))

    def append(self, ep_id: str, decision: Decision) -> Decision:
        """Add a decision; return it with its sequence.

        Raises:
            ArtifactCorruptError: The log is damaged; nothing is added.
        """
        key = layout.decisions_key(ep_id)
        with self._storage.lock(key):
            numbered = replace(decision, sequence=len(self.read(ep_id)) + 1)
            line = json.dumps(numbered.to_dict(), ensure_ascii=False, allow_nan=False)
            self._storage.append(key, line.encode() + b"\n")
        return numbered

    def _parse(self, key: str, number: int, line: bytes) -> Decision:
        try:
            record = json.loads(line)
            check_types(record, _TYPES)
            given = {name: record[name] for name in _OPTIONAL if record.get(name) is not None}
            check_types(given, {name: _OPTIONAL[name] for name in given})
            decision = Decision.from_dict(record)
            if decision.sequence != number:
                raise ValueError(f"its sequence is {decision.sequence}")
            if decision.undoes is not None and decision.undoes >= number:
                raise ValueError(f"it undoes {decision.undoes}, which is not before it")
        except _NOT_ONE as error:
            raise ArtifactCorruptError(
                thing=f"{self._storage.local_path(key)}, line {number}",
                reason=f"is not a decision ({type(error).__name__}: {error})",
                way_out="Restore the file from a copy; nothing of it was applied.",
            ) from error
        return decision
