"""Which decisions hold, and which tracks they are about in the tracks of this run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from screenalytics_core.decisions.records import Decision, TrackAnchor, Verb

Find = Callable[[Iterable[TrackAnchor]], frozenset[int]]
"""Returns the tracks of this run that anchored ones are, see `anchors.TrackFinder`."""

# Of a label and a lock the others say nothing.
_OF_TWO: Final = frozenset({Verb.MERGE, Verb.SPLIT, Verb.MOVE_TRACK})


@dataclass(frozen=True, slots=True)
class FoundDecision:
    """A decision that holds, with the numbers that its tracks have now."""

    decision: Decision
    tracks: frozenset[int]
    others: frozenset[int] = frozenset()

    @property
    def is_lost(self) -> bool:
        """Whether nothing is left of what it is about, so that it can say nothing here."""
        has_others = bool(self.decision.others) and self.decision.verb in _OF_TWO
        return not self.tracks or (has_others and not self.others)


def holding(decisions: Sequence[Decision]) -> tuple[Decision, ...]:
    """Return the decisions that were not undone, undos among them, in their order."""
    undone: set[int | None] = set()
    left = []
    for decision in sorted(decisions, key=lambda d: -d.sequence):
        if decision.sequence not in undone:
            left.append(decision)
            if decision.verb is Verb.UNDO:
                undone.add(decision.undoes)
    return tuple(reversed(left))


def standing(decisions: Sequence[Decision]) -> tuple[Decision, ...]:
    """Return the decisions about people that hold, in their order; an undo may be undone too."""
    return tuple(d for d in holding(decisions) if d.verb is not Verb.UNDO)


def find_all(decisions: Sequence[Decision], find: Find) -> tuple[FoundDecision, ...]:
    """Return the decisions that hold with their tracks found again, in their order."""
    found = []
    for decision in standing(decisions):
        tracks = find(decision.tracks)
        found.append(FoundDecision(decision, tracks, find(decision.others) - tracks))
    return tuple(found)
