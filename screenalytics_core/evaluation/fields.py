"""Checked reading of a document by people: what is wrong is named by its place in the file."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from screenalytics_core.errors import TruthError

_WAY_OUT: Final = "docs/evaluation.md describes every field."
_FRACTION: Final = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Field:
    """A value and where it stands, such as `faces[3].bbox_xyxy`."""

    place: str
    value: Any

    def error(self, reason: str, way_out: str = _WAY_OUT) -> TruthError:
        """Return the error that names this field."""
        return TruthError(thing=self.place, reason=reason, way_out=way_out, field=self.place)

    def get(self, name: str) -> Field:
        """Return a member, whose value is None where it is absent.

        Raises:
            TruthError: This is no object.
        """
        place = f"{self.place}.{name}" if self.place != "truth" else name
        return Field(place, self.mapping().get(name))

    def need(self, name: str) -> Field:
        """Return a member that must be there.

        Raises:
            TruthError: It is not, or this is no object.
        """
        found = self.get(name)
        if found.value is None:
            raise found.error("is missing")
        return found

    def mapping(self) -> Mapping[str, Any]:
        """Return an object.

        Raises:
            TruthError: It is none.
        """
        if not isinstance(self.value, Mapping):
            raise self.error(f"is no object but {_kind(self.value)}")
        return self.value

    def items(self) -> Iterator[tuple[str, Field]]:
        """Yield the members of an object by name.

        Raises:
            TruthError: It is none.
        """
        for name, value in self.mapping().items():
            yield str(name), Field(f"{self.place}.{name}", value)

    def elements(self) -> Iterator[Field]:
        """Yield the elements of a list.

        Raises:
            TruthError: It is none.
        """
        if not isinstance(self.value, Sequence) or isinstance(self.value, str | bytes):
            raise self.error(f"is no list but {_kind(self.value)}")
        for at, value in enumerate(self.value):
            yield Field(f"{self.place}[{at}]", value)

    def text(self) -> str:
        """Return a text that is not empty.

        Raises:
            TruthError: It is none.
        """
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.error(f"is no text but {_kind(self.value)}")
        return self.value

    def flag(self) -> bool:
        """Return true or false; absent is false.

        Raises:
            TruthError: It is something else.
        """
        if self.value is None:
            return False
        if not isinstance(self.value, bool):
            raise self.error(f"is neither true nor false but {_kind(self.value)}")
        return self.value

    def number(self) -> float:
        """Return a finite number.

        Raises:
            TruthError: It is none.
        """
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise self.error(f"is no number but {_kind(self.value)}")
        try:
            number = float(self.value)
        except OverflowError:
            raise self.error("is too large") from None
        if not math.isfinite(number):
            raise self.error("is not finite")
        return number

    def rate(self) -> float:
        """Return a rate of more than 0: a number, or a fraction as a text, "24000/1001".

        Raises:
            TruthError: It is none.
        """
        fraction = _FRACTION.fullmatch(self.value) if isinstance(self.value, str) else None
        if fraction is None:
            rate = self.number()
        elif int(fraction[2]) == 0:
            raise self.error("divides by 0")
        else:
            rate = int(fraction[1]) / int(fraction[2])
        if rate <= 0:
            raise self.error(f"is {rate:g}, and must be more than 0")
        return rate

    def whole(self, least: int, most: int | None = None) -> int:
        """Return a whole number from `least` to `most`, both included.

        Raises:
            TruthError: It is none, or outside.
        """
        number = self.number()
        if number != int(number):
            raise self.error(f"is no whole number but {number:g}")
        if number < least or (most is not None and number > most):
            span = f"from {least} to {most}" if most is not None else f"at least {least}"
            raise self.error(f"is {number:g}, and must be {span}")
        return int(number)


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {str(value)[:40]!r}"
