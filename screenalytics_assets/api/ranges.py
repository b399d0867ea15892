"""Conditional and range requests (RFC 9110, sections 13 and 14). Pure: headers in, answer out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_ONE_RANGE: Final = re.compile(r"\s*bytes\s*=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.ASCII | re.I)


class UnsatisfiableRangeError(Exception):
    """A range that begins behind the end, or of no byte."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes from `start` to `end`, which is excluded."""

    start: int
    end: int

    @property
    def size_bytes(self) -> int:
        """How many they are."""
        return self.end - self.start


def etag_of(sha256: str) -> str:
    """Return the strong entity tag of a content."""
    return f'"{sha256}"'


def is_known(if_none_match: str | None, etag: str) -> bool:
    """Tell whether a client has the content already: by weak comparison, or `*`."""
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or tags == ["*"]


def asked_span(range_: str | None, if_range: str | None, etag: str, size_bytes: int) -> Span | None:
    """Return the part that a client asks for; None if it gets the whole.

    Several ranges at once, other units and what is no range are ignored, as a server may do;
    so is a range of another content than the one that is there, and a date in `If-Range`.

    Raises:
        UnsatisfiableRangeError: Nothing of the content lies in the range.
    """
    found = _ONE_RANGE.fullmatch(range_ or "")
    if found is None or (if_range is not None and if_range.strip() != etag):
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        start, end = max(0, size_bytes - int(last)), size_bytes
    else:
        start, end = int(first), size_bytes
        if last:
            if int(last) < start:
                return None
            end = min(end, int(last) + 1)
    if start >= end:
        raise UnsatisfiableRangeError
    return Span(start, end)
