"""How far a backfill is: the record folded with its runs' logs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from screenalytics_core.backfills.expected import Finished, History, Rate
from screenalytics_core.backfills.progress import EpisodeProgress, episode_progress, totals
from screenalytics_core.backfills.record import BackfillRecord, PlannedEpisode
from screenalytics_core.ledger.events import EventKind, iso
from screenalytics_core.ledger.state import RunState, fold
from screenalytics_core.stages import PipelineStage
from tests.run_stories import EP, Story

BEGUN = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
PLANNED = PlannedEpisode(EP, "run", "missing", "no run yet", video_s=100.0)


def record(created_at: datetime = BEGUN) -> BackfillRecord:
    return BackfillRecord(
        backfill_id="b",
        created_at=iso(created_at),
        created_by="me@here",
        how="processes",
        selection=("rhobh-s05",),
        which=("missing",),
        jobs=1,
        settings={},
        config_hash="h",
        pack="lite",
        episodes=(PLANNED,),
    )


def shown(state: RunState, *, is_gone: bool = False, since: datetime = BEGUN) -> EpisodeProgress:
    now = iso(BEGUN + timedelta(hours=1))
    return episode_progress(PLANNED, record(since), state, now=now, people=6, is_gone=is_gone)


def row(state: str, video_s: float | None = 100.0, took_s: float | None = None) -> EpisodeProgress:
    return EpisodeProgress(EP, "run", "missing", state, took_s=took_s, video_s=video_s)


def test_an_episode_without_a_run_is_planned() -> None:
    assert shown(RunState()).state == "planned"


def test_a_running_episode_shows_its_stage_and_percent() -> None:
    story = Story(run_id="run").begin()
    story.tell(EventKind.STEP_STARTED, PipelineStage.DETECT_TRACK, after_s=0.1)
    story.tell(EventKind.STEP_PROGRESS, PipelineStage.DETECT_TRACK, done=30, total=120, message="")

    found = shown(fold(story.events))

    assert (found.state, found.stage, found.percent) == ("running", "detect", 25.0)
    assert found.people is None


def test_a_running_episode_whose_process_is_dead_is_gone() -> None:
    state = fold(Story(run_id="run").begin().events)

    assert shown(state, is_gone=True).state == "gone"


def test_what_a_resumed_run_was_before_the_backfill_does_not_count() -> None:
    story = Story(run_id="run", now=BEGUN - timedelta(days=1)).begin()
    story.tell(EventKind.RUN_FAILED, after_s=5, error={"code": "video_unusable", "message": "bad"})

    assert shown(fold(story.events)).state == "planned"
    assert shown(fold(story.events), since=BEGUN - timedelta(days=2)).state == "failed"


def test_a_failed_episode_says_why() -> None:
    story = Story(run_id="run").begin()
    story.tell(EventKind.RUN_FAILED, after_s=5, error={"code": "video_unusable", "message": "bad"})

    found = shown(fold(story.events))

    assert found.error == "video_unusable: bad"
    assert found.is_over


@pytest.mark.parametrize(
    ("rows", "rest_s"),
    [
        pytest.param([row("planned"), row("completed")], 200.0, id="what is left"),
        pytest.param([row("running", took_s=150.0)], 50.0, id="less what is done"),
        pytest.param([row("running", took_s=900.0)], 0.0, id="never below nothing"),
        pytest.param([row("gone", took_s=150.0)], 200.0, id="nobody goes on with it"),
        pytest.param([row("failed"), row("canceled")], 0.0, id="over"),
        pytest.param([row("planned", video_s=None)], None, id="length not known"),
    ],
)
def test_the_rest_is_expected_from_the_rate(
    rows: list[EpisodeProgress], rest_s: float | None
) -> None:
    assert totals(rows, Rate(2.0, "test"), jobs=1).rest_s == rest_s


def test_jobs_share_the_rest_but_one_run_takes_its_time() -> None:
    rows = [row("planned"), row("planned"), row("planned")]

    assert totals(rows, Rate(2.0, "test"), jobs=2).rest_s == 300.0
    assert totals(rows, Rate(2.0, "test"), jobs=9).rest_s == 200.0


def test_without_history_nobody_says_how_long_it_takes() -> None:
    rate = History().rate("h", "lite")

    assert rate.expected_s(100.0) is None
    assert totals([row("planned")], rate, jobs=1).rest_s is None
    assert "no finished run" in rate.basis


def test_runs_of_the_same_settings_tell_more_than_others_of_the_pack() -> None:
    runs = (
        Finished("h", "lite", took_s=10, video_s=10),
        Finished("h", "lite", took_s=30, video_s=10),
        Finished("h", "lite", took_s=20, video_s=10),
        Finished("other", "lite", took_s=900, video_s=10),
        Finished("h2", "buffalo_l", took_s=5, video_s=0),
    )

    assert History(runs).rate("h", "lite").s_per_video_s == 2.0
    assert History(runs).rate("unseen", "lite").s_per_video_s == 2.5
    assert History(runs).rate("h2", "buffalo_l").s_per_video_s is None


def test_a_run_that_takes_most_over_needs_the_part_that_its_own_stages_took() -> None:
    stage_s = {"detect": 12.0, "faces": 3.0, "screentime": 1.0, "pdf": 2.0}
    rate = History((Finished("h", "lite", took_s=20, video_s=10, stage_s=stage_s),)).rate(
        "h", "lite"
    )

    assert rate.expected_s(100.0) == 200.0
    assert rate.expected_s(100.0, ("screentime", "pdf")) == pytest.approx(50.0)
    assert rate.expected_s(100.0, tuple(stage_s)) == pytest.approx(200.0)
    later = [replace(row("planned"), stages=("screentime", "pdf")), row("planned")]
    assert totals(later, rate, jobs=1).rest_s == pytest.approx(250.0)
