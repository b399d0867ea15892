"""Which runs may go: a pure decision over facts. Whatever is in doubt stays.

Facts are gathered in `gc_facts`, and acted upon in `gc_removal`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from screenalytics_core.errors import SettingsError
from screenalytics_core.ledger.vocabulary import RunStatus
from screenalytics_core.run_record import RunKey
from screenalytics_core.run_tools.lives import Life
from screenalytics_core.storage.base import DiskFile

KEEP_COMPLETED: Final = 3
KEEP_UNFINISHED_FOR: Final = timedelta(days=7)

_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What decides whether a run may go.

    Attributes:
        status: None if nothing says how the run went.
        order: Orders the runs of an episode by when they were reserved.
        last_seen: When somebody last worked on it.
        doubt: Why nobody can judge the run; empty if it can be.
        is_half_removed: A removal began and did not end.
        files: Everything in its folders.
    """

    key: RunKey
    status: RunStatus | None
    life: Life
    order: tuple[str, str]
    last_seen: datetime
    is_active: bool = False
    is_half_removed: bool = False
    doubt: str = ""
    files: tuple[DiskFile, ...] = ()
    dagster_run_ids: tuple[str, ...] = ()

    @property
    def outcome(self) -> RunStatus | None:
        """How the run ended; a run that nobody works on and that never ended has failed."""
        if self.status is None or self.status.is_terminal:
            return self.status
        return RunStatus.FAILED


@dataclass(frozen=True, slots=True)
class GcPolicy:
    """What somebody wants to go.

    Attributes:
        keep_completed: Newest completed runs of each episode that stay.
        older_than: Only runs that nobody worked on for so long; None = a week for failed and
            canceled ones, any age for completed ones.
        statuses: Only runs that ended so; None = however they ended.
        keep: Runs that stay.
    """

    keep_completed: int = KEEP_COMPLETED
    older_than: timedelta | None = None
    statuses: frozenset[RunStatus] | None = None
    keep: frozenset[RunKey] = frozenset()

    def min_age(self, outcome: RunStatus) -> timedelta:
        """Return how long a run that ended so stays."""
        if self.older_than is not None:
            return self.older_than
        return timedelta(0) if outcome is RunStatus.COMPLETED else KEEP_UNFINISHED_FOR


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a run, and why.

    Attributes:
        size_bytes: What its folders hold.
        freed_bytes: What the disk gets back; files that other runs share stay with them.
    """

    run: RunSummary
    goes: bool
    reason: str
    size_bytes: int = 0
    freed_bytes: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        return {
            "ep_id": self.run.key.ep_id,
            "run_id": self.run.key.run_id,
            "status": self.run.status.value if self.run.status else None,
            "last_seen": self.run.last_seen.isoformat(),
            "reason": self.reason,
            "size_bytes": self.size_bytes,
            "freed_bytes": self.freed_bytes,
        }


@dataclass(frozen=True, slots=True)
class GcPlan:
    """What goes, oldest first, and what stays."""

    going: tuple[Decision, ...] = field(default_factory=tuple)
    staying: tuple[Decision, ...] = field(default_factory=tuple)

    @property
    def freed_bytes(self) -> int:
        """What the disk gets back when all of it goes."""
        return sum(decision.freed_bytes for decision in self.going)


def plan_gc(runs: Sequence[RunSummary], policy: GcPolicy, now: datetime) -> GcPlan:
    """Decide about every run."""
    ordered = sorted(runs, key=lambda run: (run.order, run.key))
    busy = {run.key.ep_id for run in runs if run.life is Life.ALIVE}
    ranks = _ranks(ordered)
    decided = [(run, *_decide(run, policy, now, busy, ranks.get(run.key))) for run in ordered]
    going = [(run, reason) for run, goes, reason in decided if goes]
    freed = freed_bytes([run.files for run, _ in going])
    return GcPlan(
        tuple(
            Decision(run, True, reason, sum(f.size_bytes for f in run.files), freed_of_run)
            for (run, reason), freed_of_run in zip(going, freed, strict=True)
        ),
        tuple(
            Decision(run, False, reason, sum(f.size_bytes for f in run.files))
            for run, goes, reason in decided
            if not goes
        ),
    )


def freed_bytes(files_of_runs: Sequence[Sequence[DiskFile]]) -> list[int]:
    """Return what each run frees when they go in this order: an inode goes with its last link."""
    removed: Counter[Hashable] = Counter()
    freed = []
    for files in files_of_runs:
        freed.append(0)
        for file in files:
            removed[file.inode] += 1
            if removed[file.inode] == file.links:
                freed[-1] += file.size_bytes
    return freed


def _ranks(ordered: Sequence[RunSummary]) -> dict[RunKey, int]:
    """Return the place of each completed run among those of its episode, 0 = the newest."""
    seen: Counter[str] = Counter()
    ranks = {}
    for run in reversed(ordered):
        if run.outcome is RunStatus.COMPLETED and not run.is_half_removed:
            ranks[run.key] = seen[run.key.ep_id]
            seen[run.key.ep_id] += 1
    return ranks


def _decide(
    run: RunSummary, policy: GcPolicy, now: datetime, busy: set[str], rank: int | None
) -> tuple[bool, str]:
    """Return whether a run goes, and why: what protects it is asked first."""
    if run.key in policy.keep:
        return False, "named by --keep"
    if run.is_active:
        return False, "the active run of its episode"
    if run.life is Life.ALIVE:
        return False, "somebody works on it"
    if run.doubt:
        return False, run.doubt
    if run.life is Life.UNKNOWN:
        return False, "nobody here can tell whether it has ended; `screenalytics runs sync` may"
    if run.is_half_removed:
        return True, "a removal of it was interrupted"
    if run.key.ep_id in busy:
        return False, "another run of the episode is running and may take its files"
    if run.outcome is None:
        return False, "nothing says how it went"
    return _decide_by_policy(run.outcome, run, policy, now, rank)


def _decide_by_policy(
    outcome: RunStatus, run: RunSummary, policy: GcPolicy, now: datetime, rank: int | None
) -> tuple[bool, str]:
    if policy.statuses is not None and outcome not in policy.statuses:
        return False, f"{outcome}, which was not asked for"
    if rank is not None and rank < policy.keep_completed:
        return False, f"one of the {policy.keep_completed} newest completed runs of its episode"
    age, min_age = now - run.last_seen, policy.min_age(outcome)
    if age < min_age:
        return False, f"{outcome} {in_words(age)} ago, kept for {in_words(min_age)}"
    if outcome is RunStatus.COMPLETED:
        return True, f"completed, and {policy.keep_completed} newer ones are kept"
    return True, f"{outcome} {in_words(age)} ago"


def parse_age(text: str) -> timedelta:
    """Return the length of time that `30d`, `12h`, `90m` or `2w` means.

    Raises:
        SettingsError: It is none.
    """
    match = re.fullmatch(r"(\d{1,6})\s*([mhdw])", text.strip().lower())
    if match is None:
        raise SettingsError(
            thing=f"age {text!r}", reason="is no length of time", way_out="Write 30d, 12h or 2w."
        )
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def in_words(age: timedelta) -> str:
    """Write a length of time in its largest whole unit."""
    seconds = max(0, int(age.total_seconds()))
    for unit, size_s in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size_s:
            return f"{seconds // size_s} {unit}"
    return f"{seconds} s"
