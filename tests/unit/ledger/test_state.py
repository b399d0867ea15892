"""The fold, case by case: what Dagster tells, and what is to be seen of it."""

from __future__ import annotations

import pytest

from screenalytics_core.ledger.attempt_state import ErrorFacts
from screenalytics_core.ledger.events import EventKind, LedgerEvent
from screenalytics_core.ledger.state import RunState, fold
from screenalytics_core.ledger.vocabulary import RunStatus, StageStatus
from screenalytics_core.stages import STAGE_PLAN, PipelineStage
from tests.unit.ledger.event_samples import STEPS, Told, at, patched, refused

DETECT, FACES, CLUSTER, BODIES = STAGE_PLAN[:4]
SCREEN_TIME, PDF = PipelineStage.SCREEN_TIME, PipelineStage.PDF_EXPORT


def seen(state: RunState) -> dict[str, str]:
    """Return the stages that have anything to say."""
    idle = StageStatus.NOT_STARTED
    return {s.value: k.status.value for s, k in state.stages.items() if k.status is not idle}


# --- one Dagster run ----------------------------------------------------------------------------


def test_a_run_of_which_nothing_is_known_has_no_state() -> None:
    state = fold([])

    assert (state.status, state.error, state.current, state.created_at) == (None, None, None, None)
    assert {stage.status for stage in state.stages.values()} == {StageStatus.NOT_STARTED}


def test_queued_only() -> None:
    state = fold(Told().queued(trace_id="t", tags=["who=me"], parent_run_id="r0"))

    assert state.status is RunStatus.QUEUED
    assert seen(state) == {}
    assert state.created_at == at(0)
    assert state.current is not None
    assert (state.current.trace_id, state.current.tags) == ("t", ("who=me",))
    assert (state.current.parent_run_id, state.current.started_at) == ("r0", None)


def test_a_queued_run_that_is_being_canceled_does_not_run_yet() -> None:
    assert fold(Told().queued().canceling()).status is RunStatus.QUEUED
    assert fold(Told().queued().canceling().canceled()).status is RunStatus.CANCELED


def test_running() -> None:
    told = Told().begins(1).does("scan", "tracks").started("faces").reported("faces", 3, 12)
    state = fold(told)

    assert state.status is RunStatus.RUNNING
    assert seen(state) == {"detect": "success", "faces": "running"}
    assert state.running_stage is state.stages[FACES]
    progress = state.stages[FACES].progress
    assert progress is not None
    assert (progress.done, progress.total, progress.rate_per_s) == (3, 12, 3.0)
    assert state.current is not None
    assert (state.current.attempt, state.current.process) == (1, {"host": "host", "pid": 42})


def test_between_two_steps_a_stage_is_still_running() -> None:
    assert seen(fold(Told().begins(1).does("scan"))) == {"detect": "running"}


def test_completed() -> None:
    state = fold(Told().begins(1).does(*STEPS).completed())

    assert (state.status, state.error) == (RunStatus.COMPLETED, None)
    assert set(seen(state).values()) == {"success"}
    assert state.stages[PDF].status is StageStatus.NOT_STARTED
    assert state.stages[DETECT].assets == ("scan", "tracks")


def test_in_a_completed_run_no_stage_is_left_running() -> None:
    told = Told().begins(1).does("scan").started("faces").completed()
    state = fold(told)

    assert seen(state) == {"detect": "success", "faces": "success"}
    assert state.stages[FACES].ended_at == told.events[-1].at


def test_a_failed_step_fails_its_stage_and_blocks_the_later_ones() -> None:
    state = fold(Told().begins(1).does("scan", "tracks").started("faces").failed("faces").swept())

    assert (state.status, state.error) == (RunStatus.FAILED, ErrorFacts("video_error", "bad video"))
    assert seen(state) == {
        "detect": "success",
        "faces": "failed",
        "cluster": "blocked",
        "screentime": "blocked",
    }
    assert state.stages[CLUSTER].blocked_reason == "stage faces failed: bad video"
    assert state.stages[CLUSTER].started_at is None


