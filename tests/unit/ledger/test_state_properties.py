"""What holds for the fold of any log: order, repetition and place of resumption do not matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screenalytics_core.ledger.attempt_fold import REFUSALS
from screenalytics_core.ledger.attempt_state import ErrorFacts
from screenalytics_core.ledger.event_log import EventLog
from screenalytics_core.ledger.events import AFTER_ALL, OF_THE_RUN, EventKind, LedgerEvent
from screenalytics_core.ledger.state import fold
from screenalytics_core.ledger.vocabulary import RunStatus, StageStatus
from screenalytics_core.storage.local import LocalStorage
from tests.stores import EP
from tests.unit.ledger.event_samples import (
    STEPS,
    Told,
    error,
    numbered,
    patched,
    priced,
    refused,
)

_OURS = {EventKind.ATTEMPT_CLAIMED, EventKind.ATTEMPT_LOST, *OF_THE_RUN}
_ANY_TIME = tuple(k for k in EventKind if k not in _OURS)
_ENDS = {EventKind.RUN_COMPLETED, EventKind.RUN_FAILED, EventKind.RUN_CANCELED}


few = settings(deadline=None, max_examples=40)


@dataclass(frozen=True)
class Log:
    """What happened in a run, Dagster run by Dagster run, and what callers added."""

    runs: tuple[Told, ...]
    patches: tuple[LedgerEvent, ...]

    @property
    def events(self) -> list[LedgerEvent]:
        return [*(event for run in self.runs for event in run), *self.patches]


def tell_step(draw: st.DrawFn, told: Told, step: str) -> bool:
    """Tell a step's life; return whether it came to a good end."""
    told.started(step)
    tries = draw(st.integers(0, 2))
    for left in range(tries, -1, -1):
        for done in range(1, draw(st.integers(0, 3)) + 1):
            for part in draw(st.sampled_from(["-", "ab", "abc"])):
                told.reported(step, done, 3, part=part, facts={"frames": done})
        if left:
            told.measured(step, cpu_s=0.5).retrying(step).started(step)
    ending = draw(st.sampled_from(["well", "well", "well", "failed", "open"]))
    if ending == "well":
        told.published(step, draw(st.sampled_from(["computed", "checkpoint"])), rows_out=1)
        told.succeeded(step)
    elif ending == "failed":
        told.measured(step, cpu_s=1.0).failed(step, "video_error", f"{step} failed")
    return ending == "well"


def first_end(events: list[LedgerEvent]) -> LedgerEvent | None:
    ends = [event for event in events if event.kind in _ENDS]
    return min(ends, key=lambda event: event.order, default=None)


def tell_end(draw: st.DrawFn, told: Told, went_well: bool) -> None:
    """Tell how it ended, if it did, and what an orphan may go on to write."""
    if went_well:
        told.completed()
    else:
        ending = draw(st.sampled_from(["open", "swept", "failed", "canceled", "lost", "both"]))
        if ending in {"lost", "both"}:
            told.lost()
        if ending in {"swept", "both"}:
            told.swept()
        elif ending == "failed":
            told.run_failed()
        elif ending == "canceled":
            told.canceling().failed("scan", "interrupted").canceled()
    if first_end(told.events) is not None and draw(st.booleans()):
        told.reported("scan", 3, 3).published("scan").succeeded("scan")
        getattr(told, draw(st.sampled_from(["completed", "run_failed", "canceled"])))()


