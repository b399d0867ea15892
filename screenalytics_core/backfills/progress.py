"""How far a backfill is: the fold of its record with its runs. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from screenalytics_core.backfills.expected import Rate
from screenalytics_core.backfills.record import BackfillRecord, PlannedEpisode
from screenalytics_core.ledger.attempt_state import AttemptState, seconds_between
from screenalytics_core.ledger.state import RunState
from screenalytics_core.ledger.vocabulary import RunStatus

PLANNED: Final = "planned"
GONE: Final = "gone"
"""Its log says that it runs, but its process is dead: the next start mends it."""
_ENDS: Final = frozenset({status.value for status in RunStatus if status.is_terminal})


@dataclass(frozen=True, slots=True)
class EpisodeProgress:
    """Where one episode of a backfill stands.

    Attributes:
        state: planned, queued, running, gone, completed, failed or canceled.
        stage: The running one, else the one that failed.
        percent: Of the running stage.
        took_s: Seconds since its run began, or until it ended.
        people: People in its screen time.
        stages: Those that its run is expected to make anew; empty = all.
    """

    ep_id: str
    run_id: str
    why: str
    state: str
    stage: str | None = None
    percent: float | None = None
    took_s: float | None = None
    people: int | None = None
    error: str | None = None
    video_s: float | None = None
    stages: tuple[str, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to come of it."""
        return self.state in _ENDS


@dataclass(frozen=True, slots=True)
class Totals:
    """A backfill as a whole.

    Attributes:
        states: State -> episodes.
        rest_s: Expected seconds until the end; None where nobody can tell.
        basis: What the expectation rests on.
    """

    episodes: int
    states: dict[str, int]
    rest_s: float | None
    basis: str

    @property
    def is_over(self) -> bool:
        """Whether every episode has ended."""
        return set(self.states) <= _ENDS

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        return {**asdict(self), "is_over": self.is_over}


def episode_progress(
    planned: PlannedEpisode,
    record: BackfillRecord,
    state: RunState,
    *,
    now: str,
    people: int | None = None,
    is_gone: bool = False,
) -> EpisodeProgress:
    """Return where an episode stands.

    What its run was before the backfill took it up does not count: a resumed run that failed
    yesterday is planned, not failed.

    Args:
        state: The fold of the run's log.
        now: ISO 8601 in UTC.
        is_gone: The process that the log says is at work is dead.
    """
    base = EpisodeProgress(
        planned.ep_id,
        planned.run_id,
        planned.why,
        PLANNED,
        video_s=planned.video_s,
        stages=planned.stages,
    )
    attempt = state.current
    if attempt is None or attempt.created_at < record.created_at:
        return base
    word = GONE if is_gone and not attempt.status.is_terminal else attempt.status.value
    stage = state.running_stage
    failed = next((s for s in state.stages.values() if s.error is not None), None)
    shown = stage or (failed if attempt.status is RunStatus.FAILED else None)
    return replace(
        base,
        state=word,
        stage=shown.stage.value if shown else None,
        percent=stage.pct if stage is not None and stage.progress is not None else None,
        took_s=_took_s(attempt, now),
        people=people if attempt.status is RunStatus.COMPLETED else None,
        error=f"{attempt.error.code}: {attempt.error.message}" if attempt.error else None,
    )


def totals(rows: Sequence[EpisodeProgress], rate: Rate, jobs: int) -> Totals:
    """Return what the episodes amount to, and how long the rest is expected to take."""
    counted = dict(sorted(Counter(row.state for row in rows).items()))
    return Totals(len(rows), counted, _rest_s(rows, rate, jobs), rate.basis)


def _rest_s(rows: Iterable[EpisodeProgress], rate: Rate, jobs: int) -> float | None:
    """Return the work that is left, shared by the jobs, but no less than the longest run."""
    left: list[float] = []
    for row in rows:
        if row.is_over:
            continue
        expected_s = rate.expected_s(row.video_s, row.stages)
        if expected_s is None:
            return None
        is_running = row.state == RunStatus.RUNNING
        left.append(max(expected_s - (row.took_s or 0.0), 0.0) if is_running else expected_s)
    return max(sum(left) / jobs, *left) if left else 0.0


def _took_s(attempt: AttemptState, now: str) -> float | None:
    return seconds_between(attempt.started_at, attempt.ended_at or now)