def test_a_killed_process_fails_the_stage_that_ran_with_the_runs_reason() -> None:
    told = Told().begins(1).does("scan", "tracks").started("faces").reported("faces", 1, 2).swept()
    state = fold(told)

    died = ErrorFacts("process_died", "the process died")
    assert (state.status, state.error) == (RunStatus.FAILED, died)
    faces = state.stages[FACES]
    assert (faces.status, faces.error, faces.ended_at) == (
        StageStatus.FAILED,
        died,
        told.events[-1].at,
    )
    assert faces.progress is not None
    assert faces.progress.done == 1
    assert state.stages[CLUSTER].status is StageStatus.BLOCKED
    assert state.stages[CLUSTER].blocked_reason == "stage faces failed: the process died"


def test_of_two_steps_that_fail_at_once_the_first_is_the_reason() -> None:
    told = Told().begins(1).started("scan").started("faces")
    told.failed("faces", "model_error", "no model").failed("scan", "video_error", "bad").swept()
    state = fold(told)

    assert state.error == ErrorFacts("model_error", "no model")
    assert state.stages[CLUSTER].blocked_reason == "stage faces failed: no model"


def test_a_run_that_failed_before_any_step_says_why_it_is_blocked() -> None:
    state = fold(Told().queued().run_started().run_failed("run_failed", "no such pack"))

    assert state.error == ErrorFacts("run_failed", "no such pack")
    assert state.stages[DETECT].status is StageStatus.BLOCKED
    assert state.stages[DETECT].blocked_reason == "no such pack"


@pytest.mark.parametrize("has_ended", [False, True], ids=["canceling", "canceled"])
def test_canceling_makes_the_running_stage_canceled_and_not_failed(has_ended: bool) -> None:
    told = Told().begins(1).does("scan", "tracks").started("faces").canceling()
    told.failed("faces", "interrupted", "DagsterExecutionInterruptedError")
    if has_ended:
        told.canceled()
    state = fold(told)

    assert state.stages[FACES].status is StageStatus.CANCELED
    assert state.stages[FACES].error is None
    assert state.stages[DETECT].status is StageStatus.SUCCESS
    if has_ended:
        assert state.status is RunStatus.CANCELED
        assert state.error == ErrorFacts("canceled", "canceled")


def test_a_run_that_fails_while_it_is_being_canceled_failed() -> None:
    told = Told().begins(1).started("scan").canceling().failed("scan").run_failed()
    state = fold(told)

    assert (state.status, state.stages[DETECT].status) == (RunStatus.FAILED, StageStatus.FAILED)
    assert state.error == ErrorFacts("video_error", "bad video")


def test_a_retried_step_starts_its_progress_over_and_keeps_what_it_used() -> None:
    told = Told().begins(1).started("scan").reported("scan", 90, 100).measured("scan", cpu_s=4.0)
    told.retrying("scan")
    waiting = fold(told).stages[DETECT]
    told.started("scan")
    again = fold(told).stages[DETECT]
    told.reported("scan", 10, 100, facts={"cpu_s": 1.0})
    later = fold(told).stages[DETECT]

    assert (waiting.status, waiting.retries) == (StageStatus.RUNNING, 1)
    assert (again.status, again.progress, again.retries) == (StageStatus.RUNNING, None, 1)
    assert again.facts.cpu_s == 4.0
    assert later.progress is not None
    assert (later.progress.done, later.progress.rate_per_s) == (10, 10.0)
    assert later.facts.cpu_s == 5.0
    assert later.started_at == waiting.started_at


