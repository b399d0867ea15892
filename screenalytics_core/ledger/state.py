"""The fold: a run's events in, its state out. Pure.

Folding is a union followed by a reduction: the events of each Dagster run are put in their
own order, so no interleaving, no repetition and no point of resumption changes the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from screenalytics_core.ledger.attempt_fold import fold_attempt
from screenalytics_core.ledger.attempt_state import AttemptState, ErrorFacts, StageState
from screenalytics_core.ledger.events import OF_THE_RUN, EventKind, LedgerEvent
from screenalytics_core.ledger.prices import PriceList
from screenalytics_core.ledger.vocabulary import RunStatus, StageStatus
from screenalytics_core.stages import STAGE_PLAN, PipelineStage


@dataclass(frozen=True, slots=True)
class RunState:
    """What a run's log amounts to.

    Attributes:
        attempts: Dagster runs that count, oldest first; the last one speaks for the run.
        refused: Those that found the run busy or bound otherwise.
        stages: Every stage of the plan, as the newest attempt that touched it left it.
        index_patch: What callers added to the run index, merged.
        prices: What the run is billed by; None while it was never claimed.
        created_at: Time of the earliest event; None without events.
        updated_at: Time of the latest.
        sequence: Lines of the log that this is the state of.
        kept: The events that a later fold can go on from.
    """

    attempts: tuple[AttemptState, ...] = ()
    refused: tuple[AttemptState, ...] = ()
    stages: Mapping[PipelineStage, StageState] = field(default_factory=dict)
    index_patch: Mapping[str, Any] = field(default_factory=dict)
    prices: PriceList | None = None
    created_at: str | None = None
    updated_at: str | None = None
    sequence: int = field(default=0, compare=False)
    kept: Mapping[str, LedgerEvent] = field(default_factory=dict, repr=False)

    @property
    def current(self) -> AttemptState | None:
        """The attempt that speaks for the run."""
        return self.attempts[-1] if self.attempts else None

    @property
    def status(self) -> RunStatus | None:
        """State of the run; None if nothing that counts happened."""
        return self.current.status if self.current else None

    @property
    def error(self) -> ErrorFacts | None:
        """Why the run did not complete."""
        return self.current.error if self.current else None

    @property
    def running_stage(self) -> StageState | None:
        """The last stage that is running."""
        running = [s for s in self.stages.values() if s.status is StageStatus.RUNNING]
        return running[-1] if running else None


def fold(events: Iterable[LedgerEvent], start: RunState | None = None) -> RunState:
    """Return the state after `events`.

    Args:
        events: In any interleaving, with any repetitions; events already in `start` too.
        start: State of the events before them; None = nothing happened yet.
    """
    kept = dict(start.kept) if start else {}
    sequence = start.sequence if start else 0
    for event in events:
        sequence = max(sequence, event.sequence)
        kept.setdefault(event.event_id, event)
    return _reduce(kept, sequence)


def _reduce(kept: Mapping[str, LedgerEvent], sequence: int) -> RunState:
    by_dagster_run: dict[str, list[LedgerEvent]] = {}
    of_the_run: list[LedgerEvent] = []
    for event in kept.values():
        is_own = event.kind in OF_THE_RUN
        own = of_the_run if is_own else by_dagster_run.setdefault(event.dagster_run_id, [])
        own.append(event)
    folded = [fold_attempt(name, events) for name, events in by_dagster_run.items()]
    counted = _in_order([a for a in folded if not a.is_refused])
    refused = sorted((a for a in folded if a.is_refused), key=_by_creation)
    times = [event.at for event in kept.values()]
    return RunState(
        attempts=tuple(counted),
        refused=tuple(refused),
        stages={stage: _newest_stage(stage, counted) for stage in STAGE_PLAN},
        index_patch=_merged_patches(of_the_run),
        prices=_prices(of_the_run),
        created_at=min([*times, *(a.created_at for a in folded)], default=None),
        updated_at=max(times, default=None),
        sequence=sequence,
        kept=kept,
    )


def _by_creation(attempt: AttemptState) -> tuple[str, str]:
    return (attempt.created_at, attempt.dagster_run_id)


def _in_order(attempts: list[AttemptState]) -> list[AttemptState]:
    """Order claimed attempts by number, and each unclaimed one after those it came after.

    So a launch that failed before it could claim speaks for the run until the next claim,
    but never for an attempt that was still at work then.
    """
    claimed = [(a.attempt, a.dagster_run_id, a) for a in attempts if a.attempt is not None]
    claimed.sort(key=lambda entry: entry[:2])
    unclaimed = sorted((a for a in attempts if a.attempt is None), key=_by_creation)

    def place(late: AttemptState) -> int:
        before = [i for i, (_, _, early) in enumerate(claimed) if _came_after(late, early)]
        return before[-1] + 1 if before else 0

    keyed = [((place(a), 0), a) for a in unclaimed]
    keyed += [((i, 1), a) for i, (_, _, a) in enumerate(claimed)]
    return [a for _, a in sorted(keyed, key=lambda pair: pair[0])]


def _came_after(late: AttemptState, early: AttemptState) -> bool:
    """Tell whether `late` was made after `early` claimed, and outlived it."""
    if early.ended_at is None or late.created_at < (early.claimed_at or ""):
        return False
    return late.ended_at is None or early.ended_at <= late.ended_at


def _newest_stage(stage: PipelineStage, attempts: list[AttemptState]) -> StageState:
    """Return a stage as the newest attempt that touched it left it.

    While one that plans it has not come to it, an earlier success still holds; what an
    earlier attempt failed at is open again.
    """
    is_planned = False
    for attempt in reversed(attempts):
        state = attempt.stages.get(stage)
        if state is None:
            continue
        if state.status is StageStatus.SUCCESS:
            return state
        if state.status is not StageStatus.NOT_STARTED:
            return StageState(stage) if is_planned else state
        is_planned = True
    return StageState(stage)


def _merged_patches(events: list[LedgerEvent]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for event in sorted(events, key=lambda e: (e.at, e.event_id)):
        if event.kind is EventKind.INDEX_PATCHED:
            merge_patch(merged, event.data["patch"])
    return merged


def _prices(events: list[LedgerEvent]) -> PriceList | None:
    priced = [event for event in events if event.kind is EventKind.RUN_PRICED]
    first = min(priced, key=lambda e: (e.at, e.event_id), default=None)
    return PriceList.from_dict(first.data["prices"]) if first else None


def merge_patch(target: dict[str, Any], patch: Mapping[str, Any]) -> None:
    """Merge `patch` into `target`: objects member by member, anything else replaced."""
    for name, value in patch.items():
        held = target.get(name)
        if isinstance(value, Mapping):
            nested = dict(held) if isinstance(held, Mapping) else {}
            merge_patch(nested, value)
            target[name] = nested
        else:
            target[name] = value
