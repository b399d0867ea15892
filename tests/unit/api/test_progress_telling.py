"""What each line of a run's log says to listeners: seed 002's payload, the same every time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screenalytics_assets.api.progress.models import ProgressEvent
from screenalytics_assets.api.progress.teller import ProgressTeller, Told
from screenalytics_core.ledger.events import EventKind, LedgerEvent
from screenalytics_core.ledger.run_facts import RunFacts
from screenalytics_core.ledger.run_index import run_index
from screenalytics_core.ledger.state import fold
from screenalytics_core.ledger.vocabulary import RunStatus
from screenalytics_core.manifest import Manifest
from screenalytics_core.stages import PipelineStage
from tests.stores import EP
from tests.unit.ledger import event_samples as log
from tests.unit.ledger.test_state_properties import dagster_runs, interleaved, logs

RUN = "r1"
few = settings(deadline=None, max_examples=60)


@st.composite
def written(draw: st.DrawFn) -> list[LedgerEvent]:
    """Draw the lines of a log: launches interleaved, none of them twice."""
    events = interleaved(draw, draw(logs()))
    return list({event.event_id: event for event in events}.values())


def told(events: Iterable[LedgerEvent]) -> list[Told]:
    teller = ProgressTeller(EP, RUN)
    return [t for event in log.numbered(events) if (t := teller.take(event)) is not None]


def heard(events: Iterable[LedgerEvent]) -> list[tuple[str, str, str]]:
    """Return agent, status and message as listeners of the run hear them."""
    news = [t.to_run for t in told(events) if t.to_run is not None]
    return [(n.agent, n.status, n.message) for n in news]


def heard_by_job(events: Iterable[LedgerEvent], job_id: str) -> list[tuple[str, str, str]]:
    news = [t.to_job for t in told(events) if t.to_job.job_id == job_id]
    return [(n.agent, n.status, n.message) for n in news]


def never_falls(values: list[float]) -> bool:
    return values == sorted(values) and all(0.0 <= value <= 100.0 for value in values)


def test_a_report_is_the_payload_of_the_seed() -> None:
    events = log.Told().begins(1, ["scan", "faces"]).started("scan").reported("scan", 30, 60)

    assert told(events)[-1].to_run == ProgressEvent(
        projectId=EP,
        runId=RUN,
        agent="detect",
        status="running",
        message="30 of 60",
        timestamp=log.at(6),
        progress=25.0,
        ep_id=EP,
        run_id=RUN,
        sequence=7,
        job_id="d1",
        attempt=1,
        step="scan",
        done=30,
        total=60,
        stage_pct=50.0,
    )


def test_the_parts_of_a_step_add_up() -> None:
    events = log.Told().begins(1, ["scan"]).started("scan")
    events.reported("scan", 10, 50, part="a").reported("scan", 30, 50, part="b")

    last = told(events)[-1].to_job

    assert (last.done, last.total, last.progress) == (40, 100, 40.0)


def test_a_run_is_told_from_the_queue_to_its_end() -> None:
    events = log.Told().begins(1, ["scan", "tracks"]).started("scan")
    events.published("scan", rows_out=1200).succeeded("scan").does("tracks").completed()

    assert heard(events) == [
        ("pipeline", "queued", "waits to be started"),
        ("pipeline", "running", "started"),
        ("pipeline", "running", "attempt 1 began"),
        ("detect", "running", "scan started"),
        ("detect", "running", "scan published, 1,200 rows"),
        ("detect", "running", "scan is done"),
        ("detect", "running", "tracks started"),
        ("detect", "running", "tracks published"),
        ("detect", "completed", "tracks is done"),
        ("pipeline", "completed", "completed"),
    ]


def test_what_was_reused_is_told_as_reused() -> None:
    events = log.Told().begins(1, ["scan"]).started("scan").published("scan", "checkpoint")

    assert heard(events)[-1] == ("detect", "running", "scan reused")


def test_a_failed_run_says_why_its_step_failed() -> None:
    events = log.Told().begins(1).started("scan").failed("scan").run_failed()

    assert heard(events)[-2:] == [
        ("detect", "failed", "bad video"),
        ("pipeline", "failed", "bad video"),
    ]


def test_a_canceled_run_does_not_blame_the_step_that_was_interrupted() -> None:
    events = log.Told().begins(1).started("scan").canceling()
    events.failed("scan", "interrupted", "ended from outside").canceled()

    assert heard(events)[-1] == ("pipeline", "failed", "canceled")


def test_a_lost_attempt_says_that_nobody_else_will() -> None:
    events = log.Told().begins(1).started("scan").lost()

    assert heard(events)[-1] == ("pipeline", "failed", "Dagster does not know it")


def test_an_attempt_that_was_presumed_lost_may_still_be_told_to_its_end() -> None:
    events = log.Told().begins(1, ["scan"]).started("scan").lost()
    events.tell(EventKind.STEP_SUCCEEDED, "scan").completed()

    assert heard(events)[-1] == ("pipeline", "completed", "completed")


def test_what_an_orphan_writes_after_the_end_is_no_news() -> None:
    events = log.Told().begins(1).started("scan").run_failed()

    assert heard([*events, *log.Told("d1", second=99).completed()]) == heard(events)


def test_a_busy_launch_is_told_to_its_own_listeners_and_only_mentioned_to_the_runs() -> None:
    first = log.Told().begins(1, ["scan"]).started("scan").reported("scan", 30, 60)
    guest = log.refused("d2", second=20)
    events = [*first, *guest]

    assert heard(events)[len(heard(first)) :] == [
        ("pipeline", "running", "another launch of this run waits to be started"),
        ("pipeline", "running", "another launch of this run ended: attempt 1 is running"),
    ]
    assert told(events)[-1].to_run is not None
    assert told(events)[-1].to_run.progress == 50.0
    assert heard_by_job(events, "d2")[-2:] == [
        ("detect", "failed", "attempt 1 is running"),
        ("pipeline", "failed", "attempt 1 is running"),
    ]


def test_a_resumed_run_is_told_by_its_new_attempt() -> None:
    first = log.Told().begins(1).started("scan").failed("scan").run_failed()
    second = log.Told("d2", second=50).begins(2, ["scan"]).does("scan").completed()

    assert heard([*first, *second])[len(heard(first)) :] == heard_by_job(second, "d2")


def test_who_claims_the_run_of_one_that_died_is_no_guest() -> None:
    dead = log.Told().begins(1).started("scan")
    second = log.Told("d2", second=50).begins(2, ["scan"]).started("scan")

    assert heard([*dead, *second])[-1] == ("detect", "running", "scan started")


def test_patches_and_plans_are_no_news_but_keep_their_numbers() -> None:
    events = [*log.Told().queued(["scan"]), log.patched({"a": 1}), *log.Told().run_started()]
    events[-1] = replace(events[-1], event_id="d1/9", order=9)

    assert [t.to_job.sequence for t in told(events)] == [1, 4]


def test_half_a_character_out_of_a_file_name_is_told_as_a_question_mark() -> None:
    events = log.Told().begins(1).started("scan").failed("scan", message="bad \udce9.mp4")

    assert heard(events)[-1][2] == "bad ?.mp4"


@few
@given(run=dagster_runs("d1", 1, 0))
def test_progress_is_what_the_run_index_says_after_the_same_line(run: log.Told) -> None:
    events = log.numbered(run)
    teller = ProgressTeller(EP, RUN)
    for n, event in enumerate(events, 1):
        news = teller.take(event)
        state = fold(events[:n])
        if news is None or state.current is None:
            continue
        facts = RunFacts(EP, RUN, state, None, Manifest(EP, RUN))
        assert news.to_job.progress == run_index(facts, "").get("progress", 0.0), event


@few
@given(events=written())
def test_progress_never_falls_within_a_launch(events: list[LedgerEvent]) -> None:
    by_job: dict[str | None, list[ProgressEvent]] = {}
    for news in told(events):
        by_job.setdefault(news.to_job.job_id, []).append(news.to_job)

    for heard_of_it in by_job.values():
        assert never_falls([n.progress for n in heard_of_it])
        for stage in PipelineStage:
            own = [n.stage_pct for n in heard_of_it if n.agent == stage.value]
            assert never_falls([pct for pct in own if pct is not None])


@few
@given(events=written())
def test_the_last_word_to_a_job_is_how_the_fold_says_it_ended(events: list[LedgerEvent]) -> None:
    state = fold(log.numbered(events))
    last = {t.to_job.job_id: t.to_job for t in told(events)}

    for attempt in (*state.attempts, *state.refused):
        if attempt.status is RunStatus.COMPLETED:
            assert last[attempt.dagster_run_id].status == "completed"
            assert last[attempt.dagster_run_id].progress == 100.0
        elif attempt.status.is_terminal:
            assert last[attempt.dagster_run_id].status == "failed"


@few
@given(events=written(), cut=st.integers(0, 200))
def test_what_was_said_does_not_depend_on_what_came_later(
    events: list[LedgerEvent], cut: int
) -> None:
    assert told(events[:cut]) == told(events)[: len(told(events[:cut]))]


@pytest.mark.parametrize("stage", PipelineStage)
def test_the_agent_of_a_step_is_its_stage(stage: PipelineStage) -> None:
    events = log.Told().begins(1)
    started = log.Told("d1").started("scan").events[0]
    event = replace(started, event_id="d1/99", order=99, stage=stage)

    assert heard([*events, event])[-1][0] == stage.value