def test_parts_of_a_step_add_up_with_the_last_report_of_each() -> None:
    told = Told().begins(1).started("scan")
    for done in (5, 10):
        for part in "abc":
            told.reported("scan", done, 20, part=part, facts={"frames": done, "cpu_s": 0.5})
    state = fold(told).stages[DETECT]

    assert state.progress is not None
    assert (state.progress.done, state.progress.total, state.pct) == (30, 60, 25.0)
    assert (state.facts.frames, state.facts.cpu_s) == (30, 1.5)


def test_the_facts_of_a_stage_add_up_over_its_steps() -> None:
    told = Told().begins(1).started("scan").reported("scan", 1, 1, facts={"cpu_s": 99.0})
    told.published("scan", cpu_s=2.0, rows_out=5, peak_rss_bytes=7, fingerprint="a", code_ref="c")
    told.succeeded("scan").started("tracks")
    told.published("tracks", cpu_s=1.0, rows_out=2, peak_rss_bytes=9, fingerprint="b")
    told.succeeded("tracks")
    facts = fold(told).stages[DETECT].facts

    assert (facts.cpu_s, facts.rows_out, facts.peak_rss_bytes) == (3.0, 7, 9)
    assert (facts.code_ref, facts.frames) == ("c", None)
    assert facts.input_fingerprint not in (None, "a", "b")


@pytest.mark.parametrize(
    ("sources", "source"),
    [(("checkpoint", "checkpoint"), "checkpoint"), (("checkpoint", "computed"), "computed")],
)
def test_a_stage_is_reused_if_every_output_is(sources: tuple[str, str], source: str) -> None:
    told = Told().begins(1)
    for step, where in zip(("scan", "tracks"), sources, strict=True):
        told.started(step).published(step, where).succeeded(step)

    assert fold(told).stages[DETECT].source == source


# --- an end is an end ---------------------------------------------------------------------------


def test_an_orphans_late_success_does_not_reopen_a_failed_run() -> None:
    told = Told().begins(1).started("scan").reported("scan", 4, 10).swept()
    failed = fold(told)
    told.reported("scan", 10, 10).published("scan").succeeded("scan").completed()
    later = fold(told)

    assert later.attempts == failed.attempts
    assert later.stages == failed.stages
    assert later.stages[DETECT].progress is not None
    assert later.stages[DETECT].progress.done == 4


def test_a_process_that_starts_after_its_run_was_declared_failed_changes_nothing() -> None:
    told = Told().queued().swept()
    failed = fold(told)

    assert fold(told.run_started().does("scan")).attempts == failed.attempts


@pytest.mark.parametrize("late", [EventKind.RUN_COMPLETED, EventKind.RUN_CANCELED])
def test_the_first_end_counts(late: EventKind) -> None:
    told = Told().begins(1).run_failed("run_failed", "first")

    assert fold(told.tell(late)).error == ErrorFacts("run_failed", "first")


def test_a_step_ends_once_unless_it_is_started_again() -> None:
    told = Told().begins(1).started("scan").failed("scan").succeeded("scan")
    assert fold(told).stages[DETECT].status is StageStatus.FAILED

    told.does("scan", "tracks")
    assert fold(told).stages[DETECT].status is StageStatus.SUCCESS
    assert fold(told).stages[DETECT].error is None


def test_a_lost_attempt_failed() -> None:
    state = fold(Told().begins(1).started("scan").lost("Dagster does not know it"))

    lost = ErrorFacts("attempt_lost", "Dagster does not know it")
    assert (state.status, state.error) == (RunStatus.FAILED, lost)
    assert state.stages[DETECT].error == lost


def test_what_dagster_says_of_the_end_counts_more_than_the_presumption_that_it_was_lost() -> None:
    told = Told().begins(1).started("scan").lost()
    told.published("scan").succeeded("scan").completed()

    assert fold(told).status is RunStatus.COMPLETED
    assert seen(fold(told)) == {"detect": "success"}


