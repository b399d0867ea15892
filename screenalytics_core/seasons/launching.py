"""Whether a season is rolled up now: a table of cases, without I/O."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

QUIET_S: Final = 60.0
"""How long a season's episodes must have stood as they are: longer than the pause between two
runs of a backfill, shorter than anybody waits for a report."""


class Verdict(StrEnum):
    """What is done about a season, and why; the values are for people."""

    LAUNCH = "is rolled up"
    CURRENT = "is current"
    EMPTY = "has no episode with figures"
    ROLLING = "is being rolled up"
    AT_WORK = "waits for its episodes"
    QUIET = "waits for a quiet minute"
    FAILED = "failed before, from the same episodes"

    @property
    def is_settled(self) -> bool:
        """Whether nothing is to be done until something changes."""
        return self in (Verdict.CURRENT, Verdict.EMPTY, Verdict.FAILED)


@dataclass(frozen=True, slots=True)
class SeasonSeen:
    """A season as it stands now.

    Attributes:
        signature: Of what it would be made from.
        has_figures: Some episode has figures, or it was rolled up before.
        is_current: What stands in its folder was made from just that.
        is_rolling: A roll-up of it is queued or runs.
        is_at_work: A run of one of its episodes is queued, runs, or is about to.
        unchanged_s: How long its signature has been seen to be this one.
        failed: Signatures that a roll-up failed at.
    """

    signature: str
    has_figures: bool = True
    is_current: bool = False
    is_rolling: bool = False
    is_at_work: bool = False
    unchanged_s: float = 0.0
    failed: frozenset[str] = frozenset()


def decide(seen: SeasonSeen, quiet_s: float = QUIET_S) -> Verdict:
    """Decide about one season.

    What works on it is waited for first, whatever else is so: its end changes the season. So
    a backfill gives one roll-up at its end, and that one for sure, since nothing is settled
    before the season is current.
    """
    if seen.is_rolling:
        return Verdict.ROLLING
    if seen.is_at_work:
        return Verdict.AT_WORK
    if seen.is_current:
        return Verdict.CURRENT
    if not seen.has_figures:
        return Verdict.EMPTY
    if seen.signature in seen.failed:
        return Verdict.FAILED
    return Verdict.LAUNCH if seen.unchanged_s >= quiet_s else Verdict.QUIET


def to_make_anew(
    with_runs: AbstractSet[str], made: AbstractSet[str], settled: AbstractSet[str]
) -> frozenset[str]:
    """Return the seasons to look at although none of their runs changed.

    What a season was made of can go without a run: somebody is forgotten, or a folder removed.

    Args:
        with_runs: Seasons with runs.
        made: Those that have a record.
        settled: Those without one of which it was found that nothing is to be done; their next
            run says more.
    """
    return frozenset(with_runs - made - settled)
