"""`registry/forget.jsonl`: who was forgotten, when and by whom; what was begun and what is done."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final, Literal

from screenalytics_core import layout
from screenalytics_core.errors import ArtifactCorruptError, KeyMissingError
from screenalytics_core.run_tools.forget import Whom
from screenalytics_core.run_tools.forget_unnamed import Unnamed
from screenalytics_core.storage.base import Storage

State = Literal["begun", "done"]
_KEY: Final = layout.FORGET_AUDIT_KEY


class ForgetAudit:
    """The lines of one data root."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def write(self, state: State, whom: Whom, found: Mapping[str, Any]) -> None:
        """Add a line; `found` names its forget_id."""
        line = json.dumps({"state": state, **asdict(whom), **found}, ensure_ascii=False)
        with self._storage.lock(_KEY):
            self._storage.append(_KEY, line.encode() + b"\n")

    def begun(self, whom: Whom) -> dict[str, Any] | None:
        """Return what was begun about a person and is not done, the last of it; None if nothing.

        Raises:
            ArtifactCorruptError: A line is not one; a torn last one is left out.
        """
        open_lines: dict[str, dict[str, Any]] = {}
        for line in self._lines_of(whom):
            if line["state"] == "begun":
                open_lines[line["forget_id"]] = line
            else:
                open_lines.pop(line["forget_id"], None)
        return list(open_lines.values())[-1] if open_lines else None

    def done(self, whom: Whom) -> dict[str, Any] | None:
        """Return what was last done about a person; None if nothing.

        Raises:
            ArtifactCorruptError: As `begun`.
        """
        lines = [line for line in self._lines_of(whom) if line["state"] == "done"]
        return lines[-1] if lines else None

    def _lines_of(self, whom: Whom) -> Iterator[dict[str, Any]]:
        for line in self._lines():
            if (line["show"], line["cast_id"]) == (whom.show, whom.cast_id):
                yield line

    def _lines(self) -> Iterator[dict[str, Any]]:
        try:
            lines = self._storage.read_bytes(_KEY).split(b"\n")[:-1]
        except KeyMissingError:
            return
        for number, content in enumerate(lines, start=1):
            try:
                line = json.loads(content)
                _check(line)
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise ArtifactCorruptError(
                    thing=f"{self._storage.location(_KEY)}, line {number}",
                    reason=f"is not a line of it ({type(error).__name__}: {error})",
                    way_out="Restore the file from a copy, or take the line out.",
                ) from error
            yield line


def _check(line: Any) -> None:
    for name in ("show", "cast_id", "forget_id", "state", "at"):
        if not isinstance(line[name], str):
            raise TypeError(f"{name} is no text")
    if not all(isinstance(season, str) for season in line["seasons"]):
        raise TypeError("seasons are no texts")
    for row in line.get("not_named", ()):  # lines of before have none
        Unnamed.from_dict(row)