def test_a_run_declared_lost_before_it_claimed_is_alive_if_it_claims_later() -> None:
    told = Told().queued().lost()
    assert fold(told).status is RunStatus.FAILED

    told.run_started().claims(1).started("scan")
    assert (fold(told).status, fold(told).error) == (RunStatus.RUNNING, None)

    told.lost("and lost again")
    assert fold(told).error == ErrorFacts("attempt_lost", "and lost again")


# --- several Dagster runs in one run ------------------------------------------------------------


def test_a_newer_attempts_state_and_error_replace_the_older_ones() -> None:
    first = Told("d1").begins(1).started("scan").failed("scan").run_failed()
    second = Told("d2", second=100).begins(2)
    running = fold([*first, *second])
    second.started("scan").failed("scan", "model_error", "no model").run_failed()
    failed = fold([*first, *second])
    third = Told("d3", second=200).begins(3).does(*STEPS).completed()
    completed = fold([*first, *second, *third])

    assert (running.status, running.error) == (RunStatus.RUNNING, None)
    assert failed.error == ErrorFacts("model_error", "no model")
    assert (completed.status, completed.error) == (RunStatus.COMPLETED, None)
    assert [a.attempt for a in completed.attempts] == [1, 2, 3]
    assert completed.created_at == at(0)


def test_a_resumed_run_shows_what_it_has_done_again_and_what_still_holds() -> None:
    first = Told("d1").begins(1).does("scan", "tracks", "faces", "embeddings")
    first.started("identities").failed("identities").run_failed()
    second = Told("d2", second=100).queued(("identities", "screen_time"))
    queued = fold([*first, *second])
    second.run_started().claims(2).started("identities")
    state = fold([*first, *second])

    assert seen(queued) == {"detect": "success", "faces": "success"}
    assert seen(state) == {"detect": "success", "faces": "success", "cluster": "running"}
    assert [state.stages[s].attempt for s in (DETECT, FACES, CLUSTER)] == [1, 1, 2]


def test_what_a_newer_attempt_does_not_plan_stays_as_it_was() -> None:
    first = Told("d1").begins(1).started("scan").failed("scan").run_failed()
    second = Told("d2", second=100).begins(2, ["identities"]).does("identities").completed()

    assert seen(fold([*first, *second])) == {
        "detect": "failed",
        "faces": "blocked",
        "cluster": "success",
        "screentime": "blocked",
    }


def test_a_scan_is_charged_for_bodies_to_the_stage_that_starts_later() -> None:
    told = Told("d1").begins(1, ["scan", "body_tracks"]).started("scan")
    told.published("scan", cpu_s=8.0)
    told.shared("scan", BODIES, "body_detections", cpu_s=2.0).succeeded("scan")
    scanned = fold(told)
    told.started("body_tracks").published("body_tracks", cpu_s=0.5).succeeded("body_tracks")
    state = fold(told)

    assert seen(scanned) == {"detect": "success"}
    assert seen(state) == {"detect": "success", "body_tracking": "success"}
    assert [state.stages[s].facts.cpu_s for s in (DETECT, BODIES)] == [8.0, 2.5]
    assert state.stages[BODIES].started_at == told.events[-3].at


def test_a_scan_that_failed_after_the_bodies_blocks_their_stage() -> None:
    told = Told("d1").begins(1, ["scan", "body_tracks"]).started("scan")
    told.shared("scan", BODIES, "body_detections").failed("scan").run_failed()

    assert seen(fold(told)) == {"detect": "failed", "body_tracking": "blocked"}


def test_a_launch_that_finds_the_run_busy_never_counts() -> None:
    first = Told("d1").begins(1).started("scan")
    busy = refused("d2", second=100)
    state = fold([*first, *busy])

    assert (state.status, state.error) == (RunStatus.RUNNING, None)
    assert [a.dagster_run_id for a in state.attempts] == ["d1"]
    assert [(a.dagster_run_id, a.status) for a in state.refused] == [("d2", RunStatus.CANCELED)]
    assert state.refused[0].error == ErrorFacts("run_busy", "attempt 1 is running")

    for n in range(len(busy)):
        assert fold([*first, *busy.events[:n]]).status is RunStatus.RUNNING