@st.composite
def dagster_runs(draw: st.DrawFn, name: str, n: int, second: int) -> Told:
    """Draw one Dagster run; it becomes attempt `n` if it comes to claim."""
    steps = STEPS[draw(st.integers(0, 3)) :]
    fate = draw(st.sampled_from(["queued", "unclaimed", "refused", "claims", "claims", "claims"]))
    if fate == "refused":
        return refused(name, second)
    told = Told(name, second=second).queued(steps)
    if draw(st.booleans()):
        told.tell(EventKind.RUN_QUEUED, created_at=told.events[0].at)
    if fate == "queued":
        return told
    if fate == "unclaimed":
        told.run_started()
        tell_end(draw, told, went_well=False)
        return told
    if draw(st.integers(0, 9)) == 0:
        told.lost("judged too early")
    told.run_started().claims(n)
    went_well = all(tell_step(draw, told, step) for step in steps)
    tell_end(draw, told, went_well)
    return told


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """Draw a run: a few launches, one after the other or overlapping, and patches."""
    runs, n, second = [], 1, 0
    for i in range(draw(st.integers(0, 4))):
        told = draw(dagster_runs(f"d{draw(st.integers(0, 9))}{i}", n, second))
        runs.append(told)
        n += any(event.attempt is not None for event in told)
        second += draw(st.integers(1, 60))
    count = draw(st.integers(0, 3))
    patches = [
        patched({"a": {f"k{i % 2}": i}}, draw(st.integers(0, 9)), f"p{i}") for i in range(count)
    ]
    prices = [priced(draw(st.integers(0, 9)))] * draw(st.integers(0, 1))
    return Log(tuple(runs), (*patches, *prices))


def interleaved(draw: st.DrawFn, log: Log) -> list[LedgerEvent]:
    """Shuffle a log so that each Dagster run keeps its order, then repeat some events."""
    queues = [list(run) for run in log.runs] + [list(log.patches)]
    turns = draw(st.permutations([i for i, queue in enumerate(queues) for _ in queue]))
    events = [queues[turn].pop(0) for turn in turns]
    return [event for event in events for _ in range(draw(st.integers(1, 2)))]


@few
@given(logs(), st.data())
def test_any_interleaving_with_duplicates_gives_the_same_state(log: Log, data: Any) -> None:
    events = data.draw(st.composite(interleaved)(log))

    assert fold(events) == fold(log.events)


@few
@given(logs(), st.data())
def test_any_permutation_gives_the_same_state(log: Log, data: Any) -> None:
    events = data.draw(st.permutations(log.events))

    assert fold(events) == fold(log.events)


@few
@given(logs(), st.data())
def test_folding_on_from_any_cursor_gives_the_same_state(log: Log, data: Any) -> None:
    events = numbered(data.draw(st.composite(interleaved)(log)))
    k = data.draw(st.integers(0, len(events)))
    j = data.draw(st.integers(0, k))
    start = fold(events[:k])
    held = dict(start.kept)

    state = fold(events[j:], start)

    assert state == fold(events)
    assert state.sequence == len(events)
    assert start.kept == held


@few
@given(logs())
def test_an_attempt_that_ended_stays_as_it_ended_while_more_is_told(log: Log) -> None:
    for run in log.runs:
        told = [fold(run.events[:n]) for n in range(1, len(run) + 1)]
        folded = [(*state.attempts, *state.refused)[0] for state in told]
        has_ended = [first_end(run.events[:n]) is not None for n in range(1, len(run) + 1)]
        ended = [a for a, over in zip(folded, has_ended, strict=True) if over]

        assert all(attempt == ended[0] for attempt in ended)
        assert all(attempt.status.is_terminal for attempt in ended)


@few
@given(logs(), st.data())
def test_nothing_of_a_later_order_changes_an_attempt_that_ended(log: Log, data: Any) -> None:
    for run in log.runs:
        end = first_end(run.events)
        if end is None:
            continue
        whole = [e for e in run if e.order <= end.order or e.order == AFTER_ALL]
        late = Told(run.dagster_run_id, run.attempt, run.second, list(run.events))
        for kind in data.draw(st.lists(st.sampled_from(_ANY_TIME), max_size=4)):
            step = data.draw(st.sampled_from(STEPS)) if kind.startswith(("step", "art")) else None
            late.tell(kind, step, asset="x", done=1, total=2, error=error("late", "late"))

        before, after = fold(whole), fold(late)

        assert (after.attempts, after.refused) == (before.attempts, before.refused)


