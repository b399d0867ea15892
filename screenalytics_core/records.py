"""Small JSON records beside the artifacts: read well-formed, or refused by their name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Generic, TypeVar

from screenalytics_core.decisions.records import Decision
from screenalytics_core.errors import ArtifactCorruptError, InvalidIdError, KeyMissingError
from screenalytics_core.seasons.rejections import Rejection
from screenalytics_core.storage.base import Storage

Record = TypeVar("Record")
Line = TypeVar("Line", bound=Decision | Rejection)
# A file of brackets is JSON too, but too deep to be read.
_NOT_ONE: Final = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RecursionError,
    InvalidIdError,
)


def read_record(
    storage: Storage, key: str, build: Callable[[Any], Record], way_out: str
) -> Record | None:
    """Return what `build` makes of the JSON under `key`, or None if nothing is there.

    Raises:
        ArtifactCorruptError: It is no JSON, or not what `build` takes.
    """
    try:
        raw = storage.read_bytes(key)
    except KeyMissingError:
        return None
    try:
        return build(json.loads(raw))
    except _NOT_ONE as error:
        raise ArtifactCorruptError(
            thing=storage.location(key),
            reason=f"is damaged ({type(error).__name__}: {error})",
            way_out=way_out,
        ) from error


class NumberedLog(Generic[Line]):
    """JSON lines that people's decisions are appended to, each with its number; never rewritten."""

    def __init__(
        self, storage: Storage, key: str, build: Callable[[Mapping[str, Any]], Line]
    ) -> None:
        self._storage = storage
        self._key = key
        self._build = build

    def read(self) -> tuple[Line, ...]:
        """Return the lines, oldest first.

        Raises:
            ArtifactCorruptError: A line is not one; a torn last one was never promised to
                anybody and is left out.
        """
        try:
            lines = self._storage.read_bytes(self._key).split(b"\n")[:-1]
        except KeyMissingError:
            return ()
        return tuple(self._parse(number, line) for number, line in enumerate(lines, start=1))

    def append(self, line: Line) -> Line:
        """Add a line; return it with its sequence.

        Raises:
            ArtifactCorruptError: The log is damaged; nothing is added.
        """
        with self._storage.lock(self._key):
            return self._add(line, len(self.read()))

    def append_after(self, line: Line, count: int) -> Line | None:
        """Add a line if there are still `count`; None if somebody else has added one.

        Raises:
            ArtifactCorruptError: The log is damaged; nothing is added.
        """
        with self._storage.lock(self._key):
            return self._add(line, count) if len(self.read()) == count else None

    def _add(self, line: Line, count: int) -> Line:
        numbered = replace(line, sequence=count + 1)
        text = json.dumps(numbered.to_dict(), ensure_ascii=False, allow_nan=False)
        self._storage.append(self._key, text.encode() + b"\n")
        return numbered

    def _parse(self, number: int, line: bytes) -> Line:
        try:
            parsed = self._build(json.loads(line))
            if parsed.sequence != number:
                raise ValueError(f"its sequence is {parsed.sequence}")
        except _NOT_ONE as error:
            raise ArtifactCorruptError(
                thing=f"{self._storage.location(self._key)}, line {number}",
                reason=f"is not a decision ({type(error).__name__}: {error})",
                way_out="Restore the file from a copy; nothing of it was applied.",
            ) from error
        return parsed
