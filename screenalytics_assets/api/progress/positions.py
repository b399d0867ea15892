"""How far a listener has heard a run: what stands in `id:` and comes back as Last-Event-ID."""

from __future__ import annotations

import re
from typing import Final, NamedTuple, Self

# More digits than any log has lines are none of ours.
_ID: Final = re.compile(r"([0-9]{1,15})(\.end)?")


class Position(NamedTuple):
    """The last thing that was heard.

    Attributes:
        sequence: Line of the run's log; 0 = before the first.
        is_end: It was told how the run ended.
    """

    sequence: int
    is_end: bool = False

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Return the position that an id names; None if it is none of ours."""
        found = _ID.fullmatch(text.strip()) if text else None
        return cls(int(found[1]), found[2] is not None) if found else None

    def __str__(self) -> str:
        """Return it as an id."""
        return f"{self.sequence}.end" if self.is_end else str(self.sequence)
