"""What stands in a table's cell, on a terminal and in a pipe alike."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final, Self

# Of a hostile label or a video's name; an escape sequence could rewrite what stands above it,
# an override of the direction what stands beside it. A lone surrogate cannot be written at all.
_UNSEEN: Final = r"\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROLS: Final = re.compile(rf"[\x00-\x08\x0b-\x1f{_UNSEEN}]")
_UNSAFE_IN_JSON: Final = re.compile(f"[{_UNSEEN}]")


@dataclass(frozen=True, slots=True)
class Cell:
    """A text, the Rich style that it has on a terminal, and whether it is a number."""

    text: str
    style: str = ""
    is_number: bool = False

    @classmethod
    def of(cls, value: Any) -> Self:
        """Return the cell of a value: two decimals for a float, a dash for None."""
        if isinstance(value, str):
            return cls(printable(value))
        if isinstance(value, cls):
            return replace(value, text=printable(value.text))
        if value is None:
            return cls("-")
        is_number = isinstance(value, int | float)
        text = f"{value:.2f}" if isinstance(value, float) else printable(str(value))
        return cls(text, is_number=is_number)

    def filled(self, width: int) -> Self:
        """Return it at least `width` characters wide."""
        return type(self)(self.filled_text(width), self.style, self.is_number)

    def filled_text(self, width: int) -> str:
        """Return its text at least `width` characters wide."""
        return self.text.rjust(width) if self.is_number else self.text.ljust(width)


def printable(text: str) -> str:
    """Return a text without control characters, but for tabs and ends of lines."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def printable_json(text: str) -> str:
    """Return a JSON document that says the same without a character that a terminal obeys."""
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
