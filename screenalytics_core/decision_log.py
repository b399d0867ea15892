"""`decisions.jsonl` of an episode: appended to by people, read by every run, never rewritten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from screenalytics_core import layout
from screenalytics_core.decisions.records import Decision
from screenalytics_core.records import NumberedLog
from screenalytics_core.shapes import check_types
from screenalytics_core.storage.base import Storage

_TYPES: Final = {"sequence": int, "at": str, "by": str, "run_id": str}
_OPTIONAL: Final = {"cast_id": str, "label": str, "undoes": int, "request": str}


class DecisionLog:
    """The decisions of a data root's episodes."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def read(self, ep_id: str) -> tuple[Decision, ...]:
        """Return the episode's decisions, oldest first.

        Raises:
            ArtifactCorruptError: A line is not a decision; a torn last one is left out.
        """
        return self._log(ep_id).read()

    def append(self, ep_id: str, decision: Decision) -> Decision:
        """Add a decision; return it with its sequence.

        Raises:
            ArtifactCorruptError: The log is damaged; nothing is added.
        """
        return self._log(ep_id).append(decision)

    def append_after(self, ep_id: str, decision: Decision, count: int) -> Decision | None:
        """Add what was decided in view of `count` decisions; None if there are more by now.

        Raises:
            ArtifactCorruptError: The log is damaged; nothing is added.
        """
        return self._log(ep_id).append_after(decision, count)

    def _log(self, ep_id: str) -> NumberedLog[Decision]:
        return NumberedLog(self._storage, layout.decisions_key(ep_id), _checked)


def _checked(record: Mapping[str, Any]) -> Decision:
    """Build a decision; KeyError, TypeError or ValueError if a value is not what it can be."""
    check_types(record, _TYPES)
    given = {name: record[name] for name in _OPTIONAL if record.get(name) is not None}
    check_types(given, {name: _OPTIONAL[name] for name in given})
    decision = Decision.from_dict(record)
    if decision.undoes is not None and decision.undoes >= decision.sequence:
        raise ValueError(f"it undoes {decision.undoes}, which is not before it")
    return decision
