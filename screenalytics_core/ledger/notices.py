"""Rows on their way into the registry: one small file each, until somebody folds it.

A notice is whole or not there, and says again what it says however often it is folded. So
nobody waits for anybody to record a row, and a crash at any moment loses nothing.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple, Self

from screenalytics_core import layout
from screenalytics_core.attempts import Clock
from screenalytics_core.errors import KeyMissingError, SchemaMismatchError
from screenalytics_core.ledger.registry_table import RUNS, STAGE_RUNS, RegistryTable, Row
from screenalytics_core.storage.base import Storage

_LOG: Final = logging.getLogger(__name__)
_SPEC: Final = "registry notice"
_JSON: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True, slots=True)
class Notice:
    """The rows of one run, as they were rendered at one moment."""

    run: Row
    stages: tuple[Row, ...]

    @classmethod
    def of(cls, run: Row, stages: Iterable[Row]) -> Self:
        """Check rows.

        Raises:
            SchemaMismatchError: A row does not conform, or is of another run.
        """
        [checked] = RUNS.checked([run])
        own = STAGE_RUNS.checked(stages)
        names = {(row["ep_id"], row["run_id"]) for row in (checked, *own)}
        if len(names) > 1:
            raise SchemaMismatchError(spec_name=_SPEC, reason=f"rows of several runs: {names}")
        return cls(checked, tuple(own))

    def to_json(self) -> bytes:
        """Return the file's content."""
        try:
            return _JSON.encode({"run": self.run, "stages": self.stages}).encode()
        except ValueError as error:
            raise SchemaMismatchError(spec_name=_SPEC, reason=str(error)) from None


@dataclass(frozen=True, slots=True)
class Pending:
    """What notices say.

    Attributes:
        keys: Of every notice that was read.
        refused: Of those that do not conform.
    """

    keys: tuple[str, ...]
    refused: tuple[str, ...]
    notices: tuple[Notice, ...]

    def rows(self, table: RegistryTable) -> list[Row]:
        """Return the rows for one of the registry's tables."""
        if table is RUNS:
            return [notice.run for notice in self.notices]
        return [row for notice in self.notices for row in notice.stages]


class NoticeBoard:
    """The notices that nobody has folded yet."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    def put(self, notice: Notice) -> None:
        """Write a notice; it is on disk when this returns."""
        # Named by time for people who look; no order is needed.
        name = f"{self._clock():%Y%m%dT%H%M%S.%fZ}-{uuid.uuid4().hex}.json"
        self._storage.write_atomic(f"{layout.REGISTRY_LOG_PREFIX}/{name}", notice.to_json())

    def keys(self) -> tuple[str, ...]:
        """Return the keys of all notices."""
        return self._storage.list(layout.REGISTRY_LOG_PREFIX)

    def read(self) -> Pending:
        """Read every notice; one that vanishes meanwhile was folded, and is left out."""
        parsed: dict[str, _Parsed] = {}
        refused = []
        for key in self.keys():
            try:
                parsed[key] = _parse(self._storage.read_bytes(key))
            except KeyMissingError:
                continue
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                refused.append(_refused(key, error))
        try:
            # All at once, since checking a single row takes a millisecond.
            found = dict(zip(parsed, _checked(list(parsed.values())), strict=True))
        except SchemaMismatchError:
            found = {}
            for key, one in parsed.items():
                try:
                    [found[key]] = _checked([one])
                except SchemaMismatchError as error:
                    refused.append(_refused(key, error))
        return Pending(tuple(found), tuple(refused), tuple(found.values()))

    def take_down(self, pending: Pending) -> None:
        """Remove what was folded, and set aside what cannot be."""
        for key in pending.refused:
            name = key.rsplit("/", 1)[-1]
            self._storage.link_or_copy(key, f"{layout.REGISTRY_DAMAGED_PREFIX}/{name}")
        for key in (*pending.keys, *pending.refused):
            self._storage.delete(key)


class _Parsed(NamedTuple):
    """A notice as its file has it, not checked yet."""

    run: Row
    stages: list[Row]


def _parse(content: bytes) -> _Parsed:
    record = json.loads(content)
    return _Parsed(dict(record["run"]), [dict(row) for row in record["stages"]])


def _checked(parsed: Sequence[_Parsed]) -> list[Notice]:
    runs = RUNS.checked(one.run for one in parsed)
    stages = iter(STAGE_RUNS.checked(row for one in parsed for row in one.stages))
    return [
        Notice(run, tuple(islice(stages, len(one.stages))))
        for run, one in zip(runs, parsed, strict=True)
    ]


def _refused(key: str, error: Exception) -> str:
    _LOG.warning("registry notice %s does not count: %r", key, error)
    return key
