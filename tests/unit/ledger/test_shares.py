"""How much of a launch is done: counted in one place, and it never falls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from screenalytics_core.ledger.events import EventKind, LedgerEvent
from screenalytics_core.ledger.shares import Shares
from screenalytics_core.ledger.state import fold
from screenalytics_core.stages import PipelineStage
from tests.unit.ledger.event_samples import STAGE_OF, Told, at
from tests.unit.ledger.test_state_properties import Log, logs

FACES = PipelineStage.FACES_EMBED
STARTED, REPORTED = EventKind.STEP_STARTED, EventKind.STEP_PROGRESS
SUCCEEDED = EventKind.STEP_SUCCEEDED
ALL = {"done": 10, "total": 10}
ANY_STEP = tuple(STAGE_OF)
few = settings(deadline=None, max_examples=60)


def of_step(step: str, kind: EventKind) -> LedgerEvent:
    return LedgerEvent(f"{step} {kind}", kind, at(0), "d1", stage=FACES, step=step)


def shares_of(told: Iterable[LedgerEvent]) -> Shares:
    shares = Shares()
    for event in told:
        shares.take(event)
    return shares


def percents(told: Told) -> list[tuple[float, ...]]:
    """Return the launch's percent and each stage's, event by event."""
    shares, seen = Shares(), []
    for event in told:
        shares.take(event)
        seen.append((shares.pct, *(shares.stage_pct(stage) for stage in PipelineStage)))
    return seen


def falls(told: Told) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
    """Return where something fell."""
    return [
        (before, after)
        for before, after in pairwise(percents(told))
        if any(b > a for b, a in zip(before, after, strict=True))
    ]


@st.composite
def overlapping(draw: st.DrawFn) -> Told:
    """Draw a launch whose steps are at work side by side; some of them nobody planned."""
    planned = draw(st.lists(st.sampled_from(ANY_STEP), unique=True))
    told = Told().begins(1, planned)
    at_work: set[str] = set()
    for step in draw(st.lists(st.sampled_from(ANY_STEP), max_size=60)):
        what = draw(st.sampled_from(["report", "report", "report", "again", "share", "end"]))
        if step not in at_work:
            told.started(step)
            at_work.add(step)
        elif what == "report":
            total = draw(st.integers(0, 9))
            done = draw(st.integers(0, 12))  # more than was expected, too
            told.reported(step, done, total, part=draw(st.sampled_from("ab")))
        elif what == "again":
            told.retrying(step).started(step)
        elif what == "share":
            told.shared(step, draw(st.sampled_from(list(PipelineStage))), "x")
        else:
            at_work.remove(step)
            told.succeeded(step) if draw(st.booleans()) else told.failed(step)
    return told


def test_a_stage_is_its_steps_and_the_share_of_the_one_at_work() -> None:
    told = Told().begins(1, ["scan", "faces", "embeddings"]).does("scan").started("faces")
    told.reported("faces", 9, 10)
    late = shares_of(told)
    told.succeeded("faces").started("embeddings").reported("embeddings", 1, 10)
    next_step = shares_of(told)

    assert (late.stage_pct(FACES), late.pct) == (45.0, 72.5)
    assert (next_step.stage_pct(FACES), next_step.pct) == (55.0, 77.5)


def test_a_step_that_is_tried_again_does_over_what_it_had_done() -> None:
    told = Told().begins(1, ["scan"]).started("scan").reported("scan", 8, 10)
    told.retrying("scan").started("scan").reported("scan", 1, 10)
    again = shares_of(told)
    told.reported("scan", 9, 10)

    assert (again.pct, shares_of(told).pct) == (80.0, 90.0)


def test_what_a_step_makes_for_another_stage_is_nothing_that_the_launch_set_out_to_do() -> None:
    told = Told().begins(1, ["scan"]).started("scan").reported("scan", 1, 10)
    told.shared("scan", PipelineStage.BODY_TRACKING, "body_detections")

    assert shares_of(told.reported("scan", 5, 10)).pct == 50.0


def test_what_is_not_done_is_never_rounded_to_a_hundred() -> None:
    steps = [f"step {n}" for n in range(40)]
    planned = [of_step(name, EventKind.STEP_PLANNED) for name in steps]
    ends = [of_step(name, kind) for name in steps for kind in (STARTED, SUCCEEDED)]
    report = replace(ends[-1], kind=REPORTED, data=ALL)
    almost = shares_of([*planned, *ends[:-1], report])

    assert almost.pct == almost.stage_pct(FACES) == 99.9
    assert shares_of([*planned, *ends]).pct == 100.0


@few
@given(overlapping())
def test_nothing_falls_whatever_is_at_work_side_by_side(told: Told) -> None:
    assert falls(told) == []


@few
@given(logs())
def test_nothing_falls_in_any_launch_of_a_log(log: Log) -> None:
    for run in log.runs:
        assert falls(run) == []


@few
@given(overlapping())
def test_the_fold_says_the_same_after_each_event(told: Told) -> None:
    for n, seen in enumerate(percents(told), 1):
        attempt = fold(told.events[:n]).current
        assert attempt is not None
        shown = tuple(
            attempt.stages[stage].told_pct if stage in attempt.stages else 0.0
            for stage in PipelineStage
        )
        assert (attempt.pct, *shown) == seen