def test_a_refused_launch_does_not_count_after_the_attempt_ended_either() -> None:
    first = Told("d1").begins(1).does(*STEPS).completed()

    assert fold([*first, *refused("d2", second=100)]).status is RunStatus.COMPLETED


def test_a_launch_that_fails_before_the_claim_speaks_until_the_next_claim() -> None:
    first = Told("d1").begins(1).does(*STEPS).completed()
    early = Told("d2", second=100).queued().run_started().run_failed("run_failed", "no such pack")
    before = fold([*first, *early])
    second = Told("d3", second=200).begins(2)
    after = fold([*first, *early, *second])

    assert (before.status, before.error) == (
        RunStatus.FAILED,
        ErrorFacts("run_failed", "no such pack"),
    )
    assert (after.status, after.error) == (RunStatus.RUNNING, None)
    assert [a.dagster_run_id for a in after.attempts] == ["d1", "d2", "d3"]


def test_a_launch_that_fails_beside_a_working_attempt_does_not_speak_for_it() -> None:
    first = Told("d1").begins(1)
    first.second = 1000
    early = Told("d2", second=100).queued().run_started().run_failed("run_failed", "no such pack")

    assert fold([*first, *early]).status is RunStatus.RUNNING
    assert fold([*first.completed(), *early]).status is RunStatus.COMPLETED


def test_an_older_launch_that_is_left_in_the_queue_does_not_speak_after_a_newer_one() -> None:
    old = Told("d0").queued()
    first = Told("d1", second=50).begins(1).completed()
    new = Told("d2", second=60).queued()

    assert fold([*old, *first]).status is RunStatus.COMPLETED
    assert fold([*old, *first, *new]).status is RunStatus.QUEUED


# --- what callers add ---------------------------------------------------------------------------


def test_patches_of_the_index_merge_by_time_and_leave_the_run_alone() -> None:
    told = Told().begins(1)
    early = patched({"title": "a", "links": {"x": 1, "y": [1]}}, 1, "one")
    late = patched({"title": "b", "links": {"y": [2]}}, 2, "two")
    state = fold([late, *told, early])

    assert state.index_patch == {"title": "b", "links": {"x": 1, "y": [2]}}
    assert state.attempts == fold(told).attempts
    assert fold([early]).status is None


# --- what the originals did wrong ---------------------------------------------------------------


def test_a_stage_or_step_that_says_completed_does_not_complete_the_run() -> None:
    told = Told().begins(1).does("scan", "tracks")
    told.reported("tracks", 14, 14, facts={})
    told.tell(EventKind.STEP_PROGRESS, "tracks", done=14, total=14, message="completed")

    assert fold(told).status is RunStatus.RUNNING


def test_a_missing_record_is_not_taken_for_a_running_one() -> None:
    assert fold([patched({"a": 1})]).status is None
    assert fold(Told().queued()).status is RunStatus.QUEUED


@pytest.mark.parametrize("end", ["completed", "run_failed", "canceled"])
@pytest.mark.parametrize("then", ["completed", "run_failed", "canceled", "run_started", "queued"])
def test_no_transition_leads_out_of_an_end(end: str, then: str) -> None:
    told = Told().begins(1).does(*STEPS)
    getattr(told, end)()
    ended = fold(told).attempts
    getattr(told, then)()

    assert fold(told).attempts == ended


def test_an_event_without_its_stage_is_of_the_run_and_harms_nothing() -> None:
    told = Told().begins(1)
    stray = LedgerEvent("stray", EventKind.STEP_FAILED, at(9), "d1", 99, data={"error": None})

    assert seen(fold([*told, stray])) == {}