@few
@given(logs())
def test_the_run_is_what_the_attempt_that_speaks_says(log: Log) -> None:
    state = fold(log.events)
    claimed = [a for a in state.attempts if a.attempt is not None]

    assert [a.attempt for a in claimed] == list(range(1, len(claimed) + 1))
    if state.current is None:
        assert (state.status, state.error) == (None, None)
        return
    assert (state.status, state.error) == (state.current.status, state.current.error)
    assert (state.error is None) == (state.status not in {RunStatus.FAILED, RunStatus.CANCELED})
    if claimed and state.current.attempt is None:
        assert claimed[-1].status.is_terminal


@few
@given(logs())
def test_a_newer_attempt_replaces_the_state_and_the_error_of_an_older_one(log: Log) -> None:
    state = fold(log.events)
    newest = Told("newest", second=100_000).begins(99)

    assert (fold([*log.events, *newest]).status, fold([*log.events, *newest]).error) == (
        RunStatus.RUNNING,
        None,
    )
    again = fold([*log.events, *newest.run_failed("run_failed", "newest")])
    assert (again.status, again.error) == (RunStatus.FAILED, ErrorFacts("run_failed", "newest"))
    assert again.attempts[:-1] == state.attempts


@few
@given(logs())
def test_a_refused_dagster_run_never_counts(log: Log) -> None:
    busy = {run.dagster_run_id for run in log.runs if is_refused(run)}
    state = fold(log.events)
    without = fold([e for e in log.events if e.dagster_run_id not in busy])

    assert {attempt.dagster_run_id for attempt in state.refused} == busy
    assert (state.attempts, state.stages) == (without.attempts, without.stages)


def is_refused(run: Told) -> bool:
    """Tell whether a drawn Dagster run was turned away."""
    return any(e.data.get("error", {}).get("code") in REFUSALS for e in run)


@few
@given(logs())
def test_in_an_attempt_that_ended_every_stage_has_ended_too(log: Log) -> None:
    for attempt in fold(log.events).attempts:
        statuses = {stage.status for stage in attempt.stages.values()}
        if attempt.status.is_terminal:
            assert StageStatus.RUNNING not in statuses
        if attempt.status is RunStatus.COMPLETED:
            assert statuses <= {StageStatus.SUCCESS, StageStatus.NOT_STARTED}
        if attempt.status in {RunStatus.FAILED, RunStatus.CANCELED}:
            assert StageStatus.NOT_STARTED not in statuses
        for stage in attempt.stages.values():
            assert (stage.error is not None) == (stage.status is StageStatus.FAILED)
            assert (stage.blocked_reason is not None) == (stage.status is StageStatus.BLOCKED)
            if stage.status in {StageStatus.SUCCESS, StageStatus.FAILED}:
                assert stage.started_at is not None
                assert stage.ended_at is not None
                assert stage.ended_at >= stage.started_at


@settings(few, max_examples=10)
@given(logs(), st.data())
def test_through_any_writers_the_sequence_is_the_line_number(
    tmp_path_factory: pytest.TempPathFactory, log: Log, data: Any
) -> None:
    events = data.draw(st.composite(interleaved)(log))
    storage = LocalStorage(tmp_path_factory.mktemp("root"))
    writers = [EventLog(storage) for _ in range(2)]
    added: list[LedgerEvent] = []
    while events:
        writer = writers[data.draw(st.integers(0, 1))]
        size = data.draw(st.integers(1, 20))
        batch, events = events[:size], events[size:]
        added += writer.append(EP, "r1", batch)
        if data.draw(st.booleans()):
            assert writer.state(EP, "r1") == fold(added)

    assert [e.sequence for e in added] == list(range(1, len(log.events) + 1))
    for reader in (*writers, EventLog(storage)):
        assert reader.state(EP, "r1") == fold(log.events)
        assert reader.state(EP, "r1").sequence == len(log.events)
        assert [(e.sequence, e) for e in reader.read(EP, "r1")] == [(e.sequence, e) for e in added]
