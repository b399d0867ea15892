"""What a check is: a pure function from a run's published values to an outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from screenalytics_core.artifacts import ARTIFACTS, ArtifactKind
from screenalytics_core.steps.base import FileFacts
from screenalytics_core.vision.quality_counters import QualityCounter
from screenalytics_core.vision.row_blocks import lengths

# Sums of the same frames' times may differ in their last digits, never by a frame.
TOLERANCE_S: Final = 1e-6
UNIT_TOLERANCE: Final = 1e-3
_MOST_BREACHES: Final = 5


class Values(Protocol):
    """A run's artifacts as they stand in the store."""

    def has(self, kind: ArtifactKind) -> bool:
        """Tell whether the run holds an artifact."""
        ...

    def files(self, kind: ArtifactKind) -> tuple[FileFacts, ...]:
        """Return what the manifest says of an artifact's files."""
        ...

    def read(self, kind: ArtifactKind, part: str | None = None) -> Any:
        """Return the value of `part` (default: the primary file); a zip is its entries' names."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found.

    Attributes:
        summary: One sentence for people.
        is_error: A failure means that the artifact is broken, not that it is unusual.
        figures: The quality counters that were looked at.
        facts: Plain values to show, such as how many rows were looked at.
    """

    passed: bool
    summary: str
    is_error: bool = True
    figures: tuple[QualityCounter, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """A check of one asset."""

    name: str
    description: str
    run: Callable[[Values], Outcome]


class Findings:
    """Collects what is wrong with an artifact; each breach is one sentence."""

    def __init__(self) -> None:
        self._breaches: list[str] = []
        self._facts: dict[str, Any] = {}

    def show(self, **facts: Any) -> None:
        """Add facts to the outcome."""
        self._facts.update(facts)

    def no_row(self, wrong: NDArray[np.bool_], sentence: str) -> None:
        """Take a breach if any row is wrong.

        Args:
            wrong: (N,) one per row.
            sentence: What is wrong with them, after "3 of 40 rows".
        """
        rows = np.flatnonzero(wrong)
        if len(rows):
            self._breaches.append(
                f"{len(rows)} of {len(wrong)} rows {sentence}, the first is row {rows[0]}"
            )

    def none_of(self, wrong: Iterable[Any], sentence: str) -> None:
        """Take a breach if there is anything in `wrong`; its first members are named."""
        named = list(wrong)
        if named:
            first = ", ".join(str(n) for n in named[:_MOST_BREACHES])
            self._breaches.append(f"{len(named)} {sentence}: {first}")

    def must(self, is_so: bool, sentence: str) -> None:
        """Take `sentence` as a breach unless `is_so`."""
        if not is_so:
            self._breaches.append(sentence)

    def near(self, what: str, value: float, expected: float) -> None:
        """Take a breach if two figures that are the same time differ."""
        self.must(
            abs(value - expected) <= TOLERANCE_S, f"{what} is {value:.6f}, not {expected:.6f}"
        )

    def rows_of(self, values: Values, kind: ArtifactKind) -> None:
        """Compare every file's rows with what the manifest says."""
        filenames = {f.filename: f for f in ARTIFACTS[kind].files}
        for file in values.files(kind):
            if file.rows is None:
                continue
            spec = filenames[file.path]
            found = _rows(values.read(kind, spec.part), spec.spec)
            self.must(
                found == file.rows,
                f"{file.path} holds {found} rows, the manifest says {file.rows}",
            )
            self.show(**{f"rows in {file.path}": found})

    def outcome(self, all_is_well: str) -> Outcome:
        """Return the outcome; `all_is_well` is its sentence when there is no breach."""
        if not self._breaches:
            return Outcome(passed=True, summary=all_is_well, facts=self._facts)
        more = len(self._breaches) - _MOST_BREACHES
        told = "; ".join(self._breaches[:_MOST_BREACHES]) + (f"; {more} more" if more > 0 else "")
        return Outcome(passed=False, summary=told, facts=self._facts)


def _rows(value: Any, spec: Any) -> int:
    """Return the rows of a table or array, or of a document's first table."""
    return len(value[spec.tables[0].name]) if isinstance(value, dict) else len(value)


def outside(
    values: NDArray[Any], least: float | None = None, most: float | None = None
) -> NDArray[np.bool_]:
    """Tell which values lie outside [least, most]; NaN stands for no value and does not."""
    wrong = np.zeros(len(values), np.bool_)
    if least is not None:
        wrong |= values < least
    if most is not None:
        wrong |= values > most
    return wrong


def is_unit_length(vectors: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which rows of (N, D) have an L2 norm of 1, to within 1e-3."""
    return np.asarray(np.abs(lengths(vectors) - 1) <= UNIT_TOLERANCE, np.bool_)


def column(table: Any, name: str) -> NDArray[Any]:
    """Return a column of numbers; a null is NaN."""
    return np.asarray(table.column(name).to_numpy())
