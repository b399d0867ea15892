"""What a line must hold to count as an event, so that folding never stumbles. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from screenalytics_core.ledger.prices import PriceList
from screenalytics_core.shapes import check_time

if TYPE_CHECKING:
    from screenalytics_core.ledger.events import LedgerEvent

_TIMES: Final = ("claimed_at", "created_at")
_TEXTS: Final = ("asset", "source", "note", "message", "trace_id", "content_sha256")
_PARENTS: Final = ("parent_dagster_run_id", "parent_run_id")
_SHAPES: Final[dict[str, type]] = {
    **dict.fromkeys((*_TIMES, *_TEXTS, *_PARENTS), str),
    **dict.fromkeys(("done", "total"), int),
    **dict.fromkeys(("process", "patch", "error", "facts", "prices"), Mapping),
    "tags": list,
}
_REQUIRED: Final = {
    "attempt_claimed": ("claimed_at", "process"),
    "step_progress": ("done", "total"),
    "artifact_published": ("asset",),
    "index_patched": ("patch",),
    "run_priced": ("prices",),
}
_TEXT_FACTS: Final = ("fingerprint", "code_ref")
_COUNTS: Final = frozenset(
    {
        "done",
        "total",
        "rows_in",
        "rows_out",
        "frames",
        "inferences",
        "peak_rss_bytes",
        "stored_bytes",
    }
)
_OF_THE_RUN: Final = ("index_patched", "run_priced")
# The registry's columns have 64 bits, for sums too.
_MOST: Final = 2**53
_MOST_ORDER: Final = 2**62
MAX_DEPTH: Final = 64
"""Levels of objects and lists within each other that a patch may have."""


def check_event(event: LedgerEvent) -> None:
    """Refuse an event that the fold could not take: ValueError, KeyError or TypeError."""
    is_named = isinstance(event.event_id, str) and isinstance(event.dagster_run_id, str)
    is_counted = _is_whole(event.order) and (event.attempt is None or _is_whole(event.attempt))
    is_told = isinstance(event.step, str | None) and isinstance(event.data, Mapping)
    if not is_named or not is_counted or not is_told:
        raise TypeError("an id, a number or the data is of another type")
    if not event.event_id or (not event.dagster_run_id and event.kind not in _OF_THE_RUN):
        raise ValueError("an id is missing")
    # A lone surrogate is a text to Python, and to nobody else.
    event.event_id.encode(), event.dagster_run_id.encode()
    check_time(event.at)
    _check_data(event.kind, event.data)


def _is_whole(value: Any) -> bool:
    return type(value) is int and abs(value) <= _MOST_ORDER


def _check_data(kind: str, data: Mapping[str, Any]) -> None:
    for name in _REQUIRED.get(kind, ()):
        data[name]
    for name, value in data.items():
        shape = _SHAPES.get(name)
        if shape is not None and not isinstance(value, shape):
            raise TypeError(f"{name} is of another type")
        if name in _TIMES:
            check_time(value)
        elif name in {"done", "total"}:
            _check_numbers({name: value})
        elif name == "tags":
            _check_tags(value)
        elif name == "error":
            value["code"], value["message"]
        elif name == "facts":
            _check_facts(value)
        elif name == "prices":
            PriceList.from_dict(value)
        elif name in {"patch", "process"}:
            check_plain(value)


def _check_tags(tags: list[Any]) -> None:
    if not all(isinstance(tag, str) for tag in tags):
        raise TypeError("a tag is no text")


def _check_facts(facts: Mapping[str, Any]) -> None:
    texts = {name: facts[name] for name in _TEXT_FACTS if facts.get(name) is not None}
    if not all(isinstance(value, str) for value in texts.values()):
        raise TypeError("a fact is of another type")
    _check_numbers({k: v for k, v in facts.items() if k not in _TEXT_FACTS and v is not None})


def _check_numbers(values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if type(value) is not int and (name in _COUNTS or type(value) is not float):
            raise TypeError(f"{name} is of another type")
        # Not so written for NaN, which is neither more nor less than anything.
        if not abs(value) <= _MOST:
            raise ValueError(f"{name} is more than any run has")


def check_plain(value: Any, depth: int = 0) -> None:
    """Refuse what no view could be written with.

    Raises:
        ValueError: It is nested too deep, or holds a number that JSON has no word for.
    """
    if depth > MAX_DEPTH:
        raise ValueError(f"more than {MAX_DEPTH} levels deep")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no JSON")
    members = value.values() if isinstance(value, Mapping) else value
    for member in members if isinstance(value, Mapping | list | tuple) else ():
        check_plain(member, depth + 1)
