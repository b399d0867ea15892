"""What a line must hold to count as an event, so that folding never stumbles. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from screenalytics_core.ledger.events import LedgerEvent

_TIMES: Final = ("claimed_at", "created_at")
_TEXTS: Final = ("asset", "source", "note", "message", "trace_id", "content_sha256")
_PARENTS: Final = ("parent_dagster_run_id", "parent_run_id")
_SHAPES: Final[dict[str, type]] = {
    **dict.fromkeys((*_TIMES, *_TEXTS, *_PARENTS), str),
    **dict.fromkeys(("done", "total"), int),
    **dict.fromkeys(("process", "patch", "error", "facts"), Mapping),
    "tags": list,
}
_REQUIRED: Final = {
    "attempt_claimed": ("claimed_at", "process"),
    "step_progress": ("done", "total"),
    "artifact_published": ("asset",),
    "index_patched": ("patch",),
}
_TEXT_FACTS: Final = ("fingerprint", "code_ref")


def check_event(event: LedgerEvent) -> None:
    """Refuse an event that the fold could not take: ValueError, KeyError or TypeError."""
    is_named = isinstance(event.event_id, str) and isinstance(event.dagster_run_id, str)
    is_counted = isinstance(event.order, int) and isinstance(event.attempt, int | None)
    if not is_named or not is_counted or not isinstance(event.step, str | None):
        raise TypeError("an id or a number is of another type")
    if not event.event_id or (not event.dagster_run_id and event.kind != "index_patched"):
        raise ValueError("an id is missing")
    _check_time(event.at)
    _check_data(event.kind, event.data)


def _check_time(text: str) -> None:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError(f"{text} has no time zone")


def _check_data(kind: str, data: Mapping[str, Any]) -> None:
    for name in _REQUIRED.get(kind, ()):
        data[name]
    for name, value in data.items():
        shape = _SHAPES.get(name)
        if shape is not None and not isinstance(value, shape):
            raise TypeError(f"{name} is of another type")
        if name in _TIMES:
            _check_time(value)
        elif name == "error":
            value["code"], value["message"]
        elif name == "facts":
            _check_facts(value)


def _check_facts(facts: Mapping[str, Any]) -> None:
    for name, value in facts.items():
        wanted = str if name in _TEXT_FACTS else int | float
        if value is not None and not isinstance(value, wanted):
            raise TypeError(f"fact {name} is of another type")
